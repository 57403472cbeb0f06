"""What a document of a team may name, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipelines import document, grants, secrets
from pipelines.context import CodeSeen, Context
from pipelines.lookups import lookups
from pipelines.models import (
    CodeLocation,
    CodeSnapshot,
    Membership,
    Pipeline,
    Team,
)
from pipelines.signatures import Signature
from pipelines.validation import Result, validate

Json = dict[str, Any]


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
