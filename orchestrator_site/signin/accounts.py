"""Passwords and second factors: allauth's flows with our words, our limits and our audit chain."""

from __future__ import annotations

import ipaddress
import math
import time
from typing import Any, Final

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.internal import ratelimit
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from orchestrator_site.signin import binding, told
from pipelines import accounts, second_factors
from pipelines.models import User

_WORDS: Final = {
    "account_inactive": "This account is suspended: ask a site admin.",
    "incorrect_password": "This is not your password.",
    "password_off": "Passwords are not taken here: sign in with your provider.",
    "username_password_mismatch": "User name or password is wrong.",
    "email_password_mismatch": "User name or password is wrong.",
    "too_many_login_attempts": "Too many attempts: wait some minutes, then try again.",
}
_APP: Final = "allauth.account"
_FAILED: Final = "login_failed"


class AccountAdapter(DefaultAccountAdapter):
    """Accounts are made by an admin, or by a provider's word; there is no sign-up by oneself."""

    error_messages: Final = {**DefaultAccountAdapter.error_messages, **_WORDS}

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def is_reauthentication_required(self, *, app: str, **options: Any) -> bool:
        """Never by allauth: one rule asks again (``pipelines.recent``), applied in ``signin/urls.py``."""
        return False

    # --- attempts are limited

    def get_client_ip(self, request: HttpRequest) -> str:
        """Addresses of IPv4 as such: as a socket of both families tells them, all are of one IPv6 line."""
        address = super().get_client_ip(request)
        try:
            return str(ipaddress.IPv6Address(address).ipv4_mapped or address)
        except ValueError:
            return str(address)

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """One key for one account, whether its name or its address is typed, and in whatever case."""
        typed = str(credentials.get("username") or credentials.get("email") or "").strip().lower()
        person = User.objects.filter(Q(username__iexact=typed) | Q(email__iexact=typed)).first()
        return f"account:{person.pk}" if person else f"typed:{_unreadable(typed)}"

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        if not settings.ORCHESTRATOR["PASSWORD_SIGN_IN"]:
            raise self.validation_error("password_off")
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError:
            key = self._get_login_attempts_cache_key(request, **credentials)
            told.locked_out(key, self.get_client_ip(request))
            raise ValidationError(_wait_words(request, key), code="too_many_login_attempts") from None

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Any:
        """The person of these credentials; suspended people are told so, but only with their password."""
        person = super().authenticate(request, **credentials)
        if person is not None and not person.is_active:
            raise self.validation_error("account_inactive")
        return person

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        key = self._get_login_attempts_cache_key(request, **credentials)
        if key.startswith("account:"):
            told.failed(key)

    # --- a new password

    def set_password(self, user: Any, password: str) -> None:
        accounts.set_password(user, password, actor=user)


def _unreadable(typed: str) -> str:
    """Tells one stranger's attempts from another's and keeps nothing that was typed: it may be a password."""
    return salted_hmac("sign-in attempts", typed, algorithm="sha256").hexdigest()


def _wait_words(request: HttpRequest, key: str) -> str:
    minutes = math.ceil(_seconds_left(request, key) / 60)
    return f"Too many attempts: try again in {minutes} minute{'' if minutes == 1 else 's'}."


def _seconds_left(request: HttpRequest, key: str) -> float:
    """How long until the oldest attempt is forgotten of the limit that is reached."""
    waits = [1.0]
    for rate in ratelimit.get_rates(app=_APP, action=_FAILED):
        name = ratelimit.get_cache_key(request, app=_APP, action=_FAILED, rate=rate, key=key)
        history = cache.get(name, [])
        if len(history) >= rate.amount:
            waits.append(history[-1] + rate.duration - time.time())
    return max(waits)


class SecondFactorAdapter(DefaultMFAAdapter):
    """Seals what codes are computed from with the keys of stored secrets, each for its person alone."""

    error_messages: Final = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": "This code is wrong, or was used already: "
        "wait for the next one that the app shows.",
    }

    def encrypt(self, text: str) -> str:
        return second_factors.seal(text, binding.person())

    def decrypt(self, encrypted_text: str) -> str:
        return second_factors.unseal(encrypted_text, binding.person())

    def get_totp_label(self, user: Any) -> str:
        return str(user.username)
