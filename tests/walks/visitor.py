"""A person at the browser: signs in, points, types; whatever goes wrong behind the page is noted."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect

from tests.orchestrator_site.running import ROOT
from tests.walks.product import PASSWORD, Product

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Locator, Page

PATIENCE = 60_000  # ms
AXE = ROOT / "frontend/node_modules/axe-core/axe.min.js"
# WCAG 2.0 to 2.2, levels A and AA.
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


class Visitor:
    """One page of one browser. ``troubles``: console errors, exceptions and requests that failed."""

    def __init__(self, shop: Product, context: BrowserContext) -> None:
        self.page: Page = context.new_page()
        self.address = shop.up.address
        self.loads = 0
        self.troubles: list[str] = []
        self.page.on(
            "console", lambda said: self.troubles.append(said.text) if said.type == "error" else None
        )
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.page.on("load", lambda _: self._count())
        self.page.on("response", self._judge)

    def _count(self) -> None:
        self.loads += 1

    def _judge(self, response: Any) -> None:
        if response.status >= 500:
            self.troubles.append(f"{response.status} {response.request.method} {response.url}")

    def sign_in(self, username: str = "admin", password: str = PASSWORD) -> None:
        self.page.goto(self.address)
        self.page.get_by_label("User name").fill(username)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Sign in").click()
        expect(self.page.get_by_role("heading", name="Pipelines")).to_be_visible()
        # Being asked to sign in is a 401 that the browser writes down.
        self.troubles.clear()

    def goto(self, path: str) -> None:
        self.page.goto(f"{self.address}{path}")

    def card(self, task: str, state: str) -> Locator:
        """The card of a task while it is in a state, as a screen reader would name it."""
        return self.page.get_by_role("img", name=re.compile(rf"^{task}, \w+, {state}"))

    def sees(self, task: str, state: str) -> None:
        expect(self.card(task, state)).to_be_visible(timeout=PATIENCE)

    def violations(self) -> list[str]:
        """What axe finds. It measures with styles of its own, of which the policy refuses some."""
        before = list(self.troubles)
        found = violations(self.page)
        self.troubles = before
        return found


# Two frames, in which colours may begin to change, and then until all that ends has ended.
_STILL = """async () => {
    const frame = () => new Promise(requestAnimationFrame);
    await frame();
    await frame();
    const ending = document.getAnimations().filter(each => each.effect?.getTiming().iterations !== Infinity);
    const late = new Promise((resolve) => setTimeout(resolve, 2000));
    await Promise.race([Promise.allSettled(ending.map((each) => each.finished)), late]);
}"""


@cache
def _axe() -> str:
    return AXE.read_text()


def violations(page: Page) -> list[str]:
    """What axe finds against WCAG on the page as it stands: rule, how many places, the first of them."""
    page.evaluate(_STILL)
    page.evaluate(_axe())  # not a script tag, which a content security policy would refuse
    found = page.evaluate(
        "rules => axe.run(document, {runOnly: {type: 'tag', values: rules}, resultTypes: ['violations']})",
        RULES,
    )
    return [
        f"{rule['id']} in {len(rule['nodes'])} places: {rule['help']}: {rule['nodes'][0]['html'][:200]}"
        f" {rule['nodes'][0].get('failureSummary', '')[:300]}"
        for rule in found["violations"]
    ]
