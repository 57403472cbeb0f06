"""A team gives a program an account and another team one of its pipelines, and takes both back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest
from playwright.sync_api import expect

from tests.walks.product import PASSWORD, Product
from tests.walks.visitor import Visitor, violations

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.timeout(300)]

TASKS = "  greet:\n    kind: shell\n    run: echo hello\n"


def test_a_program_is_given_an_account_a_token_and_then_neither(
    shop: Product, browser_context: BrowserContext
) -> None:
    name = shop.publish(TASKS)
    visitor = Visitor(shop, browser_context)
    page = visitor.page
    visitor.sign_in()
    page.get_by_role("link", name="Members").click()
    page.get_by_role("button", name="Add a service account").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("User name").fill("uploader")
    dialog.get_by_label("What it is for").fill("Uploads every night")
    dialog.get_by_role("checkbox", name="operator").check()
    expect(dialog.get_by_text("has code executed on the queues of the team")).to_be_visible()
    assert violations(page) == []
    dialog.get_by_role("button", name="Add", exact=True).click()
    page.get_by_role("link", name="uploader").click()

    page.get_by_role("button", name="New token").click()
    dialog.get_by_label("What it is for").fill("cron")
    dialog.get_by_role("checkbox", name="run").check()
    dialog.get_by_role("button", name="Make").click()
    expect(dialog.get_by_text("Copy the token now")).to_be_visible()
    assert violations(page) == []
    text = dialog.locator("code").first.inner_text()
    dialog.get_by_role("button", name="Done").click()

    program = api_of(shop, text)
    assert program.post(f"pipelines/{name}/runs/", json={}).status_code == 201
    refused = program.put(f"pipelines/{name}/draft/", json={"document": ""})
    assert (refused.status_code, refused.json()["code"]) == (403, "scope-missing")
    assert "takes the scope 'edit'" in refused.json()["detail"]

    page.get_by_role("button", name="Disable").click()
    dialog.get_by_role("button", name="Disable").click()
    expect(page.get_by_text("Disabled: it can do nothing")).to_be_visible()
    assert program.get("me/").status_code == 401
    expect(page.get_by_text("revoked", exact=True)).to_be_visible()
    assert visitor.troubles == []


def api_of(shop: Product, token: str) -> httpx.Client:
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.Client(base_url=f"{shop.up.address}/api/v1/", headers=headers, timeout=30)


def test_a_pipeline_is_lent_to_another_team_and_taken_back(
    shop: Product, browser_context: BrowserContext
) -> None:
    name = shop.publish(TASKS)
    make_team(shop, "lenders-friends", "farida")
    owner = Visitor(shop, browser_context)
    owner.sign_in()
    owner.goto(f"/pipelines/demo:{name}")
    share(owner.page, "lenders-friends")

    browser = browser_context.browser
    assert browser is not None
    friend = Visitor(shop, browser.new_context())
    friend.sign_in("farida")
    friend.goto(f"/pipelines/demo:{name}")
    page = friend.page
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    expect(page.get_by_role("link", name="View draft")).to_have_count(0)
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_text("hello").or_(page.get_by_text("greet")).first).to_be_visible(timeout=30_000)
    assert violations(page) == []

    owner.page.get_by_role("button", name="Take back from lenders-friends to run").click()
    owner.page.get_by_role("dialog").get_by_role("button", name="Take back").click()
    expect(owner.page.get_by_text("Only the team demo has it.")).to_be_visible()
    friend.goto(f"/pipelines/demo:{name}")
    expect(page.get_by_text(f"There is no pipeline demo:{name}.")).to_be_visible()
    page.context.close()


def make_team(shop: Product, slug: str, username: str) -> None:
    """A team with one editor who can sign in."""
    shop.post("teams/", {"slug": slug, "name": slug.title()})
    somebody = {"username": username, "email": f"{username}@example.org", "password": PASSWORD}
    shop.post("members/", {"team": slug, "roles": ["editor"], **somebody})


def share(page: Page, team: str) -> None:
    page.get_by_role("region", name="Sharing").get_by_role("button", name="Share").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("With the team").fill(team)
    dialog.get_by_label("They may").select_option("run")
    assert violations(page) == []
    dialog.get_by_role("button", name="Share").click()
    expect(page.get_by_text(f"{team} may run it")).to_be_visible()
