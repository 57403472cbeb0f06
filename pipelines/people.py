"""People and teams: who is in which team in which roles. The only writer of memberships."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from pipelines import accounts, audit, signals
from pipelines.clock import EngineNow
from pipelines.errors import Conflict, Invalid
from pipelines.models import ApiToken, Membership, Role, Team, User
from pipelines.problems import listed

# Words that stand for somebody else: in `?owner=`, and for the product itself in the audit chain.
RESERVED: Final = frozenset({"me", "none", audit.SYSTEM})


def make_team(slug: str, name: str, *, actor: User | None, token: ApiToken | None = None) -> Team:
    """A new team without members. Conflict when the slug is taken."""
    try:
        with transaction.atomic():
            team = Team.objects.create(slug=slug, name=name)
            audit.write(actor, "team.create", team, {"slug": slug, "name": name}, team=None, token=token)
    except IntegrityError:
        raise Conflict(
            f"There is, or was, a team '{slug}': choose another name.", code="name-taken"
        ) from None
    return team


@transaction.atomic
def rename_team(team: Team, name: str, *, actor: User, token: ApiToken | None = None) -> bool:
    """Give a team another title; its slug stays, as addresses hold it. False when it has that title."""
    row = Team.objects.select_for_update().get(pk=team.pk)
    if row.name == name:
        return False
    Team.objects.filter(pk=row.pk).update(name=name)
    audit.write(actor, "team.rename", row, {"name": name, "before": row.name}, team=row, token=token)
    return True


@transaction.atomic
def archive_team(team: Team, *, actor: User, token: ApiToken | None = None) -> bool:
    """Close a team: its members see it no more, nothing of it is lost. False when it is closed.

    Conflict while it has pipelines that are not archived, as nobody could reach them.
    """
    if names := list(team.pipelines.filter(archived_at=None).order_by("name").values_list("name", flat=True)):
        raise Conflict(
            f"{team.slug} still has {listed(names, 5)}: archive its pipelines first.", code="team-in-use"
        )
    changed = Team.objects.filter(pk=team.pk, archived_at=None).update(archived_at=EngineNow())
    if changed:
        signals.tell_rights(None)
        audit.write(actor, "team.archive", team, {}, team=team, token=token)
    return bool(changed)


@transaction.atomic
def restore_team(team: Team, *, actor: User, token: ApiToken | None = None) -> bool:
    """Open a closed team again, with the members it had. False when it is open."""
    changed = Team.objects.filter(pk=team.pk).exclude(archived_at=None).update(archived_at=None)
    if changed:
        signals.tell_rights(None)
        audit.write(actor, "team.restore", team, {}, team=team, token=token)
    return bool(changed)


def make_person(
    username: str,
    email: str,
    password: str | None,
    *,
    name: str = "",
    actor: User | None,
    token: ApiToken | None = None,
) -> User:
    """A new person, who can sign in once they have a password: None gives them none yet.

    Invalid names the field, Conflict a name or address that is taken.
    """
    person = User(username=username, email=email.lower(), first_name=name)
    _refuse_name(username)
    accounts.refuse_email(person.email or "")
    accounts.give_password(person, password)
    return _keep(person, {"username": username}, actor=actor, token=token)


@transaction.atomic
def make_service_account(
    team: Team,
    username: str,
    *,
    name: str = "",
    roles: Collection[str] = (),
    actor: User | None,
    token: ApiToken | None = None,
) -> User:
    """A new account for a team's programs, with these roles: it has tokens alone and cannot sign in."""
    _refuse_name(username)
    account = User(username=username, email=None, first_name=name, service_of=team)
    account.set_unusable_password()
    _keep(account, {"username": username, "service_of": team.slug}, actor=actor, token=token)
    if roles:
        set_roles(team, account, roles, actor=actor, token=token)
    return account


def _refuse_name(username: str) -> None:
    if username.lower() in RESERVED:
        raise Invalid(
            f"'{username}' is a word of the product: choose another name.", errors=[("username", "Reserved.")]
        )
    try:
        User.username_validator(username)
    except ValidationError as error:
        raise Invalid(error.messages[0], errors=[("username", error.messages[0])]) from None


def _keep(person: User, told: dict[str, str], *, actor: User | None, token: ApiToken | None) -> User:
    try:
        with transaction.atomic():
            person.created_by = actor
            person.save(force_insert=True)
            audit.write(actor, "person.create", person, told, team=person.service_of, token=token)
    except IntegrityError:
        raise Conflict(
            f"Somebody has the user name '{person.username}' or the address already.", code="name-taken"
        ) from None
    return person


def set_roles(
    team: Team, person: User, roles: Collection[str], *, actor: User | None, token: ApiToken | None = None
) -> bool:
    """Make these exactly the roles of a person in a team; none ends the membership. False: as before.

    Conflict when the team would be left without an admin. Invalid for another team's service account, and for
    one as approver.
    """
    wanted = {Role(role).value for role in roles}
    _refuse_account(team, person, wanted)
    with transaction.atomic():
        Team.objects.select_for_update().get(pk=team.pk)  # two admins must not take each other out at once
        live = Membership.objects.filter(team=team, ended_at=None)
        held = set(live.filter(user=person).values_list("role", flat=True))
        if held == wanted:
            return False
        _keep_an_admin(team, person, held, wanted)
        live.filter(user=person, role__in=held - wanted).update(ended_at=EngineNow())
        Membership.objects.bulk_create(
            [Membership(team=team, user=person, role=role) for role in sorted(wanted - held)]
        )
        signals.tell_rights([person.pk])
        told = {"person": person.username, "roles": sorted(wanted), "before": sorted(held)}
        audit.write(actor, "team.roles", team, told, team=team, token=token)
    return True


def _refuse_account(team: Team, person: User, wanted: set[str]) -> None:
    if person.service_of_id is not None and Role.APPROVER in wanted:
        raise Invalid(
            f"{person.username} is a service account, and a decision is a person's: choose other roles.",
            errors=[("roles", "A service account is no approver.")],
        )
    if wanted and person.service_of_id not in (None, team.pk):
        raise Invalid(
            f"{person.username} is the service account of another team: make one for {team.slug}.",
            errors=[("username", "Service account of another team.")],
        )


def _keep_an_admin(team: Team, person: User, held: set[str], wanted: set[str]) -> None:
    if Role.ADMIN not in held or Role.ADMIN in wanted:
        return
    others = Membership.objects.filter(team=team, role=Role.ADMIN, ended_at=None, user__is_active=True)
    if not others.exclude(user=person).exists():
        raise Conflict(
            f"{person.username} is the last admin of {team.slug}: make somebody else admin first.",
            code="last-admin",
        )
