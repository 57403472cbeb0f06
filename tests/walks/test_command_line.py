"""From a file to a finished run and its log, with nothing but the command line and a token."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.orchestrator_site.running import ROOT
from tests.walks.product import Product

pytestmark = pytest.mark.slow

DOCUMENT = """\
schema: orchestrator/v1
name: by-hand
parameters:
  who: {type: string, default: world}
tasks:
  greet:
    kind: shell
    run: echo "hello $IN_WHO"
    with: {who: "${{ params.who }}"}
"""


def orchestrator(shop: Product, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **shop.environment,
        "ORCHESTRATOR_URL": str(shop.api.base_url).removesuffix("/api/v1/"),
        "ORCHESTRATOR_TOKEN": str(shop.api.headers["Authorization"]).removeprefix("Bearer "),
    }
    words = (sys.executable, "-m", "orchestrator_site.cli", *words)
    return subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)


def test_a_file_becomes_a_run_that_says_what_it_was_given(shop: Product, tmp_path: Path) -> None:
    path = tmp_path / "by-hand.yaml"
    path.write_text(DOCUMENT)
    applied = orchestrator(shop, "apply", str(path), "--team", "demo")
    assert applied.returncode == 0, applied.stderr
    ran = orchestrator(shop, "run", "demo:by-hand", "-p", "who=moon", "--wait")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "succeeded" in ran.stdout
    said = orchestrator(shop, "logs", "demo:by-hand", "-f")
    assert said.stdout == "greet [1] hello moon\n"
