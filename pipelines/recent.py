"""Asking again who somebody is: before secrets, tokens, roles and the like are changed in a browser.

A browser that was left open is not its person. What an intruder could keep for themselves is therefore done
only when the person gave a password, a code or their provider's word within the last minutes. A program's
token is not asked: its scopes decide.
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Final

from allauth.account.authentication import get_authentication_records
from django.conf import settings
from django.http import HttpRequest

from pipelines.errors import Forbidden

CODE: Final = "reauthentication-required"
# A provider's word may be as old as the session there, so it counts only where it was given anew.
_ALWAYS_NEW: Final = frozenset({"password", "mfa"})


def limit() -> timedelta:
    """How long somebody who has said who they are is believed."""
    return timedelta(minutes=settings.ORCHESTRATOR["REAUTHENTICATE_AFTER"])


def recently_authenticated(request: HttpRequest) -> bool:
    """Whether the person of this session said who they are within ``limit()``."""
    now = time.time()
    return any(
        (record.get("method") in _ALWAYS_NEW or record.get("reauthenticated"))
        and 0 <= now - record.get("at", 0) < limit().total_seconds()
        for record in get_authentication_records(request, request.user)
    )


def require_recent(request: HttpRequest) -> None:
    """403 ``reauthentication-required`` when the session's person has not lately said who they are."""
    if not recently_authenticated(request):
        minutes = round(limit().total_seconds() / 60)
        raise Forbidden(
            f"Confirm that it is you: you last did so more than {minutes} minutes ago.", code=CODE
        )
