"""A person's hands in the editor: things are asked for by their names, done by pointer and keys."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect

from tests.orchestrator_site.running import ROOT
from tests.walks.product import Product
from tests.walks.visitor import Visitor

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Locator

BLOCKS = ROOT / "tests/walks/blocks"
LOCATION = "walk-blocks"


def register_blocks(shop: Product) -> None:
    """The code location of this folder's blocks; once for an installation."""
    if any(place["name"] == LOCATION for place in shop.get("code-locations/")["results"]):
        return
    shop.post("code-locations/", {"team": "demo", "name": LOCATION, "address": str(BLOCKS)})


class Editing(Visitor):
    """A person with the editor of one pipeline open."""

    def __init__(self, shop: Product, context: BrowserContext) -> None:
        super().__init__(shop, context)
        self.shop = shop
        self.name = ""

    # --- coming and going -------------------------------------------------------------------------

    def open_new(self) -> str:
        """A new pipeline by the button of the list; its name."""
        self.name = f"drawn-{uuid.uuid4().hex[:8]}"
        self.page.goto(f"{self.address}/pipelines")
        self.page.get_by_role("button", name="New pipeline").click()
        dialog = self.page.get_by_role("dialog")
        dialog.get_by_label("Name").fill(self.name)
        dialog.get_by_role("button", name="Create").click()
        self.page.wait_for_url("**/edit*")
        self.ready()
        return self.name

    def open_with(self, tasks: str, head: str = "") -> str:
        """The editor of a pipeline whose draft has these tasks (YAML, indented by two); its name."""
        self.name = f"drawn-{uuid.uuid4().hex[:8]}"
        body = f"schema: orchestrator/v1\nname: {self.name}\n{head}tasks:\n{tasks}"
        self.shop.post("pipelines/", {"name": self.name, "team": "demo", "document": body})
        self.open(self.name)
        return self.name

    def open(self, name: str) -> None:
        self.name = name
        self.goto(f"/pipelines/demo:{name}/edit")
        self.ready()

    def ready(self) -> None:
        expect(self.canvas).to_be_visible(timeout=30_000)
        expect(self.page.get_by_label("Search blocks and kinds")).to_be_visible(timeout=30_000)

    def reload(self) -> None:
        self.page.reload()
        self.ready()

    # --- what is seen -----------------------------------------------------------------------------

    @property
    def canvas(self) -> Locator:
        return self.page.get_by_label("Pipeline canvas", exact=True)

    def task(self, key: str) -> Locator:
        return self.page.locator(f'[id="card-{key}"]')

    def port(self, task: str, side: str, name: str) -> Locator:
        return self.page.locator(f'[data-port="{side}"][data-task="{task}"][data-name="{name}"]')

    def field(self, place: str) -> Locator:
        return self.page.locator(f'[id="field-{place}"]')

    def sees_tasks(self, *keys: str) -> None:
        """Exactly these cards are on the canvas."""
        expect(self.page.locator("[id^='card-']")).to_have_count(len(keys))
        for key in keys:
            expect(self.task(key)).to_be_visible()

    def sees_saved(self) -> None:
        expect(self.page.get_by_role("status").filter(has_text="Saved")).to_be_visible(timeout=10_000)

    def sees_problems(self, count: int) -> None:
        button = self.page.get_by_role("button", name=re.compile(r"^Problems"))
        expect(button).to_have_accessible_name(
            re.compile(rf"\b{count}\b" if count else r"^Problems(, 0|, none)?$")
        )

    # --- what the server knows --------------------------------------------------------------------

    def draft(self) -> Any:
        return self.shop.get(f"pipelines/{self.name}/draft/")

    def document(self) -> str:
        return str(self.draft()["document"])

    def graph(self) -> Any:
        """The graph as the server reads it from the draft."""
        return self.shop.post("validate/", {"document": self.document(), "team": "demo"})["graph"]

    def links(self) -> set[tuple[str, str]]:
        return {(edge["up"], edge["down"]) for edge in self.graph()["edges"]}

    # --- what is done -----------------------------------------------------------------------------

    def search(self, text: str) -> None:
        self.page.get_by_label("Search blocks and kinds").fill(text)

    def add(self, word: str, block: str) -> None:
        """Search, and Enter on the best match once it is there."""
        self.search(word)
        option = self.page.get_by_role("option", name=re.compile(f"^{block}")).first
        expect(option).to_be_visible(timeout=10_000)
        self.press("Enter")
        expect(self.task(block)).to_be_visible()

    def drag(self, start: Locator, end: Locator | tuple[float, float], *, release: bool = True) -> None:
        """Press on one thing, move over the page as a hand does, and let go over another."""
        x, y = self.middle(start)
        to = end if isinstance(end, tuple) else self.middle(end)
        mouse = self.page.mouse
        mouse.move(x, y)
        mouse.down()
        for part in range(1, 11):
            mouse.move(x + (to[0] - x) * part / 10, y + (to[1] - y) * part / 10)
        if release:
            mouse.up()

    @staticmethod
    def middle(thing: Locator) -> tuple[float, float]:
        box = thing.bounding_box()
        assert box is not None, f"{thing} is not on the page"
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def link(self, up: str, output: str, down: str, given: str) -> None:
        self.drag(self.port(up, "out", output), self.port(down, "in", given))

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def said(self) -> str:
        """What a screen reader was told last."""
        return str(self.page.locator("[data-announcer]").inner_text())

    def fit(self) -> None:
        self.button("Fit").click()
        self.page.wait_for_timeout(300)  # the camera takes 120 ms

    def tidy(self) -> None:
        self.button("Tidy").click()
        self.fit()

    def publish(self, message: str) -> None:
        self.button("Publish").click()
        dialog = self.page.get_by_role("dialog")
        dialog.get_by_label("Message").fill(message)
        dialog.get_by_role("button", name="Publish", exact=True).click()
        expect(dialog.get_by_text(re.compile(r"Version \d+ (is )?published"))).to_be_visible(timeout=20_000)
