"""Asking again who somebody is: every view that changes what opens doors, in a browser, after a while."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipelines.models import Role
from tests.factories import Cast, client, join, make_cast, make_secret, make_token, say_who

pytestmark = pytest.mark.django_db

SECRET = {"team": "alpha", "name": "fresh", "value": "open-sesame"}
ASKING = [
    ("POST", "/api/v1/secrets/", SECRET),
    ("PATCH", "/api/v1/secrets/{secret}/", {"value": "another-value"}),
    ("DELETE", "/api/v1/secrets/{secret}/", None),
    ("POST", "/api/v1/tokens/", {"name": "mine"}),
    ("DELETE", "/api/v1/tokens/00000000-0000-4000-8000-000000000000/", None),
    ("POST", "/api/v1/members/", {"team": "alpha", "username": "bob", "roles": ["viewer"]}),
    ("POST", "/api/v1/code-locations/", {"team": "alpha", "name": "fresh", "address": "/nowhere"}),
    ("POST", "/api/v1/teams/", {"slug": "fresh", "name": "Fresh"}),
]


@pytest.fixture
def cast() -> Cast:
    made = make_cast()
    join(made.team, made.alice, Role.ADMIN)
    return made


def ask(browser: Any, method: str, path: str, body: Any) -> Any:
    return browser.generic(method, path, json.dumps(body), content_type="application/json")


@pytest.mark.parametrize("method, path, body", ASKING)
def test_a_browser_that_was_left_open_is_asked_who_is_there(
    cast: Cast, method: str, path: str, body: Any
) -> None:
    path = path.format(secret=make_secret(cast.team).uuid)
    answer = ask(client(cast.alice, minutes_ago=16), method, path, body)
    assert answer.status_code == 403
    assert answer.json()["code"] == "reauthentication-required"
    assert "more than 15 minutes ago" in answer.json()["detail"]


@pytest.mark.parametrize("method, path, body", ASKING)
def test_who_has_just_signed_in_and_a_program_with_a_token_are_not_asked(
    cast: Cast, method: str, path: str, body: Any
) -> None:
    secret = make_secret(cast.team)
    for browser in (client(cast.alice, minutes_ago=14), client(token=make_token(cast.alice))):
        answer = ask(browser, method, path.format(secret=secret.uuid), body)
        assert b"reauthentication-required" not in answer.content


def test_reading_asks_nobody_again(cast: Cast) -> None:
    browser = client(cast.alice, minutes_ago=600)
    for path in ("/api/v1/secrets/", "/api/v1/tokens/", "/api/v1/members/?team=alpha", "/api/v1/me/"):
        assert browser.get(path).status_code == 200


def test_what_another_person_said_in_the_same_browser_does_not_count(cast: Cast) -> None:
    browser = client(cast.alice)
    say_who(browser, cast.bob)
    assert browser.post("/api/v1/tokens/", {"name": "mine"}).json()["code"] == "reauthentication-required"


def test_a_moment_in_the_future_does_not_count(cast: Cast) -> None:
    browser = client(cast.alice, minutes_ago=-60)
    assert browser.post("/api/v1/tokens/", {"name": "mine"}).status_code == 403
