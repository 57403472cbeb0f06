"""Providers of OpenID Connect by ``ORCHESTRATOR_OIDC=corp`` and ``ORCHESTRATOR_OIDC_CORP_*``."""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from orchestrator_site.env import env_bool, env_list, env_secret, env_str

_ID: Final = re.compile(r"[a-z][a-z0-9]{0,31}")
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def oidc_apps() -> list[dict[str, Any]]:
    """The providers as allauth's setting APPS has them, in the order in which they are named."""
    return [_app(name) for name in env_list("ORCHESTRATOR_OIDC")]


def _app(name: str) -> dict[str, Any]:
    if not _ID.fullmatch(name):
        raise ImproperlyConfigured(
            f"ORCHESTRATOR_OIDC names {name!r}: a provider is called by small letters and digits."
        )
    prefix = f"ORCHESTRATOR_OIDC_{name.upper()}"
    issuer = _needed(f"{prefix}_ISSUER")
    _refuse_open_issuer(f"{prefix}_ISSUER", issuer)
    return {
        "provider_id": name,
        "name": env_str(f"{prefix}_NAME", name.capitalize()),
        "client_id": _needed(f"{prefix}_CLIENT_ID"),
        "secret": env_secret(f"{prefix}_CLIENT_SECRET"),
        "settings": {
            "server_url": issuer,
            "oauth_pkce_enabled": True,
            # Whom it may let in; nobody is left out by an empty list.
            "domains": [domain.lower() for domain in env_list(f"{prefix}_DOMAINS")],
            "groups": env_list(f"{prefix}_GROUPS"),
            "groups_claim": env_str(f"{prefix}_GROUPS_CLAIM", "groups"),
            "new_accounts": env_bool(f"{prefix}_NEW_ACCOUNTS", True),
            "link_by_email": env_bool(f"{prefix}_LINK_BY_EMAIL", False),
            # Its addresses count as verified although it does not say so.
            "verified_email": env_bool(f"{prefix}_TRUST_EMAIL", False),
            # Whether it says when somebody gave their password there, as the standard asks.
            "tells_auth_time": env_bool(f"{prefix}_TELLS_AUTH_TIME", True),
        },
    }


def _needed(name: str) -> str:
    value = env_str(name)
    if not value:
        raise ImproperlyConfigured(f"{name} is not set, and ORCHESTRATOR_OIDC names its provider.")
    return value


def _refuse_open_issuer(name: str, issuer: str) -> None:
    parts = urlsplit(issuer)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK):
        return
    raise ImproperlyConfigured(f"{name} is {issuer!r}: an issuer is an address that begins with https://.")
