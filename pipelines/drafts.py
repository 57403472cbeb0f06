"""Drafts: the only writer of them. One is saved with whatever problems it has."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db import IntegrityError, transaction

from pipelines import audit
from pipelines.canonical import sha256_of
from pipelines.checking import check
from pipelines.clock import EngineNow
from pipelines.errors import Conflict, Invalid, Stale, TooLarge
from pipelines.limits import MAX_DOCUMENT_BYTES, MAX_TITLE_LENGTH
from pipelines.models import (
    ApiToken,
    Pipeline,
    Team,
    User,
)
from pipelines.problems import Problem
from pipelines.storable import is_json, is_text
from pipelines.validation import Result

MAX_LAYOUT_BYTES: Final = 1024 * 1024
Json = dict[str, Any]


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
                {"name": name, "text_sha256": sha256_of(text)},
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
        {"revision": row.draft_revision, "text_sha256": sha256_of(text), "problems": len(result.problems)},
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
