"""The verbs of the engine on the real schema, one sentence of the rules at a time."""

from __future__ import annotations

import uuid
from contextlib import suppress

import pytest
from django.db import IntegrityError, connection, transaction

from runs import protocol
from runs.models import Attempt, Chore, Run, RunEvent, TaskRun
from tests.runs.factories import Hands, make_run, make_user, make_version, state_line, states

pytestmark = pytest.mark.django_db


def state_of(run: Run) -> str:
    return str(Run.objects.get(id=run.id).state)


class TestOrder:
    def test_a_task_without_upstreams_is_ready_when_the_run_begins(self) -> None:
        assert state_line(make_run("a > b")) == "a=ready b=pending"

    def test_a_task_is_ready_only_when_its_last_upstream_has_ended(self) -> None:
        #  a   b
        #   \ /
        #    c
        run, hands = make_run("a > c, b > c"), Hands()
        assert [hands.claim(), hands.claim(), hands.claim()] == ["a", "b", None]
        hands.end("a")
        assert states(run)["c"] == "pending"
        hands.end("b")
        assert states(run)["c"] == "ready"

    def test_a_run_whose_tasks_all_succeed_succeeds(self) -> None:
        run = make_run("a > b, a > c, b > d, c > d")
        assert Hands().work_off() == ["a", "b", "c", "d"]
        run.refresh_from_db()
        assert (run.state, run.open_tasks) == ("succeeded", 0)
        assert run.finished_at is not None

    def test_finish_gives_the_next_task_in_the_same_call(self) -> None:
        make_run("a > b")
        hands = Hands()
        hands.claim()
        finished = hands.end("a", claim_next=True)
        assert finished.next is not None
        assert finished.next.task["key"] == "b"

    def test_events_are_numbered_without_gaps(self) -> None:
        run = make_run("a > b, a > c, b > d, c > d")
        Hands().work_off(fail={"b": "error"})
        run.refresh_from_db()
        seqs = list(RunEvent.objects.filter(run_id=run.id).order_by("seq").values_list("seq", flat=True))
        assert seqs == list(range(1, run.last_seq + 1))


class TestRules:
    def test_a_success_edge_of_a_failed_task_ends_what_follows_as_upstream_failed(self) -> None:
        run = make_run("a > b > c")
        Hands().work_off(fail={"a": "error"})
        assert state_line(run) == "a=failed b=upstream_failed c=upstream_failed"
        assert state_of(run) == "failed"

    def test_a_failure_edge_runs_its_task_when_the_upstream_failed(self) -> None:
        run = make_run("a >? mend, a > b")
        assert Hands().work_off(fail={"a": "error"}) == ["a", "mend"]
        assert state_line(run) == "a=failed mend=succeeded b=upstream_failed"

    def test_a_failure_edge_skips_its_task_when_the_upstream_succeeded(self) -> None:
        run = make_run("a >? mend")
        Hands().work_off()
        assert state_line(run) == "a=succeeded mend=skipped"
        assert state_of(run) == "succeeded"

    def test_an_always_edge_runs_its_task_after_any_end(self) -> None:
        run = make_run("a > b, b >* tidy")
        assert Hands().work_off(fail={"a": "error"}) == ["a", "tidy"]
        assert states(run)["tidy"] == "succeeded"

    def test_what_follows_a_skipped_task_is_skipped(self) -> None:
        run = make_run("a >? b, b > c")
        Hands().work_off()
        assert state_line(run) == "a=succeeded b=skipped c=skipped"

    def test_one_end_may_skip_one_task_and_fail_another(self) -> None:
        run, hands = make_run("good >? c, bad > b, bad >* c"), Hands()
        assert hands.work_off(fail={"bad": "error"}) == ["good", "bad"]
        assert state_line(run) == "good=succeeded c=skipped bad=failed b=upstream_failed"
        assert state_of(run) == "failed"


class TestConditions:
    WHEN = {"text": "params.go", "refs": {"params.go": {"ref": "params.go"}}}

    def run(self, params: dict[str, object], when: dict[str, object] | None = None) -> Run:
        run = make_run("a > b, b > c", parameters=params, tasks={"b": {"when": when or self.WHEN}})
        Hands().work_off()
        return run

    def test_a_true_condition_lets_the_task_begin(self) -> None:
        assert state_line(self.run({"go": True})) == "a=succeeded b=succeeded c=succeeded"

    def test_a_false_condition_skips_the_task_and_what_follows(self) -> None:
        run = self.run({"go": False})
        assert state_line(run) == "a=succeeded b=skipped c=skipped"
        assert TaskRun.objects.get(run=run, key="b").reason == "condition_false"

    def test_a_condition_that_cannot_be_evaluated_fails_the_task(self) -> None:
        run = self.run({"go": "maybe"})
        assert state_line(run) == "a=succeeded b=failed c=upstream_failed"
        assert TaskRun.objects.get(run=run, key="b").reason == "condition_error"

    def test_a_condition_on_a_first_task_is_judged_when_the_run_begins(self) -> None:
        run = make_run("a > b", parameters={"go": False}, tasks={"a": {"when": self.WHEN}})
        assert state_line(run) == "a=skipped b=skipped"
        assert state_of(run) == "succeeded"

    def test_a_condition_sees_the_values_that_tasks_gave(self) -> None:
        ref = {"ref": "tasks", "task": "a", "output": "score"}
        when = {"text": "tasks.a.outputs.score >= 1", "refs": {"tasks.a.outputs.score": ref}}
        run, hands = make_run("a > b", tasks={"b": {"when": when}}), Hands()
        hands.claim()
        hands.end("a", outputs=[{"name": "score", "type": "number", "value": 0.5}])
        assert states(run)["b"] == "skipped"


class TestGroups:
    def test_inner_tasks_begin_when_their_group_begins(self) -> None:
        run = make_run("a > g, g/x > g/y, g > b")
        assert state_line(run) == "a=ready g=pending g/x=pending g/y=pending b=pending"
        hands = Hands()
        hands.claim()
        hands.end("a")
        assert state_line(run) == "a=succeeded g=waiting g/x=ready g/y=pending b=pending"
        assert hands.work_off() == ["g/x", "g/y", "b"]
        assert state_of(run) == "succeeded"

    def test_a_group_with_a_failed_task_fails(self) -> None:
        run = make_run("g/x > g/y, g > b")
        Hands().work_off(fail={"g/x": "error"})
        assert state_line(run) == "g=failed g/x=failed g/y=upstream_failed b=upstream_failed"

    def test_the_inner_tasks_of_a_group_that_never_begins_end_as_it_does(self) -> None:
        run = make_run("a > g, g/x > g/h, g/h/deep > g/h/deeper, g > b")
        Hands().work_off(fail={"a": "error"})
        assert set(states(run).values()) == {"failed", "upstream_failed"}
        run.refresh_from_db()
        assert (run.state, run.open_tasks) == ("failed", 0)

    def test_a_group_may_end_together_with_a_task_beside_it(self) -> None:
        never = {"when": {"text": "params.go", "refs": {"params.go": {"ref": "params.go"}}}}
        run = make_run("g/x, a > b, g > c", parameters={"go": False}, tasks={"g/x": never, "a": never})
        assert state_line(run) == "g=succeeded g/x=skipped a=skipped b=skipped c=ready"
        assert Hands().work_off() == ["c"]
        assert state_of(run) == "succeeded"


class TestRetries:
    def failing(self, **retries: object) -> tuple[Run, Hands]:
        return make_run("a > b", tasks={"a": {"retries": {"base": 0.0, **retries}}}), Hands()

    def test_a_failed_task_waits_for_its_retry_while_it_has_some_left(self) -> None:
        run, hands = self.failing(limit=1)
        hands.claim()
        hands.end("a", "failed")
        assert state_line(run) == "a=retry_wait b=pending"
        assert hands.claim() == "a"
        hands.end("a", "failed")
        assert state_line(run) == "a=failed b=upstream_failed"
        assert list(Attempt.objects.filter(run=run).values_list("no", "state")) == [
            (1, "failed"),
            (2, "failed"),
        ]

    def test_a_retry_is_not_claimed_before_its_time(self) -> None:
        run, hands = self.failing(limit=1, base=60.0, jitter="none")
        hands.claim()
        hands.end("a", "failed")
        assert hands.claim() is None
        task = TaskRun.objects.get(run=run, key="a")
        assert task.next_attempt_at is not None
        finished = Attempt.objects.get(run=run).finished_at
        assert finished is not None
        assert (task.next_attempt_at - finished).total_seconds() == pytest.approx(60, abs=0.01)

    def test_a_reason_that_is_not_listed_is_not_tried_again(self) -> None:
        run, hands = self.failing(limit=3)
        hands.claim()
        hands.end("a", "failed", "oom")
        assert states(run)["a"] == "failed"

    def test_a_reason_that_is_listed_is(self) -> None:
        run, hands = self.failing(limit=3, on=["oom"])
        hands.claim()
        hands.end("a", "failed", "oom")
        assert states(run)["a"] == "retry_wait"

    @pytest.mark.parametrize(
        "n, expected",
        [(1, 5.0), (2, 10.0), (3, 20.0), (7, 300.0), (60, 300.0)],
        ids=lambda value: str(value),
    )
    def test_the_pause_grows_by_the_factor_up_to_the_cap(self, n: int, expected: float) -> None:
        run = make_run("a", tasks={"a": {"retries": {"limit": 99, "jitter": "none"}}})
        with connection.cursor() as cursor:
            cursor.execute("UPDATE task_run SET retries_used = %s WHERE run_id = %s", [n - 1, run.id])
            cursor.execute(
                "SELECT extract(epoch FROM o.due - now()) FROM task_run t, "
                "engine_outcome(t, 'running', 'failed', 'error', 0.5, now()) o WHERE t.run_id = %s",
                [run.id],
            )
            assert float(cursor.fetchone()[0]) == pytest.approx(expected)

    def test_full_jitter_draws_from_nothing_to_the_bound(self) -> None:
        run = make_run("a", tasks={"a": {"retries": {"limit": 1}}})
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT extract(epoch FROM o.due - now()) FROM task_run t, "
                "engine_outcome(t, 'running', 'failed', 'error', 0.5, now()) o WHERE t.run_id = %s",
                [run.id],
            )
            assert float(cursor.fetchone()[0]) == pytest.approx(2.5)

    def test_a_lost_attempt_is_tried_again_without_using_up_retries(self) -> None:
        run, hands = self.failing(limit=0)
        hands.claim()
        protocol.lose(hands.held["a"].token, "lease")
        task = TaskRun.objects.get(run=run, key="a")
        assert (task.state, task.retries_used, task.lost) == ("retry_wait", 0, 1)

    def test_the_third_lost_attempt_ends_the_task_as_poison(self) -> None:
        run, hands = self.failing(limit=0)
        for _ in range(3):
            hands.claim()
            protocol.lose(hands.held["a"].token, "lease")
        task = TaskRun.objects.get(run=run, key="a")
        assert (task.state, task.reason) == ("failed", "poison")

    def test_an_attempt_handed_back_does_not_count_as_lost(self) -> None:
        run, hands = self.failing(limit=0)
        for _ in range(4):
            hands.claim()
            protocol.lose(hands.held["a"].token, "drained")
        assert TaskRun.objects.get(run=run, key="a").lost == 0

    def test_a_person_may_start_a_waiting_retry_now(self) -> None:
        run, hands = self.failing(limit=1, base=600.0, jitter="none")
        hands.claim()
        hands.end("a", "failed")
        task = TaskRun.objects.get(run=run, key="a")
        assert protocol.retry_now(task.id, actor=make_user())
        assert hands.claim() == "a"


class TestFence:
    def test_a_finish_with_an_unknown_token_changes_nothing(self) -> None:
        run = make_run("a")
        assert protocol.finish(str(uuid.uuid4()), protocol.Outcome("succeeded")).fenced
        assert state_line(run) == "a=ready"

    def test_a_second_finish_of_one_attempt_is_fenced(self) -> None:
        run, hands = make_run("a"), Hands()
        hands.claim()
        token = hands.held["a"].token
        hands.end("a")
        before = Run.objects.get(id=run.id).last_seq
        assert protocol.finish(token, protocol.Outcome("failed", "error")).fenced
        assert Run.objects.get(id=run.id).last_seq == before

    def test_a_finish_after_the_attempt_was_lost_is_fenced(self) -> None:
        run, hands = make_run("a"), Hands()
        hands.claim()
        protocol.lose(hands.held["a"].token, "lease")
        assert hands.end("a").fenced
        assert states(run)["a"] == "retry_wait"

    def test_a_lapsed_lease_may_not_claim(self) -> None:
        make_run("a")
        hands = Hands()
        with connection.cursor() as cursor:
            cursor.execute("UPDATE worker_lease SET expires_at = engine_now() - interval '1 s'")
        with pytest.raises(protocol.LeaseLost):
            hands.claim()

    def test_the_database_refuses_a_move_outside_the_table(self) -> None:
        run = make_run("a > b")
        with (
            pytest.raises(IntegrityError, match="cannot go from pending to running"),
            connection.cursor() as cursor,
        ):
            cursor.execute("UPDATE task_run SET state = 'running' WHERE run_id = %s AND key = 'b'", [run.id])

    def test_the_database_refuses_to_change_a_finished_attempt(self) -> None:
        make_run("a")
        hands = Hands()
        hands.claim()
        hands.end("a")
        with pytest.raises(IntegrityError, match="has ended"), connection.cursor() as cursor:
            cursor.execute("UPDATE attempt SET cause = 'something else'")


class TestStarting:
    def test_the_same_key_gives_the_same_run(self) -> None:
        version = make_version("a")
        first, second = (
            protocol.start_run(version, parameters={}, trigger="api", requested_by=None, idempotency_key="k")
            for _ in range(2)
        )
        assert first.id == second.id
        assert Run.objects.count() == 1

    def test_runs_of_a_pipeline_are_numbered(self) -> None:
        version = make_version("a")
        numbers = [
            protocol.start_run(version, parameters={}, trigger="api", requested_by=None).number
            for _ in range(3)
        ]
        assert numbers == [1, 2, 3]

    def test_only_the_named_tasks_are_written(self) -> None:
        version = make_version("a > b, b > c")
        run = protocol.start_run(version, parameters={}, trigger="api", requested_by=None, only=["a", "b"])
        assert state_line(run) == "a=ready b=pending"

    def test_each_queue_gets_its_own_tasks_only(self) -> None:
        make_run("a, b", tasks={"b": {"queue": "gpu"}})
        assert Hands("cpu").work_off() == ["a"]
        assert Hands("gpu").work_off() == ["b"]


class TestCancelAndResume:
    def test_cancel_ends_what_has_not_begun_and_asks_what_runs_to_stop(self) -> None:
        run, hands, actor = make_run("a > b, c"), Hands(), make_user()
        hands.claim()
        assert protocol.cancel_run(run.id, actor=actor)
        assert state_line(run) == "a=running b=cancelled c=cancelled"
        assert state_of(run) == "cancelling"
        hands.end("a", "cancelled", "by_person")
        assert state_of(run) == "cancelled"

    def test_a_task_that_finishes_before_it_could_be_cancelled_has_succeeded(self) -> None:
        run, hands = make_run("a > b"), Hands()
        hands.claim()
        protocol.cancel_run(run.id, actor=make_user())
        hands.end("a")
        assert state_line(run) == "a=succeeded b=cancelled"
        assert state_of(run) == "cancelled"

    def test_cancelling_twice_is_a_clean_no(self) -> None:
        run = make_run("a")
        assert protocol.cancel_run(run.id, actor=make_user())
        assert not protocol.cancel_run(run.id, actor=make_user())

    def test_resume_goes_on_from_the_point_of_failure(self) -> None:
        run, hands = make_run("a > b > c, a > d"), Hands()
        hands.work_off(fail={"b": "error"})
        assert state_line(run) == "a=succeeded b=failed c=upstream_failed d=succeeded"
        protocol.resume_run(run.id, actor=make_user())
        assert state_line(run) == "a=succeeded b=ready c=pending d=succeeded"
        assert hands.work_off() == ["b", "c"]
        run.refresh_from_db()
        assert (run.state, run.resume_no, run.open_tasks) == ("succeeded", 1, 0)

    def test_resume_begins_a_failed_group_again_but_keeps_what_succeeded_in_it(self) -> None:
        run, hands = make_run("g/x > g/y, g > b"), Hands()
        hands.work_off(fail={"g/y": "error"})
        protocol.resume_run(run.id, actor=make_user())
        assert state_line(run) == "g=waiting g/x=succeeded g/y=ready b=pending"
        hands.work_off()
        assert state_of(run) == "succeeded"

    def test_resume_takes_skipped_tasks_downstream_of_failed_ones_back(self) -> None:
        run, hands = make_run("a > b, b >? c, c > d"), Hands()
        hands.work_off(fail={"a": "error"})
        assert state_line(run) == "a=failed b=upstream_failed c=succeeded d=succeeded"
        protocol.resume_run(run.id, actor=make_user())
        hands.work_off()
        assert state_line(run) == "a=succeeded b=succeeded c=succeeded d=succeeded"

    def test_resume_begins_nothing_inside_a_group_that_still_waits(self) -> None:
        run = make_run("a > g, g/x")
        Hands().work_off(fail={"a": "error"})
        protocol.resume_run(run.id, actor=make_user())
        assert state_line(run) == "a=ready g=pending g/x=pending"

    def test_resume_forgets_how_often_a_task_was_lost(self) -> None:
        run, hands = make_run("a"), Hands()
        for _ in range(2):
            hands.claim()
            protocol.lose(hands.held["a"].token, "lease")
        hands.work_off(fail={"a": "error"})
        protocol.resume_run(run.id, actor=make_user())
        hands.claim()
        protocol.lose(hands.held["a"].token, "lease")
        assert state_line(run) == "a=retry_wait"

    def test_a_succeeded_run_cannot_be_resumed(self) -> None:
        run = make_run("a")
        Hands().work_off()
        with pytest.raises(protocol.Refused, match="failed or cancelled"):
            protocol.resume_run(run.id, actor=make_user())

    def test_a_group_with_a_condition_ends_when_it_is_resumed_with_nothing_left_to_do(self) -> None:
        when = {"text": "params.go", "refs": {"params.go": {"ref": "params.go"}}}
        run, hands = make_run("g/x", parameters={"go": True}, tasks={"g": {"when": when}}), Hands()
        hands.claim()
        protocol.cancel_run(run.id, actor=make_user())
        hands.end("g/x")
        protocol.resume_run(run.id, actor=make_user())
        assert state_line(run) == "g=succeeded g/x=succeeded"
        assert state_of(run) == "succeeded"


class TestApproval:
    def waiting(self, **config: object) -> Run:
        entry = {"kind": "approval", "config": {"by": ["approver"], "deadline": None, **config}}
        run = make_run("a > ok > b", tasks={"ok": entry})
        Hands().work_off()
        return run

    def decide(self, run: Run, decision: str, **given: object) -> None:
        task = TaskRun.objects.get(run=run, key="ok")
        actor = given.get("actor") or make_user()
        protocol.decide(task.id, decision, actor=actor, role="approver", comment="")  # type: ignore[arg-type]

    def test_an_approval_waits_for_a_person_and_holds_no_worker(self) -> None:
        assert state_line(self.waiting()) == "a=succeeded ok=awaiting_approval b=pending"

    def test_an_approved_task_lets_the_run_go_on(self) -> None:
        run = self.waiting()
        self.decide(run, "approved")
        assert state_line(run) == "a=succeeded ok=succeeded b=ready"

    def test_a_rejected_task_has_failed_by_a_person(self) -> None:
        run = self.waiting()
        self.decide(run, "rejected")
        assert state_line(run) == "a=succeeded ok=failed b=upstream_failed"
        assert TaskRun.objects.get(run=run, key="ok").reason == "by_person"

    def test_a_second_decision_is_refused(self) -> None:
        run = self.waiting()
        self.decide(run, "approved")
        with pytest.raises(protocol.Refused, match="does not wait"):
            self.decide(run, "rejected")

    def test_the_requester_may_not_decide(self) -> None:
        run = self.waiting()
        with pytest.raises(protocol.Refused, match="may not decide"):
            self.decide(run, "approved", actor=run.requested_by)

    def test_the_requester_may_decide_where_the_document_says_so(self) -> None:
        run = self.waiting(requester_may_approve=True)
        self.decide(run, "approved", actor=run.requested_by)
        approval = TaskRun.objects.get(run=run, key="ok").approvals.get()
        assert approval.was_requester

    def test_a_resumed_run_asks_again_after_a_rejection(self) -> None:
        run = self.waiting()
        self.decide(run, "rejected")
        protocol.resume_run(run.id, actor=make_user())
        assert states(run)["ok"] == "awaiting_approval"
        self.decide(run, "approved")
        assert states(run)["b"] == "ready"

    def test_an_approval_past_its_deadline_has_failed(self) -> None:
        run = self.waiting(deadline=0.0)
        protocol.expire_approval(TaskRun.objects.get(run=run, key="ok").id)
        task = TaskRun.objects.get(run=run, key="ok")
        assert (task.state, task.reason) == ("failed", "deadline")


class TestOddValues:
    def test_a_task_without_a_timeout_never_times_out(self) -> None:
        run, hands = make_run("a", tasks={"a": {"timeout": None}}), Hands()
        hands.claim()
        assert Attempt.objects.get(run=run).timeout_at is None

    def test_an_approval_without_a_deadline_waits_for_ever(self) -> None:
        entry = {"kind": "approval", "config": {"by": ["approver"], "deadline": None}}
        run = make_run("ok", tasks={"ok": entry})
        assert TaskRun.objects.get(run=run).deadline_at is None

    def test_a_timeout_beyond_all_time_does_not_stop_the_queue(self) -> None:
        make_run("a", tasks={"a": {"timeout": 999_999_999 * 86_400.0}})
        make_run("b")
        hands = Hands()
        assert {hands.claim(), hands.claim()} == {"a", "b"}

    def test_a_pause_beyond_all_time_does_not_lose_the_failure(self) -> None:
        retries = {"limit": 99, "base": 1e300, "factor": 1e300, "cap": 1e300, "jitter": "none"}
        run, hands = make_run("a", tasks={"a": {"retries": retries}}), Hands()
        hands.claim()
        hands.end("a", "failed")
        assert states(run) == {"a": "retry_wait"}

    def test_a_cause_with_odd_characters_is_kept_as_far_as_it_can_be(self) -> None:
        run, hands = make_run("a"), Hands()
        hands.claim()
        hands.end("a", "failed", cause="no file 'caf\udce9\0.csv'")
        assert Attempt.objects.get(run=run).cause == "no file 'caf?\N{REPLACEMENT CHARACTER}.csv'"


class TestFirstFailure:
    def test_the_first_task_that_fails_beyond_its_retries_is_remembered_once(self) -> None:
        run = make_run("a, b")
        Hands().work_off(fail={"a": "error", "b": "error"})
        run.refresh_from_db()
        assert run.first_failure is not None
        assert run.first_failure.key == "a"
        assert Chore.objects.filter(kind="alert").count() == 1

    def test_a_retry_that_succeeds_tells_nobody(self) -> None:
        run, hands = make_run("a", tasks={"a": {"retries": {"limit": 1, "base": 0.0}}}), Hands()
        hands.claim()
        hands.end("a", "failed")
        hands.work_off()
        assert state_of(run) == "succeeded"
        assert not Chore.objects.filter(kind="alert").exists()


class TestPause:
    @pytest.mark.parametrize("table", ["run", "pipeline", "queue"])
    def test_nothing_is_claimed_from_what_is_paused(self, table: str) -> None:
        make_run("a")
        with connection.cursor() as cursor:
            cursor.execute(f"UPDATE {table} SET paused_at = engine_now()")
        assert Hands().claim() is None
        with connection.cursor() as cursor:
            cursor.execute(f"UPDATE {table} SET paused_at = NULL")
        assert Hands().claim() == "a"


@pytest.mark.django_db(transaction=True)
def test_the_partition_of_a_start_that_was_taken_back_is_not_believed_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(protocol, "_partitions_until", 0)
    with suppress(InterruptedError), transaction.atomic():
        make_run("a")
        raise InterruptedError
    assert protocol._partitions_until == 0
    make_run("a")
    assert protocol._partitions_until > 0
