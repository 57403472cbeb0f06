"""What the sign-in page and the account page ask beside the addresses of allauth. For browsers only."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Any, Final

import qrcode
from allauth.account.internal.decorators import login_not_required
from allauth.core.internal import ratelimit
from allauth.headless.mfa.views import ManageRecoveryCodesView, ManageTOTPView
from allauth.headless.usersessions.views import SessionsView
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialAccount, SocialApp
from allauth.socialaccount.providers.base.constants import AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from orchestrator_site.api import PROBLEM, problem
from orchestrator_site.signin.identities import AGAIN, unlink
from orchestrator_site.signin.provider import CallbackView, OidcAdapter
from pipelines import audit
from pipelines.errors import Refusal
from pipelines.models import User
from pipelines.recent import require_recent

View = Callable[..., HttpResponse]
_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
# What going to a provider is for: to sign in, to link one's account, to say again who one is.
_PURPOSES: Final = frozenset({"sign-in", "link", "again"})


def refused(refusal: Refusal) -> JsonResponse:
    body = problem(refusal.status, refusal.message, refusal.code)
    return JsonResponse(body, status=refusal.status, content_type=PROBLEM)


def _say(status: int, detail: str, code: str) -> JsonResponse:
    return JsonResponse(problem(status, detail, code), status=status, content_type=PROBLEM)


def in_words(view: View) -> View:
    """The view, with what our own verbs refuse (a key that is missing, say) as a problem."""

    @wraps(view)
    def told(request: HttpRequest, *args: Any, **options: Any) -> HttpResponse:
        try:
            return view(request, *args, **options)
        except Refusal as refusal:
            return refused(refusal)

    return told


def asks_again(view: View, *, reading: bool = False) -> View:
    """The view for people who said lately who they are; ``reading``: its GET, too, gives something away."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **options: Any) -> HttpResponse:
        if request.user.is_authenticated and (reading or request.method not in _READING):
            try:
                require_recent(request)
            except Refusal as refusal:
                return refused(refusal)
        return view(request, *args, **options)

    return guarded


def signed_in_only(view: View) -> View:
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **options: Any) -> HttpResponse:
        if not isinstance(request.user, User):
            return _say(401, "You are signed out.", "not-authenticated")
        return view(request, *args, **options)

    return guarded


def where_passwords_are_taken(view: View) -> View:
    """The view, unless the operator wants people to sign in by providers alone."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **options: Any) -> HttpResponse:
        if settings.ORCHESTRATOR["PASSWORD_SIGN_IN"]:
            return view(request, *args, **options)
        return _say(403, "Passwords are not taken here: sign in with your provider.", "password-off")

    return guarded


# --- before somebody is signed in -----------------------------------------------------------------------


@require_GET
def ways_in(request: HttpRequest) -> HttpResponse:
    """What the sign-in page offers: {password: bool, providers: [{id, name}]}."""
    return JsonResponse(
        {"password": settings.ORCHESTRATOR["PASSWORD_SIGN_IN"], "providers": _providers(request)}
    )


def _providers(request: HttpRequest) -> list[dict[str, str]]:
    return [{"id": each.sub_id, "name": each.name} for each in get_adapter().list_providers(request)]


@require_POST
def to_provider(request: HttpRequest) -> HttpResponse:
    """{provider, purpose, next} -> {url}: where the browser goes; it comes back to ``next``."""
    if not ratelimit.consume(request, app="allauth.account", action="login"):
        return _say(429, "Too many attempts: wait a minute, then try again.", "too-many-requests")
    try:
        wanted = json.loads(request.body)
        name, purpose, after = (str(wanted[key]) for key in ("provider", "purpose", "next"))
        provider = get_adapter().get_provider(request, name)
    except (ValueError, KeyError, TypeError):
        return _say(400, "Say provider, purpose and next.", "unreadable")
    except SocialApp.DoesNotExist:
        return _say(404, "There is no such provider.", "no-such-provider")
    if purpose not in _PURPOSES or not (
        after.startswith("/") and url_has_allowed_host_and_scheme(after, None)
    ):
        return _say(400, "purpose: sign-in, link or again; next: an address of this product.", "unreadable")
    try:
        return JsonResponse({"url": _address_at(provider, request, purpose, after)})
    except Refusal as refusal:
        return refused(refusal)
    except OAuth2Error:
        return _say(503, f"{provider.name} does not answer. Try again in a moment.", "provider-away")


def _address_at(provider: Any, request: HttpRequest, purpose: str, after: str) -> str:
    """The address at the provider, with what is expected of its answer kept in the session."""
    options: dict[str, Any] = {"headless": True}
    process = AuthProcess.LOGIN
    if purpose == "link":
        require_recent(request)
        process = AuthProcess.CONNECT
    if purpose == "again":
        options |= {AGAIN: True, "auth_params": {"prompt": "login", "max_age": "0"}}
    return str(provider.redirect(request, process, next_url=after, **options)["Location"])


@login_not_required
def from_provider(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Where a provider sends people back to."""
    try:
        view = CallbackView.adapter_view(OidcAdapter(request, provider_id))
        return view(request)
    except SocialApp.DoesNotExist:
        return _say(404, "There is no such provider.", "no-such-provider")


# --- one's own account ----------------------------------------------------------------------------------


@require_GET
@signed_in_only
def ways(request: HttpRequest) -> HttpResponse:
    """By what the person can say who they are, and what more they could link."""
    person = request.user
    assert isinstance(person, User)  # noqa: S101 - signed_in_only
    links = SocialAccount.objects.filter(user=person).order_by("pk")
    names = {each["id"]: each["name"] for each in _providers(request)}
    return JsonResponse(
        {
            "password": person.has_usable_password() and settings.ORCHESTRATOR["PASSWORD_SIGN_IN"],
            "code": Authenticator.objects.filter(user=person).exists(),
            "identities": [
                {
                    "id": row.pk,
                    "provider": row.provider,
                    "name": names.get(row.provider, row.provider),
                    "known": row.provider in names,
                    "email": row.extra_data.get("email"),
                }
                for row in links
            ],
            "providers": [{"id": name, "name": words} for name, words in names.items()],
        }
    )


@require_POST
@signed_in_only
def unlink_identity(request: HttpRequest, number: int) -> HttpResponse:
    """End the link to a person at a provider."""
    row = SocialAccount.objects.filter(user_id=request.user.pk, pk=number).first()
    if row is None:
        return _say(404, "There is no such link.", "no-such-link")
    try:
        unlink(row, actor=row.user)
    except ValidationError:
        words = "You could not sign in any more: set a password first, or link another provider."
        return _say(409, words, "last-way")
    return HttpResponse(status=204)


@require_POST
@signed_in_only
def confirm(request: HttpRequest) -> HttpResponse:
    """204 when the person said lately who they are: asked before they are sent somewhere."""
    return HttpResponse(status=204)


@require_GET
@signed_in_only
def totp_picture(request: HttpRequest) -> HttpResponse:
    """The QR code of the secret that is being set up: {size, path}, an SVG path of unit squares."""
    from allauth.mfa.adapter import get_adapter as factors

    secret = request.session.get(SECRET_SESSION_KEY)
    if secret is None:
        return _say(404, "No authenticator app is being set up.", "no-such-secret")
    code = qrcode.QRCode(border=2)
    code.add_data(factors().build_totp_url(request.user, secret))
    rows = code.get_matrix()
    path = "".join(f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, dark in enumerate(row) if dark)
    return JsonResponse({"size": len(rows), "path": path})


class TotpView(ManageTOTPView):
    """allauth's, with a row on the audit chain for each change."""

    @transaction.atomic
    def post(self, request: HttpRequest, *args: Any, **options: Any) -> HttpResponse:
        answer = super().post(request, *args, **options)
        _tell(request, {"added": "authenticator app"})
        return answer

    @transaction.atomic
    def delete(self, request: HttpRequest, *args: Any, **options: Any) -> HttpResponse:
        had = self._get_authenticator() is not None
        answer = super().delete(request, *args, **options)
        if had:
            _tell(request, {"removed": "authenticator app"})
        return answer


class RecoveryCodesView(ManageRecoveryCodesView):
    @transaction.atomic
    def post(self, request: HttpRequest, *args: Any, **options: Any) -> HttpResponse:
        answer = super().post(request, *args, **options)
        _tell(request, {"added": "recovery codes"})
        return answer


class OwnSessionsView(SessionsView):
    @transaction.atomic
    def delete(self, request: HttpRequest, *args: Any, **options: Any) -> Any:
        person = request.user
        assert isinstance(person, User)  # noqa: S101 - allauth has refused anybody else
        count = len(self.input.cleaned_data["sessions"])
        answer = super().delete(request, *args, **options)
        audit.write(person, "person.sessions-ended", person, {"sessions": count}, team=None)
        return answer


def _tell(request: HttpRequest, payload: dict[str, str]) -> None:
    assert isinstance(request.user, User)  # noqa: S101
    audit.write(request.user, "person.second-factor", request.user, payload, team=None)
