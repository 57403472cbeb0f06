"""What a team may have at a time: refused in words when it starts a run, waited for when it claims a task."""

from __future__ import annotations

import threading

import pytest
from django.db import connection

from pipelines.models import PipelineVersion, Team
from runs import protocol
from runs.models import Run, TaskRun, TeamLimits
from tests.runs.factories import Hands, make_run, make_team, make_user, make_version
from tests.runs.interleavings.meeting import meet, somebody_else


def limited(**limits: int) -> Team:
    team = make_team()
    TeamLimits.objects.create(team=team, **limits)
    return team


@pytest.mark.django_db
class TestRunning:
    def test_a_team_runs_no_more_tasks_than_it_may(self) -> None:
        make_run("a, b, c", team=limited(running_tasks=2))
        hands = Hands()
        assert [hands.claim(), Hands().claim(), Hands().claim()] == ["a", "b", None]
        hands.end("a")
        assert hands.claim() == "c"

    def test_the_next_task_is_claimed_together_with_the_end_of_the_one_before(self) -> None:
        make_run("a, b", team=limited(running_tasks=1))
        hands = Hands()
        hands.claim()
        hands.end("a", claim_next=True)
        assert list(hands.held) == ["b"]

    def test_other_teams_go_past_a_team_at_its_limit(self) -> None:
        make_run("a, b", team=limited(running_tasks=1))
        make_run("x")
        assert [Hands().claim() for _ in range(3)] == ["a", "x", None]

    def test_the_limit_of_a_queue_holds_on_that_queue_alone(self) -> None:
        team = make_team()
        TeamLimits.objects.create(team=team, queue="gpu", running_tasks=1)
        on_gpu = {key: {"queue": "gpu"} for key in ("g1", "g2")}
        make_run("a, b, g1, g2", team=team, tasks=on_gpu)
        assert [Hands("gpu").claim() for _ in range(2)] == ["g1", None]
        assert [Hands().claim() for _ in range(3)] == ["a", "b", None]

    def test_a_limit_in_all_counts_the_tasks_of_every_queue(self) -> None:
        team = limited(running_tasks=2)
        make_run("a, b, g", team=team, tasks={"g": {"queue": "gpu"}})
        assert [Hands("gpu").claim(), Hands().claim(), Hands().claim()] == ["g", "a", None]

    def test_a_limit_of_none_at_all_lets_nothing_run(self) -> None:
        make_run("a", team=limited(running_tasks=0))
        assert Hands().claim() is None


@pytest.mark.django_db(transaction=True)
class TestTwoClaimsAtOnce:
    def test_a_claim_waits_for_another_that_may_take_the_last_place(self) -> None:
        make_run("a, b", team=limited(running_tasks=1))
        one, two = Hands(), Hands()
        with somebody_else() as other:
            other.execute("SELECT engine_claim(%s, 'cpu')", [one.lease.uuid])
            threading.Timer(0.2, other.commit).start()
            assert two.claim() is None, "the other took the last place"
        assert TaskRun.objects.filter(state="running").count() == 1

    def test_and_takes_it_when_the_other_did_not(self) -> None:
        make_run("a, b", team=limited(running_tasks=1))
        one, two = Hands(), Hands()
        with somebody_else() as other:
            other.execute("SELECT engine_claim(%s, 'cpu')", [one.lease.uuid])
            threading.Timer(0.2, other.rollback).start()
            assert two.claim() == "a"

    def test_a_place_that_is_taken_after_the_count_and_before_the_lock_is_seen(self) -> None:
        make_run("a, b", team=limited(running_tasks=1))
        one, two = Hands(), Hands()

        def take_the_last_place() -> str | None:
            # Lets others count, and has them wait where they would lock the limit.
            with connection.cursor() as cursor:
                cursor.execute("LOCK TABLE team_limits IN EXCLUSIVE MODE")
            return one.claim()

        met = meet(take_the_last_place, two.claim)
        assert (met.first, met.second, met.waited) == ("a", None, True)

    def test_two_workers_at_once_never_run_more_than_the_team_may(self) -> None:
        run = make_run(", ".join(f"t{n}" for n in range(12)), team=limited(running_tasks=1))
        most: list[int] = []

        def work() -> None:
            hands = Hands()
            while Run.objects.get(pk=run.pk).state == "running":
                if (key := hands.claim()) is not None:
                    most.append(TaskRun.objects.filter(run=run, state="running").count())
                    hands.end(key)
            connection.close()

        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert len(most) == 12
        assert set(most) <= {0, 1}


@pytest.mark.django_db
class TestStarting:
    def test_a_run_beyond_those_a_team_may_have_is_refused_in_words(self) -> None:
        team = limited(active_runs=1)
        make_run("a", team=team)
        with pytest.raises(protocol.Refused) as refused:
            make_run("b", team=team)
        assert (refused.value.code, refused.value.retry_after) == ("team-limit", 30)
        assert f"The team {team.slug} has 1 unfinished run and may have 1" in refused.value.message

    def test_it_begins_when_one_has_ended(self) -> None:
        team = limited(active_runs=1)
        make_run("a", team=team)
        Hands().work_off()
        assert make_run("b", team=team).state == "running"

    def test_a_run_that_would_bring_too_many_waiting_tasks_is_refused(self) -> None:
        team = limited(queued_tasks=4)
        make_run("a, b, c", team=team)
        with pytest.raises(
            protocol.Refused, match="has 3 tasks that wait and may have 4; this run has 2 more"
        ):
            make_run("d, e", team=team)
        Hands().claim()
        assert make_run("d, e", team=team).state == "running", "a task that runs does not wait"

    def test_a_start_that_no_waiting_helps_says_whom_to_ask(self) -> None:
        with pytest.raises(protocol.Refused, match="may have no runs: ask a site admin"):
            make_run("a", team=limited(active_runs=0))
        with pytest.raises(protocol.Refused, match=r"2 tasks, and the team .* may have 1 that wait: ask"):
            make_run("a, b", team=limited(queued_tasks=1))

    def test_the_limits_of_one_team_are_not_those_of_another(self) -> None:
        make_run("a", team=limited(active_runs=1))
        assert make_run("a").state == "running"

    def test_a_resume_counts_as_a_start(self) -> None:
        team = limited(active_runs=1)
        failed = make_run("a", team=team)
        Hands().work_off(fail={"a": "error"})
        make_run("b", team=team)
        with pytest.raises(protocol.Refused, match="1 unfinished run and"):
            protocol.resume_run(failed.pk, actor=make_user())

    def test_nothing_of_a_refused_start_is_kept(self) -> None:
        team = limited(active_runs=0)
        version = make_version("a", team=team)
        with pytest.raises(protocol.Refused):
            protocol.start_run(version, parameters={}, trigger="manual", requested_by=make_user())
        version.pipeline.refresh_from_db()
        assert (Run.objects.count(), version.pipeline.last_run_number) == (0, 0)


@pytest.mark.django_db(transaction=True)
def test_of_two_starts_at_once_exactly_one_takes_the_last_place() -> None:
    team, actor = limited(active_runs=1), make_user()
    versions = [make_version("a", team=team, owner=actor) for _ in range(2)]
    refused: list[str] = []

    def start(version: PipelineVersion) -> None:
        try:
            protocol.start_run(version, parameters={}, trigger="manual", requested_by=actor)
        except protocol.Refused as no:
            refused.append(no.code)
        connection.close()

    threads = [threading.Thread(target=start, args=(version,)) for version in versions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert (Run.objects.count(), refused) == (1, ["team-limit"])
