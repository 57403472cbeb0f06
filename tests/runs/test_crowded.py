"""What a claim and the sweep cost while ten thousand tasks wait that are not to be had, in pages touched."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from runs import slots
from runs.models import Run, Slot, TaskRun
from tests.planning import analyze, pages_touched
from tests.runs.factories import make_run, widen
from tests.runs.test_slots import hands_of, wanting

pytestmark = pytest.mark.django_db


def waiting(gpus: int, minutes: float, tasks: int = 1) -> Run:
    """A run whose tasks need so many GPUs each and have been ready for so long."""
    run = make_run("task", tasks={"task": wanting(gpus)})
    since = timezone.now() - timedelta(minutes=minutes)
    TaskRun.objects.filter(run=run).update(ready_at=since)
    widen(run, tasks)
    return run


def test_the_sweep_reserves_for_the_best_of_ten_thousand_wide_tasks() -> None:
    for host in range(10):
        hands_of(f"h{host}", 10)
    waiting(20, 60, tasks=5_000)  # wider than every host
    best = waiting(4, 45)
    waiting(2, 30, tasks=5_000)
    analyze("task_run", "run", "slot", "worker_lease")
    assert pages_touched("SELECT engine_reserve(600)", []) < 3_000
    slots.sweep()
    assert set(Slot.objects.exclude(reserved_for=None).values_list("reserved_for__run", flat=True)) == {
        best.pk
    }
