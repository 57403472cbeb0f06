"""What a nudge missed is found by the sweep: lapsed leases, lost attempts, deadlines, unheard rings."""

from __future__ import annotations

from types import SimpleNamespace
from uuid import UUID

import pytest
from django.db import connection
from redis import Redis

from runs import dispatch, protocol, sweeps
from runs.models import Attempt, TaskRun, WorkerLease
from tests.runs.factories import Hands, make_lease, make_run, state_line, states

pytestmark = pytest.mark.django_db


def long_ago(lease: UUID) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE worker_lease SET expires_at = engine_now() - interval '1 s' WHERE uuid = %s", [lease]
        )


@pytest.fixture
def seasoned(monkeypatch: pytest.MonkeyPatch) -> None:
    """The database has been up for longer than any lease lives."""
    monkeypatch.setattr(sweeps, "LEASE_TTL", 0.0)


@pytest.mark.usefixtures("seasoned")
def test_a_lapsed_lease_is_lost_and_its_task_runnable_again() -> None:
    run, hands = make_run("a"), Hands()
    hands.claim()
    long_ago(hands.lease.uuid)
    sweeps.sweep_once()
    assert state_line(run) == "a=retry_wait"
    assert Attempt.objects.get(run=run).state == "lost"
    assert Hands().claim() == "a"


def test_an_attempt_that_its_worker_left_behind_when_it_went_is_lost() -> None:
    run, hands = make_run("a"), Hands()
    hands.claim()
    assert protocol.move_lease(hands.lease.uuid, ("live",), "closed")
    sweeps.sweep_once()
    assert state_line(run) == "a=retry_wait"
    assert Hands().claim() == "a"


@pytest.mark.usefixtures("seasoned")
def test_a_lease_that_is_renewed_is_left_alone() -> None:
    run, hands = make_run("a"), Hands()
    hands.claim()
    sweeps.sweep_once()
    assert state_line(run) == "a=running"


def test_no_lease_expires_while_the_database_has_been_up_for_less_than_its_life(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sweeps, "LEASE_TTL", 1e9)
    lease = make_lease()
    long_ago(lease.uuid)
    assert sweeps.expire_leases() == 0
    assert WorkerLease.objects.get(id=lease.id).state == "live"


@pytest.mark.usefixtures("seasoned")
def test_no_lease_expires_by_an_answer_that_was_long_in_coming(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeps, "STALL", 0.0)
    lease = make_lease()
    long_ago(lease.uuid)
    assert sweeps.expire_leases() == 0
    assert WorkerLease.objects.get(id=lease.id).state == "live"


def test_after_a_standstill_leases_have_a_whole_life_to_be_renewed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounds every 2 s, one of which comes a minute late."""
    now, pauses = [1000.0], iter([2.0, 60.0, *[2.0] * 8])
    expires: list[bool] = []

    def sleep(seconds: float) -> None:
        now[0] += next(pauses)

    monkeypatch.setattr(sweeps, "time", SimpleNamespace(monotonic=lambda: now[0], sleep=sleep))
    monkeypatch.setattr(sweeps, "hide_memory", lambda: None)
    monkeypatch.setattr(sweeps.Leader, "check", lambda self: True)
    monkeypatch.setattr(sweeps, "sweep_once", lambda *, may_expire: expires.append(may_expire))
    with pytest.raises(StopIteration):
        sweeps.main()
    assert expires == [True, True, *[False] * 8, True]


@pytest.mark.usefixtures("seasoned")
def test_two_sweeps_do_what_one_does() -> None:
    run, hands = make_run("a"), Hands()
    hands.claim()
    long_ago(hands.lease.uuid)
    sweeps.sweep_once()
    before = TaskRun.objects.values().get(run=run)
    sweeps.sweep_once()
    assert TaskRun.objects.values().get(run=run) == before


def test_an_attempt_long_past_its_timeout_is_ended_when_its_worker_does_not() -> None:
    run, hands = make_run("a", tasks={"a": {"timeout": 1.0}}), Hands()
    hands.claim()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE attempt SET timeout_at = engine_now() - interval '1 minute'")
    sweeps.sweep_once()
    assert states(run) == {"a": "failed"}
    assert Attempt.objects.get(run=run).reason == "timeout"


def test_an_approval_past_its_deadline_is_ended() -> None:
    entry = {"kind": "approval", "config": {"by": ["approver"], "deadline": 0.0}}
    run = make_run("ok > b", tasks={"ok": entry})
    sweeps.sweep_once()
    assert state_line(run) == "ok=failed b=upstream_failed"


class TestDoorbell:
    def rings(self, redis: Redis, queue: str) -> int:
        return int(redis.llen(dispatch.rq_queue(queue).key))

    def test_it_rings_for_as_many_tasks_as_there_are_idle_workers(self, redis_connection: Redis) -> None:
        make_lease("cpu")
        make_lease("cpu")
        assert dispatch.ring("cpu", 10) == 2
        assert self.rings(redis_connection, "cpu") == 2

    def test_rings_that_nobody_has_answered_count(self, redis_connection: Redis) -> None:
        make_lease("cpu")
        dispatch.ring("cpu", 1)
        assert dispatch.ring("cpu", 1) == 0

    def test_a_worker_with_an_attempt_is_not_rung(self, redis_connection: Redis) -> None:
        make_run("a")
        Hands().claim()
        assert dispatch.ring("cpu", 5) == 0

    def test_a_task_that_nobody_came_for_is_rung_for_again(self, redis_connection: Redis) -> None:
        make_run("a")
        make_lease("cpu")
        with connection.cursor() as cursor:
            cursor.execute("UPDATE task_run SET ready_at = engine_now() - interval '3 s'")
        sweeps.ring_unheard()
        assert self.rings(redis_connection, "cpu") == 1

    def test_a_retry_is_rung_for_when_its_time_has_come(self, redis_connection: Redis) -> None:
        make_run("a", tasks={"a": {"retries": {"limit": 1}}})
        hands = Hands()
        hands.claim()
        hands.end("a", "failed")
        sweeps.ring_unheard()
        assert self.rings(redis_connection, "cpu") == 0
        with connection.cursor() as cursor:
            cursor.execute("UPDATE task_run SET ready_at = engine_now() - interval '3 s'")
        sweeps.ring_unheard()
        assert self.rings(redis_connection, "cpu") == 1

    def test_a_job_that_names_anything_else_is_refused(self, redis_connection: Redis) -> None:
        job = dispatch.rq_queue("cpu").enqueue_call("os.getcwd", timeout=-1)
        with pytest.raises(PermissionError, match="not an entry point"):
            job.perform()


@pytest.mark.usefixtures("seasoned")
def test_an_attempt_that_cannot_be_settled_does_not_keep_the_others_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = make_run("a"), make_run("b")
    hands = Hands()
    hands.claim()
    hands.claim()
    long_ago(hands.lease.uuid)
    spoiled = hands.held["a"].token
    lose = protocol.lose

    def refuse(token: str, reason: str) -> object:
        if token == spoiled:
            raise ValueError("a row that nobody foresaw")
        return lose(token, reason)

    monkeypatch.setattr(protocol, "lose", refuse)
    sweeps.sweep_once()
    assert state_line(first) == "a=running"
    assert state_line(second) == "b=retry_wait"


def test_tasks_that_are_paused_are_not_rung_for(redis_connection: Redis) -> None:
    run = make_run("a")
    make_lease("cpu")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE task_run SET ready_at = engine_now() - interval '3 s'")
        cursor.execute("UPDATE run SET paused_at = engine_now() WHERE id = %s", [run.id])
    sweeps.ring_unheard()
    assert redis_connection.llen(dispatch.rq_queue("cpu").key) == 0


def test_a_job_carries_nothing_that_rq_would_call_beside_its_entry(redis_connection: Redis) -> None:
    line = dispatch.rq_queue("cpu")
    job = line.enqueue_call("runs.jobs.wake", args=("cpu",), timeout=-1)
    redis_connection.hset(
        job.key, mapping={"failure_callback_name": "os.getcwd", "success_callback_name": "os.getcwd"}
    )
    found = line.job_class.fetch(job.id, connection=redis_connection, serializer=line.serializer)
    assert (found._failure_callback_name, found._success_callback_name, found.webhooks) == (None, None, [])
