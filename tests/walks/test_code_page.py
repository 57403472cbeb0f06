"""A repository is added on its page, synced, used by a pipeline, and its newer code published in one step."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.pipelines.git_servers import BLOCKS, make_repository
from tests.walks.product import Product
from tests.walks.visitor import PATIENCE, Visitor, violations

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.timeout(300)]

NAME = "walked-repository"
TASKS = '  load: {kind: python, run: "steps:load", with: {rows: 3}}\n'


def test_a_repository_is_added_synced_used_and_its_new_code_published(
    shop: Product, browser_context: BrowserContext, tmp_path: Path
) -> None:
    repository = make_repository(tmp_path / "code")
    first = repository.commit("First blocks", steps__py=BLOCKS)
    visitor = Visitor(shop, browser_context)
    page = visitor.page
    visitor.sign_in()

    page.get_by_role("link", name="Code", exact=True).click()
    page.get_by_role("button", name="Add a location").click()
    dialog = page.get_by_role("dialog")
    assert violations(page) == []
    dialog.get_by_role("textbox", name="Name").fill(NAME)
    dialog.get_by_role("textbox", name="Address").fill("https://ana:secret-word@code.example.org/x.git")
    dialog.get_by_role("button", name="Add", exact=True).click()
    expect(dialog.get_by_text("Leave user and password out of the address")).to_be_visible()
    dialog.get_by_role("textbox", name="Address").fill(f"file://{repository.folder}")
    dialog.get_by_role("button", name="Add", exact=True).click()

    expect(page.get_by_role("heading", name=NAME)).to_be_visible()
    expect(page.get_by_text("in step", exact=True)).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text("steps:load")).to_be_visible()
    expect(page.get_by_text(first[:10]).first).to_be_visible()
    assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    assert violations(page) == []

    pipeline = shop.publish(TASKS, head=f"code: {{location: {NAME}}}\n")
    run = shop.start(pipeline)
    assert shop.wait(run)["code"]["snapshot"]["commit"]["sha"] == first
    visitor.goto(f"/runs/{run}")
    expect(page.get_by_text(f"code {NAME} at {first[:10]}")).to_be_visible()

    second = repository.commit("Newer blocks", steps__py=BLOCKS.replace("return {}", "return {'n': 1}"))
    page.get_by_role("link", name="Code", exact=True).click()
    page.get_by_role("link", name=NAME).click()
    page.get_by_role("button", name="Sync").click()
    expect(page.get_by_text("Newer blocks").first).to_be_visible(timeout=PATIENCE)
    visitor.goto(f"/pipelines/demo:{pipeline}")
    expect(page.get_by_text("New code available")).to_be_visible()
    page.get_by_role("button", name="Publish with new snapshot").click()
    assert violations(page) == []
    dialog.get_by_role("button", name="Publish", exact=True).click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_text("New code available")).to_have_count(0)
    assert shop.wait(shop.start(pipeline))["code"]["snapshot"]["commit"]["sha"] == second


def test_a_sync_that_fails_says_how_to_go_on(
    shop: Product, browser_context: BrowserContext, tmp_path: Path
) -> None:
    repository = make_repository(tmp_path / "code")
    repository.commit("First blocks", steps__py=BLOCKS)
    body = {"team": "demo", "name": "walked-failure", "kind": "git", "address": str(repository.folder)}
    location = shop.post("code-locations/", body)["id"]
    place = f"code-locations/{location}/"
    shop.until(lambda: shop.get(place)["state"] == "in-step", "synced", 60)
    shutil.rmtree(repository.folder)
    visitor = Visitor(shop, browser_context)
    visitor.sign_in()
    visitor.goto(f"/code/{location}")
    visitor.page.get_by_role("button", name="Sync").click()
    expect(visitor.page.get_by_text("has no such repository: check the address")).to_be_visible(
        timeout=PATIENCE
    )
    expect(visitor.page.get_by_text("steps:load")).to_be_visible()  # the last snapshot stays
    assert violations(visitor.page) == []
    assert visitor.troubles == []
