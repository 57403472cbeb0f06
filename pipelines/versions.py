"""Versions: the only writer of them. One is published without problems, and never changes again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from pipelines import audit
from pipelines.canonical import sha256_of
from pipelines.checking import check
from pipelines.clock import EngineNow
from pipelines.errors import Conflict, Invalid, Stale
from pipelines.graph import Graph
from pipelines.limits import MAX_TITLE_LENGTH
from pipelines.models import (
    ApiToken,
    Edge,
    Pipeline,
    PipelineVersion,
    Task,
    User,
)
from pipelines.problems import Problem
from pipelines.validation import Result

Json = dict[str, Any]


@dataclass(frozen=True)
class Published:
    """``created`` is False when nothing had changed and ``version`` is the newest one as it was."""

    version: PipelineVersion
    created: bool
    problems: list[Problem]


def publish(
    pipeline: Pipeline,
    *,
    actor: User,
    message: str = "",
    activate: bool = True,
    token: ApiToken | None = None,
    expected: int | None = None,
) -> Published:
    """Freeze the draft as the next version, and activate it unless told otherwise.

    Unchanged (equal text and the same code) gives the newest version again. Invalid, with the problems,
    when the draft has errors; Stale when somebody saved it meanwhile, or since ``expected``, the revision
    that the publisher has read.
    """
    pipeline.refresh_from_db()
    if expected is not None and expected != pipeline.draft_revision:
        raise Stale(
            "Somebody saved the draft in between: read it again, then publish.",
            etag=f'"{pipeline.draft_revision}"',
        )
    result = check(pipeline.draft_text, pipeline.team, pipeline)
    spec = _publishable("The draft", result)
    with transaction.atomic():
        row = _locked(pipeline.pk)
        if row.draft_revision != pipeline.draft_revision:
            raise Stale("The draft was saved while it was being published: publish again.")
        frozen = _Frozen(row.draft_text, row.draft_layout, spec, message)
        version, created = _freeze(row, frozen, activate, actor, token)
    return Published(version, created, result.problems)


def publish_new_code(
    pipeline: Pipeline,
    *,
    actor: User,
    message: str = "",
    activate: bool = True,
    token: ApiToken | None = None,
) -> Published:
    """Publish the active version's text again, with the code that was synced last; the draft stays as it is.

    Unchanged code gives the newest version again. Invalid, with the problems, when the text does not fit the
    new code; Conflict when nothing is published yet, or another version was activated meanwhile.
    """
    pipeline.refresh_from_db()
    active = pipeline.active_version
    if active is None:
        raise Conflict("Nothing is published yet: publish the draft.", code="not-published")
    result = check(active.text, pipeline.team, pipeline)
    spec = _publishable(f"Version {active.number}, with the new code,", result)
    with transaction.atomic():
        row = _locked(pipeline.pk)
        if row.active_version_id != active.pk:
            raise Conflict(
                "Another version was activated in between: look again.", code="activated-meanwhile"
            )
        frozen = _Frozen(active.text, active.layout, spec, message)
        version, created = _freeze(row, frozen, activate, actor, token)
    return Published(version, created, result.problems)


@dataclass(frozen=True)
class _Frozen:
    """What a version is made of."""

    text: str
    layout: Json
    spec: Json
    message: str


def _locked(pipeline_id: int) -> Pipeline:
    return Pipeline.objects.select_for_update(of=("self",)).select_related("team").get(pk=pipeline_id)


def _freeze(
    row: Pipeline, frozen: _Frozen, activate: bool, actor: User, token: ApiToken | None
) -> tuple[PipelineVersion, bool]:
    """The version of a locked pipeline that holds this, and whether it had to be written."""
    newest = row.versions.filter(number=row.last_version_number).first()
    if newest is not None and _unchanged(newest, frozen.text, frozen.spec):
        version, created = newest, False
    else:
        version, created = _write_version(row, frozen, actor), True
    moved = activate and _point_at(row, version)
    if created:
        _audit_publish(version, actor, token)
    if moved:
        _audit_activate(version, actor, token)
    return version, created


def _publishable(what: str, result: Result) -> Json:
    errors = [problem for problem in result.problems if problem.severity == "error"]
    if errors or result.spec is None:
        raise Invalid(
            f"{what} has {len(errors)} {'problem' if len(errors) == 1 else 'problems'}: {_first(errors)}",
            code="draft-has-problems",
            errors=[(problem.path or "document", problem.message) for problem in errors],
            problems=[problem.to_json() for problem in result.problems],
        )
    return result.spec


def _first(errors: Sequence[Problem]) -> str:
    """The first three of them; all are in the list that goes with the refusal."""
    more = len(errors) - 3
    words = [error.message for error in errors[:3]] + [f"And {more} more."] * (more > 0)
    return " ".join(words) or "it is empty."


def _unchanged(version: PipelineVersion, text: str, spec: Json) -> bool:
    return version.text_sha256 == sha256_of(text) and version.spec.get("code") == spec.get("code")


def _write_version(pipeline: Pipeline, frozen: _Frozen, actor: User) -> PipelineVersion:
    pipeline.last_version_number += 1
    pipeline.save(update_fields=["last_version_number"])
    version = PipelineVersion(
        pipeline=pipeline,
        number=pipeline.last_version_number,
        text=frozen.text,
        text_sha256=sha256_of(frozen.text),
        spec=frozen.spec,
        spec_sha256=sha256_of(canonical(frozen.spec)),
        layout=frozen.layout,
        message=frozen.message,
        created_by=actor,
    )
    version.save(force_insert=True)
    _write_graph(version, frozen.spec)
    return version


def _write_graph(version: PipelineVersion, spec: Json) -> None:
    """The rows of tasks and edges; a scope before what is inside it, as rows name their parent's."""
    written: dict[str, Task] = {}
    waiting = list(enumerate(spec["tasks"]))
    while waiting:
        level = [(position, task) for position, task in waiting if task["parent"] in (None, *written)]
        if not level:
            raise ValueError("a task names a scope that is not in the graph")
        rows = [
            Task(
                version=version,
                key=task["key"],
                parent=written.get(task["parent"]),
                position=position,
                kind=task["kind"],
                queue=task["queue"] or "",
                spec=task,
            )
            for position, task in level
        ]
        for row in Task.objects.bulk_create(rows, batch_size=1000):
            written[row.key] = row
        waiting = [(position, task) for position, task in waiting if task["key"] not in written]
    Edge.objects.bulk_create(
        [
            Edge(
                version=version,
                up=written[edge["up"]],
                down=written[edge["down"]],
                rule=edge["rule"],
                data=edge["data"],
            )
            for edge in spec["edges"]
        ],
        batch_size=1000,
    )


def activate(version: PipelineVersion, *, actor: User, token: ApiToken | None = None) -> bool:
    """Make a version the one that triggers and plain runs use. False when it was that already."""
    with transaction.atomic():
        row = (
            Pipeline.objects.select_for_update(of=("self",))
            .select_related("team")
            .get(pk=version.pipeline_id)
        )
        if not _point_at(row, version):
            return False
        _audit_activate(version, actor, token)
    return True


def _point_at(pipeline: Pipeline, version: PipelineVersion) -> bool:
    if pipeline.active_version_id == version.pk:
        return False
    pipeline.active_version = version
    pipeline.title = str(version.spec.get("title", ""))[:MAX_TITLE_LENGTH]
    pipeline.description = str(version.spec.get("description", ""))
    pipeline.save(update_fields=["active_version", "title", "description"])
    return True


def _audit_publish(version: PipelineVersion, actor: User, token: ApiToken | None) -> None:
    audit.write(
        actor,
        "version.publish",
        version,
        {
            "number": version.number,
            "message": version.message,
            "text_sha256": version.text_sha256,
            "spec_sha256": version.spec_sha256,
        },
        team=version.pipeline.team,
        token=token,
    )


def _audit_activate(version: PipelineVersion, actor: User, token: ApiToken | None) -> None:
    audit.write(
        actor,
        "version.activate",
        version,
        {"number": version.number, "spec_sha256": version.spec_sha256},
        team=version.pipeline.team,
        token=token,
    )


# --- the end -------------------------------------------------------------------------------------------


def archive(pipeline: Pipeline, *, actor: User, token: ApiToken | None = None) -> None:
    """Take a pipeline out of sight. Its versions and runs stay, and so does its name."""
    with transaction.atomic():
        changed = Pipeline.objects.filter(pk=pipeline.pk, archived_at=None).update(archived_at=EngineNow())
        if changed:
            audit.write(actor, "pipeline.archive", pipeline, {}, team=pipeline.team, token=token)


def restore(pipeline: Pipeline, *, actor: User, token: ApiToken | None = None) -> None:
    """Take an archived pipeline back among the others."""
    with transaction.atomic():
        archived = Pipeline.objects.filter(pk=pipeline.pk).exclude(archived_at=None)
        if archived.update(archived_at=None):
            audit.write(actor, "pipeline.restore", pipeline, {}, team=pipeline.team, token=token)


def canonical(value: Any) -> str:
    """JSON that is equal for equal values: keys sorted, no spaces, text as it is."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def graph_of(version: PipelineVersion) -> Graph:
    return Graph.from_json(version.spec)
