"""From a run to the table it made, its profile, one step down to the model, and back again on the graph."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.walks.product import Product
from tests.walks.visitor import PATIENCE, Visitor, violations

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.timeout(300)]

PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
FOLDER = f"""\
  draw:
    kind: shell
    run: |
      mkdir "$OUT/bundle"
      echo {PICTURE} | base64 -d > "$OUT/bundle/dot.png"
      printf 'city,count\\nKoeln,1\\n' > "$OUT/bundle/rows.csv"
      echo '<script>document.title = "taken over"</script>' > "$OUT/bundle/page.svg"
    outputs: {{bundle: folder}}
"""


def test_from_a_run_to_a_table_its_profile_and_the_model_made_of_it(
    shop: Product, browser_context: BrowserContext, tmp_path: Path
) -> None:
    run = shop.start("digits-training")
    shop.wait_task(run, "evaluate", "succeeded", patience=120)
    visitor = Visitor(shop, browser_context)
    page = visitor.page
    visitor.sign_in()

    visitor.goto(f"/runs/{run}?task=features&tab=data")
    page.get_by_role("region", name="Outputs", exact=True).get_by_role("link", name="table").click()
    expect(page.get_by_role("heading", name="digits-training.features.table")).to_be_visible()
    expect(page.get_by_role("region", name=re.compile("^Rows of")).get_by_role("row")).to_have_count(51)

    page.get_by_role("radio", name="Profile").click()
    expect(page.get_by_text("All 1,797 rows.")).to_be_visible(timeout=PATIENCE)
    label = page.get_by_role("row", name=re.compile("^label"))
    expect(label.get_by_role("img", name=re.compile("from 0 to 9"))).to_be_visible()
    expect(page.locator(".react-flow")).to_be_visible()
    assert violations(page) == []

    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename == "digits-training.features.table.parquet"
    download.value.save_as(tmp_path / "table")
    assert (tmp_path / "table").read_bytes()[:4] == b"PAR1"

    page.get_by_role("radio", name="List").click()
    downstream = page.get_by_role("table", name="Downstream")
    downstream.get_by_role("link", name="digits-training.train.model").click()
    expect(page.get_by_role("heading", name="digits-training.train.model")).to_be_visible()
    expect(page.get_by_text(re.compile("MLPClassifier"))).to_be_visible()
    expect(page.get_by_text("A model is opened by tasks only, never here")).to_be_visible()
    assert violations(page) == []

    # One step back up, by the card of the table that it was trained on.
    card = page.get_by_role("img", name=re.compile(r"^features\.table, data"))
    card.click()
    expect(page.get_by_role("heading", name="digits-training.features.table")).to_be_visible()
    page.emulate_media(color_scheme="dark")
    expect(page.get_by_role("img", name=re.compile(r"^train\.model, data"))).to_be_visible()
    assert violations(page) == []
    assert visitor.troubles == []


def test_the_files_of_a_folder_are_looked_at_and_none_of_them_runs(
    shop: Product, browser_context: BrowserContext
) -> None:
    run = shop.start(shop.publish(FOLDER))
    assert shop.wait(run)["state"] == "succeeded"
    artifact = shop.details(run, "draw")["outputs"][0]["artifact"]
    visitor = Visitor(shop, browser_context)
    page = visitor.page
    visitor.sign_in()

    visitor.goto(f"/artifacts/{artifact}")
    page.get_by_role("button", name="dot.png").click()
    picture = page.get_by_role("img", name="dot.png")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.complete && image.naturalWidth") == 1
    page.get_by_role("button", name="All files").click()

    page.get_by_role("button", name="rows.csv").click()
    expect(page.get_by_role("cell", name="Koeln")).to_be_visible()
    page.get_by_role("button", name="All files").click()

    page.get_by_role("button", name="page.svg").click()
    expect(page.get_by_text("<script>document.title")).to_be_visible()
    answer = page.goto(f"{visitor.address}/api/v1/artifacts/{artifact}/image/?path=page.svg")
    assert answer is not None
    assert answer.status == 404
    assert "taken over" not in page.title()
