"""The life of an account: its details, its password, whether it may sign in, whether it is a site admin."""

from __future__ import annotations

import zoneinfo
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from pipelines import audit, signals, tokens
from pipelines.errors import Conflict, Invalid
from pipelines.models import ApiToken, Pipeline, User

# What is changed of an account without further thought; its user name stays, as the audit chain holds it.
DETAILS: Final = ("first_name", "last_name", "email", "time_zone", "locale")


@cache
def time_zones() -> list[str]:
    """Every time zone this machine knows, as browsers write them."""
    return sorted(zoneinfo.available_timezones() - {"localtime", "Factory"})


def locales() -> dict[str, str]:
    """Language tag -> its name: how dates and numbers can be written."""
    return {tag: str(name) for tag, name in settings.LANGUAGES}


def refuse_email(email: str) -> None:
    """Invalid when an address is none."""
    try:
        validate_email(email)
    except ValidationError as error:
        raise Invalid(error.messages[0], errors=[("email", error.messages[0])]) from None


def give_password(person: User, password: str | None) -> None:
    """Set, but not save, a password; None makes it unusable. Invalid when it is too easy to guess."""
    if password is not None:
        try:
            validate_password(password, person)
        except ValidationError as error:
            raise Invalid(
                " ".join(error.messages), errors=[("password", message) for message in error.messages]
            ) from None
    person.set_password(password)


def change(person: User, changes: Mapping[str, Any], *, actor: User, token: ApiToken | None = None) -> bool:
    """Change DETAILS of an account. False when all is as before. Invalid names the field."""
    with transaction.atomic():
        row = User.objects.select_for_update().get(pk=person.pk)
        given = {**changes, **({"email": changes["email"] or None} if "email" in changes else {})}
        changed = {name: value for name, value in given.items() if getattr(row, name) != value}
        if not changed:
            return False
        _refuse_details(row, changed)
        for name, value in changed.items():
            setattr(row, name, value)
        try:
            with transaction.atomic():
                row.save(update_fields=list(changed))
        except IntegrityError:
            raise Conflict(f"Somebody else has the address {row.email}.", code="email-taken") from None
        audit.write(actor, "person.change", row, changed, team=row.service_of, token=token)
    return True


def _refuse_details(person: User, changes: Mapping[str, Any]) -> None:
    if changes.get("email") and person.service_of_id is not None:
        # Whoever is sent its mail, or is verified for its address by a provider, could sign in as it.
        message = f"{person.username} is a service account, which has no address."
        raise Invalid(message, errors=[("email", message)])
    if "email" in changes and person.service_of_id is None:
        refuse_email(changes["email"] or "")
    if changes.get("time_zone", "UTC") not in time_zones():
        raise Invalid("There is no such time zone.", errors=[("time_zone", "Unknown.")])
    if changes.get("locale", "en") not in locales():
        raise Invalid("There is no such language.", errors=[("locale", "Unknown.")])


@transaction.atomic
def set_password(person: User, password: str, *, actor: User, token: ApiToken | None = None) -> None:
    """A new password; whoever was signed in with the old one is signed out. Invalid when it is too easy."""
    row = User.objects.select_for_update().get(pk=person.pk)
    if row.service_of_id is not None:
        raise Conflict(
            f"{row.username} is a service account and signs in with tokens alone.", code="service-account"
        )
    give_password(row, password)
    row.save(update_fields=["password"])
    person.password = row.password
    audit.write(actor, "person.password", row, {}, team=None, token=token)


@transaction.atomic
def deactivate(person: User, *, actor: User, token: ApiToken | None = None) -> bool:
    """Somebody has left: they can no longer sign in, and their tokens are revoked. False when it was so.

    Their memberships and what they own stay as they are, so that all is there if they come back.
    """
    if person == actor:
        raise Conflict("You cannot deactivate yourself: another site admin can.", code="oneself")
    _keep_a_site_admin(person)
    changed = User.objects.filter(pk=person.pk, is_active=True).update(is_active=False)
    if changed:
        signals.tell_rights([person.pk])
        held = ApiToken.objects.filter(user=person).select_related("team", "user")
        revoked = [row for row in held if tokens.revoke(row, actor=actor, by_token=token)]
        owned = Pipeline.objects.filter(owner=person, archived_at=None).count()
        told = {"tokens_revoked": len(revoked), "pipelines_owned": owned}
        audit.write(actor, "person.deactivate", person, told, team=person.service_of, token=token)
    return bool(changed)


@transaction.atomic
def reactivate(person: User, *, actor: User, token: ApiToken | None = None) -> bool:
    """Let somebody sign in again, with the roles they had; tokens stay revoked. False when they could."""
    changed = User.objects.filter(pk=person.pk, is_active=False).update(is_active=True)
    if changed:
        audit.write(actor, "person.reactivate", person, {}, team=person.service_of, token=token)
    return bool(changed)


@transaction.atomic
def set_site_admin(person: User, wanted: bool, *, actor: User, token: ApiToken | None = None) -> bool:
    """Make a person a site admin, or no longer. False when it was so. Conflict for the last one."""
    if person.service_of_id is not None and wanted:
        raise Conflict(
            f"{person.username} is a service account: a site admin is a person.", code="service-account"
        )
    if not wanted:
        _keep_a_site_admin(person)
    changed = User.objects.filter(pk=person.pk, is_superuser=not wanted).update(is_superuser=wanted)
    if changed:
        signals.tell_rights([person.pk])
        audit.write(actor, "person.site-admin", person, {"site_admin": wanted}, team=None, token=token)
    return bool(changed)


def _keep_a_site_admin(person: User) -> None:
    # Locked together, in one order: two admins must not take each other out at once.
    admins = User.objects.filter(is_superuser=True, is_active=True).select_for_update().order_by("pk")
    if {row.pk for row in admins} == {person.pk}:
        raise Conflict(
            f"{person.username} is the last site admin: make somebody else one first.", code="last-site-admin"
        )
