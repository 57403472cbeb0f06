"""Second factors: set up, asked for, lost, required; their secrets are sealed."""

from __future__ import annotations

import time
from importlib import import_module
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.apps import apps
from pytest_django.fixtures import Settings

from pipelines import rotation, sealing, second_factors
from pipelines.models import User
from tests.factories import client, make_token, make_user
from tests.orchestrator_site.signin.browser import Browser, code_in, code_of, told

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh(redis_connection: Any) -> None:
    sealing.first_key()


@pytest.fixture
def alice() -> User:
    return make_user("alice")


@pytest.fixture
def browser(alice: User) -> Browser:
    made = Browser()
    made.sign_in("alice")
    return made


def pending(answer: Any) -> list[str]:
    return [flow["id"] for flow in answer.json()["data"]["flows"] if flow.get("is_pending")]


def test_a_person_with_an_authenticator_app_is_asked_for_its_code(browser: Browser, alice: User) -> None:
    secret = browser.add_authenticator()
    other = Browser()
    answer = other.sign_in("alice")
    assert (answer.status_code, pending(answer)) == (401, ["mfa_authenticate"])
    assert other.signed_in_as is None
    assert other.get("/admin/").status_code == 302
    assert code_in(other.tell("auth/2fa/authenticate", code="000000")) == "incorrect_code"
    assert other.tell("auth/2fa/authenticate", code=code_of(secret, 1)).status_code in (200, 400)
    assert told("person.second-factor") == [{"added": "authenticator app"}]


def test_a_code_works_once(browser: Browser, alice: User) -> None:
    secret, code = browser.add_authenticator(), ""
    code = code_of(secret)
    answers = []
    for _ in range(2):
        other = Browser()
        other.sign_in("alice")
        answers.append(other.tell("auth/2fa/authenticate", code=code).status_code)
    assert answers == [200, 400]
    row = told("person.sign-in")[-1]
    assert row["by"] == ["password", "mfa"]


@pytest.mark.parametrize("steps", [-1, 1])
def test_a_phone_whose_clock_is_half_a_minute_off_signs_in(browser: Browser, alice: User, steps: int) -> None:
    secret = browser.add_authenticator()
    for distance, status in ((steps * 3, 400), (steps, 200)):
        other = Browser()
        other.sign_in("alice")
        assert other.tell("auth/2fa/authenticate", code=code_of(secret, distance)).status_code == status


def test_a_code_stays_used_for_as_long_as_it_would_be_taken(
    browser: Browser, alice: User, redis_connection: Any
) -> None:
    secret = browser.add_authenticator()
    other = Browser()
    other.sign_in("alice")
    other.tell("auth/2fa/authenticate", code=code_of(secret, 1))
    (used,) = redis_connection.keys("*totp.used*")
    assert redis_connection.ttl(used) > 80, "three steps of 30 s"


def test_guessing_codes_is_limited_per_account(browser: Browser, alice: User) -> None:
    secret = browser.add_authenticator()
    for number in range(5):
        other = Browser(REMOTE_ADDR=f"203.0.113.{number}")
        other.sign_in("alice")
        assert code_in(other.tell("auth/2fa/authenticate", code="000000")) == "incorrect_code"
    other = Browser(REMOTE_ADDR="203.0.113.99")
    other.sign_in("alice")
    answer = other.tell("auth/2fa/authenticate", code=code_of(secret))
    assert code_in(answer) == "too_many_login_attempts"
    assert other.signed_in_as is None


def test_recovery_codes_are_shown_once_and_each_works_once(browser: Browser, alice: User) -> None:
    browser.add_authenticator()
    codes = browser.at("account/authenticators/recovery-codes").json()["data"]["unused_codes"]
    assert len(codes) == 10
    assert "unused_codes" not in browser.at("account/authenticators/recovery-codes").json()["data"]
    answers = []
    for _ in range(2):
        other = Browser()
        other.sign_in("alice")
        answers.append(other.tell("auth/2fa/authenticate", code=codes[0]).status_code)
    assert answers == [200, 400]
    fresh = browser.tell("account/authenticators/recovery-codes").json()["data"]["unused_codes"]
    assert not set(fresh) & set(codes)


def test_setting_up_and_taking_away_ask_again_who_one_is(
    browser: Browser, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = browser.add_authenticator()
    later = time.time() + 16 * 60
    monkeypatch.setattr(time, "time", lambda: later)
    for method, path in (
        ("GET", "totp"),
        ("POST", "totp"),
        ("DELETE", "totp"),
        ("GET", "recovery-codes"),
        ("POST", "recovery-codes"),
        ("GET", "totp/picture"),
    ):
        answer = browser.tell(f"account/authenticators/{path}", method)
        assert answer.json()["code"] == "reauthentication-required", (method, path)
    assert Authenticator.objects.filter(user=alice).count() == 2
    assert browser.tell("auth/2fa/reauthenticate", code=code_of(secret)).status_code == 200
    assert browser.tell("account/authenticators/totp", "DELETE").status_code == 200
    assert Authenticator.objects.filter(user=alice).count() == 0
    assert told("person.second-factor") == [
        {"added": "authenticator app"},
        {"removed": "authenticator app"},
    ]
    assert Browser().sign_in("alice").status_code == 200


def test_the_picture_holds_the_secret_that_is_being_set_up(browser: Browser) -> None:
    assert browser.at("account/authenticators/totp/picture").status_code == 404
    browser.at("account/authenticators/totp")
    picture = browser.at("account/authenticators/totp/picture").json()
    assert picture["size"] > 20
    assert picture["path"].startswith("M2 2h1v1h-1z")


def test_what_codes_are_computed_from_is_sealed_in_the_database(browser: Browser, alice: User) -> None:
    secret = browser.add_authenticator()
    rows = Authenticator.objects.filter(user=alice)
    assert secret not in str([row.data for row in rows])
    totp = rows.get(type="totp")
    assert totp.data["secret"].startswith(f"{sealing.key_ring().newest}:")
    assert second_factors.unseal(totp.data["secret"], alice) == secret


def test_a_second_factor_that_was_moved_to_another_account_opens_nothing(
    browser: Browser, alice: User
) -> None:
    own = browser.add_authenticator()
    codes = browser.at("account/authenticators/recovery-codes").json()["data"]["unused_codes"]
    Authenticator.objects.filter(user=alice).update(user=make_user("root", is_superuser=True))
    for code in (code_of(own, 1), codes[0]):
        other = Browser()
        other.sign_in("root")
        answer = other.tell("auth/2fa/authenticate", code=code)
        assert (answer.status_code, answer.json()["code"]) == (409, "secret-not-genuine")
        assert "a site admin can reset it" in answer.json()["detail"]
        assert other.signed_in_as is None
    assert [row.problem != "" for row in rotation.keyed()] == [True, True]


def test_second_factors_of_before_are_bound_to_their_persons(browser: Browser, alice: User) -> None:
    secret = browser.add_authenticator()
    row = Authenticator.objects.get(user=alice, type="totp")
    ring = sealing.key_ring()
    sealed = ring.seal(secret, sealing.Owner("", "second factor", 0))
    row.data = {"secret": f"{ring.newest}:{sealed.ciphertext.decode()}"}
    row.save()
    lost = make_user("lost")
    Authenticator.objects.create(user=lost, type="totp", data={"secret": "key-that-is-gone:abc"})
    import_module("pipelines.migrations.0010_second_factors_bound").bind(apps, None)
    row.refresh_from_db()
    assert second_factors.unseal(row.data["secret"], alice) == secret
    assert Authenticator.objects.get(user=lost).data == {"secret": "key-that-is-gone:abc"}


def test_the_keys_are_exchanged_and_codes_go_on_working(browser: Browser, alice: User) -> None:
    secret = browser.add_authenticator()
    old = sealing.key_ring().newest
    new = sealing.add_key()
    assert old in rotation.keys_in_use()
    assert sum(rotation.rotate()) == 2
    assert rotation.keys_in_use() == {new}
    assert [(row.team, row.name, row.problem) for row in rotation.keyed()] == [
        ("second factor", "alice", ""),
        ("second factor", "alice", ""),
    ]
    other = Browser()
    other.sign_in("alice")
    assert other.tell("auth/2fa/authenticate", code=code_of(secret)).status_code == 200


def test_without_keys_it_is_said_how_to_make_one(browser: Browser, settings: Settings) -> None:
    secret = browser.at("account/authenticators/totp").json()["meta"]["secret"]
    settings.ORCHESTRATOR = {**settings.ORCHESTRATOR, "SECRET_KEYS": "", "SECRET_KEYS_FILE": ""}
    answer = browser.tell("account/authenticators/totp", code=code_of(secret))
    assert (answer.status_code, answer.json()["code"]) == (409, "secret-key-missing")
    assert "secrets new-key" in answer.json()["detail"]
    assert not Authenticator.objects.exists()


def test_a_site_admin_resets_what_somebody_lost_and_they_are_signed_out(
    browser: Browser, alice: User
) -> None:
    browser.add_authenticator()
    root = make_user("root", is_superuser=True)
    assert second_factors.reset(alice, actor=root)
    assert not second_factors.reset(alice, actor=root)
    assert browser.signed_in_as is None
    assert Browser().sign_in("alice").status_code == 200
    assert told("person.second-factor-reset") == [{}]


def test_where_it_is_required_site_admins_set_one_up_first(settings: Settings) -> None:
    settings.ORCHESTRATOR = {**settings.ORCHESTRATOR, "ADMINS_NEED_SECOND_FACTOR": True}
    root = make_user("root", is_superuser=True)
    browser = Browser()
    browser.sign_in("root")
    assert browser.get("/api/v1/pipelines/").json()["code"] == "second-factor-required"
    assert browser.get("/metrics").json()["code"] == "second-factor-required"
    assert browser.get("/admin/")["Location"] == "/account"
    assert browser.get("/api/v1/me/").status_code == 200
    assert client(token=make_token(root)).get("/api/v1/pipelines/").status_code == 200
    browser.add_authenticator()
    assert browser.get("/api/v1/pipelines/").status_code == 200
    assert browser.get("/admin/").status_code == 200


def test_people_who_are_no_site_admins_are_not_asked_for_it(settings: Settings, browser: Browser) -> None:
    settings.ORCHESTRATOR = {**settings.ORCHESTRATOR, "ADMINS_NEED_SECOND_FACTOR": True}
    assert browser.get("/api/v1/pipelines/").status_code == 200
