"""Through the door: by a provider, with a second step, asked again, locked out; and axe at each step."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.orchestrator_site.running import Up, folder_for_all, up
from tests.orchestrator_site.signin.browser import code_of
from tests.orchestrator_site.signin.providers import make_person, real_provider
from tests.walks.product import PASSWORD
from tests.walks.visitor import violations

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Locator, Page

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.timeout(300)]

BELIEVED = 15.0  # seconds for which nobody is asked again


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    with real_provider() as issuer:
        make_person(issuer)
        yield issuer


@pytest.fixture(scope="module")
def house(provider: str) -> Iterator[Up]:
    """An installation with a provider, which believes people for a short while."""
    with (
        folder_for_all() as folder,
        up(
            folder / "home",
            "--no-demo",
            ORCHESTRATOR_ADMIN_PASSWORD=PASSWORD,
            ORCHESTRATOR_REAUTHENTICATE_AFTER=str(BELIEVED / 60),
            ORCHESTRATOR_OIDC="corp",
            ORCHESTRATOR_OIDC_CORP_ISSUER=provider,
            ORCHESTRATOR_OIDC_CORP_CLIENT_ID="orchestrator",
            ORCHESTRATOR_OIDC_CORP_CLIENT_SECRET="a-secret-of-the-walk",
        ) as running,
    ):
        yield running


def at_the_provider(page: Page) -> None:
    page.locator('input[name="sub"]').fill("ana")
    page.get_by_role("button", name="Authorize").click()


def sound(page: Page) -> None:
    for colours in ("light", "dark"):
        page.emulate_media(color_scheme=colours, reduced_motion="reduce")
        assert violations(page) == []


def enter(page: Page, house: Up) -> None:
    page.goto(f"{house.address}/sign-in?next=/account")
    page.get_by_role("button", name="Sign in with Corp").click()
    at_the_provider(page)


def is_it_you(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Is it you?")


def test_by_a_provider_with_a_second_step_and_asked_again(house: Up, browser_context: BrowserContext) -> None:
    page = browser_context.new_page()
    page.goto(f"{house.address}/sign-in?next=/account")
    expect(page.get_by_role("button", name="Sign in with Corp")).to_be_visible()
    sound(page)
    enter(page, house)
    expect(page.get_by_role("region", name="You").get_by_text("Ana Lim")).to_be_visible()
    expect(page.get_by_text("ask an admin of the team")).to_be_visible()
    expect(page.get_by_text("this one")).to_be_visible()
    sound(page)

    # Setting up a second factor asks again, and the provider answers in a tab of its own.
    time.sleep(BELIEVED)
    page.get_by_role("button", name="Set up an authenticator app").click()
    confirm = is_it_you(page).get_by_role("button", name="Confirm with Corp")
    expect(confirm).to_be_visible()
    sound(page)
    with browser_context.expect_page() as opened:
        confirm.click()
    at_the_provider(opened.value)
    expect(page.get_by_role("img", name="QR code of the key")).to_be_visible()
    expect(is_it_you(page)).to_have_count(0)
    secret = page.locator("code").inner_text()
    page.get_by_label("Code of the app").fill(code_of(secret))
    page.get_by_role("button", name="Turn it on").click()
    recovery = page.get_by_role("list", name="Recovery codes").get_by_role("listitem")
    expect(recovery).to_have_count(10)
    sound(page)
    spare = recovery.first.inner_text()

    # Elsewhere the same person is asked for the second step.
    assert browser_context.browser is not None
    elsewhere = browser_context.browser.new_context()
    other = elsewhere.new_page()
    enter(other, house)
    expect(other.get_by_role("heading", name="One more step")).to_be_visible()
    sound(other)
    other.get_by_label("Code", exact=True).fill("00000000")
    other.get_by_role("button", name="Sign in", exact=True).click()
    expect(other.get_by_text("This code is wrong")).to_be_visible()
    other.get_by_label("Code", exact=True).fill(spare)
    other.get_by_role("button", name="Sign in", exact=True).click()
    expect(other.get_by_text("9 of 10 are left")).to_be_visible()

    # And is put out from the first browser.
    page.reload()
    page.get_by_role("button", name="End the session of").click()
    expect(page.get_by_role("button", name="End the session of")).to_have_count(0)
    other.reload()
    expect(other.get_by_role("heading", name="Sign in")).to_be_visible()
    elsewhere.close()


def test_the_console_asks_again_and_comes_back(house: Up, browser_context: BrowserContext) -> None:
    page = browser_context.new_page()
    page.goto(f"{house.address}/admin/pipelines/team/")
    page.get_by_label("User name").fill("admin")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="Teams", level=1)).to_be_visible()
    time.sleep(BELIEVED)
    page.goto(f"{house.address}/admin/pipelines/team/add/")
    page.get_by_label("Your password").fill(PASSWORD)
    sound(page)
    page.get_by_role("button", name="Confirm", exact=True).click()
    page.locator("#id_slug").fill("fresh")
    page.locator("#id_name").fill("Fresh")
    time.sleep(BELIEVED)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Nothing was changed yet")).to_be_visible()
    sound(page)
    with browser_context.expect_page() as opened:
        page.get_by_role("link", name="Confirm in another tab").click()
    opened.value.get_by_label("Your password").fill(PASSWORD)
    opened.value.get_by_role("button", name="Confirm", exact=True).click()
    expect(opened.value.get_by_text("go on in the other one")).to_be_visible()
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    expect(page.get_by_text("Fresh").first).to_be_visible()


def test_who_tries_too_often_is_told_how_long_to_wait(house: Up, browser_context: BrowserContext) -> None:
    page = browser_context.new_page()
    page.goto(f"{house.address}/sign-in")
    for _ in range(6):
        page.get_by_label("User name").fill("somebody")
        page.get_by_label("Password").fill("wrong")
        page.get_by_role("button", name="Sign in", exact=True).click()
        expect(page.get_by_label("Password")).to_have_value("")
    expect(page.get_by_role("alert")).to_contain_text("try again in 5 minutes")
    sound(page)
