"""Providers of OpenID Connect as processes on loopback, for tests."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

HERE = Path(__file__).resolve().parent
CLIENT, SECRET = "orchestrator", "the-client-secret-that-a-client-knows-too"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(*command: str, port: int, **environment: str) -> Iterator[str]:
    """A provider's process; its issuer, once it answers."""
    issuer = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(
        [sys.executable, *command],
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(f"{issuer}/.well-known/openid-configuration", process)
        yield issuer
    finally:
        process.terminate()
        process.wait(10)


def wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        assert process.poll() is None, "the provider has ended"
        try:
            requests.get(address, timeout=1).raise_for_status()
            return
        except requests.RequestException:
            time.sleep(0.05)
    raise AssertionError("the provider does not answer")


@contextmanager
def hostile_provider() -> Iterator[str]:
    port = free_port()
    with running(str(HERE / "hostile_provider.py"), str(port), port=port) as issuer:
        yield issuer


@contextmanager
def real_provider() -> Iterator[str]:
    """oidc-provider-mock, which asks for nothing but who one wants to be."""
    port = free_port()
    command = ("-m", "oidc_provider_mock", "--port", str(port), "--require-nonce")
    with running(*command, port=port, AUTHLIB_INSECURE_TRANSPORT="1") as issuer:
        yield issuer


def make_person(issuer: str, name: str = "ana") -> None:
    """Somebody at the real provider, with a verified address."""
    claims: Any = {"email": f"{name}@corp.example", "email_verified": True, "name": "Ana Lim"}
    requests.put(f"{issuer}/users/{name}", json=claims, timeout=5).raise_for_status()


def app_of(issuer: str, **rules: Any) -> dict[str, Any]:
    """A provider as the environment would configure it."""
    usual: dict[str, Any] = {
        "server_url": issuer,
        "oauth_pkce_enabled": True,
        "domains": [],
        "groups": [],
        "groups_claim": "groups",
        "new_accounts": True,
        "link_by_email": False,
        "verified_email": False,
        "tells_auth_time": True,
    }
    return {
        "provider_id": "corp",
        "name": "Corp",
        "client_id": CLIENT,
        "secret": SECRET,
        "settings": {**usual, **rules},
    }
