"""Why a task is not running: what is said of each thing in its way, to whom, and at what cost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from pipelines.access import Rights
from pipelines.clock import EngineNow
from pipelines.models import CodeLocation, CodeSnapshot, Pipeline, Role, User
from runs import explaining, judging, pausing, protocol
from runs.api.serializers import ExplanationShape
from runs.explaining import Blocker, Explanation
from runs.explaining.turns import COUNTED, TURN
from runs.models import Attempt, Environment, Queue, Run, RunCode, TaskRun, WorkerLease
from tests.factories import Cast, client, join, make_cast
from tests.factories import make_user as make_person
from tests.planning import analyze, pages_touched
from tests.runs import factories, making
from tests.runs.factories import Hands
from tests.runs.making import task

pytestmark = pytest.mark.django_db

ASK = {"kind": "approval", "config": {"by": ["approver"], "deadline": 3600.0, "requester_may_approve": False}}


@pytest.fixture
def cast() -> Cast:
    return make_cast()


def make_run(cast: Cast, graph: str, **given: Any) -> Run:
    """A run of `alpha` that Alice asked for."""
    return factories.make_run(graph, team=cast.team, owner=cast.alice, **given)


def make_run_of(priority: str, cast: Cast, graph: str) -> Run:
    version = factories.make_version(graph, team=cast.team, owner=cast.alice)
    given: dict[str, Any] = {"parameters": {}, "trigger": "manual", "requested_by": cast.alice}
    return protocol.start_run(version, priority=protocol.PRIORITIES[priority], **given)


def explain(run: Run, key: str, person: User) -> Explanation:
    return explaining.explain(TaskRun.objects.get(run=run, key=key).pk, Rights(person))


def only(explanation: Explanation) -> Blocker:
    (blocker,) = explanation.blockers
    assert explanation.words == blocker.words
    return blocker


class TestWithinTheRun:
    def test_a_task_waits_for_those_before_it_with_their_states(self, cast: Cast) -> None:
        run, hands = make_run(cast, "a > d, b > d, c > d"), Hands()
        assert [hands.claim(), hands.claim()] == ["a", "b"]
        hands.end("a")
        blocker = only(explain(run, "d", cast.bob))
        assert blocker.code == "tasks"
        assert blocker.words == "It waits for b (running) and c (queued) to end."
        assert [(link.rel, link.href, link.name) for link in blocker.links] == [
            ("upstream", f"/runs/{run.uuid}?task=b", "b"),
            ("upstream", f"/runs/{run.uuid}?task=c", "c"),
        ]

    def test_of_many_tasks_before_it_the_first_are_named_and_the_rest_counted(self, cast: Cast) -> None:
        run = make_run(cast, ", ".join(f"t{number} > last" for number in range(9)))
        Hands()
        blocker = only(explain(run, "last", cast.bob))
        assert blocker.words.endswith("t4 (queued) and 4 more to end.")
        assert len(blocker.links) == 5

    def test_two_edges_from_one_task_are_one_thing_to_wait_for(self, cast: Cast) -> None:
        run = make_run(cast, "a > b, a >* b")
        Hands()
        assert only(explain(run, "b", cast.bob)).words == "It waits for a (queued) to end."

    def test_a_group_waits_for_what_is_inside_it(self, cast: Cast) -> None:
        run = make_run(cast, "g/x, g/y")
        blocker = only(explain(run, "g", cast.bob))
        assert blocker.code == "inner-tasks"
        assert blocker.words == "It waits for g/x (queued) and g/y (queued), inside it, to end."
        assert blocker.since == TaskRun.objects.get(run=run, key="g").started_at

    def test_what_is_inside_a_group_waits_for_it_to_begin(self, cast: Cast) -> None:
        run = make_run(cast, "a > g, g/x")
        Hands()
        assert only(explain(run, "g/x", cast.bob)).words == "It is inside g, which has not begun."

    def test_a_retry_says_what_came_before_and_when_it_comes(self, cast: Cast) -> None:
        retries = {"retries": {"limit": 1, "base": 60.0, "jitter": "none"}}
        run, hands = make_run(cast, "a", tasks={"a": retries}), Hands()
        hands.claim()
        hands.end("a", "failed", cause="ValueError: bad")
        blocker = only(explain(run, "a", cast.bob))
        assert blocker.code == "retry"
        assert blocker.words == "It waits before it is tried again, as attempt 1 ended: ValueError: bad."
        assert blocker.until == TaskRun.objects.get(run=run).next_attempt_at

    def test_a_decision_on_reuse_is_said_until_it_is_made(self, cast: Cast) -> None:
        cached = {"config": {"source": "def task():\n    pass\n", "cache": True}}
        keys = [f"t{number}" for number in range(judging.AT_ONCE + 1)]
        run = make_run(cast, ", ".join(keys), tasks=dict.fromkeys(keys, cached))
        Hands()
        assert explain(run, keys[0], cast.bob).blockers == ()
        blocker = only(explain(run, keys[-1], cast.bob))
        assert blocker.words == "It is being found out whether an earlier result of it can be reused."
        judging.catch_up()
        decided = explain(run, keys[-1], cast.bob)
        assert (decided.state, decided.blockers) == ("ready", ())


class TestDecisions:
    def test_those_who_may_decide_are_named_but_for_who_asked_for_the_run(self, cast: Cast) -> None:
        join(cast.team, make_person("dan", first_name="Dan"), Role.APPROVER)
        join(cast.team, make_person("eve", is_active=False), Role.APPROVER)
        run = make_run(cast, "ask", tasks={"ask": ASK})
        blocker = only(explain(run, "ask", cast.bob))
        assert blocker.words == "It waits for approver to decide: Dan may."
        assert blocker.until == TaskRun.objects.get(run=run).deadline_at is not None

    def test_the_requester_is_named_where_the_task_allows_it(self, cast: Cast) -> None:
        allowed = {**ASK, "config": {**ASK["config"], "requester_may_approve": True}}  # type: ignore[dict-item]
        run = make_run(cast, "ask", tasks={"ask": allowed})
        assert only(explain(run, "ask", cast.bob)).words == "It waits for approver to decide: Alice may."

    def test_somebody_named_by_user_name_may_decide(self, cast: Cast) -> None:
        named = {**ASK, "config": {**ASK["config"], "by": ["bob"]}}  # type: ignore[dict-item]
        run = make_run(cast, "ask", tasks={"ask": named})
        assert only(explain(run, "ask", cast.bob)).words == "It waits for bob to decide: Bob may."

    def test_that_nobody_may_decide_is_said(self, cast: Cast) -> None:
        run = make_run(cast, "ask", tasks={"ask": ASK})
        blocker = only(explain(run, "ask", cast.bob))
        assert blocker.words == "It waits for approver to decide."
        assert blocker.remedy.startswith("Nobody may decide now")

    def test_names_of_the_team_are_not_for_those_who_do_not_see_it(self, cast: Cast) -> None:
        join(cast.team, make_person("dan", first_name="Dan"), Role.APPROVER)
        run = make_run(cast, "ask", tasks={"ask": ASK})
        assert "Dan" not in only(explain(run, "ask", cast.charlie)).words


class TestPauses:
    def test_a_pause_says_by_whom_why_and_until_when(self, cast: Cast) -> None:
        run = make_run(cast, "a")
        Hands()
        until = EngineNow() + timedelta(hours=1)
        paused = {"paused_at": EngineNow(), "paused_by": cast.alice, "paused_reason": "Data is late."}
        Pipeline.objects.filter(pk=run.pipeline_id).update(**paused, paused_until=until)
        blocker = only(explain(run, "a", cast.bob))
        name = run.pipeline.name
        assert blocker.words == f"The pipeline {name} is paused by Alice: Data is late."
        assert blocker.until is not None
        assert blocker.links[0].href == f"/pipelines/alpha:{name}"

    def test_a_pause_that_is_over_is_not_said(self, cast: Cast) -> None:
        run = make_run(cast, "a")
        Hands()
        over = {"paused_at": EngineNow(), "paused_until": EngineNow()}
        for rows in (Run.objects.all(), Pipeline.objects.all(), Queue.objects.all()):
            rows.update(**over)
        assert explain(run, "a", cast.bob).blockers == ()

    def test_a_decision_by_a_person_does_not_wait_for_a_pause(self, cast: Cast) -> None:
        run = make_run(cast, "a > ask", tasks={"ask": ASK})
        Run.objects.update(paused_at=EngineNow())
        assert only(explain(run, "ask", cast.bob)).code == "tasks"

    def test_the_page_of_a_queue_is_for_site_admins(self, cast: Cast) -> None:
        run = make_run(cast, "a")
        Hands()
        Queue.objects.update(paused_at=EngineNow())
        assert only(explain(run, "a", cast.bob)).links == ()
        admin = make_person("root", is_superuser=True)
        assert only(explain(run, "a", admin)).links[0].href.startswith("/admin/runs/queue/")


class TestWorkers:
    def test_a_queue_that_nobody_serves(self, cast: Cast) -> None:
        blocker = only(explain(make_run(cast, "a"), "a", cast.bob))
        assert blocker.words == "No worker serves the queue cpu."
        assert blocker.remedy == "Start a worker: manage.py worker --queue cpu"

    def test_workers_that_leave_and_workers_that_are_silent(self, cast: Cast) -> None:
        run, hands = make_run(cast, "a"), Hands()
        protocol.move_lease(hands.lease.uuid, ("live",), "draining")
        assert "take nothing more" in only(explain(run, "a", cast.bob)).words
        WorkerLease.objects.update(state="lost")
        Hands()
        WorkerLease.objects.filter(state="live").update(expires_at=EngineNow())
        assert "stopped answering" in only(explain(run, "a", cast.bob)).words

    def test_workers_that_cannot_give_the_isolation_say_why(self, cast: Cast) -> None:
        run, hands = make_run(cast, "a"), Hands()
        Queue.objects.filter(slug="cpu").update(isolation="own user")
        WorkerLease.objects.filter(pk=hands.lease.pk).update(
            labels={"isolation": ["shared user"], "no_own_user": "the workers do not run as root"}
        )
        words = "No worker of this queue can give 'own user': the workers do not run as root."
        assert only(explain(run, "a", cast.bob)).words == words

    def test_workers_in_trouble_say_which(self, cast: Cast) -> None:
        run = make_run(cast, "a")
        Hands()
        WorkerLease.objects.update(labels={"trouble": "Its disk is full."})
        words = "The workers of the queue cpu take no tasks now. Its disk is full."
        assert only(explain(run, "a", cast.bob)).words == words

    def test_busy_workers_are_linked_with_what_they_do(self, cast: Cast) -> None:
        first, hands = make_run(cast, "long"), Hands()
        hands.claim()
        blocker = only(explain(make_run(cast, "a"), "a", cast.bob))
        assert blocker.words == "The only worker of the queue cpu that could take it is busy."
        name = f"{first.pipeline.name} #{first.number}: long"
        assert [(link.href, link.name) for link in blocker.links] == [(f"/runs/{first.uuid}?task=long", name)]

    def test_others_that_can_begin_as_well_are_counted(self, cast: Cast) -> None:
        make_run(cast, "long")
        Hands().claim()
        run = make_run(cast, "a, b > c")
        words = "The only worker of the queue cpu that could take it is busy. Its priority is normal: "
        place = "the one other task that can begin comes after it."
        assert only(explain(run, "a", cast.bob)).words == words + place
        make_run(cast, ", ".join(f"t{number}" for number in range(COUNTED)))
        place = "none of the more than 100 other tasks that can begin go before it."
        assert only(explain(run, "a", cast.bob)).words == words + place
        low = explain(make_run_of("low", cast, "e"), "e", cast.bob)
        assert only(low).words.endswith("low: more than 100 other tasks that can begin go before it.")

    def test_how_many_go_before_it_is_told_with_its_priority(self, cast: Cast) -> None:
        hands = Hands()
        make_run(cast, "a, b")
        low, critical = make_run_of("low", cast, "c"), make_run_of("critical", cast, "d")
        assert explain(low, "c", cast.bob).words == (
            "Nothing is in its way: a worker of the queue cpu takes it in its turn. Its priority is low: "
            "3 of the 3 other tasks that can begin go before it."
        )
        assert explain(critical, "d", cast.bob).words == (
            "Nothing is in its way: the next free worker of the queue cpu takes it. Its priority is "
            "critical: none of the 3 other tasks that can begin go before it."
        )
        assert [hands.claim() for _ in range(4)] == ["d", "a", "b", "c"]

    def test_what_has_waited_is_more_urgent_than_its_priority(self, cast: Cast) -> None:
        Hands()
        run = make_run_of("low", cast, "a")
        long_ago = EngineNow() - timedelta(minutes=25)
        TaskRun.objects.filter(run=run).update(ready_at=long_ago)
        make_run(cast, "b")
        words = explain(run, "a", cast.bob).words
        assert "priority is low, by now as urgent as high: the one other task that can begin comes" in words

    def test_other_teams_and_paused_runs_are_told_apart(self, cast: Cast) -> None:
        Hands()
        pausing.pause_run(make_run(cast, "p").pk, pausing.Pause("late"), actor=cast.bob)
        factories.make_run("x", team=cast.others, owner=cast.charlie)
        words = explain(make_run(cast, "a"), "a", cast.bob).words
        assert "the one other task that can begin goes before it. Of teams" in words
        other = make_run(cast, "b")
        assert "runs least for its share goes first" in explain(other, "b", cast.bob).words

    def test_two_busy_workers_are_both(self, cast: Cast) -> None:
        make_run(cast, "x, y")
        Hands().claim(), Hands().claim()
        words = only(explain(make_run(cast, "a"), "a", cast.bob)).words
        assert words == "Both workers of the queue cpu that could take it are busy."

    def test_what_a_worker_does_for_others_is_not_told(self, cast: Cast) -> None:
        factories.make_run("long", team=cast.others, owner=cast.charlie)
        Hands().claim()
        blocker = only(explain(make_run(cast, "a"), "a", cast.bob))
        assert (blocker.code, blocker.links) == ("workers-busy", ())

    def test_a_task_that_a_free_worker_may_take_is_not_blocked(self, cast: Cast) -> None:
        make_run(cast, "long")
        hands, _ = Hands(), Hands()
        hands.claim()
        explanation = explain(make_run(cast, "a"), "a", cast.bob)
        assert explanation.blockers == ()
        assert explanation.words == "Nothing is in its way: the next free worker of the queue cpu takes it."


class TestRunning:
    def test_a_task_that_runs_is_not_blocked(self, cast: Cast) -> None:
        run, hands = make_run(cast, "a"), Hands()
        hands.claim()
        explanation = explain(run, "a", cast.bob)
        assert (explanation.state, explanation.words, explanation.blockers) == (
            "running",
            "It is running, attempt 1.",
            (),
        )

    def test_a_task_that_is_being_cancelled_says_so(self, cast: Cast) -> None:
        run, hands = make_run(cast, "a"), Hands()
        hands.claim()
        protocol.cancel_run(run.pk, actor=cast.alice)
        assert explain(run, "a", cast.bob).words == "It is running, attempt 1, and has been asked to stop."

    @pytest.mark.parametrize(
        "end, words",
        [
            ("succeeded", "It has ended: succeeded."),
            ("failed", "It has ended: failed. ValueError: bad"),
        ],
    )
    def test_a_task_that_has_ended_says_how(self, cast: Cast, end: str, words: str) -> None:
        run, hands = make_run(cast, "a > b"), Hands()
        hands.claim()
        hands.end("a", end, cause="ValueError: bad" if end == "failed" else "")
        explanation = explain(run, "a", cast.bob)
        assert (explanation.words, explanation.blockers) == (words, ())

    def test_a_task_that_was_not_run_says_why(self, cast: Cast) -> None:
        run = make_run(cast, "a > b")
        Hands().work_off(fail={"a": "error"})
        assert explain(run, "b", cast.bob).words == "It has ended: not run. A task before it failed."


class TestEnvironments:
    @pytest.fixture
    def run(self, cast: Cast) -> Run:
        """Its task is in the hands of a worker, and needs the environment of a lock file."""
        run, hands = make_run(cast, "a"), Hands()
        location = CodeLocation.objects.create(team=cast.team, name="blocks", address="/nowhere")
        snapshot = CodeSnapshot.objects.create(location=location, tree_sha256="1" * 64, lock_sha256="2" * 64)
        RunCode.objects.create(run=run, location=location, snapshot=snapshot, lock_sha256="2" * 64)
        Environment.objects.create(lock_sha256="2" * 64, state="building", progress="Installing 12 packages")
        hands.claim()
        return run

    def test_what_is_built_first_is_said_with_its_page(self, cast: Cast, run: Run) -> None:
        host = Attempt.objects.get().lease.host
        blocker = only(explain(run, "a", cast.bob))
        assert blocker.code == "environment"
        assert blocker.words == (
            f"Its environment is not there yet on {host}, so it is built first: Installing 12 packages."
        )
        assert blocker.links[0].href == f"/environments/{Environment.objects.get().uuid}"
        assert only(explain(run, "a", cast.charlie)).links == ()

    def test_an_environment_that_is_there_is_in_nobodys_way(self, cast: Cast, run: Run) -> None:
        host = Attempt.objects.get().lease.host
        Environment.objects.update(state="ready", paths={host: "/somewhere/bin/python"})
        assert explain(run, "a", cast.bob).blockers == ()

    def test_a_container_needs_none(self, cast: Cast, run: Run) -> None:
        Attempt.objects.update(isolation="container")
        assert explain(run, "a", cast.bob).blockers == ()


class TestTheApi:
    def where(self, run: Run, key: str) -> str:
        return f"/api/v1/task-runs/{TaskRun.objects.get(run=run, key=key).uuid}/explain/"

    def cost(self, who: APIClient, where: str) -> int:
        with CaptureQueriesContext(connection) as seen:
            assert who.get(where).status_code == 200
        return len(seen)

    def test_the_answer_holds_to_its_shape(self, cast: Cast) -> None:
        run = make_run(cast, "a > b")
        body = client(cast.bob).get(self.where(run, "b")).json()
        assert ExplanationShape(data=body).is_valid(raise_exception=True)
        assert body["state"] == "pending"
        assert [blocker["code"] for blocker in body["blockers"]] == ["tasks", "no-workers"]
        assert body["blockers"][0]["links"] == [
            {"rel": "upstream", "href": f"/runs/{run.uuid}?task=a", "name": "a"}
        ]

    def test_a_stranger_is_not_told(self, cast: Cast) -> None:
        assert client(cast.charlie).get(self.where(make_run(cast, "a"), "a")).status_code == 404

    # Ten times as many pages and more where a line is read to its end; dead rows leave index pages behind.
    @pytest.mark.parametrize("dead, pages", [(0, 200), (30_000, 500)])
    def test_whose_turn_it_is_is_read_from_the_heads_of_the_lines(
        self, swept: None, cast: Cast, dead: int, pages: int
    ) -> None:
        waiting = make_run(cast, "a")
        undone = transaction.savepoint()
        factories.widen(waiting, dead)
        transaction.savepoint_rollback(undone)
        factories.widen(waiting, 10_000)
        analyze("task_run", "run")
        asked = {"task": TaskRun.objects.filter(run=waiting).latest("id").pk, "most": COUNTED + 1}
        assert pages_touched(TURN, asked) < pages

    def test_it_costs_the_same_for_many_tasks_and_many_workers(self, cast: Cast) -> None:
        who = client(cast.bob)

        def costs(count: int) -> list[int]:
            graph = ", ".join(f"t{number} > last" for number in range(count))
            run = make_run(cast, graph, tasks={f"t{number}": {"queue": "gpu"} for number in range(count)})
            making.start(making.make_version(cast.team, cast.alice, _many(count)), cast.alice)
            for _ in range(count):
                assert Hands().claim() is not None
            waiting = make_run(cast, "w")
            analyze("run", "task_run", "task_edge", "attempt", "worker_lease")
            return [self.cost(who, self.where(run, "last")), self.cost(who, self.where(waiting, "w"))]

        assert costs(2) == costs(30)
        assert max(costs(3)) <= 12


def _many(count: int) -> list[dict[str, Any]]:
    return [task(f"t{number}") for number in range(count)]
