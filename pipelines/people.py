"""People and teams: who is in which team in which roles. The only writer of memberships."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from pipelines import audit
from pipelines.clock import EngineNow
from pipelines.errors import Conflict, Invalid
from pipelines.models import ApiToken, Membership, Role, Team, User

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


def make_person(
    username: str,
    email: str,
    password: str,
    *,
    name: str = "",
    actor: User | None,
    token: ApiToken | None = None,
) -> User:
    """A new person who can sign in. Invalid names the field, Conflict a name or address that is taken."""
    person = User(username=username, email=email.lower(), first_name=name)
    if username.lower() in RESERVED:
        raise Invalid(
            f"'{username}' is a word of the product: choose another name.", errors=[("username", "Reserved.")]
        )
    try:
        User.username_validator(username)
        validate_email(person.email)
    except ValidationError as error:
        field = "email" if User.username_validator.regex.search(username) else "username"  # type: ignore[union-attr]
        raise Invalid(error.messages[0], errors=[(field, error.messages[0])]) from None
    try:
        validate_password(password, person)
    except ValidationError as error:
        raise Invalid(
            " ".join(error.messages), errors=[("password", message) for message in error.messages]
        ) from None
    person.set_password(password)
    try:
        with transaction.atomic():
            person.save(force_insert=True)
            audit.write(actor, "person.create", person, {"username": username}, team=None, token=token)
    except IntegrityError:
        raise Conflict(
            f"Somebody has the user name '{username}' or the address already.", code="name-taken"
        ) from None
    return person


def set_roles(
    team: Team, person: User, roles: Collection[str], *, actor: User | None, token: ApiToken | None = None
) -> bool:
    """Make these exactly the roles of a person in a team; none ends the membership. False: as before.

    Conflict when the team would be left without an admin.
    """
    wanted = {Role(role).value for role in roles}
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
        told = {"person": person.username, "roles": sorted(wanted), "before": sorted(held)}
        audit.write(actor, "team.roles", team, told, team=team, token=token)
    return True


def _keep_an_admin(team: Team, person: User, held: set[str], wanted: set[str]) -> None:
    if Role.ADMIN not in held or Role.ADMIN in wanted:
        return
    others = Membership.objects.filter(team=team, role=Role.ADMIN, ended_at=None, user__is_active=True)
    if not others.exclude(user=person).exists():
        raise Conflict(
            f"{person.username} is the last admin of {team.slug}: make somebody else admin first.",
            code="last-admin",
        )
