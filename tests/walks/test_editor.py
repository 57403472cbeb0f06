"""Building a pipeline in the browser with a pointer and a keyboard, as a person does."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.walks.editing import LOCATION, Editing, register_blocks
from tests.walks.product import Product
from tests.walks.visitor import PATIENCE

pytestmark = [pytest.mark.slow, pytest.mark.browser]

# A refused save is an answer of its own that the browser writes down.
CONFLICT = "Failed to load resource: the server responded with a status of 412 (Precondition Failed)"
CODE = f"code: {{location: {LOCATION}}}\n"
CHAIN = """\
  read:
    kind: python
    run: tables:read_csv
  clean:
    kind: python
    run: tables:clean
    with: {table: "${{ tasks.read.outputs.table }}"}
  train:
    kind: python
    run: learners:train
    with: {table: "${{ tasks.clean.outputs.result }}", label: size}
"""


@pytest.fixture
def editing(shop: Product, browser_context: BrowserContext) -> Iterator[Editing]:
    """Somebody who is signed in. Afterwards nothing has gone wrong behind the page."""
    register_blocks(shop)
    person = Editing(shop, browser_context)
    person.sign_in()
    yield person
    assert person.troubles == []


def test_s1_a_pipeline_is_built_by_pointer_and_is_there_after_a_reload(editing: Editing) -> None:
    editing.open_new()
    editing.add("csv", "read_csv")
    editing.sees_tasks("read_csv")
    editing.search("train")
    x, y = editing.middle(editing.task("read_csv"))
    editing.drag(editing.page.get_by_role("option", name=re.compile("^train")), (x + 60, y + 160))
    editing.sees_tasks("read_csv", "train")

    editing.drag(
        editing.port("read_csv", "out", "table"), editing.port("train", "in", "table"), release=False
    )
    expect(editing.port("train", "in", "table")).to_have_attribute("data-at", "at")
    expect(editing.port("train", "in", "label")).to_have_attribute("data-dim", "true")
    editing.page.mouse.up()
    editing.sees_saved()
    assert editing.links() == {("read_csv", "train")}

    layout = editing.draft()["layout"]
    assert layout["tasks"].keys() == {"read_csv", "train"}
    editing.fit()
    places = [editing.middle(editing.task(key)) for key in layout["tasks"]]
    editing.reload()
    editing.sees_tasks("read_csv", "train")
    editing.fit()
    again = [editing.middle(editing.task(key)) for key in layout["tasks"]]
    assert [again[1][at] - again[0][at] for at in (0, 1)] == pytest.approx(
        [places[1][at] - places[0][at] for at in (0, 1)], abs=2
    )
    assert editing.draft()["layout"] == layout


def test_s2_a_pipeline_is_built_by_keyboard_alone(editing: Editing) -> None:
    name = editing.open_new()
    page = editing.page
    spoken: list[str] = []

    def heard(words: str) -> None:
        expect(page.locator("[data-announcer]")).to_have_text(re.compile(words), timeout=5_000)
        spoken.append(editing.said())
        assert page.evaluate("document.activeElement !== document.body"), f"focus is lost after {words}"

    for word, block in (("csv", "read_csv"), ("clean", "clean"), ("summary", "summary")):
        page.get_by_label("Search blocks and kinds").focus()
        page.keyboard.type(word)
        expect(page.get_by_role("option", name=re.compile(f"^{block}"))).to_be_visible()
        editing.press("Enter")
        heard(f"Add {block}")
        editing.press("Control+A", "Backspace")
    editing.canvas.focus()
    walk_to(editing, "read_csv")
    editing.press("c")
    choose(editing, "clean")
    heard("Link read_csv")
    walk_to(editing, "clean")
    editing.press("c")
    choose(editing, "summary")
    heard("Link clean")

    walk_to(editing, "clean")
    editing.press("Enter")
    expect(editing.page.locator("[id^='field-']:focus, [data-panel]:focus-within").first).to_be_visible()
    editing.field("with.least").focus()
    page.keyboard.type("2.5")
    heard("clean")
    editing.canvas.focus()
    walk_to(editing, "summary")
    rename(editing, "report")
    heard("Rename summary to report")
    editing.canvas.focus()
    walk_to(editing, "report")
    editing.press("Delete")
    heard("Delete report")
    editing.sees_tasks("read_csv", "clean")
    editing.press("Control+z")
    heard("Undone: Delete report")
    editing.sees_tasks("read_csv", "clean", "report")

    editing.press("Control+Shift+Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Message")).to_be_focused()
    page.keyboard.type("by keyboard")
    editing.press("Control+Enter")
    expect(dialog.get_by_text("Version 1 published")).to_be_visible(timeout=PATIENCE)
    version = editing.shop.get(f"pipelines/{name}/versions/1/")
    assert {task["key"] for task in version["graph"]["tasks"]} == {"read_csv", "clean", "report"}
    assert {(edge["up"], edge["down"]) for edge in version["graph"]["edges"]} == {
        ("read_csv", "clean"),
        ("clean", "report"),
    }
    clean = next(task for task in version["graph"]["tasks"] if task["key"] == "clean")
    assert "2.5" in str(editing.document())
    assert clean["kind"] == "python"
    assert len(spoken) == 9


def walk_to(editing: Editing, key: str) -> None:
    """Arrow keys until the card is the one that the keyboard stands on."""
    editing.canvas.focus()
    for arrow in (*["ArrowUp"] * 4, *["ArrowLeft"] * 4, *["ArrowDown", "ArrowRight"] * 8):
        if editing.canvas.get_attribute("aria-activedescendant") == f"card-{key}":
            return
        editing.press(arrow)
    assert editing.canvas.get_attribute("aria-activedescendant") == f"card-{key}"


def rename(editing: Editing, name: str) -> None:
    editing.press("F2")
    expect(editing.field("name")).to_be_focused()
    editing.press("Control+a")
    editing.page.keyboard.type(name)
    editing.press("Enter")


def choose(editing: Editing, key: str) -> None:
    """While linking: arrow keys until the target is the wanted one, then Enter."""
    for _ in range(8):
        if key in editing.said():
            break
        editing.press("ArrowDown")
    editing.press("Enter")


def test_s3_links_that_do_not_fit_are_refused_with_a_reason_before_release(editing: Editing) -> None:
    editing.open_with(CHAIN, CODE)
    editing.sees_tasks("read", "clean", "train")
    before = editing.draft()

    editing.drag(editing.port("train", "out", "result"), editing.port("clean", "in", "table"), release=False)
    expect(editing.page.get_by_text(re.compile("model.*table|loop|taken")).first).to_be_visible()
    editing.page.mouse.up()
    editing.drag(editing.port("train", "out", ""), editing.port("read", "in", ""), release=False)
    expect(editing.page.get_by_text(re.compile("loop")).first).to_be_visible()
    editing.page.mouse.up()
    editing.drag(editing.port("read", "out", "table"), editing.port("train", "in", "table"), release=False)
    expect(editing.page.get_by_text(re.compile("taken")).first).to_be_visible()
    editing.page.mouse.up()

    expect(editing.button("Undo")).to_be_disabled()
    editing.page.wait_for_timeout(1200)  # longer than the autosave waits
    assert editing.draft() == before


def test_s4_a_mistake_is_said_at_the_field_at_the_card_and_in_the_list(editing: Editing) -> None:
    editing.open_with(CHAIN, CODE)
    editing.sees_problems(0)
    editing.task("train").click()
    editing.field("with.label").fill("")
    described = editing.field("with.label")
    expect(described).to_have_attribute("aria-invalid", "true", timeout=1_500)
    expect(editing.task("train")).to_have_accessible_name(re.compile("1 problem"), timeout=1_500)
    editing.sees_problems(1)

    editing.page.get_by_role("button", name=re.compile("^Problems")).click()
    editing.canvas.click(position={"x": 5, "y": 5})
    editing.page.get_by_role("option", name=re.compile("label")).focus()
    editing.press("Enter")
    expect(editing.field("with.label")).to_be_focused()
    editing.page.keyboard.type("size")
    editing.sees_problems(0)
    expect(editing.field("with.label")).not_to_have_attribute("aria-invalid", "true")
    editing.sees_saved()
    assert "problem" not in editing.document()
    assert "problem" not in str(editing.draft()["layout"])


def test_s5_everything_is_undone_and_redone_one_gesture_at_a_time(editing: Editing) -> None:
    editing.open_with(CHAIN, CODE)
    editing.sees_tasks("read", "clean", "train")
    first = state(editing)
    drawn = apart(editing)
    editing.canvas.focus()
    editing.press("Control+a")
    x, y = editing.middle(editing.task("clean"))
    editing.drag(editing.task("clean"), (x + 40, y + 90))
    moved = state(editing)
    editing.press("Control+c")
    editing.press("Control+v")
    editing.fit()
    expect(editing.page.locator("[id^='card-']")).to_have_count(6)
    pasted = state(editing)
    editing.tidy()
    tidied = state(editing)
    editing.task("clean").click()
    editing.page.get_by_label("Title").first.click()
    editing.page.keyboard.type("ten letters")
    typed = state(editing)
    editing.canvas.focus()
    editing.press("Control+a", "Delete")
    expect(editing.page.locator("[id^='card-']")).to_have_count(0)
    emptied = state(editing)

    for expected in (typed, tidied, pasted, moved, first):
        editing.button("Undo").click()
        text, layout = state(editing)
        assert text == expected[0]
        assert layout == expected[1] or expected is first  # nobody had put anything anywhere then
    assert apart(editing) == drawn
    expect(editing.button("Undo")).to_be_disabled()
    for expected in (moved, pasted, tidied, typed, emptied):
        editing.button("Redo").click()
        assert state(editing) == expected


def apart(editing: Editing) -> list[tuple[int, int]]:
    """How far the three cards of the chain are from its first, in pixels of the whole drawing."""
    editing.fit()
    places = [editing.middle(editing.task(key)) for key in ("read", "clean", "train")]
    return [(round(x - places[0][0]), round(y - places[0][1])) for x, y in places]


def state(editing: Editing) -> tuple[str, object]:
    """What is saved once everything is."""
    editing.page.wait_for_timeout(900)  # the autosave begins 800 ms after the last change
    editing.sees_saved()
    draft = editing.draft()
    return draft["document"], draft["layout"]


def test_s7_canvas_and_yaml_are_one_document(editing: Editing) -> None:
    editing.open_with(CHAIN.replace("label: size", "label: size, eta: 0.3"), CODE)
    editing.task("train").click()
    editing.page.get_by_role("radio", name="Split").or_(editing.button("Split")).first.click()
    yaml = editing.page.get_by_label("YAML of the pipeline")
    expect(yaml).to_be_visible(timeout=PATIENCE)
    yaml.get_by_text("location").click()
    editing.press("Control+End", "ArrowLeft", "ArrowLeft")  # before the closing brace
    editing.press("Backspace")
    editing.page.keyboard.type("7")
    expect(editing.field("with.eta")).to_have_value("0.7", timeout=1_000)
    editing.press("End", "Enter")
    editing.page.keyboard.type("# why so much")

    editing.task("clean").click()
    editing.canvas.focus()
    rename(editing, "tidied")
    editing.fit()
    editing.sees_tasks("read", "tidied", "train")
    editing.sees_saved()
    editing.page.wait_for_timeout(1000)
    text = editing.document()
    assert "# why so much" in text
    assert "tasks.tidied.outputs" in text
    assert "eta: 0.7" in text

    yaml.click()
    editing.press("Control+End")
    editing.page.keyboard.type("\n oops: [")
    expect(editing.page.locator(".cm-lintRange-error, .cm-line-broken").first).to_be_visible(timeout=5_000)
    editing.sees_tasks("read", "tidied", "train")
    editing.page.wait_for_timeout(1500)
    editing.sees_saved()


def test_s9_two_versions_are_compared_and_an_older_one_is_restored(editing: Editing) -> None:
    name = editing.open_with(CHAIN, CODE)
    editing.publish("first")
    editing.press("Escape")
    editing.task("train").click()
    editing.field("with.eta").fill("0.9")
    editing.add("summary", "summary")
    editing.task("clean").click()
    editing.canvas.focus()
    x, y = editing.middle(editing.task("read"))
    editing.drag(editing.task("read"), (x, y - 120))
    editing.task("clean").click()
    editing.press("Delete")
    editing.link("read", "table", "train", "table")
    editing.link("read", "table", "summary", "table")
    editing.publish("second")
    editing.press("Escape")

    page = editing.page
    page.goto(f"{editing.address}/pipelines/demo:{name}/versions/diff?from=1&to=2")
    listed = page.get_by_role("main")
    for words in ("summary", "clean", "eta"):
        expect(listed.get_by_text(words).first).to_be_visible(timeout=PATIENCE)
    for task, change in (("summary", "added"), ("clean", "removed"), ("train", "changed")):
        expect(
            page.locator(
                f'[id="card-{task}"] [data-change="{change}"], [id="card-{task}"][data-change="{change}"]'
            ).first
        ).to_be_visible()
    expect(page.locator('[id="card-read"] [data-change], [id="card-read"][data-change]')).to_have_count(0)
    page.reload()
    expect(page.get_by_role("main").get_by_text("summary").first).to_be_visible(timeout=PATIENCE)

    page.goto(f"{editing.address}/pipelines/demo:{name}/versions")
    row = page.get_by_role("listitem").filter(has_text="Version 1")
    row.get_by_role("button", name=re.compile("^Restore")).click()
    page.get_by_role("dialog").get_by_role("button", name=re.compile("^Restore")).click()
    expect(page.get_by_text(re.compile("Version 3")).first).to_be_visible(timeout=PATIENCE)
    old, new = (editing.shop.get(f"pipelines/{name}/versions/{number}/") for number in (1, 3))
    assert new["text"] == old["text"]
    assert new["spec_sha256"] == old["spec_sha256"]


CORNERS = """
() => Object.fromEntries([...document.querySelectorAll('.react-flow__node')].map((node) => {
  const {e, f} = new DOMMatrix(getComputedStyle(node).transform);
  return [node.dataset.id, [e, f]];
}))
"""
SCOPE = """\
  load: {kind: shell, run: "true"}
  all:
    kind: group
    tasks:
      fit: {kind: shell, run: "true"}
      judge: {kind: shell, run: "true", needs: [fit]}
"""


def drawn(page: Page, *keys: str) -> dict[str, tuple[float, float]]:
    """Where tasks stand on the drawing, counted from the first of them."""
    expect(page.locator(f'[id="card-{keys[-1]}"]')).to_be_visible(timeout=PATIENCE)
    corners = page.evaluate(CORNERS)
    x, y = corners[keys[0]]
    return {key: (corners[key][0] - x, corners[key][1] - y) for key in keys}


def test_a_version_and_its_runs_are_drawn_as_it_was_in_the_editor(editing: Editing) -> None:
    name = editing.open_with(SCOPE)
    tasks = ("load", "all", "all/fit", "all/judge")
    x, y = editing.middle(editing.task("load"))
    editing.drag(editing.task("load"), (x - 48, y + 216))
    editing.sees_saved()
    editing.publish("drawn")
    editing.press("Escape")
    seen = drawn(editing.page, *tasks)
    assert seen["all"][1] < 0, "the task was dragged below the group"

    editing.goto(f"/pipelines/demo:{name}")
    assert drawn(editing.page, *tasks) == seen
    editing.goto(f"/runs/{editing.shop.start(f'demo:{name}')}")
    assert drawn(editing.page, *tasks) == seen


def test_from_an_empty_canvas_to_the_trace_of_what_was_made(editing: Editing) -> None:
    name = editing.open_new()
    page = editing.page
    for word, block in (("csv", "read_csv"), ("clean", "clean"), ("summary", "summary")):
        editing.add(word, block)
    editing.sees_tasks("read_csv", "clean", "summary")
    editing.tidy()
    editing.link("read_csv", "table", "clean", "table")
    editing.link("clean", "result", "summary", "table")
    editing.tidy()
    editing.task("summary").click()
    page.get_by_role("tab", name="Flow").click()
    page.get_by_label("Runs when").fill("tasks.read_csv.outputs.rows > 100")
    editing.sees_problems(0)
    editing.sees_saved()
    editing.publish("drawn")
    page.get_by_role("dialog").get_by_role("button", name="Run", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Run", exact=True).click()
    page.wait_for_url("**/runs/*", timeout=PATIENCE)
    editing.sees("summary", "Succeeded")
    editing.card("clean", "Succeeded").click()
    run = editing.shop.get("runs/", pipeline=f"demo:{name}")["results"][0]
    made = editing.shop.details(run["id"], "clean")["outputs"][0]["artifact"]
    read_by = f"artifacts/{made}/downstream/"
    editing.shop.until(lambda: "summary" in str(editing.shop.get(read_by)), "the records are written", 60)
    page.get_by_role("tab", name="Inputs and outputs").click()
    page.get_by_label("Outputs").get_by_role("link", name="result", exact=True).click()
    page.wait_for_url("**/artifacts/*")
    for words in (f"{name}.clean.result", "read_csv", "summary", "size"):
        expect(page.get_by_role("main").get_by_text(words).first).to_be_visible(timeout=PATIENCE)
    assert editing.shop.wait(run["id"])["state"] == "succeeded"


def test_s6_tasks_are_copied_into_another_pipeline_without_their_secrets(
    editing: Editing, shop: Product, browser_context: BrowserContext
) -> None:
    secret = f"walk-{editing.shop.get('me/')['username']}-key"
    if not any(row["name"] == secret for row in shop.get("secrets/", team="demo")["results"]):
        shop.post("secrets/", {"team": "demo", "name": secret, "value": "never-in-a-clipboard"})
    tasks = CHAIN.replace("label: size}", f'label: "${{{{ secrets.{secret} }}}}"}}')
    browser_context.grant_permissions(["clipboard-read", "clipboard-write"])
    editing.open_with(tasks, CODE)
    editing.sees_tasks("read", "clean", "train")
    editing.canvas.focus()
    editing.press("Control+a", "Control+c")
    copied = editing.page.evaluate("navigator.clipboard.readText()")
    assert f"secrets.{secret}" in copied
    assert "never-in-a-clipboard" not in copied

    other = Editing(shop, browser_context)
    other.open_with("  read:\n    kind: python\n    run: tables:read_csv\n", CODE)
    other.sees_tasks("read")
    other.canvas.focus()
    other.press("Control+v")
    other.fit()
    other.sees_tasks("read", "read-2", "clean", "train")
    other.sees_saved()
    assert other.links() == {("read-2", "clean"), ("clean", "train")}
    assert other.troubles == []


def test_s8_two_people_change_one_draft_and_nothing_is_lost(
    editing: Editing, shop: Product, browser_context: BrowserContext
) -> None:
    name = editing.open_with(CHAIN.replace("label: size", "label: size, eta: 0.3, max_depth: 6"), CODE)
    other = Editing(shop, browser_context)
    other.open(name)
    for person in (editing, other):
        person.task("train").click()
    editing.field("with.eta").fill("0.5")
    editing.sees_saved()
    editing.page.wait_for_timeout(1200)
    other.field("with.max_depth").fill("9")
    expect(other.page.get_by_text("admin saved meanwhile").first).to_be_visible()
    expect(other.field("with.eta")).to_have_value("0.5")
    other.page.wait_for_timeout(1500)
    assert "eta: 0.5, max_depth: 9" in editing.document()

    editing.field("with.eta").fill("0.6")
    editing.page.wait_for_timeout(2500)
    other.field("with.eta").fill("0.7")
    dialog = other.page.get_by_role("dialog")
    expect(dialog.get_by_text("0.6").first).to_be_visible(timeout=10_000)
    expect(dialog.get_by_text("0.7").first).to_be_visible()
    dialog.get_by_role("button", name="Keep these").click()
    other.page.wait_for_timeout(1500)
    assert "eta: 0.7" in editing.document()
    other.page.get_by_role("button", name=re.compile("Restore")).first.click()
    expect(other.field("with.eta")).to_have_value("0.6")
    other.page.wait_for_timeout(1500)
    assert "eta: 0.6, max_depth: 9" in editing.document()
    assert set(other.troubles) == {CONFLICT}
    editing.troubles = [trouble for trouble in editing.troubles if trouble != CONFLICT]
