"""axe finds nothing against WCAG 2.2 AA on any page, light and dark; a page that nobody named here fails."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.orchestrator_site.running import ROOT
from tests.walks.editing import LOCATION, register_blocks
from tests.walks.product import Product
from tests.walks.visitor import Visitor, violations

pytestmark = [pytest.mark.slow, pytest.mark.browser]

ROUTES = ROOT / "frontend/src/router/routes.ts"
# Every path of the router: an address of it, and what is seen when it has loaded.
PAGES: dict[str, tuple[str, str]] = {
    "/sign-in": ("/sign-in?next=/runs", "Runs"),  # signed in, it leads on
    "/sign-in/reset": ("/sign-in/reset", "Forgotten password"),
    "/sign-in/reset/$key": ("/sign-in/reset/1-abc", "New password"),
    "/sign-in/again": ("/sign-in/again", "Your password"),
    "/sign-in/confirmed": ("/sign-in/confirmed?error=somebody_else", "Not confirmed"),
    "/account": ("/account", "this one"),
    "/": ("/", "Pipelines"),
    "/pipelines": ("/pipelines", "Pipelines"),
    "/pipelines/$name": ("/pipelines/demo:digits-training", "Handwritten digits"),
    "/pipelines/$name/edit": ("/pipelines/demo:digits-training/edit", "Draft r"),
    "/pipelines/$name/versions": ("/pipelines/demo:digits-training/versions", "Version 1"),
    "/pipelines/$name/versions/diff": (
        "/pipelines/demo:digits-training/versions/diff?from=1&to=draft",
        "Nothing differs",
    ),
    "/artifacts/$artifactId": ("/artifacts/{artifact}", "size"),
    "/environments": ("/environments", "Environments"),
    "/environments/$environmentId": ("/environments/{environment}", "Packages"),
    "/code": ("/code", "Code"),
    "/code/$locationId": ("/code/{location}", "Snapshots"),
    "/settings/secrets": ("/settings/secrets", "Secrets"),
    "/settings/members": ("/settings/members", "Lent by other teams"),
    "/settings/tokens": ("/settings/tokens", "My tokens"),
    "/settings/service-accounts/$username": ("/settings/service-accounts/program", "Made"),
    "/runs": ("/runs", "Runs"),
    "/runs/$runId": ("/runs/{run}?task=second&tab=log", "exit 7"),
    "/deployments": ("/deployments", "Deployments"),
    "/deployments/$endpoint": ("/deployments/digits-prod", "digits-prod"),
    "/$": ("/no/such/page", "There is no page"),
}
FAILING = (
    "  first:\n    kind: shell\n    run: echo look here\n"
    "  second:\n    kind: shell\n    needs: [first]\n    run: |\n      echo look here\n      exit 7\n"
)


@pytest.fixture(scope="module")
def failed(shop: Product) -> str:
    run = shop.start(shop.publish(FAILING))
    shop.wait(run)
    return run


@pytest.fixture(scope="module", params=["light", "dark"])
def visitor(request: pytest.FixtureRequest, shop: Product, chromium: str) -> Iterator[Visitor]:
    """Signed in, with the colours of the parameter; one browser for all pages."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        context = browser.new_context(
            viewport={"width": 1280, "height": 800}, color_scheme=request.param, reduced_motion="reduce"
        )
        found = Visitor(shop, context)
        found.sign_in()
        yield found
        browser.close()


@pytest.fixture(scope="module")
def artifact(shop: Product) -> str:
    """A table that a run has made."""
    register_blocks(shop)
    head = f"code: {{location: {LOCATION}}}\n"
    run = shop.start(shop.publish("  read:\n    kind: python\n    run: tables:read_csv\n", head=head))
    shop.wait(run)
    outputs = shop.details(run, "read")["outputs"]
    return str(next(output["artifact"] for output in outputs if output["name"] == "table"))


@pytest.fixture(scope="module")
def environment(shop: Product) -> str:
    """The one of the demo's lock file, built."""
    shop.until(lambda: shop.get("environments/")["results"][0]["state"] == "ready", "built", 60)
    return str(shop.get("environments/")["results"][0]["id"])


@pytest.fixture(scope="module")
def program(shop: Product) -> None:
    """A service account with a token, and something lent."""
    shop.post("service-accounts/", {"team": "demo", "username": "program", "roles": ["viewer"]})
    shop.post("service-accounts/program/tokens/", {"name": "nightly", "scopes": ["read"], "days": 5})
    shop.post("tokens/", {"name": "short", "days": 5})
    shop.post("teams/", {"slug": "neighbours", "name": "Neighbours"})
    lent = {"kind": "pipeline", "object": shop.get("pipelines/digits-training/")["id"]}
    shop.post("grants/", {**lent, "team": "neighbours", "verb": "run"})


@pytest.fixture(scope="module")
def location(shop: Product) -> str:
    """The code location of the demo."""
    return str(shop.get("code-locations/")["results"][0]["id"])


@pytest.mark.usefixtures("program")
@pytest.mark.parametrize("route", PAGES)
def test_a_page_has_no_violation(
    route: str, visitor: Visitor, failed: str, artifact: str, environment: str, location: str
) -> None:
    address, seen = PAGES[route]
    names = {"run": failed, "artifact": artifact, "environment": environment, "location": location}
    visitor.goto(address.format(**names))
    settled(visitor.page, seen)
    assert violations(visitor.page) == []


def settled(page: Page, seen: str) -> None:
    """Until the page shows what it is about and nothing is still being loaded."""
    expect(page.get_by_text(seen).first).to_be_visible(timeout=20_000)
    expect(page.locator("[aria-busy=true]")).to_have_count(0, timeout=20_000)


def test_the_sign_in_page_has_no_violation(visitor: Visitor) -> None:
    browser = visitor.page.context.browser
    assert browser is not None
    page = browser.new_context().new_page()
    page.goto(f"{visitor.address}/sign-in")
    expect(page.get_by_label("User name")).to_be_visible()
    assert violations(page) == []


def test_every_path_of_the_router_is_looked_at() -> None:
    paths = set(re.findall(r"path: '([^']+)'", ROUTES.read_text()))
    assert paths == set(PAGES)
