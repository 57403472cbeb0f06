"""What a cancel reaches, what a resume gives back, and when a pause is over."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from runs import protocol
from runs.models import TaskRun
from runs.transitions import call
from tests.runs.factories import Hands, make_run, make_user, state_line

pytestmark = pytest.mark.django_db

RETRIES = {"limit": 1, "base": 60.0, "jitter": "none"}


def stops(hands: Hands) -> dict[str, bool]:
    """For each task that the worker holds, whether a beat tells it to stop."""
    said = {each["attempt"]: each["cancel"] for each in call("engine_beat", hands.lease.uuid, 15.0)}
    return {key: said[work.token] for key, work in hands.held.items()}


def test_a_beat_tells_what_is_to_stop_and_nothing_else() -> None:
    run, other, hands = make_run("a, b"), make_run("c"), Hands()
    claimed = {hands.claim(), hands.claim(), hands.claim()}
    assert claimed == {"a", "b", "c"}
    assert stops(hands) == {"a": False, "b": False, "c": False}
    protocol.cancel_run(run.pk, actor=make_user())
    assert stops(hands) == {"a": True, "b": True, "c": False}
    assert state_line(other) == "c=running"


@pytest.mark.parametrize(
    "graph, entry, state",
    [
        ("x > a", {}, "pending"),
        ("a", {}, "ready"),
        ("a", {"kind": "approval", "config": {"by": [], "deadline": None}}, "awaiting_approval"),
        ("a/b", {}, "waiting"),
    ],
)
def test_a_cancel_ends_whatever_waits(graph: str, entry: dict[str, Any], state: str) -> None:
    run = make_run(graph, tasks={"a": entry})
    assert TaskRun.objects.get(run=run, key="a").state == state
    assert protocol.cancel_run(run.pk, actor=make_user())
    assert set(TaskRun.objects.filter(run=run).values_list("state", "reason")) == {("cancelled", "by_person")}
    run.refresh_from_db()
    assert (run.state, run.open_tasks) == ("cancelled", 0)


def test_a_cancel_ends_what_waits_for_its_retry() -> None:
    run, hands = make_run("a", tasks={"a": {"retries": RETRIES}}), Hands()
    hands.claim()
    hands.end("a", "failed")
    assert state_line(run) == "a=retry_wait"
    assert protocol.cancel_run(run.pk, actor=make_user())
    task = TaskRun.objects.get(run=run)
    assert (task.state, task.next_attempt_at) == ("cancelled", None)


def test_a_resumed_task_has_all_its_retries_and_losses_before_it_again() -> None:
    run = make_run("a", tasks={"a": {"retries": {**RETRIES, "base": 0.0}}})
    hands = Hands()
    hands.claim()
    protocol.lose(hands.held["a"].token, "lease")
    for _ in range(2):
        hands.claim()
        hands.end("a", "failed")
    assert state_line(run) == "a=failed"
    protocol.resume_run(run.pk, actor=make_user())
    task = TaskRun.objects.get(run=run)
    assert (task.state, task.retries_used, task.lost, task.attempts_made) == ("ready", 0, 0, 3)
    hands.claim()
    hands.end("a", "failed")
    assert state_line(run) == "a=retry_wait"


@pytest.mark.parametrize("table", ["run", "pipeline", "queue"])
def test_a_pause_ends_by_itself(table: str) -> None:
    make_run("a")
    pause = f"UPDATE {table} SET paused_at = engine_now(), paused_until = engine_now() + %s * interval '1 s'"
    with connection.cursor() as cursor:
        cursor.execute(pause, [60])
        assert Hands().claim() is None
        cursor.execute(pause, [0])
    assert Hands().claim() == "a"
