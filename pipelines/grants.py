"""What one team lends to another: the only writer of grants, and what documents may therefore name.

A grant lends one thing for one verb. Lent for ``use``, documents of the other team name it ``owner:name``;
this is asked when a document is judged and again when its run starts, so that ending a grant is felt at once
by whatever starts afterwards. A run that has begun keeps the code it began with; a secret is given to no
further task of it.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, TypeVar
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Model, Q, QuerySet

from pipelines import audit, signals
from pipelines.access import kind_of, team_id_of
from pipelines.clock import EngineNow
from pipelines.errors import Conflict, Invalid
from pipelines.models import ApiToken, CodeLocation, Grant, Pipeline, Secret, Team, User
from pipelines.problems import listed

M = TypeVar("M", bound=Model)
USE: Final = "use"

# kind -> its model and the verbs for which it can be lent; higher apps add theirs with `lendable`.
_kinds: Final[dict[str, tuple[type[Model], tuple[str, ...]]]] = {}
# Kinds whose things are never archived.
_lasting: Final[set[str]] = set()


def lendable(model: type[Model], *verbs: str, lasting: bool = False) -> None:
    """Let things of ``model``, which have uuid, team and name, be lent for these verbs."""
    _kinds[kind_of(model)] = (model, verbs)
    if lasting:
        _lasting.add(kind_of(model))


lendable(Pipeline, "view", "run")
lendable(CodeLocation, USE)
lendable(Secret, USE)


def kinds() -> dict[str, tuple[str, ...]]:
    """Each kind of thing that can be lent, with the verbs."""
    return {kind: verbs for kind, (_, verbs) in _kinds.items()}


def things(kind: str) -> QuerySet[Model]:
    """The things of a kind that can be lent now. Invalid for a kind that there is not."""
    if kind not in _kinds:
        known = listed(sorted(_kinds), 20)
        raise Invalid(f"Only {known} can be lent.", errors=[("kind", f"One of {known}.")])
    rows = _kinds[kind][0]._default_manager.select_related("team")
    return rows if kind in _lasting else rows.filter(archived_at=None)


# --- writing --------------------------------------------------------------------------------------------


def lend(thing: Model, team: Team, verb: str, *, actor: User, token: ApiToken | None = None) -> Grant:
    """Let ``team`` do ``verb`` with a thing of another team. Conflict when it may already.

    Invalid for a verb that its kind is not lent for, and for the team it belongs to.
    """
    owner = Team.objects.get(pk=team_id_of(thing) or 0)
    _refuse(thing, owner, team, verb)
    grant = Grant(
        owner=owner,
        team=team,
        verb=verb,
        object_kind=kind_of(thing),
        object_uuid=thing.uuid,  # type: ignore[attr-defined]
        object_name=f"{owner.slug}:{thing.name}",  # type: ignore[attr-defined]
        created_by=actor,
    )
    try:
        with transaction.atomic():
            grant.save(force_insert=True)
            audit.write(actor, "grant.give", grant, _told(grant), team=owner, token=token)
    except IntegrityError:
        raise Conflict(f"{team.slug} may {verb} {grant.object_name} already.", code="granted") from None
    grant.refresh_from_db(fields=["created_at"])
    signals.tell_rights(None)
    return grant


def _refuse(thing: Model, owner: Team, team: Team, verb: str) -> None:
    verbs = _kinds[kind_of(thing)][1]
    if verb not in verbs:
        raise Invalid(
            f"This is lent for {listed(verbs)}, not to {verb}.", errors=[("verb", f"One of {listed(verbs)}.")]
        )
    if team == owner:
        raise Invalid("It belongs to this team already.", errors=[("team", "Its own team.")])
    if team.archived_at is not None:
        raise Invalid(f"The team {team.slug} is archived.", errors=[("team", "Archived.")])


def end(grant: Grant, *, actor: User, token: ApiToken | None = None) -> bool:
    """Take a thing back. False when it was back already.

    Documents that name it have a problem from now on, and runs of them are refused.
    """
    with transaction.atomic():
        changed = Grant.objects.filter(pk=grant.pk, ended_at=None).update(
            ended_at=EngineNow(), ended_by=actor
        )
        if changed:
            audit.write(actor, "grant.end", grant, _told(grant), team=grant.owner, token=token)
            signals.tell_rights(None)
    return bool(changed)


def _told(grant: Grant) -> dict[str, str]:
    kind = {"kind": grant.object_kind, "object": str(grant.object_uuid), "name": grant.object_name}
    return {"team": grant.team.slug, "verb": grant.verb, **kind}


# --- what documents may name ----------------------------------------------------------------------------


def lent(team_id: int, kind: str) -> QuerySet[Grant, UUID]:
    """The uuids of what documents of a team may use of other teams, as a subquery."""
    return _borrowed(team_id, kind).values_list("object_uuid", flat=True)


def _borrowed(team_id: int, kind: str) -> QuerySet[Grant]:
    living = Grant.objects.filter(ended_at=None, owner__archived_at=None)
    return living.filter(team_id=team_id, object_kind=kind, verb=USE)


def usable(rows: QuerySet[M], team_id: int) -> QuerySet[M]:
    """Those rows of a model with ``team`` and ``uuid`` that documents of a team may name."""
    return rows.filter(Q(team_id=team_id) | Q(uuid__in=lent(team_id, kind_of(rows.model))))


def named_in(row: Model, team_id: int) -> str:
    """How documents of a team name a row: by its name, with its own team in front when it is lent."""
    name: str = row.name  # type: ignore[attr-defined]
    return name if team_id_of(row) == team_id else f"{row.team.slug}:{name}"  # type: ignore[attr-defined]


def meant(rows: QuerySet[M], team_id: int, name: str) -> QuerySet[M]:
    """The row that a document of a team means: by ``name`` its own, by ``owner:name`` one lent to it."""
    owner, lent_one, bare = name.rpartition(":")
    if not lent_one:
        return rows.filter(team_id=team_id, name=name)
    return rows.filter(team__slug=owner, name=bare, uuid__in=lent(team_id, kind_of(rows.model)))


def missing(team_id: int, kind: str, names: Collection[str]) -> set[str]:
    """Those of the names ``owner:name`` that documents of a team may not use. No query for no names."""
    if not names:
        return set()
    lent_ones = _borrowed(team_id, kind).filter(object_name__in=names)
    return set(names) - set(lent_ones.values_list("object_name", flat=True))


def not_lent(name: str) -> str:
    """That a document may not name this thing of another team (any more), in a sentence."""
    owner = name.partition(":")[0]
    return f"'{name}' is not lent to this team (any more): ask an admin of the team {owner} to share it."
