"""The sweep that leads stands still: its session is ended, and another one leads."""

from __future__ import annotations

import signal
import time

import pytest
from django.db import connection

from runs.models import Attempt, WorkerLease
from tests.runs.factories import Hands, make_run
from tests.runs.faults.bench import sweep
from tests.runs.trials import until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.timeout(200)]


def leader() -> int:
    """The database session of the sweep that leads; 0 for none."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted")
        found = cursor.fetchall()
    assert len(found) <= 1
    return int(found[0][0]) if found else 0


def test_a_sweep_that_hangs_is_followed_by_another_within_a_minute() -> None:
    make_run("a")
    hands = Hands()
    assert hands.claim()
    with sweep() as hanging:
        until(lambda: leader() != 0, 30, "the first one leads")
        first = leader()
        with sweep():
            time.sleep(3)
            assert leader() == first
            hanging.send_signal(signal.SIGSTOP)
            WorkerLease.objects.update(expires_at="2020-01-01T00:00:00Z")
            took = until(lambda: leader() not in (0, first), 60, "another one leads")
            until(lambda: Attempt.objects.get().state == "lost", 30, "it does its work")
            hanging.send_signal(signal.SIGCONT)
            time.sleep(3)
            assert leader() not in (0, first)
    assert took <= 60
