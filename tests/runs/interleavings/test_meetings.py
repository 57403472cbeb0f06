"""Meetings of more than one task or run: two ends before one beginning, and runs that wait for each other."""

from __future__ import annotations

import pytest

from pipelines.models import PipelineVersion
from runs import admission, invariants, protocol
from runs.models import Attempt, Run, TeamLimits
from tests.runs.factories import Hands, make_run, make_user, make_version, state_line
from tests.runs.interleavings.meeting import meet

pytestmark = pytest.mark.django_db(transaction=True)


def start(version: PipelineVersion) -> Run:
    return protocol.start_run(version, parameters={}, trigger="manual", requested_by=make_user())


def runs_of(version: PipelineVersion) -> list[str]:
    """The states of the runs of a pipeline, the oldest first."""
    return list(Run.objects.filter(version=version).order_by("id").values_list("state", flat=True))


def test_of_two_tasks_that_end_at_once_the_last_lets_the_next_begin_once() -> None:
    #  a   b
    #   \ /
    #    c
    run, one, two = make_run("a > c, b > c"), Hands(), Hands()
    assert (one.claim(), two.claim()) == ("a", "b")
    met = meet(lambda: one.end("a").task_state, lambda: two.end("b").task_state)
    assert (met.waited, met.second, state_line(run)) == (True, "succeeded", "a=succeeded c=ready b=succeeded")
    assert Hands().work_off() == ["c"]
    assert invariants.check_all() == {}


def test_two_workers_that_end_in_their_runs_and_claim_from_each_others_do_not_block() -> None:
    team = make_version("z").pipeline.team
    first, second = make_run("a", team=team), make_run("x, y", team=team)
    one, two = Hands(), Hands()
    assert (one.claim(), two.claim()) == ("a", "x")
    met = meet(lambda: one.end("a", claim_next=True), lambda: two.end("x", claim_next=True))
    assert met.waited
    assert list(one.held) == ["y"]
    assert (state_line(first), state_line(second)) == ("a=succeeded", "x=succeeded y=running")
    assert invariants.check_all() == {}


def test_three_claims_for_two_tasks_give_each_of_them_once() -> None:
    run, hands = make_run("a, b"), [Hands(), Hands(), Hands()]
    met = meet(hands[0].claim, hands[1].claim)
    assert {met.first, met.second, hands[2].claim()} == {"a", "b", None}
    assert Attempt.objects.filter(run=run).count() == 2


def test_two_claims_do_not_both_take_the_last_place_of_a_team() -> None:
    team = make_version("z").pipeline.team
    TeamLimits.objects.create(team=team, running_tasks=1)
    one, two, run = Hands(), Hands(), make_run("a", team=team)
    make_run("b", team=team)
    met = meet(one.claim, two.claim)
    assert (met.first, met.second, met.waited) == ("a", None, True)
    assert Attempt.objects.filter(run__team=team, state="running").count() == 1
    one.end("a")
    assert (two.claim(), state_line(run)) == ("b", "a=succeeded")


class TestRunsThatWait:
    def under_way(self) -> tuple[PipelineVersion, Hands]:
        """A pipeline whose runs go one after the other; its first holds a worker."""
        version, hands = make_version("a", overlap="queue"), Hands()
        start(version)
        assert hands.claim() == "a"
        return version, hands

    def test_a_run_that_starts_while_the_one_before_ends_begins_without_a_sweep(self) -> None:
        version, hands = self.under_way()
        meet(lambda: hands.end("a"), lambda: start(version))
        assert runs_of(version) == ["succeeded", "running"]

    def test_a_run_ends_while_the_next_starts_and_that_begins_without_a_sweep(self) -> None:
        version, hands = self.under_way()
        meet(lambda: start(version), lambda: hands.end("a"))
        assert runs_of(version) == ["succeeded", "running"]

    def test_of_two_starts_at_once_one_waits_for_the_other(self) -> None:
        version = make_version("a", overlap="queue")
        met = meet(lambda: start(version).pk, lambda: start(version).pk)
        assert met.waited
        assert runs_of(version) == ["running", "queued"]

    def test_two_that_admit_at_once_let_one_run_begin(self) -> None:
        version, hands = self.under_way()
        start(version), start(version)
        work = hands.held["a"]
        met = meet(lambda: self._end_and_admit(work), lambda: admission.admit(version.pipeline_id))
        assert (met.waited, met.second) == (True, False)
        assert runs_of(version) == ["succeeded", "running", "queued"]
        assert invariants.check_all() == {}

    def test_a_run_that_takes_the_place_of_another_begins_when_that_has_stopped(self) -> None:
        version, hands = make_version("a", overlap="cancel_previous"), Hands()
        start(version)
        hands.claim()
        start(version)
        admission.sweep()
        assert runs_of(version) == ["cancelling", "queued"]
        hands.end("a", "cancelled", "by_person")
        assert runs_of(version) == ["cancelled", "running"]

    def _end_and_admit(self, work: protocol.Work) -> bool:
        """The run ends and the next is admitted in one transaction."""
        protocol.finish(work.token, protocol.Outcome("succeeded"), work=work)
        return admission.admit(work.run["pipeline_id"])
