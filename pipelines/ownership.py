"""Whose a pipeline is and what it is for: the only writer of its owner, deputy, purpose, runbook and tags.

An owner or deputy is *active* while they are a person who may sign in and is a member of the pipeline's
team, in whatever role. Nobody else can be named; who leaves stays named, and stops being active.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from pipelines import audit
from pipelines.errors import Invalid
from pipelines.models import ApiToken, Membership, Pipeline, Team, User
from pipelines.problems import listed

KEEPERS: Final = ("owner", "deputy")
FIELDS: Final = (*KEEPERS, "purpose", "runbook", "tags")


def members(team: Team) -> QuerySet[User]:
    """Who can be owner or deputy in a team: its active people, without service accounts."""
    held = Membership.objects.filter(team=team, user=OuterRef("pk"), ended_at=None)
    return User.objects.filter(Exists(held), is_active=True, service_of=None)


def is_active(keeper: str) -> Exists:
    """Whether the ``owner`` or ``deputy`` of a row of Pipeline is active; False where there is none."""
    return Exists(
        Membership.objects.filter(
            team=OuterRef("team"),
            user=OuterRef(keeper),
            ended_at=None,
            user__is_active=True,
            user__service_of=None,
        )
    )


def without_owner(rows: QuerySet[Pipeline]) -> QuerySet[Pipeline]:
    """Those that have no active owner: nobody is named, or who is named has left."""
    return rows.filter(~is_active("owner"))


def member(team: Team, username: str, keeper: str) -> User:
    """The member of a team of this name, to be its ``owner`` or ``deputy``; Invalid when there is none."""
    found = members(team).filter(username=username).first()
    if found is None:
        raise _not_a_member(team, username, keeper)
    return found


def _not_a_member(team: Team, username: str, keeper: str) -> Invalid:
    return Invalid(
        f"'{username}' is not an active member of the team {team.slug}: name one of its people.",
        errors=[(keeper, "Not an active member of the team.")],
    )


def describe(
    pipeline: Pipeline, changes: Mapping[str, Any], *, actor: User, token: ApiToken | None = None
) -> Pipeline:
    """Change fields of a pipeline that are not of its text: those of FIELDS, keepers given as User or None.

    Invalid when a new owner or deputy is no active member of its team.
    """
    with transaction.atomic():
        row = Pipeline.objects.select_for_update(of=("self",)).select_related("team").get(pk=pipeline.pk)
        changed = {name: value for name, value in changes.items() if getattr(row, name) != value}
        for name, value in changed.items():
            if name in KEEPERS and value is not None:
                member(row.team, value.username, name)
            setattr(row, name, value)
        if changed:
            row.save(update_fields=list(changed))
            told = {name: str(value) if isinstance(value, User) else value for name, value in changed.items()}
            audit.write(actor, "pipeline.describe", row, told, team=row.team, token=token)
    return row


def assign(
    pipelines: Sequence[Pipeline],
    keeper: str,
    person: User | None,
    *,
    actor: User,
    token: ApiToken | None = None,
) -> int:
    """Make a person the ``owner`` or ``deputy`` of many pipelines, or nobody; how many were changed.

    All or none: Invalid, naming the teams, when the person is no active member of each.
    """
    if person is not None:
        _refuse_strangers(pipelines, keeper, person)
    with transaction.atomic():
        named = Pipeline.objects.filter(pk__in=[row.pk for row in pipelines])
        # In the order of ids, so that two who do this at once do not wait for each other.
        rows = named.select_for_update().order_by("pk")
        changed = [row for row in rows if getattr(row, f"{keeper}_id") != (person and person.pk)]
        for row in changed:
            describe(row, {keeper: person}, actor=actor, token=token)
    return len(changed)


def _refuse_strangers(pipelines: Collection[Pipeline], keeper: str, person: User) -> None:
    teams = Team.objects.filter(pk__in={row.team_id for row in pipelines}).order_by("slug")
    known = Membership.objects.filter(user=person, ended_at=None).values("team")
    may_own = person.is_active and person.service_of_id is None
    strange = teams.exclude(pk__in=known) if may_own else teams
    if names := list(strange.values_list("slug", flat=True)):
        raise Invalid(
            f"'{person.username}' is not an active member of {listed(names)}: "
            "name somebody of the pipelines' own team, or take them into it first.",
            errors=[(keeper, f"Not an active member of {listed(names)}.")],
        )
