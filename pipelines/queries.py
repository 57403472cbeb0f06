"""What pages and programs ask about pipelines. Read only; each costs a constant number of queries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.fields.json import KeyTransform
from django.db.models.functions import Coalesce

from pipelines import ownership
from pipelines.clock import EngineNow
from pipelines.lookups import lookups
from pipelines.models import ApiToken, AuditEvent, Membership, Pipeline, PipelineVersion, Team, User

# Columns that may be megabytes and that no list shows.
HEAVY = ("text", "spec", "layout")


ME: Final = "me"
NOBODY: Final = "none"


def pipelines(visible: QuerySet[Pipeline], wanted: Mapping[str, str], reader: User) -> QuerySet[Pipeline]:
    """The pipelines not archived, as lists show them; ``wanted`` has q, team, owner, tag and state.

    The owner is a user name, or ``me`` for the reader, or ``none`` for those without an active owner.
    """
    rows = visible.filter(archived_at=None)
    if q := wanted.get("q", "").strip():
        rows = rows.filter(Q(name__icontains=q) | Q(title__icontains=q) | Q(description__icontains=q))
    if team := wanted.get("team"):
        rows = rows.filter(team__slug=team)
    if owner := wanted.get("owner"):
        rows = _owned(rows, owner, reader)
    if tag := wanted.get("tag"):
        rows = rows.filter(tags__contains=[tag])
    if state := wanted.get("state"):
        rows = lookups.in_state(rows, state)
    return listed(rows)


def _owned(rows: QuerySet[Pipeline], owner: str, reader: User) -> QuerySet[Pipeline]:
    if owner == NOBODY:
        return ownership.without_owner(rows)
    return rows.filter(owner=reader) if owner == ME else rows.filter(owner__username=owner)


def listed(rows: QuerySet[Pipeline]) -> QuerySet[Pipeline]:
    """With all that a list shows, and without the large columns."""
    heavy = [f"active_version__{name}" for name in HEAVY]
    return (
        rows.select_related("team", "owner", "deputy", "paused_by", "active_version__created_by")
        .defer("draft_text", "draft_layout", *heavy)
        .annotate(
            owner_active=ownership.is_active("owner"),
            deputy_active=ownership.is_active("deputy"),
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


def service_accounts(rows: QuerySet[User]) -> QuerySet[User]:
    """With ``roles`` (a list), ``live_tokens`` (how many) and ``last_used_at``, team and maker."""
    held = Membership.objects.filter(user=OuterRef("pk"), team=OuterRef("service_of"), ended_at=None)
    own = ApiToken.objects.filter(user=OuterRef("pk")).order_by().values("user")
    living = own.filter(revoked_at=None, expiry__gt=EngineNow())
    return rows.select_related("service_of", "created_by").annotate(
        roles=ArraySubquery(held.values("role")),
        live_tokens=Coalesce(Subquery(living.annotate(n=Count("pk")).values("n")), 0),
        last_used_at=Subquery(own.annotate(last=Max("last_used_at")).values("last")),
    )


def members(team: Team, wanted: Mapping[str, str]) -> QuerySet[User]:
    """The people of a team; ``wanted`` has q (part of a name) and can_own (``true``: may be owner)."""
    if wanted.get("can_own", "").lower() == "true":
        rows = ownership.members(team)
    else:
        rows = User.objects.filter(memberships__team=team, memberships__ended_at=None).distinct()
    if q := wanted.get("q", "").strip():
        rows = rows.filter(Q(username__icontains=q) | Q(first_name__icontains=q) | Q(last_name__icontains=q))
    return rows
