"""Passwords: attempts are limited, nobody learns who has an account, and the audit chain tells of it."""

from __future__ import annotations

import re
import statistics
import time
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from pytest_django.fixtures import Settings

from pipelines import accounts
from pipelines.models import User
from tests.factories import PASSWORD, make_user
from tests.orchestrator_site.signin.browser import Browser, code_in, refreshed, told

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh(redis_connection: Any) -> None:
    """No attempt is remembered."""


@pytest.fixture
def alice() -> User:
    return make_user("alice")


def fail(browser: Browser, username: str, times: int, **options: Any) -> list[Any]:
    return [
        browser.tell("auth/login", username=username, password=f"wrong-{number}") for number in range(times)
    ]


def test_who_signs_in_by_name_or_address_is_told_on_the_audit_chain(alice: User) -> None:
    browser = Browser()
    fail(browser, "alice", 2)
    assert browser.sign_in("alice").status_code == 200
    assert browser.signed_in_as == "alice"
    assert Browser().tell("auth/login", email="ALICE@example.org", password=PASSWORD).status_code == 200
    assert told("person.sign-in") == [
        {"by": ["password"], "address": "127.0.0.1", "failed_before": 2},
        {"by": ["password"], "address": "127.0.0.1", "failed_before": 0},
    ]


def test_the_sixth_attempt_on_an_account_waits_whatever_is_typed_and_wherever(alice: User) -> None:
    fail(Browser(), "alice", 2)
    fail(Browser(), "ALICE", 2)
    Browser().tell("auth/login", email="alice@example.org", password="wrong")
    answer = Browser(REMOTE_ADDR="203.0.113.9").sign_in("alice")  # the right one, from elsewhere
    assert (answer.status_code, code_in(answer)) == (400, "too_many_login_attempts")
    assert "try again in 5 minutes" in answer.json()["errors"][0]["message"]
    assert told("person.sign-in-locked") == [{"address": "203.0.113.9"}]
    Browser(REMOTE_ADDR="203.0.113.9").sign_in("alice")
    assert len(told("person.sign-in-locked")) == 1


def test_the_lock_ends(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    fail(Browser(), "alice", 5)
    later = time.time() + 301
    monkeypatch.setattr(time, "time", lambda: later)
    assert Browser().sign_in("alice").status_code == 200


def test_one_address_tries_ten_accounts_a_minute(alice: User) -> None:
    for number in range(10):
        Browser().sign_in(f"nobody-{number}")
    assert code_in(Browser().sign_in("alice")) == "too_many_login_attempts"
    assert Browser(REMOTE_ADDR="203.0.113.9").sign_in("alice").status_code == 200
    assert told("person.sign-in-locked") == [{"address": "127.0.0.1"}]


def test_the_addresses_of_one_ipv6_line_count_as_one(alice: User) -> None:
    for number in range(10):
        Browser(REMOTE_ADDR=f"2001:db8:0:1:{number}::1").sign_in(f"nobody-{number}")
    refused = [Browser(REMOTE_ADDR=f"2001:db8:0:1::{number}").sign_in("alice") for number in range(2)]
    assert {code_in(answer) for answer in refused} == {"too_many_login_attempts"}
    assert told("person.sign-in-locked") == [{"address": "2001:db8:0:1::"}], "told once"
    assert Browser(REMOTE_ADDR="2001:db8:0:2::1").sign_in("alice").status_code == 200


def test_addresses_of_ipv4_in_the_dress_of_ipv6_count_one_by_one(alice: User) -> None:
    for number in range(10):
        Browser(REMOTE_ADDR="::ffff:203.0.113.1").sign_in(f"nobody-{number}")
    assert code_in(Browser(REMOTE_ADDR="203.0.113.1").sign_in("alice")) == "too_many_login_attempts"
    assert Browser(REMOTE_ADDR="::ffff:203.0.113.2").sign_in("alice").status_code == 200


def test_a_locked_out_stranger_does_not_fill_the_chain_by_typing_ever_new_names() -> None:
    for number in range(16):
        Browser().sign_in(f"nobody-{number}")
    assert told("person.sign-in-locked") == [{"address": "127.0.0.1"}]


def test_a_success_does_not_forgive_the_failures_of_an_address(alice: User) -> None:
    for number in range(9):
        Browser().sign_in(f"nobody-{number}")
    assert Browser().sign_in("alice").status_code == 200
    Browser().sign_in("nobody-10")
    assert code_in(Browser().sign_in("alice")) == "too_many_login_attempts"


def test_what_a_stranger_typed_is_kept_nowhere_as_it_may_be_a_password(
    alice: User, redis_connection: Any
) -> None:
    typed = "wal" * 10_000
    assert [answer.status_code for answer in fail(Browser(), typed, 6)] == [400] * 6
    kept = redis_connection.keys("*")
    assert kept
    assert not [key for key in kept if b"sign-in-failures" in key], "nobody would read it"
    assert not [key for key in kept if b"walwal" in key or b"walwal" in (_value(redis_connection, key))]


def _value(connection: Any, key: bytes) -> bytes:
    return bytes(connection.get(key) or b"") if connection.type(key) == b"string" else b""


def test_without_a_proxy_the_header_of_a_client_moves_no_limit(alice: User) -> None:
    for number in range(10):
        Browser(headers={"X-Forwarded-For": f"203.0.113.{number}"}).sign_in(f"nobody-{number}")
    answer = Browser(headers={"X-Forwarded-For": "203.0.113.99"}).sign_in("alice")
    assert code_in(answer) == "too_many_login_attempts"


def test_behind_a_proxy_the_address_is_the_one_that_the_proxy_saw(alice: User, settings: Settings) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    for number in range(10):
        # The client wrote the first; the proxy added the last.
        Browser(headers={"X-Forwarded-For": f"198.51.100.{number}, 203.0.113.1"}).sign_in(f"nobody-{number}")
    refused = Browser(headers={"X-Forwarded-For": "198.51.100.77, 203.0.113.1"}).sign_in("alice")
    assert code_in(refused) == "too_many_login_attempts"
    assert Browser(headers={"X-Forwarded-For": "203.0.113.2"}).sign_in("alice").status_code == 200


def test_a_wrong_password_and_an_unknown_name_are_answered_alike(alice: User) -> None:
    answers = [fail(Browser(), name, 1)[0] for name in ("alice", "nobody")]
    assert answers[0].json() == answers[1].json()
    assert answers[0].json()["errors"][0]["message"] == "User name or password is wrong."


@pytest.mark.slow
def test_a_wrong_password_and_an_unknown_name_take_the_same_time(alice: User, settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    accounts.set_password(alice, PASSWORD, actor=alice)
    Browser().sign_in("alice", "warm-up")

    def seconds(name: str) -> float:
        cache.clear()
        began = time.perf_counter()
        Browser().sign_in(name, "wrong")
        return time.perf_counter() - began

    # In turn, so that a machine that becomes busy meanwhile is as slow for both.
    known, unknown = zip(*((seconds("alice"), seconds("nobody")) for _ in range(9)), strict=True)
    ratio = statistics.median(known) / statistics.median(unknown)
    assert 0.6 < ratio < 1.6, ratio


def test_a_suspended_person_is_told_so_but_only_with_their_password(alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert fail(Browser(), "alice", 1)[0].json() == fail(Browser(), "nobody", 1)[0].json()
    answer = Browser().sign_in("alice")
    assert code_in(answer) == "account_inactive"
    assert "ask a site admin" in answer.json()["errors"][0]["message"]


def test_a_new_password_asks_for_the_old_one_and_ends_every_other_session(alice: User) -> None:
    here, there = Browser(), Browser()
    here.sign_in("alice")
    there.sign_in("alice")
    wrong = here.tell("account/password/change", current_password="wrong", new_password="another-long-one")
    assert wrong.status_code == 400
    easy = here.tell("account/password/change", current_password=PASSWORD, new_password="12345")
    assert easy.json()["errors"][0]["param"] == "new_password"
    done = here.tell("account/password/change", current_password=PASSWORD, new_password="another-long-one")
    assert done.status_code == 200
    assert (here.signed_in_as, there.signed_in_as) == ("alice", None)
    assert told("person.password") == [{}]


def test_a_forgotten_password_is_set_anew_by_a_link_that_works_once(alice: User) -> None:
    there = Browser()
    there.sign_in("alice")
    assert Browser().tell("auth/password/request", email="alice@example.org").status_code == 200
    text = str(mail.outbox[0].body)
    found = re.search(r"http://localhost:8000/sign-in/reset/(\S+)", text)
    assert found, text
    key = found[1]
    assert Browser().tell("auth/password/reset", key=key, password="12345").status_code == 400
    assert Browser().tell("auth/password/reset", key=key, password="another-long-one").status_code == 401
    assert Browser().tell("auth/password/reset", key=key, password="yet-another-one").status_code == 400
    assert there.signed_in_as is None
    assert Browser().sign_in("alice", "another-long-one").status_code == 200
    assert told("person.password") == [{}]


def test_who_asks_for_a_new_password_learns_nothing(alice: User) -> None:
    known, unknown = (
        Browser().tell("auth/password/request", email=f"{name}@example.org") for name in ("alice", "nobody")
    )
    assert (known.status_code, known.content) == (unknown.status_code, unknown.content)
    assert len(mail.outbox) == 2  # the stranger is written to as well, so that both take as long


def test_new_passwords_are_asked_for_only_so_often(alice: User) -> None:
    asked = [Browser().tell("auth/password/request", email="alice@example.org") for _ in range(6)]
    assert [answer.status_code for answer in asked] == [200] * 5 + [429]


def test_where_passwords_are_off_none_is_taken(alice: User, settings: Settings) -> None:
    settings.ORCHESTRATOR = {**settings.ORCHESTRATOR, "PASSWORD_SIGN_IN": False}
    assert code_in(Browser().sign_in("alice")) == "password_off"
    assert Browser().tell("auth/password/request", email="alice@example.org").status_code == 403
    assert Browser().at("ways-in").json() == {"password": False, "providers": []}


@pytest.mark.parametrize(
    "path",
    [
        "auth/signup",
        "account/email",
        "account/phone",
        "auth/provider/token",
        "auth/code/request",
        "auth/webauthn/login",
    ],
)
def test_what_of_the_library_we_do_not_use_is_not_there(alice: User, path: str) -> None:
    browser = Browser()
    browser.sign_in("alice")
    assert browser.tell(path, email="x@example.org").status_code == 404
    assert refreshed(alice).email == "alice@example.org"
