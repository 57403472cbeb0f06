"""What operators pause and let go on: each verb, what it refuses, and what the engine makes of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from redis import Redis
from rest_framework.test import APIClient

from pipelines.models import AuditEvent, Pipeline
from runs import dispatch, invariants, pausing, protocol, queues
from runs.models import Queue, Run, RunEvent
from runs.pausing import Pause
from tests import factories
from tests.factories import Cast, join
from tests.runs import making
from tests.runs.factories import Hands
from tests.runs.making import task
from tests.runs.test_query_counts import assert_constant

pytestmark = pytest.mark.django_db
WHY = Pause("Data is late.")
SOON = datetime.now(UTC) + timedelta(hours=1)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def people() -> Cast:
    cast = factories.make_cast()
    join(cast.team, cast.bob, "operator")
    return cast


@pytest.fixture
def bob(people: Cast) -> APIClient:
    return factories.client(people.bob)


@pytest.fixture
def run(people: Cast) -> Run:
    Queue.objects.get_or_create(slug="cpu")
    return making.start(making.make_version(people.team, people.alice, [task("a")]), people.alice)


def address(run: Run, act: str) -> str:
    return f"/api/v1/runs/{run.uuid}/{act}/"


def of_pipeline(run: Run, act: str) -> str:
    return f"/api/v1/pipelines/{run.pipeline.name}/{act}/"


class TestRun:
    def test_nothing_of_a_paused_run_is_handed_out_until_it_goes_on(self, people: Cast, run: Run) -> None:
        hands = Hands()
        assert pausing.pause_run(run.pk, WHY, actor=people.bob)
        assert hands.claim() is None
        assert pausing.unpause_run(run.pk, actor=people.bob)
        assert not pausing.unpause_run(run.pk, actor=people.bob)
        assert hands.claim() == "a"

    def test_what_runs_goes_on_to_its_end(self, people: Cast, run: Run) -> None:
        work = making.claim(making.make_lease())
        pausing.pause_run(run.pk, WHY, actor=people.bob)
        making.finish(work)
        run.refresh_from_db()
        assert run.state == "succeeded"

    def test_each_change_is_an_event_and_an_audit_row_and_no_move(self, people: Cast, run: Run) -> None:
        before = run.last_seq
        pausing.pause_run(run.pk, WHY, actor=people.bob)
        pausing.unpause_run(run.pk, actor=people.bob)
        events = RunEvent.objects.filter(run_id=run.pk, seq__gt=before).order_by("seq")
        assert list(events.values_list("seq", "kind", "actor", "payload")) == [
            (before + 1, "pause", "bob", {"reason": "Data is late.", "until": None}),
            (before + 2, "unpause", "bob", {}),
        ]
        rows = AuditEvent.objects.filter(object_uuid=run.uuid, verb__contains="pause").order_by("seq")
        assert [row.verb for row in rows] == ["run.pause", "run.unpause"]
        assert rows[0].payload is not None
        told = rows[0].payload.body or {}
        assert (told["number"], told["reason"], told["until"]) == (1, "Data is late.", None)
        run.refresh_from_db()
        assert (run.state, run.last_seq) == ("running", before + 2)
        assert invariants.check_all() == {}

    def test_a_pause_with_an_end_is_over_by_itself(self, people: Cast, run: Run) -> None:
        pausing.pause_run(run.pk, Pause("Data is late.", SOON), actor=people.bob)
        assert Run.objects.filter(pausing.HOLDS, pk=run.pk).exists()
        Run.objects.update(paused_until=LONG_AGO)
        assert not Run.objects.filter(pausing.HOLDS, pk=run.pk).exists()
        assert Hands().claim()

    def test_letting_it_go_on_rings_for_what_waits(
        self,
        people: Cast,
        run: Run,
        redis_connection: Redis,
        django_capture_on_commit_callbacks: Any,
    ) -> None:
        making.make_lease()
        line = dispatch.rq_queue("cpu", redis_connection)
        for let_go in (
            lambda: (
                pausing.pause_run(run.pk, WHY, actor=people.bob)
                and pausing.unpause_run(run.pk, actor=people.bob)
            ),
            lambda: (
                pausing.pause_pipeline(run.pipeline, WHY, actor=people.bob)
                and pausing.unpause_pipeline(run.pipeline, actor=people.bob)
            ),
            lambda: (
                queues.pause(Queue.objects.get(slug="cpu"), actor=people.bob)
                and queues.unpause(Queue.objects.get(slug="cpu"), actor=people.bob)
            ),
        ):
            redis_connection.delete(line.key)
            with django_capture_on_commit_callbacks(execute=True):
                assert let_go()
            assert redis_connection.llen(line.key) == 1


class TestRunByApi:
    def test_a_pause_says_by_whom_until_when_and_why(self, bob: APIClient, run: Run) -> None:
        shown = bob.post(address(run, "pause"), {"reason": " Data is late. ", "until": SOON}).json()
        assert shown["paused_by"] == {"username": "bob", "name": "Bob"}
        assert datetime.fromisoformat(shown["paused_until"]) == SOON
        assert (shown["paused_reason"], shown["can"]["pause"]) == ("Data is late.", True)
        assert shown["paused_at"] is not None
        after = bob.post(address(run, "unpause")).json()
        assert [after[f"paused_{what}"] for what in ("at", "by", "until", "reason")] == [None, None, None, ""]

    def test_pausing_again_changes_reason_and_end_and_not_since_when(self, bob: APIClient, run: Run) -> None:
        first = bob.post(address(run, "pause"), {"reason": "Data is late."}).json()
        again = bob.post(address(run, "pause"), {"reason": "Data is later.", "until": SOON}).json()
        assert again["paused_at"] == first["paused_at"]
        assert again["paused_reason"] == "Data is later."
        same = bob.post(address(run, "pause"), {"reason": "Data is later.", "until": SOON}).json()
        assert same["last_seq"] == again["last_seq"], "nothing has changed"

    @pytest.mark.parametrize(
        "body, field",
        [
            ({}, "reason"),
            ({"reason": "  "}, "reason"),
            ({"reason": "x" * 1001}, "reason"),
            ({"reason": "x", "until": "soon"}, "until"),
            ({"reason": "x", "until": LONG_AGO}, "until"),
        ],
    )
    def test_what_makes_no_sense_is_named(
        self, bob: APIClient, run: Run, body: dict[str, Any], field: str
    ) -> None:
        answer = bob.post(address(run, "pause"), body)
        assert answer.status_code == 422
        assert [error["field"] for error in answer.json()["errors"]] == [field]
        run.refresh_from_db()
        assert run.paused_at is None

    def test_a_run_that_has_ended_is_not_paused(self, people: Cast, bob: APIClient, run: Run) -> None:
        protocol.cancel_run(run.pk, actor=people.alice)
        answer = bob.post(address(run, "pause"), {"reason": "Data is late."})
        assert (answer.status_code, answer.json()["code"]) == (409, "not-open")
        assert "Run 1 is cancelled" in answer.json()["detail"]
        assert bob.get(f"/api/v1/runs/{run.uuid}/").json()["can"]["pause"] is False

    def test_what_is_not_paused_cannot_go_on(self, bob: APIClient, run: Run) -> None:
        for path in (address(run, "unpause"), of_pipeline(run, "unpause")):
            answer = bob.post(path)
            assert (answer.status_code, answer.json()["code"]) == (409, "not-paused")

    def test_a_list_of_paused_runs_costs_no_more_queries(
        self, people: Cast, bob: APIClient, run: Run
    ) -> None:
        def more() -> None:
            for _ in range(4):
                made = making.start(run.version, people.alice)
                pausing.pause_run(made.pk, WHY, actor=people.bob)

        more()
        assert_constant(bob, "/api/v1/runs/", more, 14)


class TestPipeline:
    def test_all_its_runs_stand_still_and_programs_start_none(
        self, people: Cast, bob: APIClient, run: Run
    ) -> None:
        hands = Hands()
        shown = bob.post(of_pipeline(run, "pause"), {"reason": "Data is late."}).json()
        assert (shown["paused_reason"], shown["paused_by"]["username"]) == ("Data is late.", "bob")
        assert shown["can"]["pause"] is True
        assert hands.claim() is None
        program = factories.client(token=factories.make_token(people.alice))
        answer = program.post(f"/api/v1/pipelines/{run.pipeline.name}/runs/", {})
        assert (answer.status_code, answer.json()["code"]) == (409, "pipeline-paused")
        assert bob.post(of_pipeline(run, "unpause")).json()["paused_at"] is None
        assert hands.claim() == "a"
        verbs = AuditEvent.objects.filter(object_uuid=run.pipeline.uuid).order_by("seq")
        assert list(verbs.values_list("verb", flat=True))[-2:] == ["pipeline.pause", "pipeline.unpause"]

    def test_a_pause_that_holds_is_changed_and_an_end_that_has_passed_is_refused(
        self, people: Cast, bob: APIClient, run: Run
    ) -> None:
        assert pausing.pause_pipeline(run.pipeline, WHY, actor=people.bob)
        assert not pausing.pause_pipeline(run.pipeline, WHY, actor=people.bob)
        assert pausing.pause_pipeline(run.pipeline, Pause("Later.", SOON), actor=people.bob)
        answer = bob.post(of_pipeline(run, "pause"), {"reason": "x", "until": LONG_AGO})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "until")
        assert Pipeline.objects.get(pk=run.pipeline_id).paused_reason == "Later."


class TestQueue:
    def test_a_site_admin_pauses_it_and_lets_it_go_on(self, run: Run) -> None:
        root = factories.client(factories.make_user("root", is_superuser=True))
        hands = Hands()
        shown = root.post("/api/v1/queues/cpu/pause/", {"reason": "New disks", "until": SOON}).json()
        assert (shown["paused_reason"], shown["paused_by"]["username"]) == ("New disks", "root")
        assert hands.claim() is None
        assert root.post("/api/v1/queues/cpu/unpause/").json()["paused_at"] is None
        assert root.post("/api/v1/queues/cpu/unpause/").status_code == 409
        assert hands.claim() == "a"
        assert root.post("/api/v1/queues/none/pause/", {"reason": "x"}).status_code == 404


def test_the_explanation_says_the_way_out(bob: APIClient, run: Run) -> None:
    bob.post(address(run, "pause"), {"reason": "Data is late."})
    step = bob.get(f"/api/v1/runs/{run.uuid}/tasks/").json()["results"][0]["id"]
    found = bob.get(f"/api/v1/task-runs/{step}/explain/").json()["blockers"]
    (remedy,) = [each["remedy"] for each in found if each["code"] == "run-paused"]
    assert f"POST {address(run, 'unpause')}" in remedy
    assert bob.post(address(run, "unpause")).status_code == 200
