"""The writers of models and deployments, each within the transaction of its caller."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from lineage.models import (
    WROTE,
    Artifact,
    CataloguedApproval,
    Deployment,
    DeploymentMove,
    Endpoint,
    Model,
    ModelVersion,
    Record,
)
from lineage.naming import short
from pipelines import audit, grants
from pipelines.errors import Conflict
from pipelines.models import ApiToken, Team, User
from runs.models import Run

# What is upstream of a model when it is registered: a question of one index from then on.
FILL_CLOSURE = """
    INSERT INTO model_closure (version_id, artifact_id)
    WITH RECURSIVE up (artifact_id) AS (
        SELECT %s::bigint
        UNION
        SELECT r.artifact_id FROM up
        JOIN use w ON w.artifact_id = up.artifact_id AND w.direction = 1
        JOIN use r ON r.record_id = w.record_id AND r.direction = 0
    )
    SELECT %s, artifact_id FROM up
    ON CONFLICT DO NOTHING
"""
# A range may not end before it began, even when somebody has set the clock back.
CLOSE_OPEN_RANGE = """
    UPDATE deployment d SET during = tstzrange(lower(d.during), greatest(lower(d.during), %s))
    WHERE d.endpoint_id = %s AND upper_inf(d.during) AND NOT isempty(d.during)
    RETURNING d.model_version_id, greatest(lower(d.during), %s)
"""


@dataclass(frozen=True)
class By:
    """In whose name and by which attempt something is registered or deployed."""

    team: Team
    run: Run
    attempt_id: int
    person: User | None


def register(by: By, name: str, artifact: Artifact, metrics: Mapping[str, Any]) -> ModelVersion:
    """Make a recorded artifact the next version of the team's model ``name``, with all it came from."""
    model = hold_model(by.team, name)
    model.last_number += 1
    model.save(update_fields=["last_number"])
    version = ModelVersion.objects.create(
        model=model,
        number=model.last_number,
        artifact=artifact,
        record=Record.objects.get(uses__artifact=artifact, uses__direction=WROTE),
        sha256=artifact.content.sha256,
        metrics=dict(metrics),
        attempt_id=by.attempt_id,
        run=by.run,
        registered_by=by.person,
    )
    with connection.cursor() as cursor:
        cursor.execute(FILL_CLOSURE, [artifact.pk, version.pk])
    _tell(by, "model.register", version, {"model": name, "version": version.number, "sha256": version.sha256})
    return version


def hold_model(team: Team, name: str) -> Model:
    """The team's model of that name, made if it is new, and locked until the end of the transaction.

    Locks are taken in the order endpoint, model, audit chain. Recording ends with the chain, so whoever will
    register holds the model before recording.
    """
    Model.objects.get_or_create(team=team, name=name)
    return Model.objects.select_for_update(no_key=True).get(team=team, name=name)


def deploy(
    by: By,
    endpoint_name: str,
    version: ModelVersion,
    approval: CataloguedApproval | None,
    address: str,
    reason: str,
) -> DeploymentMove:
    """Put a version on an endpoint: the move, and the range in which it is live. Locks the endpoint."""
    endpoint = endpoint_of(by.team.pk, endpoint_name, lock=True)
    now = _now()
    previous, begins = _close_open_range(endpoint, now)
    move = DeploymentMove.objects.create(
        team=by.team,
        endpoint=endpoint,
        model_version=version,
        previous_id=previous,
        approval=approval,
        attempt_id=by.attempt_id,
        run=by.run,
        moved_by=by.person,
        reason=reason,
        address=address,
        at=begins,
    )
    Deployment.objects.create(endpoint=endpoint, move=move, model_version=version, during=(begins, None))
    said = {
        "endpoint": endpoint.name,
        "stage": endpoint.stage,
        "model": version.model.name,
        "version": version.number,
        "sha256": version.sha256,
        "approval": approval.digest if approval else None,
    }
    _tell(by, "model.deploy", endpoint, said)
    return move


def make_endpoint(
    team: Team,
    name: str,
    stage: str,
    *,
    address: str = "",
    description: str = "",
    actor: User | None,
    token: ApiToken | None = None,
) -> Endpoint:
    """A new place for models. Without ``address`` it is a folder of the product's home.

    :class:`Conflict` when the team has one of that name.
    """
    with transaction.atomic():
        endpoint, made = Endpoint.objects.get_or_create(
            team=team,
            name=name,
            defaults={
                "stage": stage,
                "address": address or default_address(team, name),
                "description": description,
                "created_by": actor,
            },
        )
        if not made:
            raise Conflict(f"The team has an endpoint '{name}' already: choose another name.")
        said = {"stage": stage, "address": endpoint.address}
        audit.write(actor, "endpoint.create", endpoint, said, team=team, token=token)
    return endpoint


def default_address(team: Team, name: str) -> str:
    """The folder of an endpoint that was given none: ``HOME/endpoints/<team>/<name>``."""
    return str(Path(settings.ORCHESTRATOR["HOME"]) / "endpoints" / team.slug / name)


def endpoint_of(team_id: int, name: str, *, lock: bool = False) -> Endpoint:
    """The endpoint that a team's document means. :class:`Conflict` when there is none or it is archived."""
    rows = grants.meant(Endpoint.objects.filter(archived_at=None), team_id, name)
    found = (rows.select_for_update(no_key=True, of=("self",)) if lock else rows).first()
    if found is None and ":" in name:
        raise Conflict(f"The endpoint {grants.not_lent(name)}", code="endpoint-not-lent")
    if found is None:
        raise Conflict(
            f"There is no endpoint '{name}' in this team: make it first, or deploy to another one.",
            code="endpoint-missing",
        )
    return found


def _close_open_range(endpoint: Endpoint, now: datetime) -> tuple[int | None, datetime]:
    with connection.cursor() as cursor:
        cursor.execute(CLOSE_OPEN_RANGE, [now, endpoint.pk, now])
        row = cursor.fetchone()
    return (row[0], row[1] or now) if row else (None, now)


def _now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT engine_now()")
        now: datetime = cursor.fetchone()[0]
        return now


def _tell(by: By, verb: str, obj: ModelVersion | Endpoint, said: dict[str, Any]) -> None:
    payload = {**said, "run": str(by.run.uuid), "run_number": by.run.number}
    name = f"{said['model']} v{said['version']} ({short(said['sha256'])})"
    audit.write(by.person, verb, obj, payload, team=by.team, token=by.run.token, name=name)
