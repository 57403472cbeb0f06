"""What the API answers about pipelines and people, as plain JSON: many rows at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipelines import audit
from pipelines.access import Rights
from pipelines.api.base import paused, person
from pipelines.drafts import Saved
from pipelines.graph import Graph, parameters_in_order
from pipelines.lookups import lookups
from pipelines.models import (
    ApiToken,
    AuditEvent,
    Pipeline,
    PipelineVersion,
    Team,
    User,
)
from pipelines.signatures import Signature, read_source

Body = dict[str, Any]
LAST_RUNS = 20


def pipelines(rights: Rights, rows: Sequence[Pipeline]) -> list[Body]:
    """PIPELINE of each row; the rows come from ``queries.listed``."""
    runs = lookups.last_runs([row.pk for row in rows], LAST_RUNS)
    return [_pipeline(rights, row, runs.get(row.pk, [])) for row in rows]


def _pipeline(rights: Rights, row: Pipeline, runs: list[Body]) -> Body:
    version = row.active_version
    return {
        "id": row.uuid,
        "name": row.name,
        "title": row.title,
        "description": row.description,
        "team": row.team.slug,
        "owner": _keeper(row, "owner"),
        "deputy": _keeper(row, "deputy"),
        "purpose": row.purpose,
        "runbook": row.runbook,
        "tags": row.tags,
        "active_version": _summary(version) if version else None,
        "parameters": parameters_in_order(
            {
                "parameters": getattr(row, "active_parameters", None),
                "parameter_order": getattr(row, "active_parameter_order", None),
            }
        ),
        "state": runs[0]["state"] if runs else None,
        "last_runs": runs,
        **paused(row),
        "can": {verb: rights.can(verb, row) for verb in ("run", "edit", "pause")},
    }


def _keeper(row: Pipeline, keeper: str) -> Body | None:
    """PERSON with whether they are still there for the pipeline; None when nobody is named."""
    somebody = person(getattr(row, keeper))
    return {**somebody, "active": getattr(row, f"{keeper}_active")} if somebody else None


def _summary(version: PipelineVersion) -> Body:
    return {
        "number": version.number,
        "message": version.message,
        "created_at": version.created_at,
        "created_by": person(version.created_by),
    }


def versions(pipeline: Pipeline, rows: Sequence[PipelineVersion]) -> list[Body]:
    """The short form of each version."""
    return [{**_summary(row), "active": row.pk == pipeline.active_version_id} for row in rows]


def version(pipeline: Pipeline, row: PipelineVersion) -> Body:
    """A version with its text and its graph."""
    return {
        **versions(pipeline, [row])[0],
        "text": row.text,
        "text_sha256": row.text_sha256,
        "spec_sha256": row.spec_sha256,
        "layout": row.layout,
        "code": row.spec.get("code"),
        "parameters": parameters_in_order(row.spec),
        "graph": graph(row.spec),
    }


_TASK_KEYS = ("key", "name", "parent", "kind", "title", "queue", "config", "inputs", "outputs")


def graph(spec: Body | None) -> Body | None:
    """What is drawn of a spec: its tasks and edges."""
    if spec is None:
        return None
    tasks = [{name: task.get(name) for name in _TASK_KEYS} for task in spec["tasks"]]
    return {"tasks": tasks, "edges": spec["edges"]}


def signatures(graph: Graph | None) -> Body:
    """What code written into a document takes and gives, by key of its task; none where it cannot be read."""
    sources = {task.key: task.config.get("source") for task in (graph.tasks if graph else ())}
    read = {key: read_source(source) for key, source in sources.items() if isinstance(source, str)}
    return {key: found.to_json() for key, found in read.items() if isinstance(found, Signature)}


def draft(saved: Saved) -> Body:
    """A draft; ``problems`` null when it was not judged, ``etag`` is what If-Match wants at the next save."""
    row = saved.pipeline
    return {
        "document": row.draft_text,
        "layout": row.draft_layout,
        "problems": None if saved.problems is None else [problem.to_json() for problem in saved.problems],
        "etag": f'"{row.draft_revision}"',
        "saved_at": row.draft_saved_at,
        "saved_by": person(row.draft_saved_by),
    }


def me(user: User, rights: Rights) -> Body:
    """Who asks, and in which teams they have which roles."""
    teams = Team.objects.filter(pk__in=rights.roles).order_by("slug")
    return {
        "username": user.username,
        "email": user.email,
        "name": user.shown_name,
        "is_superuser": rights.site_admin,
        "time_zone": user.time_zone,
        "locale": user.locale,
        "teams": [team(row, rights) for row in teams],
    }


def team(row: Team, rights: Rights) -> Body:
    return {"slug": row.slug, "name": row.name, "roles": sorted(rights.roles_in(row.pk))}


def token(row: ApiToken) -> Body:
    """A token without its text, which nobody has but who made it; from ``tokens.with_state``."""
    return {
        "id": row.uuid,
        "name": row.name,
        "team": row.team.slug if row.team else None,
        "state": row.state,
        "scopes": row.scopes,
        "created_at": row.created,
        "expires_at": row.expiry,
        "last_used_at": row.last_used_at,
        "revoked_at": row.revoked_at,
    }


def event(row: AuditEvent) -> Body:
    """One audit row with all that its hash covers; ``payload`` is null once it has been erased."""
    return {
        "id": row.uuid,
        "chain": row.chain,
        "seq": row.seq,
        "team": row.team.slug if row.team else None,
        "at": row.at,
        "actor": row.actor_name,
        "token": row.token.uuid if row.token else None,
        "verb": row.verb,
        "object": {"kind": row.object_kind, "id": row.object_uuid, "name": row.object_name},
        "payload": audit.payload_of(row),
        "payload_sha256": row.payload_sha256,
        "prev_hash": row.prev_hash,
        "hash": row.hash,
    }
