"""A worker whose clock is wrong: only the database's clock is stored or compared, so nothing comes of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from runs.models import Attempt, WorkerLease
from tests.runs.faults.bench import Bench, ends, python, shell, sweep, told, worker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

WRONG = "from tests.soak import clock; clock.set_wrong({seconds})"
SLEEPS = "import time\ndef main() -> int:\n    time.sleep({seconds})\n    return 1\n"


@pytest.mark.parametrize("seconds", [300, -300])
def test_a_worker_whose_clock_is_five_minutes_wrong_works_as_any_other(bench: Bench, seconds: int) -> None:
    began = timezone.now()
    with worker(before=WRONG.format(seconds=seconds)), sweep():
        quick = bench.start(shell("true"))
        ends(quick, 40)
        late = bench.start({**shell("sleep 30"), "timeout": 2.0})
        assert 1.5 < ends(late, 30) < 12
        # Longer than a lease lives: it must be renewed by a clock that is right.
        long = bench.start({**python(SLEEPS.format(seconds=18)), "timeout": 60.0})
        ends(long, 60)
        assert 0.0 < seconds_left() <= 15.0
    assert [told(run).task.state for run in (quick, late, long)] == ["succeeded", "failed", "succeeded"]
    assert told(late).task.reason == "timeout"
    assert Attempt.objects.count() == 3
    slack = timedelta(seconds=5)
    for attempt in Attempt.objects.all():
        assert attempt.finished_at is not None
        assert began - slack < attempt.started_at <= attempt.finished_at < timezone.now() + slack
    assert not WorkerLease.objects.filter(state="lost").exists()


def seconds_left() -> float:
    """Of the worker's lease, by the database's clock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT extract(epoch FROM max(expires_at) - clock_timestamp())::float8 FROM worker_lease"
        )
        (left,) = cursor.fetchone()
    return float(left)
