"""Drafts and versions: the only writer of both.

A draft is saved with its problems; a version is published without any, and never changes again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import IntegrityError, transaction

from pipelines import audit, document, grants, secrets
from pipelines.clock import EngineNow
from pipelines.context import CodeSeen, Context
from pipelines.errors import Conflict, Invalid, Stale, TooLarge
from pipelines.graph import Graph
from pipelines.limits import MAX_DOCUMENT_BYTES, MAX_TITLE_LENGTH
from pipelines.lookups import lookups
from pipelines.models import (
    ApiToken,
    CodeLocation,
    CodeSnapshot,
    Edge,
    Membership,
    Pipeline,
    PipelineVersion,
    Task,
    Team,
    User,
)
from pipelines.problems import Problem
from pipelines.signatures import Signature
from pipelines.storable import is_json, is_text
from pipelines.validation import Result, validate

MAX_LAYOUT_BYTES: Final = 1024 * 1024
MAX_NAME: Final = 63
Json = dict[str, Any]


# --- what a document may name ---------------------------------------------------------------------------


class StoredBlocks(Mapping[str, Signature]):
    """The signatures of a snapshot, made from their JSON when asked for: a document names few of them."""

    def __init__(self, stored: Mapping[str, Json]) -> None:
        self.stored = stored

    def __getitem__(self, name: str) -> Signature:
        return Signature.from_json(self.stored[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self.stored)

    def __len__(self) -> int:
        return len(self.stored)


def context_of(team: Team, pipeline: Pipeline | None = None) -> Context:
    """What a document of this team may name, as the database knows it now."""
    return Context(
        locations=_locations(team),
        queues=lookups.queues(team),
        endpoints=lookups.endpoints(team),
        secrets=secrets.names(team),
        users=set(
            Membership.objects.filter(team=team, ended_at=None, user__is_active=True).values_list(
                "user__username", flat=True
            )
        ),
        pipeline_fields=_fields_of(pipeline) if pipeline else None,
        pipeline_name=pipeline.name if pipeline else None,
        slots=lookups.slots(),
    )


def _locations(team: Team) -> dict[str, CodeSeen]:
    rows = grants.usable(CodeLocation.objects.filter(archived_at=None), team.pk)
    found = list(rows.select_related("team", "last_snapshot"))
    environments = lookups.environments([row.last_snapshot_id for row in found if row.last_snapshot_id])
    return {grants.named_in(row, team.pk): _seen(row.last_snapshot, environments) for row in found}


def _seen(snapshot: CodeSnapshot | None, environments: Mapping[int, Json]) -> CodeSeen:
    if snapshot is None:
        return CodeSeen()
    blocks = StoredBlocks(snapshot.blocks)
    lock = snapshot.lock_sha256 or None
    return CodeSeen(snapshot.tree_sha256, lock, blocks, environments.get(snapshot.pk))


def _fields_of(pipeline: Pipeline) -> Json:
    """The fields that a production deployment needs: of the pipeline, not of the text."""
    return {
        "purpose": pipeline.purpose,
        "runbook": pipeline.runbook,
        "owner": pipeline.owner.username if pipeline.owner else "",
        "deputy": pipeline.deputy.username if pipeline.deputy else "",
    }


def check(text: str, team: Team, pipeline: Pipeline | None = None) -> Result:
    """Every problem of a text as a document of this team."""
    return validate(text, context_of(team, pipeline))


def name_in(text: str) -> str | None:
    """The pipeline name that a text gives itself, when it can be read so far."""
    root = document.parse(text).root
    node = root.get("name") if root is not None else None
    return node.raw if node is not None and isinstance(node.raw, str) else None


# --- drafts ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Saved:
    """A saved draft: its pipeline, the number its ETag is made of, and what keeps it from publishing.

    ``problems`` is None when the document was not judged.
    """

    pipeline: Pipeline
    problems: list[Problem] | None

    @property
    def revision(self) -> int:
        return self.pipeline.draft_revision


def create(
    team: Team,
    name: str,
    *,
    actor: User,
    text: str = "",
    layout: Mapping[str, Any] | None = None,
    token: ApiToken | None = None,
    **fields: Any,
) -> Pipeline:
    """A new pipeline with a draft, owned by who made it. Conflict when the team has one of that name."""
    layout = dict(layout or {})
    _refuse_unstorable(text, layout)
    title, description = _headline(check(text, team)) if text else ("", "")
    pipeline = Pipeline(
        team=team,
        name=name,
        title=title,
        description=description,
        draft_text=text,
        draft_layout=layout,
        draft_saved_by=actor,
        draft_saved_at=EngineNow(),
        **{"owner": actor, **fields},
    )
    try:
        with transaction.atomic():
            pipeline.save(force_insert=True)
            audit.write(
                actor,
                "pipeline.create",
                pipeline,
                {"name": name, "text_sha256": digest(text)},
                team=team,
                token=token,
            )
    except IntegrityError:
        raise Conflict(
            f"The team {team.slug} has, or had, a pipeline '{name}': choose another name.", code="name-taken"
        ) from None
    pipeline.refresh_from_db(fields=["draft_saved_at", "created_at"])
    return pipeline


def save_draft(
    pipeline: Pipeline,
    text: str,
    layout: Mapping[str, Any] | None = None,
    *,
    actor: User,
    token: ApiToken | None = None,
    expected: int | None = None,
) -> Saved:
    """Store a text with whatever problems it has. ``layout`` None keeps the positions.

    ``expected`` is the revision the writer has read: Stale when somebody saved since. TooLarge and Invalid
    when it cannot be stored. Saving what is there already changes nothing.
    """
    _refuse_unstorable(text, layout or {})
    result = check(text, pipeline.team, pipeline)
    with transaction.atomic():
        row = Pipeline.objects.select_for_update(of=("self",)).select_related("team").get(pk=pipeline.pk)
        if expected is not None and expected != row.draft_revision:
            raise Stale(
                "Somebody saved in between: read the draft again, then save yours.",
                etag=f'"{row.draft_revision}"',
            )
        positions = row.draft_layout if layout is None else dict(layout)
        if (text, positions) != (row.draft_text, row.draft_layout):
            _store_draft(row, text, positions, result, actor, token)
    return Saved(row, result.problems)


def _store_draft(
    row: Pipeline, text: str, layout: Json, result: Result, actor: User, token: ApiToken | None
) -> None:
    row.draft_text, row.draft_layout = text, layout
    row.draft_revision += 1
    row.draft_saved_by, row.draft_saved_at = actor, EngineNow()
    if row.active_version_id is None and result.graph is not None:
        row.title, row.description = _headline(result)
    row.save(
        update_fields=[
            "draft_text",
            "draft_layout",
            "draft_revision",
            "draft_saved_by",
            "draft_saved_at",
            "title",
            "description",
        ]
    )
    row.refresh_from_db(fields=["draft_saved_at"])
    audit.write(
        actor,
        "draft.save",
        row,
        {"revision": row.draft_revision, "text_sha256": digest(text), "problems": len(result.problems)},
        team=row.team,
        token=token,
    )


def _headline(result: Result) -> tuple[str, str]:
    graph = result.graph
    return (graph.title[:MAX_TITLE_LENGTH], graph.description) if graph else ("", "")


def _refuse_unstorable(text: str, layout: Mapping[str, Any]) -> None:
    """What the database cannot hold is refused by name; everything else is stored, problems or not."""
    if len(text.encode("utf-8", errors="replace")) > MAX_DOCUMENT_BYTES:
        limit = f"{MAX_DOCUMENT_BYTES // 1024**2} MiB"
        raise TooLarge(f"A document has at most {limit}.", code="document-too-large")
    if not is_text(text):
        raise Invalid(
            "The document holds characters that are no text.",
            errors=[("document", "Characters that are no text.")],
        )
    if not is_json(layout):
        raise Invalid("The layout holds what JSON cannot say.", errors=[("layout", "Not plain JSON.")])
    if len(json.dumps(layout)) > MAX_LAYOUT_BYTES:
        limit = f"{MAX_LAYOUT_BYTES // 1024} KiB of JSON"
        raise TooLarge(f"A layout has at most {limit}.", code="layout-too-large")


# --- versions -------------------------------------------------------------------------------------------


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
    return version.text_sha256 == digest(text) and version.spec.get("code") == spec.get("code")


def _write_version(pipeline: Pipeline, frozen: _Frozen, actor: User) -> PipelineVersion:
    pipeline.last_version_number += 1
    pipeline.save(update_fields=["last_version_number"])
    version = PipelineVersion(
        pipeline=pipeline,
        number=pipeline.last_version_number,
        text=frozen.text,
        text_sha256=digest(frozen.text),
        spec=frozen.spec,
        spec_sha256=digest(canonical(frozen.spec)),
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


# --- digests --------------------------------------------------------------------------------------------


def canonical(value: Any) -> str:
    """JSON that is equal for equal values: keys sorted, no spaces, text as it is."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(text: str) -> str:
    """sha256 of a text in UTF-8, as hex."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def graph_of(version: PipelineVersion) -> Graph:
    return Graph.from_json(version.spec)
