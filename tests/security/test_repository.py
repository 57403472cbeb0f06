"""What is kept in the repository: no secrets, and locks that name every byte and no place."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from detect_secrets import SecretsCollection
from detect_secrets.core import baseline
from detect_secrets.settings import configure_settings_from_baseline

from tests.orchestrator_site.running import ROOT

# What was looked at and is none: passwords of tests, names of settings.
# `detect-secrets scan --baseline .secrets.baseline` writes it anew.
BASELINE = ROOT / ".secrets.baseline"
# Digests and generated texts; they are judged by tests of their own.
NOT_SEARCHED = re.compile(
    r"(package-lock\.json|requirements/.*\.txt|\.lock|schema\.json|schema\.d\.ts|results\.json|\.png|\.baseline)$"
)
LOCKS = sorted((ROOT / "requirements").glob("*.txt")) + sorted(ROOT.glob("*/demo_code/*.lock"))


def tracked() -> list[str]:
    """Files of the repository, by path."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("This is no checkout of Git: which files belong to the repository is not known.")
    return [path for path in listed.stdout.splitlines() if (ROOT / path).is_file()]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_no_file_of_the_repository_holds_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    known = baseline.load(json.loads(BASELINE.read_text()), str(BASELINE))
    configure_settings_from_baseline(json.loads(BASELINE.read_text()), str(BASELINE))
    found = SecretsCollection()
    found.scan_files(*(path for path in tracked() if not NOT_SEARCHED.search(path)))
    new = [f"{path}:{secret.line_number} {secret.type}" for path, secret in found - known]
    assert not new, f"looks like secrets: {new}; take them out, or look and write {BASELINE.name} anew"


def test_the_search_finds_what_it_is_for(tmp_path: Path) -> None:
    key = "-----BEGIN RSA PRIVATE" + " KEY-----\nMIIEpAIBAAKCAQEA\n"
    (tmp_path / "a.py").write_text(f'token = "ghp_{"a1B2" * 9}"\naws = "AKIA{"ABCD" * 4}"\n{key}')
    configure_settings_from_baseline(json.loads(BASELINE.read_text()), str(BASELINE))
    found = SecretsCollection()
    found.scan_file(str(tmp_path / "a.py"))
    assert {secret.type for _, secret in found} >= {"GitHub Token", "AWS Access Key", "Private Key"}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_every_package_of_a_lock_has_hashes_and_no_place(lock: Path) -> None:
    text = lock.read_text()
    entries = re.findall(r"^[a-z0-9][^\s=]*==\S+[^\n]*\n(?:[ ]{4}[^\n]*\n?)*", text, re.MULTILINE)
    assert entries
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []
    assert (
        re.findall(r"https?://|file:|--(?:extra-)?index-url|--find-links|^-e | @ ", text, re.MULTILINE) == []
    )


def test_every_package_of_the_frontend_has_a_checksum_and_no_place() -> None:
    packages = json.loads((ROOT / "frontend/package-lock.json").read_text())["packages"]
    named = {name: package for name, package in packages.items() if name}
    assert len(named) > 100
    assert [name for name, package in named.items() if not package.get("integrity")] == []
    assert [name for name, package in named.items() if "resolved" in package] == []


def test_what_the_security_page_names_is_there() -> None:
    table = (
        (ROOT / "SECURITY.md")
        .read_text()
        .split("## What is asked for, and what holds it")[1]
        .split("\n## ")[0]
    )
    named = re.findall(r"`([\w.]+/[\w./]*)`", table)
    assert len(named) > 60
    assert [path for path in named if not (ROOT / path).exists()] == []
