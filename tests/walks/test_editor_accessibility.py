"""axe finds nothing against WCAG 2.2 AA in the editor, whatever part of it is open, light and dark."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.walks.editing import LOCATION, Editing, register_blocks
from tests.walks.product import Product
from tests.walks.visitor import violations

pytestmark = [pytest.mark.slow, pytest.mark.browser]

HEAD = (
    f"title: Every kind of thing\ncode: {{location: {LOCATION}}}\n"
    "parameters:\n  rate: {type: number, default: 0.1, minimum: 0, description: Step size}\n"
)
TASKS = """\
  read:
    kind: python
    run: tables:read_csv
  inline:
    kind: python
    source: |
      def double(number: int) -> int:
          return 2 * number
    with: {number: 3}
  check:
    kind: check
    with: {table: "${{ tasks.read.outputs.table }}"}
    checks:
      - {rows: {min: 10}}
      - {column: size, between: [0, 9]}
  inside:
    kind: group
    with: {table: "${{ tasks.read.outputs.table }}"}
    tasks:
      clean:
        kind: python
        run: tables:clean
        with: {table: "${{ inputs.table }}", least: "${{ params.rate }}"}
  ask:
    kind: approval
    needs: [check, {task: inline, on: always}]
    by: [approver]
  mistaken:
    kind: python
    run: tables:clean
    when: "tasks.read.outputs.rows > 10"
"""


@pytest.fixture(scope="module", params=["light", "dark"])
def editing(request: pytest.FixtureRequest, shop: Product, chromium: str) -> Iterator[Editing]:
    """The editor of a pipeline with a mistake, in the colours of the parameter; one browser for all parts."""
    register_blocks(shop)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        context = browser.new_context(
            viewport={"width": 1440, "height": 900}, color_scheme=request.param, reduced_motion="reduce"
        )
        person = Editing(shop, context)
        person.sign_in()
        person.open_with(TASKS, HEAD)
        person.sees_saved()
        yield person
        browser.close()


def task(key: str, tab: str = "Parameters") -> Callable[[Editing], None]:
    def step(editing: Editing) -> None:
        editing.task(key).click(position={"x": 40, "y": 12})
        if editing.page.get_by_role("tab", name=tab).count():
            editing.page.get_by_role("tab", name=tab).click()

    return step


def press(*keys: str) -> Callable[[Editing], None]:
    def step(editing: Editing) -> None:
        editing.canvas.focus()
        editing.press(*keys)

    return step


def button(name: str, seen: str) -> Callable[[Editing], None]:
    def step(editing: Editing) -> None:
        editing.page.get_by_role("button", name=name).first.click()
        expect(editing.page.get_by_text(seen).first).to_be_visible(timeout=10_000)

    return step


def view(name: str) -> Callable[[Editing], None]:
    def step(editing: Editing) -> None:
        editing.page.get_by_role("radio", name=name).click()
        expect(editing.page.get_by_label("YAML of the pipeline")).to_be_visible(timeout=20_000)

    return step


def outline(editing: Editing) -> None:
    editing.page.get_by_role("tab", name="Outline").click()
    expect(editing.page.get_by_role("tree")).to_be_visible()


def broken(editing: Editing) -> None:
    view("Split")(editing)
    editing.page.get_by_label("YAML of the pipeline").click()
    editing.press("Control+End")
    editing.page.keyboard.type("\n oops: [")
    editing.page.wait_for_timeout(1000)


PARTS: dict[str, Callable[[Editing], None]] = {
    "the pipeline": press("Escape"),
    "a task": task("read"),
    "a task with references": task("check"),
    "what a task waits for": task("ask", "Flow"),
    "where a task runs": task("read", "Run"),
    "an approval": task("ask"),
    "a mistake": task("mistaken"),
    "code": task("inline"),
    "a group": task("inside"),
    "several tasks": press("Control+a"),
    "the outline": outline,
    "YAML": view("Split"),
    "YAML alone": view("YAML"),
    "the problems": button("Problems", "needs the input"),
    "the history": button("History", "Draft"),
    "publishing": button("Publish", "must be solved"),
    "running": button("Run", "Publish and run"),
    "adding": press("/"),
    "finding": press("Control+f"),
    "the commands": press("Control+k"),
    "the shortcuts": press("?"),
    "broken YAML": broken,  # last: the draft stays broken
}


@pytest.mark.parametrize("part", PARTS)
def test_a_part_of_the_editor_has_no_violation(part: str, editing: Editing) -> None:
    editing.open(editing.name)
    expect(editing.task("read")).to_be_visible()
    PARTS[part](editing)
    editing.page.wait_for_timeout(300)
    assert violations(editing.page) == []
