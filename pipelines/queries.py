"""What pages and programs ask about pipelines. Read only; each costs a constant number of queries."""

from __future__ import annotations

from collections.abc import Mapping

from django.db.models import Q, QuerySet
from django.db.models.fields.json import KeyTransform

from pipelines.lookups import lookups
from pipelines.models import AuditEvent, Pipeline, PipelineVersion, User

# Columns that may be megabytes and that no list shows.
HEAVY = ("text", "spec", "layout")


def pipelines(visible: QuerySet[Pipeline], wanted: Mapping[str, str]) -> QuerySet[Pipeline]:
    """The pipelines not archived, as lists show them; ``wanted`` has q, team, owner, tag and state."""
    rows = visible.filter(archived_at=None)
    if q := wanted.get("q", "").strip():
        rows = rows.filter(Q(name__icontains=q) | Q(title__icontains=q) | Q(description__icontains=q))
    if team := wanted.get("team"):
        rows = rows.filter(team__slug=team)
    if owner := wanted.get("owner"):
        rows = rows.filter(owner__username=owner)
    if tag := wanted.get("tag"):
        rows = rows.filter(tags__contains=[tag])
    if state := wanted.get("state"):
        rows = lookups.in_state(rows, state)
    return listed(rows)


def listed(rows: QuerySet[Pipeline]) -> QuerySet[Pipeline]:
    """With all that a list shows, and without the large columns."""
    heavy = [f"active_version__{name}" for name in HEAVY]
    return (
        rows.select_related("team", "owner", "deputy", "active_version__created_by")
        .defer("draft_text", "draft_layout", *heavy)
        .annotate(
            active_parameters=KeyTransform("parameters", "active_version__spec"),
            active_parameter_order=KeyTransform("parameter_order", "active_version__spec"),
        )
    )


def versions(pipeline: Pipeline) -> QuerySet[PipelineVersion]:
    """All versions of a pipeline, without the large columns."""
    return pipeline.versions.select_related("created_by").defer(*HEAVY)


def audit_events(visible: QuerySet[AuditEvent], wanted: Mapping[str, str]) -> QuerySet[AuditEvent]:
    """Audit rows with their payloads; ``wanted`` has verb and object (a uuid that was checked)."""
    rows = visible.select_related("team", "actor", "token", "payload")
    if verb := wanted.get("verb"):
        rows = rows.filter(verb=verb)
    if obj := wanted.get("object"):
        rows = rows.filter(object_uuid=obj)
    return rows


def person_named(username: str) -> User | None:
    """An active person by user name."""
    return User.objects.filter(username=username, is_active=True).first()
