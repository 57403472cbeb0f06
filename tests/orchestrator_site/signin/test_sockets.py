"""The live socket opens by the rules of pages: no session that has ended, no admin without second factor."""

from __future__ import annotations

import time
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from channels.db import database_sync_to_async
from pytest_django.fixtures import Settings

from orchestrator_site.signin.told import SEEN
from pipelines import sealing
from runs import live
from tests import factories
from tests.orchestrator_site.signin.browser import Browser
from tests.runs.socket_client import Browser as Socket
from tests.runs.socket_client import tell

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis_connection")]


def opens(browser: Browser) -> bool:
    async def tried() -> bool:
        socket = Socket(browser.cookies["sessionid"].value)
        opened = await socket.open()
        await socket.close()
        return opened

    return async_to_sync(tried)()


def test_a_site_admin_without_the_second_factor_they_need_hears_nothing(settings: Settings) -> None:
    sealing.first_key()
    factories.make_user("root", is_superuser=True)
    browser = Browser()
    browser.sign_in("root")
    assert opens(browser)
    settings.ORCHESTRATOR = {**settings.ORCHESTRATOR, "ADMINS_NEED_SECOND_FACTOR": True}
    assert not opens(browser)
    browser.add_authenticator()
    assert opens(browser)


def test_an_open_socket_ends_with_the_session_that_nobody_used_for_long(settings: Settings) -> None:
    factories.make_user("alice")
    browser = Browser()
    browser.sign_in("alice")

    async def tried() -> Any:
        socket = Socket(browser.cookies["sessionid"].value)
        assert await socket.open()
        await database_sync_to_async(unused_for_long)(browser, settings)
        await tell(live.RIGHTS, type="live.rights", users=None)
        said = await socket.hear()
        await socket.close()
        return said

    assert async_to_sync(tried)()["code"] == "signed-out"


def unused_for_long(browser: Browser, settings: Settings) -> None:
    session = browser.session
    session[SEEN] = time.time() - settings.SESSION_IDLE_AGE - 1
    session.save()


def test_a_session_that_nobody_used_for_long_opens_no_socket(settings: Settings) -> None:
    factories.make_user("alice")
    browser = Browser()
    browser.sign_in("alice")
    unused_for_long(browser, settings)
    assert not opens(browser)
