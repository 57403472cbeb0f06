"""What ``register`` and ``deploy`` do in the catalogue: before the attempt, and inside its finish.

The producing attempts are recorded first, so that a model never exists without its origin.
"""

from __future__ import annotations

import re
from typing import Any

import structlog
from django.db import DatabaseError

from lineage import approvals, recorder, registry
from lineage.models import Artifact, CataloguedApproval, Endpoint, Model, ModelVersion, Stage
from lineage.registry import By
from pipelines import grants
from pipelines.errors import Conflict, Invalid
from pipelines.models import Pipeline
from runs.kinds import Finishing, Preparing
from runs.models import Approval, AttemptInput, AttemptOutput, Run, TaskRun

log = structlog.get_logger()
Outputs = list[dict[str, Any]]

MODEL_NAME = re.compile(r"[a-z0-9-]{1,63}")
NEEDED_FOR_PRODUCTION = ("purpose", "owner", "deputy", "runbook")


# --- register -----------------------------------------------------------------------------


def prepare_register(preparing: Preparing) -> dict[str, Any]:
    """Record what the model came from before the attempt, so that its finish has next to nothing to do."""
    _record_early(_model_output(preparing.with_values.get("model")))
    return {}


def _record_early(output: AttemptOutput) -> None:
    """Whatever fails here is tried again in the finish, where it counts."""
    try:
        recorder.record([output.attempt_id])
    except DatabaseError:
        log.exception("producers could not be recorded ahead", attempt=output.attempt_id)


def register_model(finishing: Finishing) -> Outputs:
    """Enter the model as the next version of its name; gives the output ``version``.

    Its value is {"model", "version", "model_version": uuid, "sha256"}. Raises :class:`Invalid` when the input
    is no model in the store.
    """
    by = _by(finishing)
    values = finishing.with_values
    name, output = _model_name(values.get("name")), _model_output(values.get("model"))
    registry.hold_model(by.team, name)
    artifact = _recorded(output)
    version = registry.register(by, name, artifact, _plain(values.get("metrics")))
    return [_output("version", "json", version_value(version))]


def version_value(version: ModelVersion) -> dict[str, Any]:
    """A model version as one task hands it to the next."""
    return {
        "model": version.model.name,
        "version": version.number,
        "model_version": str(version.uuid),
        "sha256": version.sha256,
    }


def _model_name(value: Any) -> str:
    if not isinstance(value, str) or not MODEL_NAME.fullmatch(value):
        raise Invalid(
            f"{value!r} cannot name a model: give `name` under `with`, small letters, digits and hyphens, "
            "63 at most.",
            code="model-name",
        )
    return value


def _plain(metrics: Any) -> dict[str, Any]:
    """The metrics themselves; those too large for a row lie in the store, where the record finds them."""
    if not isinstance(metrics, dict) or "attempt_output_id" in metrics:
        return {}
    return metrics


def _model_output(value: Any) -> AttemptOutput:
    if not isinstance(value, dict) or "attempt_output_id" not in value:
        raise Invalid(
            "The input `model` is no model in the store: hand over the output of a task that gives one.",
            code="not-a-model",
        )
    return AttemptOutput.objects.get(id=value["attempt_output_id"])


def _recorded(output: AttemptOutput) -> Artifact:
    """The catalogued form of an output, recorded now if it was not."""
    recorder.record([output.attempt_id])
    return Artifact.objects.select_related("content").get(uuid=output.uuid)


# --- deploy -------------------------------------------------------------------------------


def prepare_deploy(preparing: Preparing) -> dict[str, Any]:
    """The inputs that a deploy attempt needs beyond its own: where the bytes go, and the bytes themselves.

    {"address", "key", "model", "media_type"}: ``key`` is stable over attempts. Refuses what must not be
    deployed before a byte is copied: :class:`Conflict`.
    """
    values = preparing.with_values
    endpoint = registry.endpoint_of(preparing.team_id, str(values.get("endpoint")))
    _check_stage(endpoint, preparing)
    version = _named_version(preparing.team_id, values.get("model"))
    output = _output_of(version) if version else _model_output(values.get("model"))
    _record_early(output)
    return {
        "address": endpoint.address,
        "key": preparing.key,
        "model": _as_input(output),
        "media_type": output.media_type,
    }


def deploy_model(finishing: Finishing) -> Outputs:
    """Enter the move of a version to its endpoint; gives the output ``address``.

    A model that was never registered is registered now, under the name of its pipeline.
    """
    by = _by(finishing)
    endpoint = str(finishing.with_values.get("endpoint"))
    registry.endpoint_of(finishing.team_id, endpoint, lock=True)
    version = _version_to_deploy(finishing, by)
    decisions = approvals.catalogue(approvals.behind(finishing.task_run_id))
    if version.attempt_id != finishing.attempt_id:
        recorder.record([version.attempt_id])
    address = _address(finishing)
    registry.deploy(
        by, endpoint, version, _latest(decisions), address, reason=f"run {by.run.number}, {by.run.trigger}"
    )
    return [_output("address", "string", address)]


def _version_to_deploy(finishing: Finishing, by: By) -> ModelVersion:
    given = finishing.with_values.get("model")
    version = _named_version(finishing.team_id, given) or _named_version(
        finishing.team_id, _value_read(finishing.attempt_id, "model")
    )
    if version is not None:
        return version
    output = _model_output(given)
    registry.hold_model(by.team, by.run.pipeline.name)
    artifact = _recorded(output)
    known = ModelVersion.objects.filter(artifact=artifact, model__team=by.team).order_by("-id")
    return known.select_related("model").first() or registry.register(by, by.run.pipeline.name, artifact, {})


def _named_version(team_id: int, value: Any) -> ModelVersion | None:
    """The registered version that a value of :func:`version_value` names; None when it is none."""
    if not isinstance(value, dict) or "model_version" not in value:
        return None
    rows = ModelVersion.objects.select_related("model", "artifact__content")
    usable = grants.usable(Model.objects.all(), team_id)
    found = rows.filter(uuid=value["model_version"], model__in=usable).first()
    if found is None:
        raise Conflict(
            f"{value.get('model')} version {value.get('version')} is not registered in this team "
            "nor lent to it.",
            code="model-version-missing",
        )
    return found


def _value_read(attempt_id: int, name: str) -> Any:
    rows = AttemptInput.objects.filter(attempt_id=attempt_id, name=name)
    return rows.values_list("source__value", flat=True).first()


def _output_of(version: ModelVersion) -> AttemptOutput:
    return AttemptOutput.objects.get(uuid=version.artifact.uuid)


def _as_input(output: AttemptOutput) -> dict[str, Any]:
    """The bytes of an output as an input of an attempt."""
    return {
        "type": output.type,
        "sha256": output.sha256,
        "size": output.size,
        "address": output.address,
        "media_type": output.media_type,
        "meta": output.meta,
        "attempt_output_id": output.pk,
    }


def _address(finishing: Finishing) -> str:
    """Where the attempt says the bytes are now."""
    said = next((one.get("value") for one in finishing.outputs if one["name"] == "address"), None)
    return str(said or finishing.with_values.get("address") or "")


def _latest(decisions: list[CataloguedApproval]) -> CataloguedApproval | None:
    """The decision that a move is shown with: the last, if possible of somebody else than the requester."""
    others = [decision for decision in decisions if not decision.was_requester]
    shown = others or decisions
    return shown[-1] if shown else None


# --- What production asks for -------------------------------------------------------------


def _check_stage(endpoint: Endpoint, preparing: Preparing) -> None:
    """An endpoint in production takes a pipeline that says who answers for it, and a second person."""
    if endpoint.stage != Stage.PRODUCTION:
        return
    run = Run.objects.select_related("pipeline").get(id=preparing.run_id)
    missing = [name for name in NEEDED_FOR_PRODUCTION if not _has(run.pipeline, name)]
    if missing:
        raise Conflict(
            f"{endpoint.name} is in production, and {run.pipeline.name} has no {', '.join(missing)}: "
            "fill them in on the pipeline's page, then resume.",
            code="production-needs",
        )
    if not any(not decision.was_requester for decision in _decisions(preparing)):
        raise Conflict(
            f"{endpoint.name} is in production: a second person must have approved before this task. "
            "Put an approval task in front of it.",
            code="second-person-missing",
        )


def _has(pipeline: Pipeline, name: str) -> bool:
    return bool(getattr(pipeline, f"{name}_id" if name in ("owner", "deputy") else name))


def _decisions(preparing: Preparing) -> list[Approval]:
    """The approvals behind the task; its key stands between the run and the number of the resume."""
    task = preparing.key.split(":", 1)[1].rsplit(":", 1)[0]
    return approvals.behind(TaskRun.objects.values_list("id", flat=True).get(run=preparing.run_id, key=task))


# --- Shared -------------------------------------------------------------------------------


def _by(finishing: Finishing) -> By:
    rows = Run.objects.select_related("team", "requested_by", "token", "pipeline")
    run = rows.defer("pipeline__draft_text", "pipeline__draft_layout").get(id=finishing.run_id)
    return By(team=run.team, run=run, attempt_id=finishing.attempt_id, person=run.requested_by)


def _output(name: str, type_: str, value: Any) -> dict[str, Any]:
    return {"name": name, "position": 0, "type": type_, "value": value}
