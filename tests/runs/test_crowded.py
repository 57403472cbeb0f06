"""What a claim and the sweep cost while ten thousand tasks wait that are not to be had, in pages touched."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from pipelines.models import User
from runs import pausing, protocol, slots, sweeps
from runs.models import Run, Slot, TaskRun
from runs.pausing import Pause
from tests.planning import analyze, pages_touched
from tests.runs.factories import Hands, make_run, make_user, widen
from tests.runs.test_order import pages_of_a_claim
from tests.runs.test_slots import hands_of, wanting

pytestmark = pytest.mark.django_db


def waiting(gpus: int, minutes: float, tasks: int = 1) -> Run:
    """A run whose tasks need so many GPUs each and have been ready for so long."""
    run = make_run("task", tasks={"task": wanting(gpus)})
    since = timezone.now() - timedelta(minutes=minutes)
    TaskRun.objects.filter(run=run).update(ready_at=since)
    widen(run, tasks)
    return run


def test_the_sweep_reserves_for_the_best_of_ten_thousand_wide_tasks(swept: None) -> None:
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


# In transactions that are committed: until then the index keeps what has left a line.
@pytest.mark.django_db(transaction=True)
class TestPaused:
    def crowd(self) -> tuple[Run, User]:
        """Ten thousand tasks of a paused run stand before the one that goes on, in the line of one team."""
        paused, actor = make_run("paused"), make_user()
        widen(paused, 10_000)
        make_run("next", team=paused.team)
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE task_run SET ready_at = ready_at - make_interval(secs => 10 + id %% 500) "
                "WHERE run_id = %s",
                [paused.pk],
            )
        pausing.pause_run(paused.pk, Pause("Data is late."), actor=actor)
        analyze("task_run", "run")
        return paused, actor

    def test_a_claim_does_not_walk_past_ten_thousand_tasks_of_a_paused_run(self, swept: None) -> None:
        self.crowd()
        sweeps.sweep_once()
        analyze("task_run")
        assert pages_of_a_claim() < 1_500  # twenty times as many where they stand in line
        assert Hands().claim() == "next"
        assert pages_touched("SELECT engine_park()", []) < 1_500
        assert pages_touched("SELECT engine_unpark()", []) < 50

    def test_they_are_in_line_again_at_once_when_the_run_goes_on(self) -> None:
        paused, actor = self.crowd()
        sweeps.sweep_once()
        pausing.unpause_run(paused.pk, actor=actor)
        assert not TaskRun.objects.filter(parked=True).exists()
        assert Hands().claim() != "next"

    def test_very_many_are_parked_and_put_back_in_steps(self) -> None:
        parked, actor = TaskRun.objects.filter(parked=True), make_user()
        busy, *others = runs = [make_run("a"), make_run("b"), make_run("c")]
        for run in runs:
            widen(run, 11_000)
            pausing.pause_run(run.pk, Pause("Data is late."), actor=actor)
        analyze("task_run", "run")
        counts = []
        for _ in range(2):
            sweeps.park_paused()
            counts.append(parked.count())
        Run.objects.filter(pk__in=[run.pk for run in others]).update(paused_at=None)
        pausing.unpause_run(busy.pk, actor=actor)
        assert [*counts, parked.count()] == [21_000, 33_000, 13_000]
        sweeps.park_paused()
        assert not parked.exists()

    def test_the_sweep_puts_back_what_is_paused_no_longer(self) -> None:
        paused, _ = self.crowd()
        sweeps.sweep_once()
        Run.objects.filter(pk=paused.pk).update(paused_until=timezone.now() - timedelta(seconds=1))
        sweeps.sweep_once()
        assert not TaskRun.objects.filter(parked=True).exists()
        assert Hands().claim() != "next"

    def test_a_run_that_was_cancelled_while_it_was_paused_can_go_on_later(self) -> None:
        run, actor = make_run("a"), make_user()
        pausing.pause_run(run.pk, Pause("Data is late."), actor=actor)
        sweeps.sweep_once()
        protocol.cancel_run(run.pk, actor=actor)
        pausing.unpause_run(run.pk, actor=actor)
        protocol.resume_run(run.pk, actor=actor)
        assert Hands().claim() == "a"

    def test_the_runs_of_a_paused_pipeline_stand_beside_their_lines_too(self) -> None:
        run, actor = make_run("a, b"), make_user()
        pausing.pause_pipeline(run.pipeline, Pause("Data is late."), actor=actor)
        sweeps.sweep_once()
        assert TaskRun.objects.filter(run=run, parked=True).count() == 2
        pausing.unpause_pipeline(run.pipeline, actor=actor)
        assert Hands().work_off() == ["a", "b"]
