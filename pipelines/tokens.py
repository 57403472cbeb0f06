"""Tokens of programs: shown once, hashed at rest, scoped, expiring, revocable."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction
from django.db.models import Case, CharField, DateTimeField, Q, QuerySet, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Least
from knox.crypto import hash_token
from knox.models import get_digest_token
from knox.settings import CONSTANTS

from pipelines import audit
from pipelines.access import SCOPES, scopes_known
from pipelines.clock import EngineNow
from pipelines.errors import Invalid
from pipelines.models import ApiToken, Team, User

LONGEST_LIFE = timedelta(days=366)
USUAL_LIFE = timedelta(days=90)
# From when on a token that will end is pointed out to those who have it.
WARN_BEFORE = timedelta(days=14)


@transaction.atomic
def issue(
    user: User,
    *,
    name: str,
    team: Team | None = None,
    scopes: Sequence[str] = SCOPES,
    life: timedelta = USUAL_LIFE,
    actor: User | None = None,
    by_token: ApiToken | None = None,
) -> tuple[ApiToken, str]:
    """Make a token and return it with its text, which is kept nowhere and cannot be shown again.

    Invalid for scopes and a life that there are not, and for somebody who may not sign in.
    """
    if not user.is_active:
        raise Invalid(f"{user.username} may not sign in, nor may a token.", errors=[("user", "Not active.")])
    if not scopes or not scopes_known(scopes):
        raise Invalid(f"Scopes are any of {', '.join(SCOPES)}.", errors=[("scopes", "Unknown or none.")])
    if not timedelta(0) < life <= LONGEST_LIFE:
        raise Invalid(
            f"A token lives at most {LONGEST_LIFE.days} days.", errors=[("days", f"1 to {LONGEST_LIFE.days}")]
        )
    digest, text = get_digest_token()
    token = ApiToken(
        user=user,
        team=team,
        name=name,
        issued_by=_person_behind(actor or user, by_token),
        scopes=list(scopes),
        digest=digest,
        token_key=text[: CONSTANTS.TOKEN_KEY_LENGTH],
        expiry=_expiry(life, by_token),
    )
    token.save(force_insert=True)
    token.refresh_from_db()
    audit.write(
        actor or user,
        "token.issue",
        token,
        {"name": name, "scopes": list(scopes), "for": user.username, "expires": token.expiry.isoformat()},
        team=team,
        token=by_token,
    )
    return token, text


def _person_behind(actor: User, token: ApiToken | None) -> User | None:
    """Who issues, or, where a service account does with its token, who issued that one."""
    return token.issued_by if token is not None and actor.service_of_id is not None else actor


def _expiry(life: timedelta, parent: ApiToken | None) -> Combinable:
    """When a new token ends: after its life, and never after the token that made it."""
    end = EngineNow() + Value(life)
    if parent is None or parent.expiry is None:
        return end
    return Least(end, Value(parent.expiry), output_field=DateTimeField())


@transaction.atomic
def revoke(token: ApiToken, *, actor: User, by_token: ApiToken | None = None) -> bool:
    """Make a token useless from now on. False when it was revoked before."""
    changed = ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=EngineNow())
    if changed:
        audit.write(
            actor,
            "token.revoke",
            token,
            {"name": token.name, "for": token.user.username},
            team=token.team,
            token=by_token,
        )
    return bool(changed)


def with_state(rows: QuerySet[ApiToken]) -> QuerySet[ApiToken]:
    """Tokens with ``state``: usable, ending (within WARN_BEFORE), expired or revoked, as of now."""
    state = Case(
        When(revoked_at__isnull=False, then=Value("revoked")),
        When(expiry__lte=EngineNow(), then=Value("expired")),
        When(expiry__lte=EngineNow() + Value(WARN_BEFORE), then=Value("ending")),
        default=Value("usable"),
        output_field=CharField(),
    )
    return rows.select_related("team", "user").annotate(state=state)


def find(text: str) -> ApiToken | None:
    """The live token of this text and of an active user, or None. Its last use is noted once a minute."""
    live = ApiToken.objects.filter(Q(expiry=None) | Q(expiry__gt=EngineNow()), revoked_at=None)
    stale = Q(last_used_at=None) | Q(last_used_at__lt=EngineNow() - Value(timedelta(minutes=1)))
    asked = live.filter(digest=hash_token(text), user__is_active=True)
    token = asked.select_related("user", "team").annotate(stale=stale).first()
    if token is not None and token.stale:
        ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=EngineNow())
    return token
