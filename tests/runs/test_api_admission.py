"""The API of what may begin: queued runs, the limits of teams, tasks in quarantine."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import TestCase
from rest_framework.test import APIClient

from pipelines.models import AuditEvent
from runs import admission, quarantine
from runs.models import Quarantine, Queue, Run, TaskRun, TeamLimits
from tests import factories
from tests.factories import Cast, join
from tests.runs import making
from tests.runs.making import task
from tests.runs.test_query_counts import assert_constant

pytestmark = pytest.mark.django_db
LIMITS = "/api/v1/teams/alpha/limits/"


@pytest.fixture
def people() -> Cast:
    return factories.make_cast()


@pytest.fixture
def alice(people: Cast) -> APIClient:
    return factories.client(people.alice)


@pytest.fixture
def root() -> APIClient:
    return factories.client(factories.make_user("root", is_superuser=True))


def make_version(people: Cast, **fields: Any) -> Any:
    return making.make_version(people.team, people.alice, [task("a")], **fields)


class TestQueued:
    def test_a_queued_run_says_behind_which_it_waits(self, people: Cast, alice: APIClient) -> None:
        version = make_version(people, overlap="queue")
        first, second = making.start(version, people.alice), making.start(version, people.alice)
        shown = alice.get(f"/api/v1/runs/{second.uuid}/").json()
        assert shown["state"] == "queued"
        assert shown["queued"] == {
            "words": "Queued behind #1, which has not ended.",
            "behind": {"id": str(first.uuid), "number": 1},
        }
        assert alice.get(f"/api/v1/runs/{first.uuid}/").json()["queued"] is None

    def test_a_run_that_is_held_says_which_task_is_in_quarantine(
        self, people: Cast, alice: APIClient
    ) -> None:
        version = make_version(people, overlap="queue")
        first, second = making.start(version, people.alice), making.start(version, people.alice)
        quarantine.put(TaskRun.objects.get(run=first).pk)
        words = alice.get(f"/api/v1/runs/{second.uuid}/").json()["queued"]["words"]
        assert words == "a is in quarantine: in run #1 it was lost with its worker three times."

    def test_a_failed_run_cannot_be_resumed_while_a_task_of_it_is_in_quarantine(
        self, people: Cast, alice: APIClient
    ) -> None:
        run = making.start(make_version(people), people.alice)
        where = f"/api/v1/runs/{run.uuid}/"
        making.perform(making.make_lease(), failing=["a"])
        assert alice.get(where).json()["can"]["resume"] is True
        quarantine.put(TaskRun.objects.get(run=run).pk)
        shown = alice.get(where).json()
        assert shown["can"]["resume"] is False
        assert (shown["quarantine"]["task"], shown["queued"]) == ("a", None)
        assert "have an operator lift" in shown["quarantine"]["remedy"]
        plan = alice.get(f"{where}resume-plan/").json()
        assert (plan["allowed"], plan["why_not"][:18]) == (False, "a is in quarantine")
        quarantine.lift(Quarantine.objects.get(), "", actor=people.alice)
        shown = alice.get(where).json()
        assert (shown["can"]["resume"], shown["quarantine"]) == (True, None)

    def test_a_list_of_runs_in_quarantine_costs_no_more_queries(self, people: Cast, alice: APIClient) -> None:
        def more() -> None:
            for _ in range(3):
                run = making.start(make_version(people), people.alice)
                making.perform(making.make_lease(), failing=["a"])
                quarantine.put(TaskRun.objects.get(run=run).pk)

        more()
        assert_constant(alice, "/api/v1/runs/", more, 14)

    def test_a_list_of_queued_runs_costs_no_more_queries(self, people: Cast, alice: APIClient) -> None:
        version = make_version(people, overlap="queue")

        def more() -> None:
            for _ in range(4):
                making.start(version, people.alice)

        more()
        assert_constant(alice, "/api/v1/runs/?state=queued", more, 14)

    def test_a_run_whose_place_was_taken_names_the_one_that_did(self, people: Cast, alice: APIClient) -> None:
        version = make_version(people, overlap="cancel_previous")
        first, second = making.start(version, people.alice), making.start(version, people.alice)
        newer = {"id": str(second.uuid), "number": 2}
        assert alice.get(f"/api/v1/runs/{first.uuid}/").json()["replaced_by"] == newer
        assert alice.get(f"/api/v1/runs/{second.uuid}/").json()["replaced_by"] is None
        events = alice.get(f"/api/v1/runs/{first.uuid}/events/").json()["results"]
        assert [event["facts"] for event in events if event["kind"] == "replaced"] == [newer]

    def test_a_list_of_runs_whose_place_was_taken_costs_no_more_queries(
        self, people: Cast, alice: APIClient
    ) -> None:
        version = make_version(people, overlap="cancel_previous")

        def more() -> None:
            for _ in range(4):
                making.start(version, people.alice)

        more()
        assert_constant(alice, "/api/v1/runs/", more, 12)

    def test_a_start_that_the_document_does_not_let_begin_is_a_conflict_in_words(
        self, people: Cast, alice: APIClient
    ) -> None:
        version = make_version(people, overlap="skip")
        making.start(version, people.alice)
        answer = alice.post(f"/api/v1/pipelines/{version.pipeline.name}/runs/", {})
        assert (answer.status_code, answer.json()["code"]) == (409, "overlap")
        assert "Run #1" in answer.json()["detail"]


class TestLimits:
    def test_a_team_without_limits_shows_what_it_has(self, people: Cast, alice: APIClient) -> None:
        making.start(make_version(people), people.alice)
        assert alice.get(LIMITS).json() == {
            "team": "alpha",
            "active_runs": None,
            "queued_tasks": None,
            "running_tasks": None,
            "weight": None,
            "queues": [],
            "now": {"active_runs": 1, "queued_tasks": 1, "running_tasks": 0},
            "may_set": False,
        }

    def test_a_site_admin_sets_them_whole_and_the_audit_trail_tells(
        self, people: Cast, root: APIClient
    ) -> None:
        Queue.objects.get_or_create(slug="gpu")
        wanted = {"active_runs": 5, "weight": 2.5, "queues": [{"queue": "gpu", "running_tasks": 1}]}
        shown = root.put(LIMITS, wanted).json()
        assert (shown["active_runs"], shown["weight"], shown["may_set"]) == (5, 2.5, True)
        assert shown["queues"] == [{"queue": "gpu", "running_tasks": 1, "weight": None}]
        row = AuditEvent.objects.get(verb="team.limits")
        assert row.payload is not None
        body = row.payload.body or {}
        assert body["limits"] == {
            "all": {"active_runs": 5, "weight": 2.5},
            "gpu": {"running_tasks": 1},
        }

    def test_what_is_left_out_has_no_limit_any_more(self, people: Cast, root: APIClient) -> None:
        root.put(LIMITS, {"active_runs": 5})
        assert root.put(LIMITS, {"running_tasks": 3}).json()["active_runs"] is None

    def test_the_same_again_changes_and_tells_nothing(self, people: Cast, root: APIClient) -> None:
        for _ in range(2):
            assert root.put(LIMITS, {"active_runs": 5}).status_code == 200
        assert AuditEvent.objects.filter(verb="team.limits").count() == 1

    def test_nobody_else_sets_them(self, people: Cast) -> None:
        admin = factories.client(join(people.team, factories.make_user(), "admin"))
        answer = admin.put(LIMITS, {})
        assert (answer.status_code, answer.json()["detail"]) == (
            403,
            "Only a site admin says what a team may have.",
        )

    @pytest.mark.parametrize(
        "wrong, field",
        [
            ({"weight": 0}, "weight"),
            ({"queues": [{"queue": "gpu", "weight": -1}]}, "queues.0.weight"),
            (
                {"queues": [{"queue": "gpu", "running_tasks": 1}, {"queue": "gpu", "running_tasks": 2}]},
                "queues",
            ),
            ({"active_runs": 2_000_000}, "active_runs"),
            ({"queues": [{"queue": "nowhere", "running_tasks": 1}]}, "queue"),
        ],
    )
    def test_what_makes_no_sense_is_named(
        self, people: Cast, root: APIClient, wrong: dict[str, Any], field: str
    ) -> None:
        answer = root.put(LIMITS, wrong)
        assert answer.status_code == 422
        assert field in [error["field"] for error in answer.json()["errors"]]

    def test_a_person_beyond_the_limit_gets_429_with_words_and_when_to_come_again(
        self, people: Cast, alice: APIClient
    ) -> None:
        TeamLimits.objects.create(team=people.team, active_runs=1)
        version = make_version(people)
        address = f"/api/v1/pipelines/{version.pipeline.name}/runs/"
        assert alice.post(address, {}).status_code == 201
        answer = alice.post(address, {})
        assert (answer.status_code, answer.json()["code"]) == (429, "team-limit")
        assert answer["Retry-After"] == str(admission.RETRY_AFTER)
        assert "The team alpha has 1 unfinished run and may have 1" in answer.json()["detail"]
        assert Run.objects.count() == 1


def test_a_limit_that_makes_no_sense_is_refused_in_words_of_ours(people: Cast, root: APIClient) -> None:
    errors = root.put(LIMITS, {"active_runs": -1}, format="json").json()["errors"]
    message = "A whole number from 0 to 1,000,000, or nothing for no limit."
    assert errors == [{"field": "active_runs", "message": message}]


class TestQuarantine:
    def put(self, people: Cast) -> Quarantine:
        run = making.start(make_version(people), people.alice)
        quarantine.put(TaskRun.objects.get(run=run).pk)
        return Quarantine.objects.get(task_run__run=run)

    @pytest.fixture
    def editor(self, people: Cast) -> APIClient:
        return factories.client(join(people.team, factories.make_user(), "editor"))

    def test_it_is_listed_with_its_words_and_the_way_out(self, people: Cast, editor: APIClient) -> None:
        row = self.put(people)
        address = f"/api/v1/quarantines/?pipeline={row.version.pipeline.name}&open=true"
        (shown,) = editor.get(address).json()["results"]
        assert (shown["task"], shown["version"], shown["run"]["number"]) == ("a", 1, 1)
        assert shown["words"] == "a is in quarantine: in run #1 it was lost with its worker three times."
        assert shown["may_lift"] is False, "an editor mends the pipeline instead"

    def test_an_operator_lifts_it_and_it_is_listed_as_lifted(self, people: Cast) -> None:
        row = self.put(people)
        operator = factories.client(join(people.team, factories.make_user("olga"), "operator"))
        address = f"/api/v1/quarantines/{row.uuid}/lift/"
        shown = operator.post(address, {"comment": "more memory"}).json()
        assert (shown["comment"], shown["lifted_by"]["username"], shown["may_lift"]) == (
            "more memory",
            "olga",
            False,
        )
        assert (shown["words"][:18], shown["remedy"]) == ("a was in quarantin", "")
        assert operator.get("/api/v1/quarantines/?open=true").json()["results"] == []
        assert len(operator.get("/api/v1/quarantines/?open=false").json()["results"]) == 1
        assert operator.get("/api/v1/quarantines/?open=maybe").status_code == 422
        assert operator.post(address, {"comment": "again"}).status_code == 409

    def test_a_lift_says_what_has_changed(self, people: Cast) -> None:
        row = self.put(people)
        operator = factories.client(join(people.team, factories.make_user("olga"), "operator"))
        for body in ({}, {"comment": " "}):
            answer = operator.post(f"/api/v1/quarantines/{row.uuid}/lift/", body)
            message = {"field": "comment", "message": "Say what has changed."}
            assert (answer.status_code, answer.json()["errors"]) == (422, [message])
        row.refresh_from_db()
        assert row.lifted_at is None

    def test_an_editor_may_not_lift_it(self, people: Cast, editor: APIClient) -> None:
        assert editor.post(f"/api/v1/quarantines/{self.put(people).uuid}/lift/", {}).status_code == 403

    def test_the_list_costs_the_same_however_long_it_is(self, people: Cast, alice: APIClient) -> None:
        self.put(people)

        def more() -> None:
            for _ in range(4):
                self.put(people)

        assert_constant(alice, "/api/v1/quarantines/", more, 8)


def test_a_run_that_is_admitted_shows_no_reason_any_more(people: Cast, alice: APIClient) -> None:
    version = make_version(people, overlap="queue")
    making.start(version, people.alice)
    second = making.start(version, people.alice)
    with TestCase.captureOnCommitCallbacks(execute=True):
        making.perform(making.make_lease())
    assert alice.get(f"/api/v1/runs/{second.uuid}/").json()["queued"] is None


def test_a_field_with_a_slip_in_its_name_changes_nothing_and_the_right_one_is_named(
    people: Cast, root: APIClient
) -> None:
    TeamLimits.objects.create(team=people.team, active_runs=3)
    answer = root.put(LIMITS, {"activ_runs": 4}, format="json")
    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {"field": "activ_runs", "message": "There is no such field; active_runs is one."}
    ]
    assert TeamLimits.objects.get(team=people.team).active_runs == 3
