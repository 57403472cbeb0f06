"""Many tasks fail at the same moment: their retries are spread, so that what failed them is not overrun."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

import pytest
from django.db import connection

from runs.models import TaskRun
from tests.planning import analyze
from tests.runs.factories import Hands, make_run

pytestmark = pytest.mark.django_db

MANY, BASE = 500, 5.0


def test_500_tasks_that_fail_at_once_come_back_spread_over_the_whole_delay() -> None:
    """Their upstream is away: each fails at once, and is tried again at a time drawn from 0 to 5 s."""
    stand_still()
    retries = {"retries": {"limit": 3, "base": BASE, "jitter": "full", "on": ["transient"]}}
    keys = [f"t{n}" for n in range(MANY)]
    run, hands = make_run(", ".join(keys), tasks=dict.fromkeys(keys, retries)), Hands()
    analyze("task_run", "run", "attempt")
    while (key := hands.claim()) is not None:
        hands.end(key, "failed", "transient")
    failed = now()
    due = TaskRun.objects.filter(run=run, state="retry_wait").values_list("next_attempt_at", flat=True)
    by_second = Counter(int((moment - failed).total_seconds()) for moment in due if moment)
    steady = MANY / BASE
    assert by_second.total() == MANY
    assert max(by_second.values()) <= 1.5 * steady
    assert min(by_second[second] for second in range(int(BASE))) >= 0.5 * steady


def stand_still() -> None:
    """The database's clock, for this transaction: all of them fail at the same moment."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('orchestrator.clock', clock_timestamp()::text, true)")


def now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT engine_now()")
        (moment,) = cursor.fetchone()
    assert isinstance(moment, datetime)
    return moment
