"""Rings that come a hundred times or never, and two sweeps that both believe to lead."""

from __future__ import annotations

import threading
import time
from itertools import pairwise

import pytest
from django.db import connection
from redis import Redis

from runs import dispatch, invariants, sweeps
from runs.models import Attempt, Queue, Run, RunEvent, TaskRun, WorkerLease
from tests.runs import making
from tests.runs.factories import Hands, make_run
from tests.runs.faults.bench import QUEUE, Bench, ends, shell, sweep, worker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

# Half of the rings are never sent: whoever should have, died before.
DEAF = """
import random, django
django.setup()
from runs import dispatch
send = dispatch._send
dispatch._send = lambda *given: random.random() < 0.5 or send(*given)
"""


def test_each_queue_is_rung_a_hundred_times_and_each_task_has_one_attempt(bench: Bench) -> None:
    runs = [bench.start(*(shell("true", key=f"t{n}") for n in range(4))) for _ in range(5)]
    with worker(), worker():
        for _ in range(100):
            dispatch._send(dispatch.rq_queue(QUEUE), "runs.jobs.wake", QUEUE)
        for run in runs:
            ends(run, 60)
        emptied = time.monotonic() + 30
        while dispatch.redis().llen(dispatch.rq_queue(QUEUE).key) and time.monotonic() < emptied:
            time.sleep(0.1)
    assert Attempt.objects.count() == 20
    assert set(Attempt.objects.values_list("state", flat=True)) == {"succeeded"}


def test_half_of_the_rings_are_never_sent_and_the_sweep_rings_within_two_seconds(
    bench: Bench,
) -> None:
    """A chain that changes its queue with each task: nothing goes on but by a ring."""
    other = Queue.objects.create(slug="faults-too")
    keys = [f"t{n}" for n in range(8)]
    tasks = [{**shell("true", key=key), "queue": (QUEUE, other.slug)[n % 2]} for n, key in enumerate(keys)]
    with worker(before=DEAF), worker(other.slug, before=DEAF), sweep():
        made = making.make_version(bench.team, bench.user, tasks, list(pairwise(keys)))
        ends(bench.start(shell("true")), 60)  # both are up, and their zygotes
        run = making.start(made, bench.user)
        ends(run, 60)
    waits = gaps(run)
    # 2 s until it counts as unheard, one round of the sweep, and a busy machine's slowness.
    assert max(waits) < 2.0 + sweeps.EVERY + 2.0
    assert Attempt.objects.filter(run=run).count() == len(keys)


def gaps(run: Run) -> list[float]:
    """Seconds that each task was ready before its attempt began."""
    rows = TaskRun.objects.filter(run=run).values_list("ready_at", "started_at")
    return [(began - ready).total_seconds() for ready, began in rows if began and ready]


def test_two_sweeps_at_once_settle_each_lost_attempt_once(
    redis_connection: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both believe to lead, as if there were no lock."""
    monkeypatch.setattr(sweeps, "LEASE_TTL", 0.0)
    for _ in range(10):
        make_run("a, b")
    for _ in range(20):
        assert Hands().claim()
    WorkerLease.objects.update(expires_at="2020-01-01T00:00:00Z")
    problems = at_once(4, sweeps.sweep_once)
    assert problems == []
    assert set(Attempt.objects.values_list("state", "reason")) == {("lost", "lease")}
    assert set(TaskRun.objects.values_list("state", "lost")) == {("retry_wait", 1)}
    moves = RunEvent.objects.filter(to_state="retry_wait").values_list("task_run_id", flat=True)
    assert len(moves) == 20 == len(set(moves))
    assert invariants.check_all() == {}


def at_once(many: int, act: object) -> list[BaseException]:
    """What went wrong when several threads did it at the same time."""
    together, problems = threading.Barrier(many), []

    def one() -> None:
        try:
            together.wait(10)
            act()  # type: ignore[operator]
        except BaseException as problem:
            problems.append(problem)
        finally:
            connection.close()

    threads = [threading.Thread(target=one) for _ in range(many)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return problems
