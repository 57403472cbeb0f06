"""How quickly the canvas of the editor answers a person, measured inside of the browser that draws it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.benchmarks.figures import percentile

if TYPE_CHECKING:
    from playwright.sync_api import Page

# Milliseconds on the machine of the targets (2 cores, headless Chromium); cards in pieces.
TARGETS = {
    "ready": 1500.0,
    "pan, p95 frame": 33.0,
    "drag, p95 frame": 33.0,
    "zoom, longest frame": 250.0,
    "undo": 50.0,
    "tidy": 250.0,
    "link check": 5.0,
    "cards mounted": 800.0,
}
PATIENCE = 60_000  # ms
CARDS = ".react-flow__node"
FRAMES = """
window.spans = {
  begin() {
    [this.found, this.on] = [[], true];
    let last = null;
    const next = (now) => {
      if (last !== null) this.found.push(now - last);
      last = now;
      if (this.on) requestAnimationFrame(next);
    };
    requestAnimationFrame(next);
  },
  end() { this.on = false; return this.found; },
};
"""
# Until a frame has been drawn after `act`.
DRAWN = """
async (act) => {
  const began = performance.now();
  new Function(act)();
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  return performance.now() - began;
}
"""
UNDO = "document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'z', ctrlKey: true, bubbles: true}))"
PAINTED = (
    "() => new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(performance.now()))))"
)
# Notes when the page last told something to a screen reader.
LISTEN = """
() => new MutationObserver(() => { window.told = performance.now(); }).observe(
  document.querySelector('[data-announcer]'), {childList: true, subtree: true, characterData: true})
"""
# The judgement is made while the event is handled; drawing it comes later.
JUDGED = """
(to) => {
  const {x, y, width, height} = document.querySelector(to).getBoundingClientRect();
  const began = performance.now();
  window.dispatchEvent(new PointerEvent('pointermove', {clientX: x + width / 2, clientY: y + height / 2}));
  return performance.now() - began;
}
"""


def many_tasks(name: str, count: int) -> str:
    """A pipeline of shell tasks, each reading two earlier ones, some waiting for a third."""
    lines = ["schema: orchestrator/v1", f"name: {name}", "tasks:"]
    for at in range(count):
        read = [f'{name}: "${{{{ tasks.t{at - far}.outputs.rows }}}}"' for name, far in READS if at >= far]
        lines += [
            f"  t{at}:",
            "    kind: shell",
            f"    run: work {at}",
            "    outputs: {rows: table, loss: number}",
        ]
        lines += [f"    with: {{{', '.join(read)}}}"] if read else []
        lines += [f"    needs: [t{at - 200}]"] if at >= 200 and at % 7 == 0 else []
    return "\n".join(lines) + "\n"


READS = (("rows", 50), ("more", 53))


@dataclass
class Drawing:
    """One page on which a pipeline is drawn; `figures` by the names of TARGETS."""

    page: Page
    figures: dict[str, float] = field(default_factory=dict)
    mounted: int = 0

    def open(self, address: str) -> None:
        """Goes there; ready is when cards, or the picture in their place, have been drawn."""
        self.page.add_init_script(FRAMES)
        self.page.goto(address, wait_until="commit")
        self.page.wait_for_function(
            f"() => document.querySelector('[aria-label=\"Pipeline canvas\"] :is({CARDS}, canvas)')",
            timeout=PATIENCE,
        )
        self.figures["ready"] = self.page.evaluate(PAINTED)
        self.page.wait_for_timeout(1000)
        self.count()

    def measure(self) -> dict[str, float]:
        self._zoom()
        self._near()
        self._pan()
        self._drag()
        self._undo()
        self._link()
        self._tidy()
        self.figures["cards mounted"] = float(self.mounted)
        return self.figures

    def count(self) -> None:
        self.mounted = max(self.mounted, self.page.locator(CARDS).count())

    # --- gestures

    @property
    def middle(self) -> tuple[float, float]:
        box = self.page.get_by_label("Pipeline canvas", exact=True).bounding_box()
        assert box is not None
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def _frames(self, act: Any) -> list[float]:
        self.page.evaluate("() => spans.begin()")
        act()
        self.count()
        spans: list[float] = self.page.evaluate("() => spans.end()")
        return spans

    def _wheel(self, step: int, times: int) -> None:
        self.page.mouse.move(*self.middle)
        for turn in range(times):
            self.page.mouse.wheel(0, step)
            time.sleep(0.03)
            if turn % 5 == 0:
                self.count()

    def _zoom(self) -> None:
        def there_and_back() -> None:
            self._wheel(-240, 12)
            self._wheel(240, 14)

        self.figures["zoom, longest frame"] = max(self._frames(there_and_back))

    def _near(self) -> None:
        """To where a few dozen cards can be read."""
        self._wheel(-240, 20)
        while self.page.locator(CARDS).count() > 60:
            self._wheel(-120, 1)
        self.page.wait_for_timeout(300)
        if self.page.locator(CARDS).count() == 0:
            self.page.keyboard.press("0")

    def _sweep(self, x: float, y: float) -> None:
        """A hand that goes round and round."""
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        for step in range(60):
            self.page.mouse.move(x + (step % 20) * 12 - 60, y + (step % 15) * 8 - 40)
        self.page.mouse.up()

    def _pan(self) -> None:
        x, y = self._empty()
        self.figures["pan, p95 frame"] = percentile(self._frames(lambda: self._sweep(x, y)), 95)

    def _empty(self) -> tuple[float, float]:
        """A point of the canvas on which nothing stands, near its middle."""
        x, y = self.middle
        for far in range(0, 400, 7):
            for dx, dy in ((far, 0), (-far, 0), (0, far), (0, -far)):
                on = "([x, y]) => document.elementFromPoint(x, y)?.classList.contains('react-flow__pane')"
                if self.page.evaluate(on, [x + dx, y + dy]):
                    return x + dx, y + dy
        raise AssertionError("no empty place on the canvas")

    def _card(self) -> Any:
        """A card well inside of the view."""
        x, y = self.middle
        cards = self.page.locator(f"{CARDS}-card").all()
        boxes = [(card, card.bounding_box()) for card in cards]
        placed = [(card, box) for card, box in boxes if box is not None]
        return min(placed, key=lambda one: abs(one[1]["x"] - x) + abs(one[1]["y"] - y))[0]

    def _drag(self) -> None:
        box = self._card().bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        self.figures["drag, p95 frame"] = percentile(self._frames(lambda: self._sweep(x, y)), 95)

    def _undo(self) -> None:
        self.figures["undo"] = self.page.evaluate(DRAWN, UNDO)

    def _link(self) -> None:
        start, end = '[data-port="out"][data-name="loss"]', '[data-port="in"][data-name="rows"]'
        port = self.page.locator(start).first.bounding_box()
        assert port is not None
        self.page.mouse.move(port["x"] + port["width"] / 2, port["y"] + port["height"] / 2)
        self.page.mouse.down()
        self.page.mouse.move(port["x"] + 40, port["y"] + 40, steps=3)
        self.figures["link check"] = self.page.evaluate(JUDGED, end)
        self.page.keyboard.press("Escape")
        self.page.mouse.up()

    def _tidy(self) -> None:
        self.page.evaluate(LISTEN)
        began = self.page.evaluate("() => performance.now()")
        self.page.evaluate("() => document.querySelector('button[aria-label=\"Tidy\"]').click()")
        self.page.wait_for_function(f"() => window.told > {began}", timeout=PATIENCE)
        self.figures["tidy"] = self.page.evaluate(f"() => window.told - {began}")
