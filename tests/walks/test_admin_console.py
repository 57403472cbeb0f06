"""A site admin at the console, from the door to an owner for every pipeline; and axe on every page."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, expect, sync_playwright

from tests.walks.product import PASSWORD, Product
from tests.walks.visitor import Visitor

pytestmark = [pytest.mark.slow, pytest.mark.browser]

HOME = "/admin/pipelines"
PIPELINES = ("cancer-nightly", "digits-training")
# Every page of the console; a row that is named is the first of the demo.
PAGES = (
    "/admin/",
    *(
        f"{HOME}/{model}/{page}"
        for model in ("user", "team", "pipeline", "codelocation", "apitoken", "secret", "auditevent")
        for page in ("", "1/change/", "1/history/")
    ),
    *(f"{HOME}/{model}/add/" for model in ("user", "team", "codelocation", "apitoken", "secret")),
    *(f"/admin/runs/queue/{page}" for page in ("", "add/", "1/change/", "1/history/")),
    "/admin/runs/workerlease/",
    "/admin/runs/slot/",
    "/admin/runs/slot/add/",
    f"{HOME}/team/1/members/",
    f"{HOME}/auditevent/verify/",
)
# Acts whose pages ask for something before they are done.
ACTS = (("user", "Set password"), ("user", "Deactivate"), ("pipeline", "Archive"), ("codelocation", "Sync"))


class SiteAdmin(Visitor):
    def comes_in(self) -> None:
        """From an address of the console by the product's own sign-in."""
        self.goto(f"{HOME}/user/")
        self.page.get_by_label("User name").fill("admin")
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        expect(self.page.get_by_role("heading", name="People", level=1)).to_be_visible()
        self.troubles.clear()

    def chooses(self, field: str, words: str) -> None:
        """Type into a field that searches, and take what it finds."""
        # Not the plain list, which is there until the one that searches has taken its place.
        self.page.locator(f'.select2-selection[aria-label^="{field}"]').click()
        self.page.get_by_role("searchbox", name=re.compile(field)).fill(words)
        self.page.get_by_role("option", name=words).click()

    @property
    def rows(self) -> Locator:
        return self.page.locator("#result_list")

    def goes_to(self, place: str) -> None:
        self.page.get_by_role("navigation", name="Console").get_by_role(
            "link", name=place, exact=True
        ).click()
        expect(self.page.get_by_role("heading", name=place, level=1)).to_be_visible()

    def sets_the_owner(self, name: str) -> None:
        """Of the rows that are ticked."""
        self.page.get_by_role("combobox", name="Action").select_option("Set owner")
        self.page.get_by_role("button", name="Go").click()
        self.chooses("Owner", name)
        self.page.get_by_role("button", name="Set owner").click()
        expect(self.page.get_by_text(f"the owner is {name}")).to_be_visible()

    def saves(self) -> None:
        self.page.get_by_role("button", name="Save", exact=True).click()


@pytest.fixture(scope="module", params=["light", "dark"])
def boss(request: pytest.FixtureRequest, shop: Product, chromium: str) -> Iterator[SiteAdmin]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        context = browser.new_context(
            viewport={"width": 1280, "height": 800}, color_scheme=request.param, reduced_motion="reduce"
        )
        found = SiteAdmin(shop, context)
        found.comes_in()
        yield found
        browser.close()


@pytest.fixture(scope="module", autouse=True)
def a_secret(shop: Product) -> None:
    """A row for the pages of secrets, which the demo has none of."""
    if not shop.get("secrets/", team="demo")["results"]:
        shop.post("secrets/", {"team": "demo", "name": "mail", "value": "correct-horse"})


@pytest.mark.parametrize("path", PAGES)
def test_a_page_has_no_violation(path: str, boss: SiteAdmin) -> None:
    boss.goto(path)
    expect(boss.page.locator("h1")).to_have_count(1)
    assert boss.troubles == []
    assert boss.violations() == []


@pytest.mark.parametrize("model, act", ACTS)
def test_the_page_that_asks_before_an_act_has_no_violation(model: str, act: str, boss: SiteAdmin) -> None:
    boss.goto(f"{HOME}/{model}/1/change/")
    boss.page.get_by_role("button", name=act).click()
    expect(boss.page.get_by_role("heading", name=act, level=1)).to_be_visible()
    assert boss.violations() == []


def test_a_form_with_mistakes_has_no_violation(boss: SiteAdmin) -> None:
    boss.goto(f"{HOME}/user/add/")
    boss.saves()
    expect(boss.page.locator(".errorlist").first).to_be_visible()
    assert boss.violations() == []


def test_a_colleague_comes_owns_two_pipelines_and_leaves(boss: SiteAdmin, shop: Product) -> None:
    page, name = boss.page, f"ada-{uuid.uuid4().hex[:8]}"
    boss.goto(f"{HOME}/user/")
    page.get_by_role("link", name="Add person").click()
    page.get_by_label("User name").fill(name)
    page.get_by_label("Email").fill(f"{name}@example.org")
    page.get_by_label("Password").fill("correct horse battery")
    boss.saves()
    expect(boss.rows.get_by_role("link", name=name, exact=True)).to_be_visible()

    boss.goes_to("Teams")
    boss.rows.get_by_role("link", name="demo", exact=True).click()
    page.get_by_role("link", name="Members and roles").click()
    boss.chooses("Add", name)
    page.get_by_role("group", name="In the roles").get_by_label("Editor").check()
    boss.saves()
    expect(page.get_by_role("checkbox", name=f"{name}: editor")).to_be_checked()

    boss.goes_to("Pipelines")
    for pipeline in PIPELINES:
        page.get_by_role("row", name=re.compile(pipeline)).get_by_role("checkbox").check()
    boss.sets_the_owner(name)
    owners = {row["name"]: row["owner"]["username"] for row in shop.get("pipelines/")["results"]}
    assert {owners[pipeline] for pipeline in PIPELINES} == {name}

    boss.rows.get_by_role("link", name="digits-training").click()
    page.get_by_role("link", name="History").click()
    for words in ("changed whose it is or what it is for", f"owner: {name}", "admin"):
        expect(page.locator("#history tbody tr").first).to_contain_text(words)

    boss.goes_to("People")
    boss.rows.get_by_role("link", name=name, exact=True).click()
    page.get_by_role("button", name="Deactivate").click()
    expect(page.get_by_text("They can no longer sign in")).to_be_visible()
    page.get_by_role("button", name="Deactivate").click()
    page.get_by_role("link", name=re.compile("no active owner now")).click()
    for pipeline in PIPELINES:
        expect(page.get_by_role("row", name=re.compile(pipeline))).to_contain_text("has left")
        page.get_by_role("row", name=re.compile(pipeline)).get_by_role("checkbox").check()
    left = shop.get("pipelines/", owner="none")["results"]
    assert set(PIPELINES) <= {row["name"] for row in left}
    # Whatever walks here next finds the demo as it was.
    boss.sets_the_owner("admin")
    assert boss.troubles == []


def test_the_console_has_the_theme_that_was_chosen_in_the_product(boss: SiteAdmin) -> None:
    boss.goto("/admin/")
    page = boss.page
    page.evaluate("localStorage.setItem('theme', 'dark')")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.evaluate("localStorage.removeItem('theme')")
    assert background == "rgb(14, 16, 20)"


def test_signing_out_closes_the_console(boss: SiteAdmin) -> None:
    boss.goto("/admin/")
    boss.page.get_by_role("button", name="Sign out").click()
    boss.page.wait_for_url("**/sign-in")
    boss.comes_in()
