"""Two rules for everybody with a session: how long it lasts, and whose needs a second factor."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import SESSION_KEY, logout
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.utils import timezone

from orchestrator_site.api import PROBLEM, problem
from orchestrator_site.signin.told import BEGAN, SEEN
from pipelines import second_factors
from pipelines.models import User

Answer = Callable[[HttpRequest], HttpResponse]
_NOTED_EVERY: Final = 60  # seconds
NEEDED: Final = "second-factor-required"
_GUARDED: Final = ("/admin/", "/api/", "/metrics")
# What a site admin without a second factor still reaches: who they are.
_OPEN: Final = "/api/v1/me/"


class SessionLifeMiddleware:
    """Ends a session that nobody has used for a while, and every session in the end."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.SESSION_COOKIE_NAME in request.COOKIES and SESSION_KEY in request.session:
            self._judge(request)
        return self.get_response(request)

    def _judge(self, request: HttpRequest) -> None:
        now, session = time.time(), request.session
        began, seen = session.setdefault(BEGAN, now), session.setdefault(SEEN, now)
        if has_ended(session):
            logout(request)
        elif now - seen > _NOTED_EVERY:
            session[SEEN] = now
            # Moves no end: cookies and rows end when they would have.
            session.set_expiry(timedelta(seconds=settings.SESSION_COOKIE_AGE - (now - began)))
            UserSession.objects.filter(session_key=session.session_key).update(last_seen_at=timezone.now())


def has_ended(session: SessionBase | Mapping[str, Any]) -> bool:
    """Whether a session is too old, or was unused for too long."""
    now = time.time()
    began, seen = session.get(BEGAN, now), session.get(SEEN, now)
    return bool(now - began > settings.SESSION_COOKIE_AGE or now - seen > settings.SESSION_IDLE_AGE)


class SecondFactorMiddleware:
    """Where the operator wants it, site admins use API and console only once they have a second factor.

    A program's token is not asked: its site admin had one when they made it.
    """

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if self._is_guarded(request) and lacks_second_factor(request.user):
            if request.path.startswith("/admin/"):
                return HttpResponseRedirect("/account")
            detail = "Site admins need a second factor here: set one up on your account page."
            return JsonResponse(problem(403, detail, NEEDED), status=403, content_type=PROBLEM)
        return self.get_response(request)

    def _is_guarded(self, request: HttpRequest) -> bool:
        guarded = request.path.startswith(_GUARDED) and request.path != _OPEN
        return guarded and settings.SESSION_COOKIE_NAME in request.COOKIES


def lacks_second_factor(person: User | AnonymousUser) -> bool:
    """Whether the operator wants this person to have a second factor, and they have none."""
    if not settings.ORCHESTRATOR["ADMINS_NEED_SECOND_FACTOR"]:
        return False
    return isinstance(person, User) and person.is_superuser and not second_factors.has_one(person)
