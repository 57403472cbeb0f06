"""An owner leaves; the pipeline is found among those without one and given another, by keyboard alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.walks.product import Product
from tests.walks.visitor import Visitor, violations

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.timeout(300)]

FAILING = "  first:\n    kind: shell\n    run: exit 7\n"
RUNBOOK = "https://wiki.example.org/what-to-do"


def test_a_pipeline_without_an_owner_is_found_and_given_one(
    shop: Product, browser_context: BrowserContext
) -> None:
    name = shop.publish(FAILING)
    assert shop.api.patch(f"pipelines/{name}/", json={"owner": None}).is_success
    visitor = Visitor(shop, browser_context)
    page = visitor.page
    visitor.sign_in()

    page.get_by_role("radio", name="No owner").click()
    page.wait_for_url("**/pipelines?owner=none")
    row = page.get_by_role("row", name=name)
    expect(row.get_by_text("no owner")).to_be_visible()
    assert violations(page) == []
    row.get_by_role("link", name=name).click()
    expect(page.get_by_text("No active owner.")).to_be_visible()
    assert violations(page) == []

    page.get_by_role("button", name="Assign an owner").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("combobox", name="Owner").focus()
    page.keyboard.type("adm")
    expect(dialog.get_by_role("option", name="admin")).to_be_visible()
    page.emulate_media(color_scheme="dark")
    assert violations(page) == []
    page.keyboard.press("Enter")
    dialog.get_by_role("textbox", name="Runbook").focus()
    page.keyboard.type(RUNBOOK)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    expect(page.get_by_text("No active owner.")).to_have_count(0)
    expect(page.get_by_role("link", name=RUNBOOK)).to_be_visible()

    run = shop.start(name)
    shop.wait(run)
    visitor.goto(f"/runs/{run}")
    failed = page.get_by_role("region", name="What failed")
    expect(failed.get_by_role("link", name="Runbook")).to_have_attribute("href", RUNBOOK)
    assert violations(page) == []
    assert visitor.troubles == []
