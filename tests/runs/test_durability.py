"""Which finishes wait for the disk: all but those of work that is cheap to do again."""

from __future__ import annotations

import pytest
from django.db import connection, transaction

from runs import protocol
from runs.models import Attempt
from tests.runs.factories import Hands, make_run

pytestmark = pytest.mark.django_db(transaction=True)


def set_by_session(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def commits(hands: Hands, key: str, state: str = "succeeded") -> str:
    """How the transaction of a finish commits, where the server waits for the disk unless told otherwise."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = on")
        hands.end(key, state)
        cursor.execute("SHOW synchronous_commit")
        return str(cursor.fetchone()[0])


def held(graph: str, **given: object) -> Hands:
    make_run(graph, tasks={"a": given})
    hands = Hands()
    assert hands.claim() == "a"
    return hands


def test_a_short_attempt_in_the_middle_of_a_run_does_not_wait() -> None:
    assert commits(held("a > b"), "a") == "off"


def test_the_end_of_a_run_waits() -> None:
    assert commits(held("a"), "a") == "on"


def test_a_failure_that_ends_the_run_waits() -> None:
    assert commits(held("a > b"), "a", "failed") == "on"


@pytest.mark.parametrize("kind", ["register", "deploy"])
def test_what_acts_on_the_outside_waits(kind: str) -> None:
    hands = held("a > b", kind=kind)
    hands.held["a"].task["kind"] = "python"  # no handler: the verb alone is looked at
    assert commits(hands, "a") == "on"


def test_an_attempt_that_took_two_seconds_waits() -> None:
    hands = held("a > b")
    set_by_session("UPDATE attempt SET started_at = started_at - interval '2 s'")
    assert commits(hands, "a") == "on"


def test_a_beat_does_not_wait() -> None:
    hands = held("a > b")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = on")
        cursor.execute("SELECT engine_beat(%s, %s)", [hands.lease.uuid, protocol.LEASE_TTL])
        cursor.execute("SHOW synchronous_commit")
        assert cursor.fetchone() == ("off",)
    assert Attempt.objects.get().state == "running"
