"""When a decision counts, and what the audit chain says of runs that nobody asked for."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import Value

from pipelines import people, tokens
from pipelines.clock import EngineNow
from pipelines.models import AuditEvent, Role, User
from runs import protocol
from runs.models import Approval, TaskRun
from tests.factories import Cast, client, join, make_cast, make_user
from tests.runs import making
from tests.runs.making import task

ASKING = task(
    "ask", "approval", config={"by": ["approver"], "deadline": 60.0, "requester_may_approve": False}
)


@pytest.fixture
def cast(db: None) -> Cast:
    return make_cast()


@pytest.fixture
def approver(cast: Cast) -> User:
    return join(cast.team, make_user("dora"), Role.APPROVER)


@pytest.fixture
def asked(cast: Cast) -> TaskRun:
    """A task whose deadline has passed, and that no sweep has looked at since."""
    run = making.start(making.make_version(cast.team, cast.alice, [ASKING]), cast.alice)
    TaskRun.objects.filter(run=run).update(deadline_at=EngineNow() - Value(timedelta(seconds=1)))
    return TaskRun.objects.get(run=run)


def test_a_decision_after_the_deadline_is_refused_before_any_sweep(asked: TaskRun, approver: User) -> None:
    answer = client(approver).post(f"/api/v1/task-runs/{asked.uuid}/approve/", {})
    assert (answer.status_code, answer.json()["code"]) == (409, "deadline-passed")
    assert "The deadline of ask has passed" in answer.json()["detail"]
    assert not Approval.objects.exists()
    asked.refresh_from_db()
    assert asked.state == "awaiting_approval", "the sweep ends it, as it would have anyway"


def test_a_decision_before_the_deadline_counts(cast: Cast, approver: User) -> None:
    run = making.start(making.make_version(cast.team, cast.alice, [ASKING]), cast.alice)
    asked = TaskRun.objects.get(run=run)
    assert asked.deadline_at is not None
    assert client(approver).post(f"/api/v1/task-runs/{asked.uuid}/approve/", {}).status_code == 200


def test_after_the_sweep_there_is_nothing_to_decide(asked: TaskRun, approver: User) -> None:
    protocol.expire_approval(asked.pk)
    answer = client(approver).post(f"/api/v1/task-runs/{asked.uuid}/approve/", {})
    assert (answer.status_code, answer.json()["code"]) == (409, "not-waiting")


def test_who_issued_the_token_of_a_service_account_does_not_decide_on_its_runs(
    cast: Cast, approver: User
) -> None:
    bot = people.make_service_account(cast.team, "nightly", roles=["editor"], actor=approver)
    token, text = tokens.issue(bot, name="ci", team=cast.team, actor=approver)
    version = making.make_version(cast.team, cast.alice, [ASKING])
    run = protocol.start_run(version, parameters={}, trigger="api", requested_by=bot, token=token)
    address = f"/api/v1/task-runs/{TaskRun.objects.get(run=run).uuid}"
    assert client(token=text).get(f"{address}/").status_code == 200
    shown = client(approver).get(f"{address}/").json()
    assert "Whoever asked for the run may not decide" in str(shown)
    assert client(approver).post(f"{address}/approve/", {}).status_code == 403
    other = join(cast.team, make_user("emil"), Role.APPROVER)
    assert client(other).post(f"{address}/approve/", {}).status_code == 200


def test_a_token_that_a_service_account_issues_is_of_the_person_behind_it(cast: Cast, approver: User) -> None:
    bot = people.make_service_account(cast.team, "nightly", roles=["admin"], actor=approver)
    first, _ = tokens.issue(bot, name="ci", actor=approver)
    second, _ = tokens.issue(bot, name="other", actor=bot, by_token=first)
    assert second.issued_by == approver


def test_a_run_that_nobody_asked_for_is_in_the_audit_chain(cast: Cast) -> None:
    version = making.make_version(cast.team, cast.alice, [task("a")])
    run = protocol.start_run(version, parameters={}, trigger="schedule", requested_by=None)
    row = AuditEvent.objects.select_related("payload").get(verb="run.start", object_uuid=run.uuid)
    assert (row.actor, row.actor_name, row.team) == (None, "system", cast.team)
    assert row.payload is not None
    assert row.payload.body is not None
    assert row.payload.body["trigger"] == "schedule"
