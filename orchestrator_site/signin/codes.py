"""A code of an authenticator app works once: it stays used for as long as it would be taken.

allauth forgets used codes after one step of 30 s, but takes those of the steps before and after, too.
"""

from __future__ import annotations

from allauth.mfa import app_settings
from allauth.mfa.totp.internal.auth import TOTP
from django.core.cache import cache


def install() -> None:
    """Have allauth remember used codes for all the steps in which they are taken."""
    TOTP._mark_code_used = _mark_used


def _mark_used(totp: TOTP, code: str) -> bool:
    steps = 2 * app_settings.TOTP_TOLERANCE + 1
    return bool(cache.add(totp._get_used_cache_key(code), "y", timeout=steps * app_settings.TOTP_PERIOD))
