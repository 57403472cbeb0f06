"""Which transactions wait for the disk: all but those of work that is cheap to do again."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection, transaction

from runs import admission, protocol
from runs.models import Attempt, Quarantine, Run
from runs.transitions import execute
from tests.runs.factories import Hands, make_run, make_user, make_version

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


# --- other verbs --------------------------------------------------------------------------------------


def waits(verb: Callable[[], object]) -> bool:
    """Whether the transaction of a verb waits for the disk."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = on")
        verb()
        cursor.execute("SHOW synchronous_commit")
        return bool(cursor.fetchone() == ("on",))


def test_a_chunk_of_a_log_does_not_wait() -> None:
    held("a")
    attempt = Attempt.objects.get()
    said = (attempt.run_id, attempt.pk, 0, 0, 1, b"x\n")
    assert not waits(lambda: execute("SELECT engine_log(%s, %s, %s, %s, %s, %s)", said))


def test_a_short_failure_that_is_tried_again_does_not_wait() -> None:
    hands = held("a", retries={"limit": 1})
    assert commits(hands, "a", "failed") == "off"


def test_a_start_and_a_claim_wait() -> None:
    assert waits(lambda: make_run("a"))
    assert waits(Hands().claim)


def test_a_cancellation_and_a_resume_wait() -> None:
    run, actor = make_run("a"), make_user()
    assert waits(lambda: protocol.cancel_run(run.pk, actor=actor))
    assert waits(lambda: protocol.resume_run(run.pk, actor=actor))


def test_the_end_of_a_run_by_a_condition_that_is_false_waits() -> None:
    when = {"text": "params.go", "refs": {"params.go": {"ref": "params.go"}}}
    run, hands = make_run("a > b", parameters={"go": False}, tasks={"b": {"when": when}}), Hands()
    assert hands.claim() == "a"
    assert commits(hands, "a") == "on"
    assert Run.objects.get(pk=run.pk).state == "succeeded"


def test_a_run_that_is_admitted_waits() -> None:
    version, actor = make_version("a", overlap="queue"), make_user()
    first, second = (
        protocol.start_run(version, parameters={}, trigger="manual", requested_by=actor) for _ in range(2)
    )
    with transaction.atomic():
        protocol.cancel_run(first.pk, actor=actor)
        assert waits(lambda: admission.admit(version.pipeline_id))
    assert Run.objects.get(pk=second.pk).state == "running"


def test_the_third_loss_and_its_quarantine_wait() -> None:
    make_run("a > b")
    for _ in range(3):
        hands = Hands()
        hands.claim()
        set_by_session("UPDATE attempt SET started_at = started_at - interval '15 s' WHERE state = 'running'")
        token = hands.held["a"].token
        assert waits(lambda token=token: protocol.lose(token, "lease"))  # type: ignore[misc]
    assert Quarantine.objects.count() == 1
