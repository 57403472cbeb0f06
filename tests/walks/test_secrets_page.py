"""An admin adds a secret on its page, a task is given it, and no page or answer ever shows it again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.walks.product import Product
from tests.walks.visitor import Visitor, violations

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.timeout(300)]

NAME = "walk-through"
FIRST, SECOND = "first-value-of-the-walk", "second-value-of-the-walk"
TASKS = f"""\
  use:
    kind: shell
    with: {{token: "${{{{ secrets.{NAME} }}}}"}}
    run: |
      echo "it is $IN_TOKEN and has ${{#IN_TOKEN}} characters"
"""


def test_a_secret_goes_in_by_its_page_and_never_comes_out(
    shop: Product, browser_context: BrowserContext
) -> None:
    visitor = Visitor(shop, browser_context)
    page = visitor.page
    answers: list[str] = []
    page.on(
        "response", lambda answer: answers.append(answer.text()) if "/api/v1/secrets/" in answer.url else None
    )
    visitor.sign_in()
    page.get_by_role("link", name="Secrets").click()

    page.get_by_role("button", name="Add a secret").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill(NAME)
    dialog.get_by_label("Description").fill("Of this walk.")
    dialog.get_by_role("textbox", name="Value").fill(FIRST)
    assert violations(page) == []
    dialog.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("row", name=NAME)).to_be_visible()

    name = shop.publish(TASKS)
    run = shop.start(name)
    assert shop.wait(run)["state"] == "succeeded"
    visitor.goto(f"/runs/{run}?task=use&tab=log")
    expect(page.get_by_text(f"has {len(FIRST)} characters")).to_be_visible()
    expect(page.get_by_text(FIRST)).to_have_count(0)

    visitor.goto("/settings/secrets")
    page.get_by_role("button", name=NAME).click()
    expect(dialog.get_by_role("link", name=name)).to_be_visible()
    page.emulate_media(color_scheme="dark")
    assert violations(page) == []
    dialog.get_by_role("textbox", name="New value").fill(SECOND)
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("row", name=NAME).get_by_role("cell", name="2", exact=True)).to_be_visible()

    page.get_by_role("button", name=NAME).click()
    expect(dialog.get_by_role("textbox", name="New value")).to_have_value("")
    dialog.get_by_role("button", name="Archive").click()
    expect(page.get_by_text("1 pipeline names it in the active version.")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("dialog", name=f"Archive {NAME}?").get_by_role("button", name="Archive").click()
    expect(page.get_by_role("row", name=NAME)).to_have_count(0)
    assert answers
    assert not [answer for answer in answers if FIRST in answer or SECOND in answer]
    assert visitor.troubles == []
