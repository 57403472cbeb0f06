"""Whose account a provider's word opens: links between accounts and people at providers."""

from __future__ import annotations

import re
import time
from typing import Any, Final

import structlog
from allauth.account.internal.flows.login import record_authentication
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount, SocialLogin
from allauth.socialaccount.providers.base.constants import AuthProcess
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponseRedirect

from pipelines import audit, people
from pipelines.errors import Refusal
from pipelines.models import User
from pipelines.recent import limit

log = structlog.get_logger(__name__)
AGAIN: Final = "again"  # in the state of a sign-in that only confirms who is signed in already
_NOT_IN_NAMES: Final = re.compile(r"[^\w.@+-]+", re.ASCII)


class Refused(ValidationError):
    """The provider's word is genuine, and yet opens nothing; the page has words for each code."""

    def __init__(self, code: str) -> None:
        super().__init__(code, code=code)


class IdentityAdapter(DefaultSocialAccountAdapter):
    """Who may sign in by a provider, and what becomes of somebody who has no account."""

    def on_authentication_error(self, request: HttpRequest, provider: Any, **about: Any) -> None:
        name = getattr(provider, "name", str(provider))
        reason = about.get("exception") or about.get("error")
        log.warning("a sign-in by a provider was refused", provider=name, reason=str(reason))

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        _refuse_outsiders(sociallogin)
        if sociallogin.state.get(AGAIN):
            _confirm(request, sociallogin)
        if sociallogin.state.get("process") == AuthProcess.CONNECT:
            _link_to_oneself(request, sociallogin)
        if not sociallogin.is_existing:
            _find_account(request, sociallogin)
        if sociallogin.is_existing and not sociallogin.user.is_active:
            raise Refused("account_inactive")

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return bool(sociallogin.provider.app.settings["new_accounts"])

    @transaction.atomic
    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form: Any = None) -> User:
        """A new account without roles, linked to whom the provider named."""
        claims = sociallogin.account.extra_data
        name = str(claims.get("name") or "")[:150]
        email = sociallogin.email_addresses[0].email
        try:
            person = people.make_person(_free_name(claims), email, None, name=name, actor=None)
        except Refusal as refusal:  # somebody was faster, or the address is none here
            log.warning("no account could be made", reason=refusal.message)
            raise Refused("not_made") from None
        link(request, sociallogin, person)
        return person


@transaction.atomic
def link(request: HttpRequest, sociallogin: SocialLogin, person: User) -> None:
    """Let a provider's person sign in to an account."""
    sociallogin.connect(request, person)
    told = {"provider": sociallogin.account.provider, "email": sociallogin.account.extra_data.get("email")}
    audit.write(person, "person.link", person, told, team=None)


@transaction.atomic
def unlink(account: SocialAccount, *, actor: User) -> None:
    """End a link. ValidationError ``last_way`` when its person could not sign in any more."""
    person = User.objects.select_for_update().get(pk=account.user_id)
    others = SocialAccount.objects.filter(user=person).exclude(pk=account.pk)
    if not person.has_usable_password() and not others.exists():
        raise Refused("last_way")
    account.delete()
    audit.write(actor, "person.unlink", person, {"provider": account.provider}, team=None)


def _refuse_outsiders(sociallogin: SocialLogin) -> None:
    """Only people of the domains and groups that the operator named."""
    rules, claims = sociallogin.provider.app.settings, sociallogin.account.extra_data
    if rules["domains"]:
        domain = (_verified_email(sociallogin) or "").rpartition("@")[2]
        if domain not in rules["domains"]:
            raise Refused("domain_not_allowed")
    if rules["groups"]:
        held = claims.get(rules["groups_claim"], [])
        if not isinstance(held, list) or not set(rules["groups"]) & {str(group) for group in held}:
            raise Refused("group_not_allowed")


def _verified_email(sociallogin: SocialLogin) -> str | None:
    found = [each.email.lower() for each in sociallogin.email_addresses if each.verified]
    return found[0] if found else None


def _find_account(request: HttpRequest, sociallogin: SocialLogin) -> None:
    """Link the account of the same verified address where that is wished; refuse what cannot become one.

    The account of a site admin is linked by themselves alone: no provider decides who that is.
    """
    if not sociallogin.email_addresses:
        raise Refused("no_email")
    email = _verified_email(sociallogin)
    if email is None:
        raise Refused("email_unverified")
    owner = User.objects.filter(email__iexact=email).first()
    if owner is None:
        return
    if owner.is_superuser or not sociallogin.provider.app.settings["link_by_email"]:
        raise Refused("email_taken")
    if not owner.is_active:
        raise Refused("account_inactive")
    link(request, sociallogin, owner)


def _link_to_oneself(request: HttpRequest, sociallogin: SocialLogin) -> None:
    """Somebody who is signed in has shown that they are this person at the provider."""
    if not isinstance(request.user, User):
        raise Refused("signed_out")
    if sociallogin.is_existing and sociallogin.user != request.user:
        raise Refused("connected_other")
    if not sociallogin.is_existing:
        link(request, sociallogin, request.user)
    raise ImmediateHttpResponse(HttpResponseRedirect(sociallogin.state["next"]))


def _confirm(request: HttpRequest, sociallogin: SocialLogin) -> None:
    """Somebody who is signed in has been to the provider again: note it, change nothing else, and go back."""
    if not request.user.is_authenticated or sociallogin.user != request.user:
        raise Refused("somebody_else")
    if sociallogin.provider.app.settings["tells_auth_time"] and not was_recent(sociallogin):
        raise Refused("not_asked_again")
    record_authentication(
        request,
        request.user,
        "socialaccount",
        provider=sociallogin.account.provider,
        uid=sociallogin.account.uid,
        reauthenticated=True,
    )
    raise ImmediateHttpResponse(HttpResponseRedirect(sociallogin.state["next"]))


def was_recent(sociallogin: SocialLogin) -> bool:
    """Whether the person gave their password at the provider lately, by its own word."""
    moment = sociallogin.account.extra_data.get("auth_time")
    return isinstance(moment, (int, float)) and time.time() - moment < limit().total_seconds()


def _free_name(claims: dict[str, Any]) -> str:
    """A user name that nobody has, like that at the provider."""
    wanted = str(claims.get("preferred_username") or claims.get("email") or "person").partition("@")[0]
    base = _NOT_IN_NAMES.sub("-", wanted).strip("-")[:100] or "person"
    taken = {
        name.lower()
        for name in User.objects.filter(username__istartswith=base).values_list("username", flat=True)
    }
    taken |= people.RESERVED
    candidates = (base, *(f"{base}-{number}" for number in range(2, len(taken) + 3)))
    return next(name for name in candidates if name.lower() not in taken)
