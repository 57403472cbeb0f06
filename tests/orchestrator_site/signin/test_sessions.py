"""Sessions: how long they last, and how their person looks after them."""

from __future__ import annotations

import time
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from pipelines.models import User
from tests.factories import PASSWORD, make_user
from tests.orchestrator_site.signin.browser import Browser, told

pytestmark = pytest.mark.django_db
HOUR = 3600


@pytest.fixture(autouse=True)
def fresh(redis_connection: Any) -> None:
    """No attempt is remembered."""


@pytest.fixture
def alice() -> User:
    return make_user("alice")


def signed_in(**options: Any) -> Browser:
    browser = Browser(**options)
    browser.sign_in("alice")
    return browser


def clock(monkeypatch: pytest.MonkeyPatch, ahead: float) -> None:
    now = time.time()
    monkeypatch.setattr("orchestrator_site.signin.middleware.time.time", lambda: now + ahead)


def test_a_session_that_nobody_uses_ends(
    alice: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SESSION_IDLE_AGE = 2 * HOUR
    browser = signed_in()
    clock(monkeypatch, 1.9 * HOUR)
    assert browser.signed_in_as == "alice"
    monkeypatch.undo()
    clock(monkeypatch, 3.8 * HOUR)
    assert browser.signed_in_as == "alice"  # it was used in between
    monkeypatch.undo()
    clock(monkeypatch, 5.9 * HOUR)
    assert browser.signed_in_as is None


def test_a_session_ends_however_much_it_is_used(
    alice: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SESSION_IDLE_AGE, settings.SESSION_COOKIE_AGE = 2 * HOUR, 3 * HOUR
    browser = signed_in()
    for hours, expected in ((1.5, "alice"), (2.9, "alice"), (3.1, None)):
        clock(monkeypatch, hours * HOUR)
        assert browser.signed_in_as == expected
        monkeypatch.undo()


def test_a_person_sees_their_sessions_and_ends_another_one(alice: User) -> None:
    here, there = signed_in(HTTP_USER_AGENT="Here/1"), signed_in(HTTP_USER_AGENT="There/2")
    rows = here.at("auth/sessions").json()["data"]
    assert {row["user_agent"]: row["is_current"] for row in rows} == {"Here/1": True, "There/2": False}
    other = next(row["id"] for row in rows if not row["is_current"])
    assert here.tell("auth/sessions", "DELETE", sessions=[other]).status_code == 200
    assert (here.signed_in_as, there.signed_in_as) == ("alice", None)
    assert told("person.sessions-ended") == [{"sessions": 1}]


def test_nobody_ends_the_session_of_somebody_else(alice: User) -> None:
    there = signed_in()
    number = there.at("auth/sessions").json()["data"][0]["id"]
    make_user("mallory")
    here = Browser()
    here.sign_in("mallory")
    assert here.tell("auth/sessions", "DELETE", sessions=[number]).status_code == 400
    assert there.signed_in_as == "alice"


def test_signing_out_ends_the_session_itself(alice: User) -> None:
    browser = signed_in()
    cookie = browser.cookies["sessionid"].value
    browser.tell("auth/session", "DELETE")
    stolen = Browser()
    stolen.cookies["sessionid"] = cookie
    assert stolen.signed_in_as is None


def test_signing_in_gives_the_session_a_new_name(alice: User) -> None:
    browser = Browser()
    browser.cookies["sessionid"] = "chosen-by-somebody-else"
    browser.sign_in("alice")
    assert browser.cookies["sessionid"].value != "chosen-by-somebody-else"


def test_saying_again_who_one_is_by_password_opens_what_was_closed(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = signed_in()
    later = time.time() + 16 * 60
    monkeypatch.setattr(time, "time", lambda: later)
    assert browser.post("/api/v1/tokens/", {"name": "x"}, "application/json").status_code == 403
    assert browser.tell("auth/confirm").json()["code"] == "reauthentication-required"
    assert browser.tell("auth/reauthenticate", password="wrong").status_code == 400
    assert browser.post("/api/v1/tokens/", {"name": "x"}, "application/json").status_code == 403
    assert browser.tell("auth/reauthenticate", password=PASSWORD).status_code == 200
    assert browser.post("/api/v1/tokens/", {"name": "x"}, "application/json").status_code == 201
    assert browser.tell("auth/confirm").status_code == 204


def test_guessing_the_password_of_an_open_browser_is_limited_too(alice: User) -> None:
    browser = signed_in()
    answers = [browser.tell("auth/reauthenticate", password=f"wrong-{number}") for number in range(6)]
    assert "Too many attempts" in answers[-1].json()["errors"][0]["message"]
