"""A server is away for a minute: what is under way goes on, what comes is taken, nobody is declared lost."""

from __future__ import annotations

import os
import signal
import time

import pytest
from django.db import connection

from runs.models import Attempt, Run, WorkerLease
from tests.factories import client
from tests.runs import making
from tests.runs.faults.bench import QUEUE, Bench, ends, python, shell, sweep, told, worker
from tests.runs.trials import until
from tests.servers import Servers, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.timeout(300)]

MINUTE = 60.0
SLEEPS = "import time\ndef main() -> int:\n    time.sleep({seconds})\n    return 1\n"


def states(run: Run) -> list[str]:
    return [attempt.state for attempt in told(run).attempts]


def test_redis_is_away_for_a_minute_and_50_runs_are_accepted_meanwhile(
    bench: Bench, servers: Servers
) -> None:
    alice = client(bench.user)
    versions = [
        making.make_version(bench.team, bench.user, [{**shell("true"), "queue": QUEUE}]) for _ in range(50)
    ]
    with worker(), worker(), sweep():
        long = bench.start(python(SLEEPS.format(seconds=20)))
        until(lambda: states(long) == ["running"], 30, "the long task is at work")
        stop_redis(servers)
        away = time.monotonic()
        try:
            slowest = max(accepted(alice, version.pipeline.name) for version in versions)
            until(lambda: states(long) == ["succeeded"], 40, "the busy worker went on and settled its task")
            time.sleep(max(0.0, MINUTE - (time.monotonic() - away)))
        finally:
            start_redis(servers)
        until(lambda: not Run.objects.filter(finished_at=None).exists(), 10, "all is caught up")
    assert slowest < 10.0  # on a machine with much to do; nobody waits for Redis for long
    assert set(Run.objects.values_list("state", flat=True)) == {"succeeded"}
    assert Attempt.objects.count() == 51


def accepted(alice: object, pipeline: str) -> float:
    """Start a run through the API; the seconds it took."""
    began = time.monotonic()
    answer = alice.post(f"/api/v1/pipelines/{pipeline}/runs/", {}, format="json")  # type: ignore[attr-defined]
    assert answer.status_code == 201, answer.content
    return time.monotonic() - began


def stop_redis(servers: Servers) -> None:
    os.kill(servers.pids["redis"], signal.SIGKILL)
    os.waitpid(servers.pids["redis"], 0)


def start_redis(servers: Servers) -> None:
    servers.pids["redis"] = servers.redis.start()
    wait_until(lambda: servers.redis.ready(servers.pids["redis"]), "Redis")


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["stopped", "crashed"])
def test_postgres_is_away_for_a_minute_and_nobody_is_declared_lost(
    bench: Bench, servers: Servers, how: signal.Signals
) -> None:
    """One task ends while it is away, and its completion is said again; one outlives the outage."""
    with worker(), worker(), sweep():
        within, beyond = (bench.start(python(SLEEPS.format(seconds=seconds))) for seconds in (15, 75))
        for run in (within, beyond):
            until(lambda run=run: states(run) == ["running"], 30, "it is at work")  # type: ignore[misc]
        time.sleep(1.5)  # what is committed without waiting for the disk is there
        connection.close()
        os.kill(servers.pids["postgres"], how)
        os.waitpid(servers.pids["postgres"], 0)
        try:
            time.sleep(MINUTE)
        finally:
            servers.pids["postgres"] = servers.postgres.start()
            wait_until(lambda: servers.postgres.ready(servers.pids["postgres"]), "PostgreSQL")
        assert ends(within, 15) < 15
        ends(beyond, 60)
        after = bench.start(shell("true"))
        ends(after, 15)
    for run in (within, beyond, after):
        assert states(run) == ["succeeded"], told(run).words
    assert not WorkerLease.objects.filter(state="lost").exists()
