"""From what is live on an endpoint back to the data that made it: one answer, a fixed number of queries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lineage import graph, queries
from lineage.documents import moment
from lineage.models import Artifact, Deployment, Endpoint, Record
from pipelines.models import User
from runs.models import Run

Json = dict[str, Any]

# Types of artifacts that a person calls data when they stand at the beginning of a trace.
DATA_TYPES = ("table", "array", "file", "folder", "image")
# Artifacts of one trace; the largest picture anybody reads.
MOST = 2000


@dataclass(frozen=True)
class Found:
    """The rows of a trace, before they become an answer."""

    deployment: Deployment
    walk: queries.Walk
    records: dict[int, Record]
    artifacts: dict[int, Artifact]
    deploy_record: Record | None
    register_record: Record | None

    @property
    def model_artifact(self) -> int:
        return self.deployment.model_version.artifact_id


def trace(endpoint: Endpoint, at: datetime | None = None) -> Json | None:
    """Everything behind what was live on ``endpoint`` at ``at`` (now by default); None when nothing was.

    ``complete`` is false, with words in ``missing``, until the last record is sealed.
    """
    deployment = queries.live_at(endpoint, at)
    return None if deployment is None else _answer(_collect(deployment))


def _collect(deployment: Deployment) -> Found:
    version, move = deployment.model_version, deployment.move
    ends = {
        record.attempt_id: record
        for record in Record.objects.filter(attempt_id__in=[move.attempt_id, version.attempt_id]).exclude(
            sealed_at=None
        )
    }
    readers = [record.pk for record in ends.values()]
    read = [use.artifact_id for uses in queries.uses_by_record(readers, 0).values() for use in uses]
    walk = queries.walk_up([version.artifact_id, *read], readers, MOST)
    rows = queries.records([*walk.records, *readers])
    artifacts = Artifact.objects.filter(id__in=walk.artifacts).select_related("content")
    return Found(
        deployment=deployment,
        walk=walk,
        records={record.pk: record for record in rows if record.sealed_at is not None},
        artifacts={artifact.pk: artifact for artifact in artifacts.defer("content__inline")},
        deploy_record=ends.get(move.attempt_id),
        register_record=ends.get(version.attempt_id),
    )


def _answer(found: Found) -> Json:
    missing = _missing(found)
    nodes, edges = _picture(found)
    return {
        "complete": not missing,
        "missing": missing,
        "deployment": deployment_body(found.deployment),
        "model": model_body(found.deployment),
        "approval": approval_body(found.deployment),
        "nodes": nodes,
        "edges": edges,
        "code": _distinct(_code_body(record) for record in found.records.values() if record.code),
        "environment": _distinct(
            _environment_body(record) for record in found.records.values() if record.environment
        ),
        "parameters": _parameters(found),
        "data": _data(found),
        "gaps": _gaps(found),
    }


# --- What is missing ----------------------------------------------------------------------


def _missing(found: Found) -> list[str]:
    words = []
    if found.register_record is None:
        words.append("The record of the registration is not sealed yet.")
    if found.deploy_record is None:
        words.append("The record of the deployment is not sealed yet.")
    for artifact in sorted(graph.without_producer(found.walk.uses)):
        words.append(f"Nobody known wrote {found.artifacts[artifact].name}.")
    if found.walk.records - set(found.records):
        words.append("A record behind it is not sealed yet.")
    if found.walk.truncated:
        words.append(f"There is more behind it than the {MOST} artifacts shown.")
    return words


def _gaps(found: Found) -> list[Json]:
    return [
        {
            "record": str(record.uuid),
            "job": record.job,
            "code": gap["code"],
            "about": gap["about"],
            "message": f"{record.task}: {gap['message']}" + (f" ({gap['about']})" if gap["about"] else ""),
        }
        for record in found.records.values()
        for gap in record.gaps
    ]


# --- The picture --------------------------------------------------------------------------


def _picture(found: Found) -> tuple[list[Json], list[Json]]:
    deployment = found.deployment
    live = f"deployment:{deployment.move.uuid}"
    version = f"model_version:{deployment.model_version.uuid}"
    nodes = [
        _node(live, "deployment", deployment.endpoint.name, deployment_body(deployment)),
        _node(version, "model_version", str(deployment.model_version), model_body(deployment)),
    ]
    nodes += [_artifact_node(found, number) for number in found.walk.artifacts]
    nodes += [_record_node(record) for record in found.records.values()]
    edges = [_edge(version, live, "model")]
    if found.model_artifact in found.artifacts:
        edges.append(_edge(_artifact_id(found, found.model_artifact), version, "model"))
    if found.register_record is not None:
        edges.append(_edge(f"record:{found.register_record.uuid}", version, "version"))
    if found.deploy_record is not None:
        edges.append(_edge(f"record:{found.deploy_record.uuid}", live, "address"))
    edges += [_use_edge(found, use) for use in found.walk.uses if use.record in found.records]
    return nodes, edges


def _use_edge(found: Found, use: graph.UseEdge) -> Json:
    record = f"record:{found.records[use.record].uuid}"
    artifact = _artifact_id(found, use.artifact)
    return _edge(record, artifact, use.slot) if use.wrote else _edge(artifact, record, use.slot)


def _artifact_id(found: Found, number: int) -> str:
    return f"artifact:{found.artifacts[number].uuid}"


def _node(identity: str, kind: str, label: str, detail: Mapping[str, Any] | None) -> Json:
    return {"id": identity, "type": kind, "label": label, "detail": dict(detail or {})}


def _edge(upstream: str, downstream: str, slot: str) -> Json:
    return {"from": upstream, "to": downstream, "slot": slot}


def _artifact_node(found: Found, number: int) -> Json:
    artifact = found.artifacts[number]
    detail = {
        "artifact": str(artifact.uuid),
        "kind": artifact.kind,
        "sha256": artifact.content.sha256,
        "size": artifact.content.size,
        "media_type": artifact.content.media_type,
        "metadata": artifact.metadata,
    }
    return _node(f"artifact:{artifact.uuid}", "artifact", artifact.name, detail)


def _record_node(record: Record) -> Json:
    detail = {
        "attempt_no": record.attempt_no,
        "run": str(record.run.uuid),
        "run_number": record.run.number,
        "task": record.task,
        "kind": record.kind,
        "state": record.state,
        "started_at": moment(record.started_at),
        "finished_at": moment(record.finished_at),
        "version": record.version.number,
        "code": _code_body(record) if record.code else None,
        "environment": record.environment.fingerprint if record.environment else None,
        "python": record.environment.python if record.environment else None,
        "hardware": record.hardware.facts if record.hardware else None,
        "parameters": record.parameters.values,
        "seeds": record.seeds,
        "metrics": record.metrics,
        "grade": record.grade,
        "digest": record.digest,
        "gaps": record.gaps,
    }
    return _node(f"record:{record.uuid}", "record", record.job, detail)


# --- The parts ----------------------------------------------------------------------------


def deployment_body(deployment: Deployment) -> Json:
    """What is live where, since when and by whom."""
    move, endpoint = deployment.move, deployment.endpoint
    return {
        "id": str(move.uuid),
        "endpoint": endpoint.name,
        "team": endpoint.team.slug,
        "stage": endpoint.stage,
        "address": move.address,
        "since": moment(move.at),
        "until": moment(getattr(deployment.during, "upper", None)),
        "moved_by": person(move.moved_by),
        "reason": move.reason,
        "run": str(move.run.uuid),
        "run_number": move.run.number,
        "pipeline": move.run.pipeline.name,
    }


def model_body(deployment: Deployment) -> Json:
    """The version that is live, with the digest of its bytes and its metrics."""
    version = deployment.model_version
    return {
        "id": str(version.uuid),
        "name": version.model.name,
        "version": version.number,
        "sha256": version.sha256,
        "artifact": str(version.artifact.uuid),
        "metrics": version.metrics,
        "registered_at": moment(version.created_at),
    }


def approval_body(deployment: Deployment) -> Json | None:
    """The decision that the move rests on."""
    approval = deployment.move.approval
    if approval is None:
        return None
    return {
        "decision": approval.decision,
        "task": approval.task,
        "by": person(approval.person),
        "role": approval.role,
        "comment": approval.comment,
        "at": moment(approval.decided_at),
        "digest": approval.digest,
        "was_requester": approval.was_requester,
    }


def person(user: User | None) -> Json | None:
    return None if user is None else {"username": user.username, "name": user.shown_name}


def _code_body(record: Record) -> Json:
    code = record.code
    assert code is not None  # noqa: S101 - asked for records with code only
    return {
        "kind": code.kind,
        "location": code.location,
        "snapshot": code.bundle_sha256,
        "commit": _commit_body(record) if code.kind == "snapshot" else None,
        "entry": code.entry or None,
    }


def _commit_body(record: Record) -> Json | None:
    """The commit whose bytes the run was given; None for code without one."""
    used = getattr(record.run, "code", None)
    if used is None or not used.snapshot.commit:
        return None
    snapshot = used.snapshot
    return {"sha": snapshot.commit, "subject": snapshot.subject, "dirty": snapshot.dirty}


def _environment_body(record: Record) -> Json:
    environment = record.environment
    assert environment is not None  # noqa: S101 - asked for records with an environment only
    return {
        "fingerprint": environment.fingerprint,
        "python": environment.python,
        "platform": environment.platform,
        "lock": environment.lock_sha256,
        "packages": environment.packages or [],
    }


def _parameters(found: Found) -> Json:
    """The parameters of the run that trained the model; those of each task stand at its record."""
    run_id = next(
        (
            found.records[use.record].run_id
            for use in found.walk.uses
            if use.wrote and use.artifact == found.model_artifact and use.record in found.records
        ),
        found.deployment.move.run_id,
    )
    return dict(Run.objects.values_list("params", flat=True).get(id=run_id))


def _data(found: Found) -> list[Json]:
    """Where the data came in: written by a record that read nothing."""
    sources = graph.sources(found.walk.uses)
    first = [found.artifacts[number] for number in found.walk.artifacts if number in sources]
    data = [artifact for artifact in first if artifact.kind in DATA_TYPES] or first
    return [
        {
            "artifact": str(artifact.uuid),
            "name": artifact.name,
            "sha256": artifact.content.sha256,
            "size": artifact.content.size,
            "rows": artifact.metadata.get("rows"),
        }
        for artifact in data
    ]


def _distinct(bodies: Iterable[Json]) -> list[Json]:
    """Each body once, in the order of its first appearance."""
    return list({repr(body): body for body in bodies}.values())
