"""U1: the editor in a browser, as a person has it. Needs Chromium, of this machine or of playwright."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

import httpx

from tests.benchmarks.drawing import Drawing, many_tasks
from tests.benchmarks.figures import Figure
from tests.benchmarks.installation import PASSWORD, answer
from tests.benchmarks.sizes import Sizes
from tests.benchmarks.stamps import Wrong

if TYPE_CHECKING:
    from playwright.sync_api import Page

OPTIONS = ("--no-sandbox", "--disable-background-networking")
NOTES = "headless Chromium, 1440 x 900"


class Shop(Protocol):
    api: httpx.Client

    @property
    def address(self) -> str: ...


def editor(shop: Shop, sizes: Sizes) -> list[Figure]:
    """Each figure once for every repeat, each with a page of its own."""
    name = f"drawn-{uuid.uuid4().hex[:6]}"
    body = {"name": name, "team": "demo", "document": many_tasks(name, sizes.drawn)}
    answer(shop.api.post("pipelines/", json=body))
    found: dict[str, list[float]] = {}
    for _ in range(sizes.repeats):
        with signed_in(shop.address) as page:
            drawing = Drawing(page)
            drawing.open(f"{shop.address}/pipelines/demo:{name}/edit")
            for what, value in drawing.measure().items():
                found.setdefault(what, []).append(value)
    notes = f"{sizes.drawn} tasks, {NOTES}"
    return [Figure(f"U1 editor: {what}", unit_of(what), values, notes) for what, values in found.items()]


def unit_of(what: str) -> str:
    return "cards" if what == "cards mounted" else "ms"


def chromium() -> str | None:
    """The machine's own; None leaves the choice to playwright."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")


@contextmanager
def signed_in(address: str) -> Iterator[Page]:
    """A page of the first admin. Raises Wrong where there is no browser."""
    from playwright.sync_api import Error, sync_playwright

    with sync_playwright() as machine:
        try:
            browser = machine.chromium.launch(executable_path=chromium(), args=list(OPTIONS))
        except Error as why:
            raise Wrong(f"no Chromium: {why.message.splitlines()[0]}") from None
        try:
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.goto(address)
            page.get_by_label("User name").fill("admin")
            page.get_by_label("Password").fill(PASSWORD)
            page.get_by_role("button", name="Sign in").click()
            page.get_by_role("heading", name="Pipelines").wait_for()
            yield page
        finally:
            browser.close()
