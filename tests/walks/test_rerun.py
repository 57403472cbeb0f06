"""A run is made again: by a program and in the browser, reusing what is equal and saying why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.walks.product import Json, Product
from tests.walks.visitor import PATIENCE, Visitor, violations

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

pytestmark = pytest.mark.slow

HEAD = "parameters:\n  rate: {type: number, default: 0.1}\n"
TASKS = """\
  load:
    kind: python
    source: |
      import pyarrow as pa

      def load() -> pa.Table:
          return pa.table({"x": list(range(1000))})
  train:
    kind: python
    with: {table: "${{ tasks.load.outputs.result }}", rate: "${{ params.rate }}"}
    source: |
      import pyarrow as pa

      def train(table: pa.Table, rate: float) -> float:
          print("training with", rate)
          return table.num_rows * rate
  report:
    kind: shell
    with: {score: "${{ tasks.train.outputs.result }}"}
    run: echo "score $IN_SCORE"
"""


@pytest.fixture(scope="module")
def old(shop: Product) -> str:
    """A run of ``load > train > report`` that has succeeded, carried out by real workers."""
    run = shop.start(shop.publish(TASKS, head=HEAD))
    assert shop.wait(run)["state"] == "succeeded"
    return run


def reasons(shop: Product, run: str) -> dict[str, str]:
    return {key: task["reason"] for key, task in shop.tasks(run).items()}


def rerun(shop: Product, old: str, **body: object) -> Json:
    made: Json = shop.post(f"runs/{old}/rerun/", dict(body))
    return shop.wait(made["id"])


def test_the_same_again_takes_everything_over_from_what_real_attempts_told(shop: Product, old: str) -> None:
    again = rerun(shop, old)
    assert again["state"] == "succeeded"
    assert reasons(shop, again["id"]) == dict.fromkeys(("load", "train", "report"), "reused")
    plan = shop.post(f"runs/{old}/rerun-plan/")
    assert plan["counts"] == {"reuse": 3}


def test_another_parameter_runs_what_it_reaches_and_reads_the_table_that_was_made_before(
    shop: Product, old: str
) -> None:
    again = rerun(shop, old, parameters={"rate": 0.2})
    assert reasons(shop, again["id"]) == {"load": "reused", "train": "", "report": ""}
    (output,) = shop.details(again["id"], "train")["outputs"]
    assert output["value"] == 200.0
    why = shop.get(f"task-runs/{shop.tasks(again['id'])['train']['id']}/reuse/")
    assert [one["words"] for one in why["differences"]] == ["Parameter rate: 0.1 → 0.2"]


def test_what_was_taken_over_leads_to_its_maker(shop: Product, old: str) -> None:
    again = rerun(shop, old, parameters={"rate": 0.3})
    (read,) = (one for one in shop.details(again["id"], "train")["inputs"] if one["name"] == "table")
    made = shop.details(old, "load")["outputs"][0]
    assert read["artifact"]["artifact"] == made["artifact"]
    artifact = shop.get(f"artifacts/{made['artifact']}/")
    assert artifact["produced_by"]["run"] == old


@pytest.mark.browser
def test_a_rerun_from_a_task_in_the_browser(shop: Product, old: str, browser_context: BrowserContext) -> None:
    visitor = Visitor(shop, browser_context)
    page = visitor.page
    visitor.sign_in()
    visitor.goto(f"/runs/{old}?task=train")
    page.get_by_role("button", name="Rerun", exact=True).click()
    page.get_by_role("menuitem", name="From train on…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("2 tasks will run, 1 is reused.")).to_be_visible(timeout=PATIENCE)
    assert violations(page) == []
    dialog.get_by_role("textbox", name="rate").fill("0.4")
    expect(dialog.get_by_text("You chose to run it.")).to_be_visible()
    start = dialog.get_by_role("button", name="Start run")
    expect(start).to_be_enabled()
    start.click()
    page.wait_for_url(lambda url: "/runs/" in url and old not in url)
    expect(page.get_by_text("from train")).to_be_visible()
    visitor.sees("train", "Succeeded")
    page.get_by_role("radio", name="List").click()
    expect(page.get_by_role("cell", name="Reused from run 1")).to_be_visible()
    page.get_by_role("button", name="load", exact=True).click()
    reuse = page.get_by_role("region", name="Reuse")
    expect(reuse.get_by_text("Its result is that of run 1")).to_be_visible()
    assert violations(page) == []
    reuse.get_by_role("link", name="To load in run 1").click()
    page.wait_for_url(lambda url: old in url)
    assert visitor.troubles == []
