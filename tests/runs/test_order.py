"""In which order the tasks of a queue are handed out: urgency, then the share of teams, then age."""

from __future__ import annotations

import pytest
from django.db import connection

from pipelines.models import PipelineVersion, Team
from runs import protocol
from runs.models import Run, TaskRun, TeamLimits
from tests.planning import analyze, pages_touched
from tests.runs.factories import Hands, make_run, make_team, make_user, make_version, widen

pytestmark = pytest.mark.django_db

LOW, NORMAL, HIGH, CRITICAL = -1, 0, 1, 2


def start(version: PipelineVersion, priority: int = NORMAL) -> Run:
    return protocol.start_run(
        version, parameters={}, trigger="manual", requested_by=make_user(), priority=priority
    )


def waited(run: Run, minutes: float) -> None:
    """The tasks of a run have been ready for so long."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE task_run SET ready_at = engine_now() - make_interval(secs => %s) WHERE run_id = %s",
            [60 * minutes, run.id],
        )


def runs_of(*teams: Team, wide: int = 9) -> None:
    """A wide run of each team, begun one after the other; the tasks are named after their team."""
    for team in teams:
        start(make_version(", ".join(f"{team.slug}-{n}" for n in range(wide)), team=team))


def claimed(hands: int) -> list[str]:
    """The teams whose tasks so many new workers are given, in order."""
    return [str(Hands().claim()).rpartition("-")[0] for _ in range(hands)]


class TestUrgency:
    def test_the_higher_priority_goes_first(self) -> None:
        for key, priority in (("low", LOW), ("normal", NORMAL), ("critical", CRITICAL), ("high", HIGH)):
            start(make_version(key), priority)
        assert Hands().work_off() == ["critical", "high", "normal", "low"]

    def test_among_equals_the_oldest_goes_first(self) -> None:
        for key, minutes in (("young", 1), ("old", 3), ("middle", 2)):
            waited(start(make_version(key)), minutes)
        assert Hands().work_off() == ["old", "middle", "young"]

    def test_ten_minutes_of_waiting_count_as_one_priority(self) -> None:
        waited(start(make_version("patient"), NORMAL), 11)
        waited(start(make_version("high"), HIGH), 1)
        waited(start(make_version("critical"), CRITICAL), 0)
        assert Hands().work_off() == ["critical", "patient", "high"]

    def test_nine_minutes_of_waiting_do_not(self) -> None:
        waited(start(make_version("patient"), NORMAL), 9)
        start(make_version("high"), HIGH)
        assert Hands().work_off() == ["high", "patient"]

    def test_the_least_of_all_is_critical_after_half_an_hour(self) -> None:
        waited(start(make_version("least"), LOW), 31)
        start(make_version("critical"), CRITICAL)
        assert Hands().claim() == "least"

    def test_whatever_waits_is_never_more_than_critical(self) -> None:
        """Else one team's old backlog would keep everybody else out for ever."""
        old, new = make_team("old"), make_team("new")
        waited(start(make_version("old-1, old-2", team=old)), 600)
        assert Hands().claim() == "old-1"
        start(make_version("new-1", team=new), CRITICAL)
        assert Hands().claim() == "new-1"

    def test_a_retry_that_is_not_due_does_not_count(self) -> None:
        run, hands = make_run("a, b", tasks={"a": {"retries": {"limit": 1, "jitter": "none"}}}), Hands()
        hands.claim()
        hands.end("a", "failed")
        assert TaskRun.objects.get(run=run, key="a").state == "retry_wait"
        assert Hands().work_off() == ["b"]

    def test_what_is_paused_makes_nothing_else_urgent(self) -> None:
        team = make_team("alpha")
        paused = start(make_version("paused", team=team))
        waited(paused, 60)
        Run.objects.filter(pk=paused.pk).update(paused_at=paused.created_at)
        start(make_version("young", team=team))
        start(make_version("high", team=make_team("beta")), HIGH)
        assert Hands().work_off() == ["high", "young"]


class TestShare:
    def test_teams_on_one_queue_get_equal_shares_whoever_came_first(self) -> None:
        runs_of(make_team("first"), make_team("second"))
        assert claimed(6) == ["first", "second"] * 3

    def test_a_new_team_is_served_before_the_backlog_of_another(self) -> None:
        runs_of(make_team("backlog"), wide=40)
        claimed(4)
        runs_of(make_team("new"))
        assert claimed(5) == ["new"] * 4 + ["backlog"]

    def test_a_team_of_twice_the_weight_gets_twice_as_much(self) -> None:
        heavy, light = make_team("heavy"), make_team("light")
        TeamLimits.objects.create(team=heavy, weight=2)
        runs_of(light, heavy)
        given = claimed(9)
        assert (given.count("heavy"), given.count("light")) == (6, 3)

    def test_the_weight_of_a_queue_goes_before_that_of_the_team(self) -> None:
        heavy, light = make_team("heavy"), make_team("light")
        TeamLimits.objects.create(team=heavy, weight=2)
        TeamLimits.objects.create(team=heavy, queue="cpu", weight=0.5)
        runs_of(light, heavy)
        given = claimed(9)
        assert (given.count("heavy"), given.count("light")) == (3, 6)

    def test_urgency_goes_before_share(self) -> None:
        busy, idle = make_team("busy"), make_team("idle")
        start(make_version("busy-1, busy-2, busy-3", team=busy), HIGH)
        start(make_version("idle-1", team=idle))
        assert claimed(4) == ["busy", "busy", "busy", "idle"]

    def test_what_runs_on_other_queues_does_not_count(self) -> None:
        one, two = make_team("one"), make_team("two")
        start(make_version("x-1, x-2", team=one, tasks={key: {"queue": "gpu"} for key in ("x-1", "x-2")}))
        Hands("gpu").claim()
        runs_of(one, two)
        assert claimed(2) == ["one", "two"]


# --- what a claim costs -------------------------------------------------------------------------------


def pages_of_a_claim() -> int:
    return pages_touched("SELECT engine_claim(%s, 'cpu')", [Hands().lease.uuid])


def fill(teams: int, tasks: int) -> None:
    """So many ready tasks of so many teams, those of each in one run."""
    for _ in range(teams):
        widen(start(make_version("seed")), tasks // teams)
    analyze("task_run", "run", "attempt")


def test_a_claim_costs_no_more_with_ten_thousand_ready_tasks(swept: None) -> None:
    fill(teams=1, tasks=10)
    few = pages_of_a_claim()
    fill(teams=1, tasks=10_000)
    assert pages_of_a_claim() <= few + 50


def test_with_fifty_teams_a_claim_costs_a_look_at_the_head_of_each_line(swept: None) -> None:
    fill(teams=1, tasks=10)
    one = pages_of_a_claim()
    fill(teams=50, tasks=10_000)
    assert pages_of_a_claim() <= one + 50 * 20
