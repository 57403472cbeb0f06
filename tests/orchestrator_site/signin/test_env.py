"""Providers from the environment: read whole, or refused by name."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from orchestrator_site.signin.env import oidc_apps
from tests.orchestrator_site.running import ROOT

PREFIX = "ORCHESTRATOR_OIDC"
USUAL = {
    "": "corp",
    "_CORP_ISSUER": "https://login.example.org",
    "_CORP_CLIENT_ID": "orchestrator",
}


def configure(monkeypatch: pytest.MonkeyPatch, **more: str) -> None:
    for name, value in {**USUAL, **more}.items():
        monkeypatch.setenv(PREFIX + name, value)


def test_without_the_variable_there_is_no_provider() -> None:
    assert oidc_apps() == []


def test_a_provider_is_strict_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    configure(monkeypatch)
    (app,) = oidc_apps()
    assert (app["provider_id"], app["name"], app["client_id"]) == ("corp", "Corp", "orchestrator")
    rules = app["settings"]
    assert rules["oauth_pkce_enabled"] is True
    assert (rules["link_by_email"], rules["verified_email"], rules["new_accounts"]) == (False, False, True)
    assert (rules["domains"], rules["groups"], rules["groups_claim"]) == ([], [], "groups")


def test_several_providers_keep_their_order_and_secrets_come_from_files(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("of-corp\n")
    configure(
        monkeypatch,
        **{
            "": "partner,corp",
            "_CORP_CLIENT_SECRET_FILE": str(tmp_path / "secret"),
            "_CORP_DOMAINS": "Example.org, example.com",
            "_PARTNER_ISSUER": "http://127.0.0.1:9400",
            "_PARTNER_CLIENT_ID": "x",
        },
    )
    partner, corp = oidc_apps()
    assert (partner["provider_id"], corp["secret"]) == ("partner", "of-corp")
    assert corp["settings"]["domains"] == ["example.org", "example.com"]


@pytest.mark.parametrize(
    "more, words",
    [
        ({"": "Corp"}, "small letters and digits"),
        ({"": "a/b"}, "small letters and digits"),
        ({"_CORP_ISSUER": ""}, "ORCHESTRATOR_OIDC_CORP_ISSUER is not set"),
        ({"_CORP_CLIENT_ID": ""}, "ORCHESTRATOR_OIDC_CORP_CLIENT_ID is not set"),
        ({"_CORP_ISSUER": "http://login.example.org"}, "begins with https"),
        ({"_CORP_ISSUER": "login.example.org"}, "begins with https"),
        ({"_CORP_LINK_BY_EMAIL": "maybe"}, "write true or false"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, more: dict[str, str], words: str
) -> None:
    configure(monkeypatch, **more)
    with pytest.raises(ImproperlyConfigured, match=words):
        oidc_apps()


def test_nobody_can_switch_off_the_only_way_in() -> None:
    environment = {**os.environ, "ORCHESTRATOR_PASSWORD_SIGN_IN": "false"}
    done = subprocess.run(
        [sys.executable, "manage.py", "check"], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode != 0
    assert "nobody could sign in" in done.stderr
