"""What the audit chain tells of signing in: each success, each lock-out, and failures as a number.

A row for each failure would let strangers fill the chain.
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any, Final

from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.login import record_authentication
from allauth.account.signals import user_logged_in
from allauth.mfa.signals import authentication_failed
from django.contrib.auth.signals import user_logged_in as session_opened
from django.core.cache import cache
from django.db import transaction
from django.dispatch import receiver
from django.http import HttpRequest

from orchestrator_site.throttles import line_of
from pipelines import audit
from pipelines.models import User

_KEPT: Final = timedelta(days=30).total_seconds()  # of failures that nobody signed in after
_LOCKED: Final = 300  # seconds in which a lock-out is told once
BEGAN, SEEN = "session_began", "session_seen"  # moments in a session, Unix time


def failed(key: str) -> None:
    """Count an attempt that failed."""
    name = f"sign-in-failures:{key}"
    cache.add(name, 0, _KEPT)
    cache.incr(name)


def locked_out(key: str, address: str) -> None:
    """Tell, once in a while for each line, that attempts are refused: on an account, or on names of nobody.

    What a stranger typed is not told: it may be a password. Nor is each name told by itself, as a stranger
    has any number of them.
    """
    kind, _, number = key.partition(":")
    whose = key if kind == "account" else kind
    if not cache.add(f"sign-in-locked:{whose}:{line_of(address)}", 1, _LOCKED):
        return
    person = User.objects.filter(pk=number).first() if kind == "account" else None
    name = "" if person else "an unknown name"
    with transaction.atomic():
        audit.write(None, "person.sign-in-locked", person, {"address": address}, team=None, name=name)


@receiver(user_logged_in)
def signed_in(request: HttpRequest, user: User, **about: Any) -> None:
    """Somebody has signed in, by all the steps that this takes."""
    if (login := about.get("sociallogin")) is not None:
        _believe_provider(request, user, login)
    methods = [record["method"] for record in get_authentication_records(request, user)]
    name = f"sign-in-failures:account:{user.pk}"
    payload = {
        "by": list(dict.fromkeys(methods)),
        "address": get_adapter().get_client_ip(request),
        "failed_before": cache.get(name, 0),
    }
    cache.delete(name)
    with transaction.atomic():
        audit.write(user, "person.sign-in", user, payload, team=None)


def _believe_provider(request: HttpRequest, user: User, login: Any) -> None:
    """A provider's word counts as new when it says that the person gave their password lately."""
    from orchestrator_site.signin.identities import was_recent

    if was_recent(login):
        account = login.account
        record_authentication(
            request, user, "socialaccount", provider=account.provider, uid=account.uid, reauthenticated=True
        )


@receiver(authentication_failed)
def second_factor_failed(user: User, **about: Any) -> None:
    failed(f"account:{user.pk}")


@receiver(session_opened)
def stamp(request: HttpRequest, **about: Any) -> None:
    """When a session began and was last used, for ``signin/middleware.py``."""
    request.session[BEGAN] = request.session[SEEN] = time.time()
