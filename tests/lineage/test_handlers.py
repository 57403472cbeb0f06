from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from lineage import handlers, queries
from lineage.models import (
    CataloguedApproval,
    Deployment,
    DeploymentMove,
    ModelClosure,
    ModelVersion,
    Record,
)
from pipelines.errors import Conflict, Invalid
from pipelines.models import AuditEvent, Pipeline, Role
from tests.factories import Cast, join, make_cast, make_user
from tests.lineage.factories import (
    Trained,
    as_value,
    finishing,
    make_attempt,
    make_deployed,
    make_endpoint,
    make_registered,
    make_trained,
    make_version,
    output_of,
    preparing,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast() -> Cast:
    return make_cast()


@pytest.fixture
def made(cast: Cast) -> Trained:
    make_endpoint(cast.team)
    return make_trained(make_version(cast.team), cast.alice)


def test_registering_records_the_producers_first(made: Trained) -> None:
    make_registered(made)
    assert {record.task for record in Record.objects.all()} == {"ingest", "train"}


def test_a_registered_model_knows_its_digest_metrics_record_and_person(made: Trained, cast: Cast) -> None:
    value: Any = make_registered(made).value
    version = ModelVersion.objects.get(uuid=value["model_version"])
    assert value == {
        "model": "digits",
        "version": 1,
        "model_version": str(version.uuid),
        "sha256": made.model.sha256,
    }
    assert version.metrics == {"accuracy": 0.97}
    assert version.record.attempt_id == made.train.pk
    assert version.registered_by == cast.alice


def test_versions_of_a_name_are_numbered_from_one(cast: Cast) -> None:
    version = make_version(cast.team)
    values: list[Any] = [make_registered(make_trained(version, cast.alice)).value for _ in range(3)]
    assert [value["version"] for value in values] == [1, 2, 3]


def test_the_closure_of_a_model_holds_all_it_was_made_from(made: Trained) -> None:
    make_registered(made)
    names = set(ModelClosure.objects.values_list("artifact__uuid", flat=True))
    assert names == {made.model.uuid, output_of(made.ingest, "table").uuid}


def test_what_is_no_model_in_the_store_is_refused(made: Trained) -> None:
    attempt = make_attempt(made.run, "register")
    with pytest.raises(Invalid, match="no model in the store"), transaction.atomic():
        handlers.register_model(finishing(made.run, "register", attempt, model={"a": 1}, name="digits"))


@pytest.mark.parametrize("name", [None, "", "My Model", "x" * 64, 3])
def test_a_name_that_cannot_name_a_model_is_refused(made: Trained, name: object) -> None:
    attempt = make_attempt(made.run, "register", inputs={"model": made.model})
    asked = finishing(made.run, "register", attempt, model=as_value(made.model), name=name)
    with pytest.raises(Invalid, match="cannot name a model"):
        handlers.register_model(asked)


def test_a_deployment_moves_the_endpoint_and_says_who_approved(made: Trained, cast: Cast) -> None:
    make_deployed(made)
    move = DeploymentMove.objects.get()
    assert move.moved_by == cast.alice
    assert move.address == "/endpoints/digits-prod"
    assert move.approval is not None
    assert (move.approval.person, move.approval.comment) == (cast.alice, "Looks right.")
    assert move.approval.was_requester


def test_approvals_of_other_runs_are_none_to_rest_on(cast: Cast) -> None:
    make_endpoint(cast.team)
    version = make_version(cast.team)
    make_trained(version, cast.alice)
    other = make_trained(version, cast.alice)
    make_deployed(other)
    assert CataloguedApproval.objects.get().run_id == other.run.pk


def test_the_next_deployment_closes_the_range_of_the_one_before(cast: Cast) -> None:
    endpoint = make_endpoint(cast.team)
    version = make_version(cast.team)
    make_deployed(make_trained(version, cast.alice))
    make_deployed(make_trained(version, cast.alice))
    newer, older = queries.history(endpoint)
    assert older.during.upper == newer.during.lower
    assert newer.during.upper is None
    assert newer.move.previous_id == older.model_version_id
    assert queries.live_at(endpoint, None) == newer
    assert queries.live_at(endpoint, older.during.lower) == older
    assert queries.live_at(endpoint, older.during.lower - timedelta(seconds=1)) is None


def test_two_versions_are_never_live_at_once_on_one_endpoint(made: Trained) -> None:
    make_deployed(made)
    live = Deployment.objects.get()
    other = make_attempt(made.run, "evaluate")
    move = DeploymentMove.objects.get()
    move.pk, move.attempt_id, move.uuid = None, other.pk, other.uuid
    move.save(force_insert=True)
    with pytest.raises(IntegrityError, match="deployment_one_at_a_time"), transaction.atomic():
        Deployment.objects.create(
            endpoint=live.endpoint, move=move, model_version=live.model_version, during=live.during
        )


def test_what_was_live_at_a_time_is_never_changed(cast: Cast) -> None:
    endpoint = make_endpoint(cast.team)
    version = make_version(cast.team)
    make_deployed(make_trained(version, cast.alice))
    make_deployed(make_trained(version, cast.alice))
    closed = queries.history(endpoint)[1]
    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
        Deployment.objects.filter(pk=closed.pk).update(during=(closed.during.lower, None))


def test_a_clock_set_back_does_not_make_a_range_end_before_it_began(cast: Cast) -> None:
    endpoint = make_endpoint(cast.team)
    version = make_version(cast.team)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL orchestrator.clock = '2026-06-02 12:00:00+00'")
        make_deployed(make_trained(version, cast.alice))
        cursor.execute("SET LOCAL orchestrator.clock = '2026-06-01 12:00:00+00'")
        make_deployed(make_trained(version, cast.alice))
    live = queries.live_at(endpoint, None)
    assert live is not None
    assert live.model_version.number == 2


def test_register_and_deploy_stand_in_the_audit_chain(made: Trained, cast: Cast) -> None:
    make_deployed(made)
    rows = AuditEvent.objects.filter(team=cast.team, verb__startswith="model.").order_by("seq")
    assert [(row.verb, row.actor) for row in rows] == [
        ("model.register", cast.alice),
        ("model.deploy", cast.alice),
    ]


def test_the_bytes_of_a_version_are_handed_to_the_attempt_with_the_address(made: Trained) -> None:
    version = make_registered(made)
    values = handlers.prepare_deploy(
        preparing(made.run, "deploy", model=version.value, endpoint="digits-prod")
    )
    assert values["address"] == "/endpoints/digits-prod"
    assert values["key"] == f"{made.run.uuid}:deploy:0"
    assert values["model"]["sha256"] == made.model.sha256
    assert values["model"]["attempt_output_id"] == made.model.pk


def test_an_unknown_endpoint_is_refused_before_anything_is_copied(made: Trained) -> None:
    with pytest.raises(Conflict, match="no endpoint 'nowhere'"):
        handlers.prepare_deploy(preparing(made.run, "deploy", model=as_value(made.model), endpoint="nowhere"))


def test_a_model_that_was_never_registered_gets_the_name_of_its_pipeline(made: Trained) -> None:
    attempt = make_attempt(made.run, "deploy", inputs={"model": made.model})
    values = {"model": as_value(made.model), "endpoint": "digits-prod", "address": "/endpoints/digits-prod"}
    with transaction.atomic():
        handlers.deploy_model(finishing(made.run, "deploy", attempt, **values))
    assert ModelVersion.objects.get().model.name == made.run.pipeline.name


def test_a_version_of_another_team_is_refused(made: Trained, cast: Cast) -> None:
    value = make_registered(made).value
    make_endpoint(cast.others)
    theirs = make_trained(make_version(cast.others), cast.charlie)
    with pytest.raises(Conflict, match="not registered in this team"):
        handlers.prepare_deploy(preparing(theirs.run, "deploy", model=value, endpoint="digits-prod"))


class TestProduction:
    @pytest.fixture
    def second(self, cast: Cast) -> Pipeline:
        join(cast.team, make_user("dora"), Role.APPROVER)
        make_endpoint(cast.team, "live", "production")
        version = make_version(cast.team)
        Pipeline.objects.filter(pk=version.pipeline_id).update(
            owner=cast.alice, deputy=cast.bob, purpose="Reading digits", runbook="Call Alice"
        )
        return Pipeline.objects.get(pk=version.pipeline_id)

    def prepare(self, made: Trained) -> dict[str, object]:
        return handlers.prepare_deploy(
            preparing(made.run, "deploy", model=as_value(made.model), endpoint="live")
        )

    def test_asks_for_a_second_person(self, cast: Cast, second: Pipeline) -> None:
        made = make_trained(second.versions.get(), cast.alice)
        with pytest.raises(Conflict, match="second person"):
            self.prepare(made)

    def test_takes_what_a_second_person_approved(self, cast: Cast, second: Pipeline) -> None:
        dora = cast.team.memberships.get(user__username="dora").user
        made = make_trained(second.versions.get(), cast.alice, approver=dora)
        assert self.prepare(made)["address"] == "/endpoints/live"

    def test_asks_for_somebody_who_answers_for_it(self, cast: Cast, second: Pipeline) -> None:
        Pipeline.objects.filter(pk=second.pk).update(runbook="", deputy=None)
        made = make_trained(second.versions.get(), cast.alice)
        with pytest.raises(Conflict, match="no deputy, runbook"):
            self.prepare(made)


def test_a_repeated_finish_after_a_rollback_leaves_one_version(made: Trained) -> None:
    attempt = make_attempt(made.run, "register", inputs={"model": made.model})
    asked = finishing(made.run, "register", attempt, model=as_value(made.model), name="digits")
    with transaction.atomic():
        handlers.register_model(asked)
        transaction.set_rollback(True)
    with transaction.atomic():
        handlers.register_model(asked)
    assert list(ModelVersion.objects.values_list("number", flat=True)) == [1]


def test_the_artifact_of_an_output_carries_its_uuid(made: Trained) -> None:
    make_registered(made)
    assert ModelVersion.objects.get().artifact.uuid == made.model.uuid
