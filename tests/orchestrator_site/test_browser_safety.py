"""What browsers are told with every answer, and that the production settings satisfy Django's own checks."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
from django.test import Client

from tests.orchestrator_site.running import ROOT

pytestmark = pytest.mark.slow

POLICY = "Content-Security-Policy"
INLINE = re.compile(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|javascript:", re.IGNORECASE)
ADDRESSES = (
    "/",
    "/runs",
    "/admin/login/",
    "/api/v1/docs/",
    "/api/v1/me/",
    "/api/nowhere/",
    "/healthz",
    "/admin/x/",
)


def directives(policy: str) -> dict[str, list[str]]:
    """The policy as a table: directive, its sources."""
    return {name: sources for name, *sources in (part.split() for part in policy.split(";"))}


@pytest.mark.django_db
@pytest.mark.parametrize("address", ADDRESSES)
def test_every_answer_confines_the_browser(address: str) -> None:
    answer = Client().get(address)
    said = directives(answer[POLICY])
    assert said["default-src"] == ["'none'"]
    assert said["frame-ancestors"] == ["'none'"]
    assert said["base-uri"] == ["'none'"]
    assert said["form-action"] == ["'self'"]
    assert not {"'unsafe-inline'", "'unsafe-eval'", "*", "data:", "blob:"} & set(said["script-src"])
    assert "'unsafe-inline'" not in said["style-src"]
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "camera=()" in answer["Permissions-Policy"]


def test_the_page_carries_the_nonce_of_its_answer_and_of_no_other() -> None:
    nonces = set()
    for _ in range(3):
        answer = Client().get("/")
        text = answer.content.decode()
        written = set(re.findall(r'nonce="([^"]+)"', text))
        assert len(written) == 1
        nonce = written.pop()
        assert directives(answer[POLICY])["script-src"] == ["'self'", f"'nonce-{nonce}'"]
        assert "{{" not in text
        nonces.add(nonce)
    assert len(nonces) == 3


@pytest.mark.parametrize("address", ["/", "/admin/login/", "/api/v1/docs/"])
@pytest.mark.django_db
def test_no_page_holds_a_script_or_a_style_of_its_own(address: str) -> None:
    assert INLINE.findall(Client().get(address).content.decode()) == []


def test_every_script_of_the_page_has_the_nonce() -> None:
    tags = re.findall(r"<script[^>]*>", Client().get("/").content.decode())
    assert tags
    assert all("nonce=" in tag for tag in tags)


def deployed(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`manage.py` with settings as in production: an https address, servers of our own."""
    given = {
        "PATH": os.environ["PATH"],
        "ORCHESTRATOR_URL": "https://pipelines.example.org",
        "DATABASE_URL": "postgres://orchestrator@db.example.org/orchestrator",
        "REDIS_URL": "rediss://redis.example.org/0",
        "ORCHESTRATOR_SECRET_KEY": "".join(chr(97 + number % 26) for number in range(60)),
        **environment,
    }
    return subprocess.run(
        [sys.executable, "manage.py", *words], cwd=ROOT, env=given, capture_output=True, text=True, timeout=60
    )


def test_the_production_settings_pass_djangos_deployment_checks() -> None:
    done = deployed("check", "--deploy", "--fail-level", "WARNING")
    assert done.returncode == 0, done.stderr
    assert "no issues (0 silenced)" in done.stdout + done.stderr


SHOW = """
from django.test import Client
for forwarded in ("http", "https"):
    answer = Client(headers={"host": "pipelines.example.org"}).get("/", secure=forwarded == "https")
    print(answer.status_code, answer.get("Location"), answer.get("Strict-Transport-Security"))
    print(" ".join(str(cookie) for cookie in answer.cookies.values()))
print(Client(headers={"host": "pipelines.example.org"}).get("/healthz").status_code)
"""


def test_an_https_address_means_tls_alone_and_secure_cookies() -> None:
    done = deployed("shell", "--no-imports", "-c", SHOW)
    assert done.returncode == 0, done.stderr
    plain, _, secured, cookies, health = done.stdout.splitlines()
    assert plain == "301 https://pipelines.example.org/ None"
    assert secured == "200 None max-age=31536000; includeSubDomains; preload"
    assert "Secure" in cookies
    assert "SameSite=Lax" in cookies
    assert health == "200", "who watches the process asks it without TLS"
