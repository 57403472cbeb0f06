"""Rows as the plain JSON of the API."""

from __future__ import annotations

import json
from typing import Any

from lineage import previews
from lineage.models import Artifact, Deployment, Endpoint, Model, ModelVersion, Record, Use
from lineage.trace import approval_body
from pipelines.api.base import person

Body = dict[str, Any]


def record(row: Record) -> Body:
    return {
        "id": row.uuid,
        "job": row.job,
        "task": row.task,
        "kind": row.kind,
        "state": row.state,
        "attempt_no": row.attempt_no,
        "run": row.run.uuid,
        "run_number": row.run.number,
        "started_at": row.started_at,
        "finished_at": row.finished_at,
        "grade": row.grade,
        "digest": row.digest,
    }


def artifact(row: Artifact) -> Body:
    return {
        "id": row.uuid,
        "team": row.team.slug,
        "name": row.name,
        "kind": row.kind,
        "sha256": row.content.sha256,
        "size": row.content.size,
        "media_type": row.content.media_type,
        "metadata": row.metadata,
        "created_at": row.created_at,
    }


def artifact_detail(
    row: Artifact,
    producer: Use | None,
    versions: list[ModelVersion],
    endpoints: dict[int, list[Endpoint]],
    *,
    present: bool,
) -> Body:
    inline = row.content.inline
    part = previews.whole(row)
    return {
        **artifact(row),
        "file_name": part.name,
        "is_folder": part.is_folder,
        "present": present,
        "value": None if inline is None else json.loads(inline),
        "produced_by": made_by(producer.record) if producer else None,
        "slot": producer.slot if producer else None,
        "model_versions": [registered(version, endpoints[version.pk]) for version in versions],
    }


def made_by(row: Record) -> Body:
    pipeline = row.run.pipeline
    return {
        **record(row),
        "pipeline": {"team": pipeline.team.slug, "name": pipeline.name, "title": pipeline.title},
        "version": row.version.number,
        "requested_by": person(row.run.requested_by),
        "metrics": row.metrics or {},
    }


def registered(row: ModelVersion, endpoints: list[Endpoint]) -> Body:
    return {
        **model_version(row),
        "team": row.model.team.slug,
        "deployed_to": [{"team": one.team.slug, "name": one.name, "stage": one.stage} for one in endpoints],
    }


def neighbour(use: Use, uses: list[Use]) -> Body:
    return {
        "record": record(use.record),
        "slot": use.slot,
        "artifacts": [
            {"slot": use.slot, "position": use.position, "artifact": artifact(use.artifact)} for use in uses
        ],
    }


def model(row: Model, latest: ModelVersion | None) -> Body:
    return {
        "id": row.uuid,
        "team": row.team.slug,
        "name": row.name,
        "created_at": row.created_at,
        "latest": model_version(latest) if latest else None,
    }


def model_version(row: ModelVersion) -> Body:
    return {
        "id": row.uuid,
        "model": row.model.name,
        "version": row.number,
        "sha256": row.sha256,
        "artifact": row.artifact.uuid,
        "metrics": row.metrics,
        "created_at": row.created_at,
        "registered_by": person(row.registered_by),
        "run": row.run.uuid,
        "run_number": row.run.number,
    }


def model_version_detail(row: ModelVersion, made_from: list[Artifact], endpoints: list[str]) -> Body:
    return {
        **model_version(row),
        "team": row.model.team.slug,
        "size": row.artifact.content.size,
        "media_type": row.artifact.content.media_type,
        "pipeline": row.run.pipeline.name,
        "record": record(row.record),
        "made_from": [artifact(one) for one in made_from],
        "deployed_to": endpoints,
    }


def endpoint(row: Endpoint) -> Body:
    return {
        "id": row.uuid,
        "name": row.name,
        "team": row.team.slug,
        "stage": row.stage,
        "address": row.address,
        "description": row.description,
        "created_at": row.created_at,
    }


def move(row: Deployment) -> Body:
    return {
        "id": row.move.uuid,
        "model": row.model_version.model.name,
        "version": row.model_version.number,
        "sha256": row.model_version.sha256,
        "since": row.move.at,
        "until": getattr(row.during, "upper", None),
        "moved_by": person(row.move.moved_by),
        "run": row.move.run.uuid,
        "run_number": row.move.run.number,
        "reason": row.move.reason,
        "approval": approval_body(row),
    }


def deployment(row: Endpoint, current: Deployment | None) -> Body:
    return {"endpoint": endpoint(row), "current": move(current) if current else None}
