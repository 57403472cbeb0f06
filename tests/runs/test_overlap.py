"""What a run does while another of its pipeline is under way: wait for it, not begin, or take its place."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import TestCase

from pipelines import audit
from pipelines.models import AuditEvent, PipelineVersion
from runs import admission, invariants, protocol
from runs.models import Attempt, Run, RunEvent, TaskRun
from tests.runs.factories import Hands, make_user, make_version, state_line, states

pytestmark = pytest.mark.django_db


def start(version: PipelineVersion) -> Run:
    return protocol.start_run(version, parameters={}, trigger="manual", requested_by=make_user())


def line(version: PipelineVersion) -> list[str]:
    """The states of the runs of a pipeline, the oldest first."""
    runs = Run.objects.filter(pipeline=version.pipeline).order_by("number")
    return list(runs.values_list("state", flat=True))


def end_all(hands: Hands) -> None:
    """Work off what is runnable, and tell what is told after a commit."""
    with TestCase.captureOnCommitCallbacks(execute=True):
        hands.work_off()


def cancel(run: Run) -> None:
    with TestCase.captureOnCommitCallbacks(execute=True):
        protocol.cancel_run(run.pk, actor=make_user())


def test_runs_of_a_document_that_says_nothing_go_side_by_side() -> None:
    version = make_version("a")
    start(version), start(version)
    assert line(version) == ["running", "running"]


class TestVersionsOfBefore:
    """In version 0.1 the canonical form said ``queue`` wherever a document said nothing."""

    @pytest.mark.parametrize(
        "text",
        [
            "schema: orchestrator/v1\nparameters:\n  overlap: {type: integer}\n",
            "schema: orchestrator/v1\n# overlap: queue\n",
            '{"schema": "orchestrator/v1", "name": "overlap"}',
        ],
    )
    def test_runs_go_side_by_side_where_nobody_wrote_a_policy(self, text: str) -> None:
        version, hands = make_version("a", overlap="queue", text=text), Hands()
        first, _ = start(version), start(version)
        assert line(version) == ["running", "running"]
        assert hands.claim() == "a"
        hands.end("a", "failed")
        protocol.resume_run(first.pk, actor=make_user())
        assert line(version) == ["running", "running"]
        assert invariants.check_all() == {}

    @pytest.mark.parametrize(
        "text",
        [
            "schema: orchestrator/v1\noverlap: queue\n",
            "overlap : 'queue' # one at a time",
            '{"schema": "orchestrator/v1", "overlap": "queue"}',
        ],
    )
    def test_one_waits_for_the_other_where_it_was_written(self, text: str) -> None:
        version = make_version("a", overlap="queue", text=text)
        start(version), start(version)
        assert line(version) == ["running", "queued"]


class TestQueue:
    def test_a_run_waits_with_all_its_tasks_pending_while_another_is_under_way(self) -> None:
        version = make_version("a > b", overlap="queue")
        start(version)
        waiting = start(version)
        assert line(version) == ["running", "queued"]
        assert state_line(waiting) == "a=pending b=pending"
        assert (waiting.open_tasks, waiting.last_seq) == (2, 1)
        assert invariants.check_all() == {}

    def test_the_next_begins_when_the_one_before_has_ended_each_in_its_turn(self) -> None:
        version, hands = make_version("a", overlap="queue"), Hands()
        for _ in range(3):
            start(version)
        for expected in (
            ["succeeded", "running", "queued"],
            ["succeeded", "succeeded", "running"],
            ["succeeded"] * 3,
        ):
            assert hands.claim() == "a"
            with TestCase.captureOnCommitCallbacks(execute=True):
                hands.end("a")
            assert line(version) == expected
            assert invariants.check_all() == {}

    def test_it_begins_after_a_failure_too(self) -> None:
        version, hands = make_version("a", overlap="queue"), Hands()
        start(version), start(version)
        hands.claim()
        with TestCase.captureOnCommitCallbacks(execute=True):
            hands.end("a", "failed")
        assert line(version) == ["failed", "running"]

    def test_it_begins_by_the_sweep_when_nobody_was_told(self) -> None:
        version, hands = make_version("a", overlap="queue"), Hands()
        start(version), start(version)
        hands.claim()
        hands.end("a")
        assert line(version) == ["succeeded", "queued"]
        admission.sweep()
        assert line(version) == ["succeeded", "running"]

    def test_a_queued_run_can_be_cancelled_and_lets_the_next_go_on(self) -> None:
        version = make_version("a", overlap="queue")
        first, second, _ = start(version), start(version), start(version)
        cancel(second)
        assert line(version) == ["running", "cancelled", "queued"]
        cancel(first)
        assert line(version) == ["cancelled", "cancelled", "running"]

    def test_the_sweep_begins_none_out_of_its_turn(self) -> None:
        version = make_version("a", overlap="queue")
        for _ in range(3):
            start(version)
        admission.sweep()
        assert line(version) == ["running", "queued", "queued"]

    def test_runs_of_other_pipelines_wait_for_nobody(self) -> None:
        start(make_version("a", overlap="queue"))
        assert start(make_version("a", overlap="queue")).state == "running"

    def test_a_run_with_a_condition_is_judged_when_it_begins(self) -> None:
        when = {"text": "params.go", "refs": {"params.go": {"ref": "params.go"}}}
        version = make_version("a, b", overlap="queue", tasks={"b": {"when": when}})
        start_with_go = {"parameters": {"go": False}, "trigger": "manual", "requested_by": make_user()}
        protocol.start_run(version, **start_with_go)  # type: ignore[arg-type]
        waiting = protocol.start_run(version, **start_with_go)  # type: ignore[arg-type]
        end_all(Hands())
        assert state_line(waiting) == "a=ready b=skipped"

    def test_its_events_tell_of_the_wait(self) -> None:
        version = make_version("a", overlap="queue")
        start(version)
        waiting = start(version)
        end_all(Hands())
        end_all(Hands())
        moves = RunEvent.objects.filter(run_id=waiting.pk, kind="run").order_by("seq")
        assert list(moves.values_list("from_state", "to_state")) == [
            ("", "queued"),
            ("queued", "running"),
            ("running", "succeeded"),
        ]

    def test_a_resume_waits_its_turn_as_a_start_does(self) -> None:
        version, hands = make_version("a", overlap="queue"), Hands()
        failed = start(version)
        hands.claim()
        hands.end("a", "failed")
        start(version)
        with pytest.raises(protocol.Refused, match=r"#2 of .* is under way"):
            protocol.resume_run(failed.pk, actor=make_user())
        hands.work_off()
        protocol.resume_run(failed.pk, actor=make_user())
        assert line(version) == ["running", "succeeded"]

    def test_a_queued_run_that_nothing_stands_before_breaks_an_invariant(self) -> None:
        version, hands = make_version("a", overlap="queue"), Hands()
        start(version), start(version)
        hands.work_off()
        a_minute_passes()
        assert "runs-move" in invariants.check_all()
        admission.sweep()
        assert "runs-move" not in invariants.check_all()


def a_minute_passes() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('orchestrator.clock', (engine_now() + interval '1 min')::text, true)"
        )


class TestSkip:
    def test_a_run_does_not_begin_beside_another_and_the_refusal_names_that(self) -> None:
        version = make_version("a", overlap="skip")
        start(version)
        with pytest.raises(protocol.Refused, match=r"Run #1 of .* is under way") as refused:
            start(version)
        assert refused.value.code == "overlap"
        assert line(version) == ["running"]

    def test_it_begins_when_nothing_is_under_way(self) -> None:
        version = make_version("a", overlap="skip")
        start(version)
        end_all(Hands())
        start(version)
        assert line(version) == ["succeeded", "running"]


class TestCancelPrevious:
    def test_a_run_takes_the_place_of_one_that_has_not_begun_its_work(self) -> None:
        version = make_version("a > b", overlap="cancel_previous")
        first = start(version)
        start(version)
        assert line(version) == ["cancelled", "running"]
        reasons = set(TaskRun.objects.filter(run=first).values_list("reason", flat=True))
        assert reasons == {"overlap"}

    def test_it_waits_until_what_runs_has_ended(self) -> None:
        version, hands = make_version("a > b", overlap="cancel_previous"), Hands()
        first = start(version)
        hands.claim()
        second = start(version)
        assert line(version) == ["cancelling", "queued"]
        assert Attempt.objects.get(run=first).cancel_requested_at is not None
        with TestCase.captureOnCommitCallbacks(execute=True):
            hands.end("a", "cancelled", "by_person")
        assert line(version) == ["cancelled", "running"]
        assert states(second) == {"a": "ready", "b": "pending"}

    def test_the_audit_trail_is_locked_when_all_runs_are(self, monkeypatch: pytest.MonkeyPatch) -> None:
        side_by_side = make_version("a")
        start(side_by_side), start(side_by_side)
        version = PipelineVersion.objects.get(pk=side_by_side.pk)
        version.spec = {**version.spec, "overlap": "cancel_previous"}
        seen: list[list[str]] = []
        write = audit.write

        def look(*given: Any, **named: Any) -> AuditEvent:
            seen.append(line(version))
            return write(*given, **named)

        monkeypatch.setattr(audit, "write", look)
        start(version)
        assert seen[0] == ["cancelled", "cancelled"]

    def test_of_many_at_once_the_last_one_is_carried_out(self) -> None:
        version, hands = make_version("a", overlap="cancel_previous"), Hands()
        start(version)
        hands.claim()
        for _ in range(3):
            start(version)
        assert line(version) == ["cancelling", "cancelled", "cancelled", "queued"]
        with TestCase.captureOnCommitCallbacks(execute=True):
            hands.end("a", "cancelled", "by_person")
        assert line(version) == ["cancelled"] * 3 + ["running"]

    def test_the_run_and_its_events_say_which_run_took_its_place(self) -> None:
        version, hands = make_version("a > b", overlap="cancel_previous"), Hands()
        first = start(version)
        hands.claim()
        second = start(version)
        with TestCase.captureOnCommitCallbacks(execute=True):
            hands.end("a", "cancelled", "by_person")
        assert Run.objects.get(pk=first.pk).replaced_by == second
        told = RunEvent.objects.get(run_id=first.pk, kind="replaced")
        assert told.payload == {"id": str(second.uuid), "number": 2}
        assert invariants.check_all() == {}

    def test_what_was_running_says_that_a_newer_run_ended_it_and_not_a_person(self) -> None:
        version, hands = make_version("a > b", overlap="cancel_previous"), Hands()
        first = start(version)
        hands.claim()
        start(version)
        hands.end("a", "cancelled", "by_person")
        assert Attempt.objects.get(run=first).reason == "overlap"
        assert set(TaskRun.objects.filter(run=first).values_list("reason", flat=True)) == {"overlap"}

    def test_a_run_that_is_resumed_is_replaced_by_none(self) -> None:
        version = make_version("a", overlap="cancel_previous")
        first, second = start(version), start(version)
        cancel(second)
        protocol.resume_run(first.pk, actor=make_user())
        cancel(first)
        assert Run.objects.get(pk=first.pk).replaced_by is None
        assert set(TaskRun.objects.filter(run=first).values_list("reason", flat=True)) == {"by_person"}

    def test_what_runs_in_a_resumed_run_was_ended_by_who_ended_that_last(self) -> None:
        version, hands = make_version("a", overlap="cancel_previous"), Hands()
        first, second = start(version), start(version)
        cancel(second)
        protocol.resume_run(first.pk, actor=make_user())
        assert hands.claim() == "a"
        cancel(first)
        hands.end("a", "cancelled", "by_person")
        assert Attempt.objects.get(run=first).reason == "by_person"

    def test_the_audit_trail_says_by_which_run_and_that_the_policy_did_it(self) -> None:
        version = make_version("a", overlap="cancel_previous")
        first = start(version)
        start(version)
        row = AuditEvent.objects.get(verb="run.cancel", object_uuid=first.uuid)
        assert row.payload is not None
        facts = row.payload.body or {}
        assert (facts["overlap"], facts["replaced_by"]) == ("cancel_previous", 2)
