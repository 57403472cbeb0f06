"""How many requests are answered in a minute, and what happens without Redis."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from pytest_django import Settings

from orchestrator_site import throttles
from tests.factories import SMALL, Cast, client, make_cast, make_token

ANY = {"reads": 0, "writes": 0, "expensive": 0, "failures": 0, "address": 0}


@pytest.fixture
def cast(db: None) -> Cast:
    return make_cast()


@pytest.fixture
def counting(redis_connection: redis.Redis) -> Iterator[None]:
    """Nothing is counted yet."""
    redis_connection.flushall()
    throttles.counters.cache_clear()
    yield
    redis_connection.flushall()
    throttles.counters.cache_clear()


def allow(settings: Settings, **rates: int) -> None:
    settings.ORCHESTRATOR = {**settings.ORCHESTRATOR, "RATES": {**ANY, **rates}}


def statuses(ask: Any, times: int) -> list[int]:
    return [ask().status_code for _ in range(times)]


@pytest.mark.usefixtures("counting")
def test_too_many_reads_are_answered_with_429_and_when_to_come_again(cast: Cast, settings: Settings) -> None:
    allow(settings, reads=2)
    bob = client(cast.bob)
    assert statuses(lambda: bob.get("/api/v1/me/"), 2) == [200, 200]
    answer = bob.get("/api/v1/me/")
    assert (answer.status_code, answer["Content-Type"]) == (429, "application/problem+json")
    assert answer.json()["code"] == "too-many-requests"
    assert 1 <= int(answer["Retry-After"]) <= throttles.WINDOW
    assert f"in {answer['Retry-After']} seconds" in answer.json()["detail"]
    assert client(cast.alice).get("/api/v1/me/").status_code == 200, "everybody has their own"


@pytest.mark.usefixtures("counting")
def test_a_token_has_half_of_its_person_and_all_tokens_together_no_more_than_them(
    cast: Cast, settings: Settings
) -> None:
    allow(settings, reads=4)
    first, second = (client(token=make_token(cast.bob)) for _ in range(2))
    assert statuses(lambda: first.get("/api/v1/me/"), 3) == [200, 200, 429]
    assert client(cast.bob).get("/api/v1/me/").status_code == 200, "there is room to stop it"
    assert statuses(lambda: second.get("/api/v1/me/"), 1) == [429], "the person has asked enough"


@pytest.mark.usefixtures("counting")
def test_what_costs_more_has_its_own_limit(cast: Cast, settings: Settings) -> None:
    allow(settings, expensive=1, writes=1)
    bob = client(cast.bob)
    asked = {"document": SMALL, "team": "alpha"}
    assert statuses(lambda: bob.post("/api/v1/validate/", asked), 2) == [200, 429]
    assert statuses(lambda: bob.post("/api/v1/pipelines/", {"name": "x", "team": "alpha"}), 2) == [403, 429]
    assert bob.get("/api/v1/me/").status_code == 200


@pytest.mark.usefixtures("counting")
def test_an_address_has_a_limit_over_all_people(cast: Cast, settings: Settings) -> None:
    allow(settings, address=2)
    asked = [cast.bob, cast.alice, cast.charlie]
    assert [client(who).get("/api/v1/me/").status_code for who in asked] == [200, 200, 429]
    elsewhere = client(cast.charlie).get("/api/v1/me/", REMOTE_ADDR="192.0.2.7")
    assert elsewhere.status_code == 200


@pytest.mark.usefixtures("counting")
def test_the_addresses_that_one_line_has_count_as_one(cast: Cast, settings: Settings) -> None:
    allow(settings, address=2)
    bob = client(cast.bob)
    places = ["2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:db8:1:2::3", "2001:db8:1:3::1"]
    assert [bob.get("/api/v1/me/", REMOTE_ADDR=each).status_code for each in places] == [200, 200, 429, 200]
    others = ["::ffff:192.0.2.1", "::ffff:192.0.2.2", "::ffff:192.0.2.3", "fe80::1%eth0", "unknown"]
    assert [bob.get("/api/v1/me/", REMOTE_ADDR=each).status_code for each in others] == [200] * 5


@pytest.mark.usefixtures("counting")
def test_nobody_names_their_own_address_without_a_proxy(cast: Cast, settings: Settings) -> None:
    allow(settings, address=1)
    bob = client(cast.bob)
    asked = [bob.get("/api/v1/me/", HTTP_X_FORWARDED_FOR=f"192.0.2.{n}").status_code for n in range(2)]
    assert asked == [200, 429]


@pytest.mark.usefixtures("counting")
def test_whoever_tries_tokens_is_stopped(cast: Cast, settings: Settings) -> None:
    allow(settings, failures=3)
    guesses = [client(token=f"guess-{n}") for n in range(5)]
    assert [each.get("/api/v1/me/").status_code for each in guesses] == [401, 401, 401, 429, 429]
    assert client(token=make_token(cast.bob)).get("/api/v1/me/").status_code == 200


@pytest.mark.usefixtures("counting")
def test_the_usual_limits_are_far_from_what_people_do(cast: Cast) -> None:
    bob = client(cast.bob)
    assert set(statuses(lambda: bob.get("/api/v1/me/"), 100)) == {200}


def test_without_redis_requests_pass_and_it_is_not_asked_each_time(cast: Cast, settings: Settings) -> None:
    allow(settings, reads=1)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # a port where nobody listens
        settings.REDIS_URL = f"redis://127.0.0.1:{taken.getsockname()[1]}/0"
        throttles.counters.cache_clear()
        bob = client(cast.bob)
        assert statuses(lambda: bob.get("/api/v1/me/"), 3) == [200, 200, 200]
        assert throttles.counters().quiet_until > 0
        throttles.counters.cache_clear()
