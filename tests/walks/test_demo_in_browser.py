"""A first-time visitor: sign in, run the demo, watch it, read the log, approve, and trace the model."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.walks.product import Product
from tests.walks.visitor import PATIENCE, Visitor

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

pytestmark = [pytest.mark.slow, pytest.mark.browser]


def test_the_demo_from_sign_in_to_the_trace_of_its_model(
    shop: Product, browser_context: BrowserContext
) -> None:
    visitor = Visitor(shop, browser_context)
    page = visitor.page
    visitor.sign_in()

    page.get_by_role("button", name="Run digits-training").click()
    page.get_by_role("dialog").get_by_role("button", name="Run", exact=True).click()
    page.wait_for_url("**/runs/*")
    loads = visitor.loads

    # Every planned task is there at once; states change without a reload.
    visitor.sees("deploy", "Queued")
    visitor.sees("train", "Running")
    visitor.card("train", "Running").click()
    page.get_by_role("tab", name="Log").click()
    expect(page.get_by_text("epoch").first).to_be_visible(timeout=PATIENCE)
    visitor.sees("train", "Succeeded")

    page.get_by_role("button", name="Close").click()
    visitor.sees("approve", "Needs approval")
    visitor.card("approve", "Needs approval").click()
    page.get_by_label("Comment").fill("Reads well enough.")
    page.get_by_role("button", name="Approve").click()
    page.get_by_role("button", name="Close").click()
    visitor.sees("deploy", "Succeeded")
    assert visitor.loads == loads

    page.get_by_role("link", name="Deployments").click()
    page.get_by_role("link", name=re.compile("digits-prod")).first.click()
    expect(page.get_by_text("Complete", exact=True)).to_be_visible(timeout=PATIENCE)
    whole = page.get_by_role("main")
    trace = shop.get("deployments/digits-prod/trace/")
    for digest in (trace["model"]["sha256"], trace["data"][0]["sha256"], trace["code"][0]["snapshot"]):
        expect(whole.get_by_text(digest[:12]).first).to_be_visible()
    for words in ("admin, who also asked for the run", "Reads well enough.", "learning_rate", "scikit-learn"):
        expect(whole.get_by_text(words).first).to_be_visible()
    assert visitor.troubles == []


def test_the_run_page_is_right_again_after_its_socket_broke(
    shop: Product, browser_context: BrowserContext
) -> None:
    visitor = Visitor(shop, browser_context)
    visitor.sign_in()
    name = shop.publish(
        "  a:\n    kind: shell\n    run: sleep 3\n  b:\n    kind: shell\n    needs: [a]\n    run: sleep 1\n"
    )
    run = shop.start(name)
    visitor.page.goto(f"{visitor.address}/runs/{run}")
    visitor.sees("a", "Running")
    browser_context.set_offline(True)
    shop.wait(run)
    expect(visitor.card("a", "Running")).to_be_visible()
    browser_context.set_offline(False)
    visitor.sees("b", "Succeeded")


def test_a_failed_run_says_why_and_goes_on_by_resume(
    shop: Product, browser_context: BrowserContext, tmp_path: Path
) -> None:
    folder = tmp_path
    visitor = Visitor(shop, browser_context)
    page = visitor.page
    visitor.sign_in()
    tasks = (
        f"  first:\n    kind: shell\n    run: echo once >> {folder}/first\n"
        f"  second:\n    kind: shell\n    needs: [first]\n    run: |\n      echo looking for {folder}/ready\n"
        f"      test -f {folder}/ready || exit 7\n"
        "  third:\n    kind: shell\n    needs: [second]\n    run: 'true'\n"
    )
    run = shop.start(shop.publish(tasks))
    page.goto(f"{visitor.address}/runs/{run}")
    visitor.sees("second", "Failed")
    visitor.sees("third", "Not run")
    expect(
        page.get_by_role("main").get_by_text(re.compile(r"exit(ed)?( with)?( code)? 7")).first
    ).to_be_visible()
    (folder / "ready").touch()
    page.get_by_role("button", name="Resume").first.click()
    page.get_by_role("dialog").get_by_role("button", name=re.compile("^(Resume|Run)")).click()
    visitor.sees("third", "Succeeded")
    assert (folder / "first").read_text().split() == ["once"]
