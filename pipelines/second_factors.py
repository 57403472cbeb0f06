"""Second factors: sealed as secrets of teams are, and what a site admin does for who lost theirs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.db import transaction

from pipelines import audit, sealing
from pipelines.errors import Conflict
from pipelines.models import ApiToken, User

# Where the two kinds keep what a code is computed from.
_FIELDS: Final = ("secret", "seed")


def seal(text: str, person: User) -> str:
    """A secret as it is stored, of one account alone: the id of its key, a colon, the ciphertext."""
    sealed = sealing.key_ring().seal(text, _owner(person))
    return f"{sealed.key_id}:{sealed.ciphertext.decode()}"


def unseal(stored: str, person: User) -> str:
    """The secret again. KeyMissing as of any sealed value; NotTheSame also when it is another account's."""
    try:
        return sealing.key_ring().open(_sealed(stored), _owner(person))
    except sealing.NotTheSame:
        raise sealing.NotTheSame(
            f"The second factor of {person.username} is damaged or was sealed for another account: "
            "a site admin can reset it."
        ) from None


def _owner(person: User) -> sealing.Owner:
    return sealing.Owner(team="", name=f"second factor of account {person.pk}", version=0)


def _sealed(stored: str) -> sealing.Sealed:
    key_id, _, ciphertext = stored.partition(":")
    return sealing.Sealed(ciphertext.encode(), key_id)


# --- their keys exchanged -------------------------------------------------------------------------------


def key_ids() -> Iterator[tuple[str, str, str]]:
    """Of each stored second factor: its person, the id of its key, and why it does not open, or ""."""
    for row in Authenticator.objects.select_related("user").order_by("pk").iterator():
        for field in _FIELDS:
            if stored := row.data.get(field):
                yield row.user.username, _sealed(stored).key_id, _problem(stored, row.user)


def _problem(stored: str, person: User) -> str:
    try:
        unseal(stored, person)
    except Conflict as refusal:
        return refusal.message
    return ""


@transaction.atomic
def rotate(batch: int) -> int:
    """Seal at most ``batch`` second factors again with the newest key; how many that were."""
    ring = sealing.key_ring()
    done = 0
    for row in Authenticator.objects.select_related("user").order_by("pk").select_for_update(of=("self",)):
        old = [name for name in _FIELDS if name in row.data and not row.data[name].startswith(ring.newest)]
        if not old or done == batch:
            continue
        row.data |= {name: seal(unseal(row.data[name], row.user), row.user) for name in old}
        row.save(update_fields=["data"])
        done += 1
    return done


# --- what a site admin does -----------------------------------------------------------------------------


def has_one(person: User) -> bool:
    """Whether signing in asks this person for a second factor."""
    return Authenticator.objects.filter(user=person).exists()


@transaction.atomic
def reset(person: User, *, actor: User, token: ApiToken | None = None) -> bool:
    """Somebody lost their second factor: they sign in without it, and are signed out everywhere now.

    False when they had none.
    """
    count, _ = Authenticator.objects.filter(user=person).delete()
    if not count:
        return False
    for session in UserSession.objects.filter(user=person):
        session.end()
    audit.write(actor, "person.second-factor-reset", person, {}, team=None, token=token)
    return True
