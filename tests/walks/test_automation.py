"""The automation example of the README, exactly as it stands there: a token, HTTP, and nothing else."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.orchestrator_site.running import ROOT
from tests.walks.product import Json, Product

pytestmark = pytest.mark.slow

README = ROOT / "README.md"
DIGEST = re.compile(r"[0-9a-f]{64}")


def block(language: str) -> str:
    """The only block of the README in a language."""
    found = re.findall(rf"^```{language}\n(.*?)^```$", README.read_text(), re.MULTILINE | re.DOTALL)
    assert len(found) == 1, f"the README has {len(found)} blocks of {language}"
    return str(found[0])


def follow_the_readme(shop: Product, folder: Path) -> str:
    """Save its document, carry out its commands; what they printed."""
    (folder / "digit-reader.yaml").write_text(block("yaml"))
    environment = {
        "PATH": os.environ["PATH"],
        "ORCHESTRATOR_URL": str(shop.api.base_url).removesuffix("/api/v1/"),
        "ORCHESTRATOR_TOKEN": shop.token(),
    }
    done = subprocess.run(
        ["bash", "-eu", "-o", "pipefail", "-c", block("bash")],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\n{shop.up.logs()}"
    return done.stdout


@pytest.mark.skipif(
    shutil.which("curl") is None, reason="there is no curl here, which the README's commands use"
)
def test_with_only_a_token_a_program_publishes_runs_approves_and_traces(
    shop: Product, tmp_path: Path
) -> None:
    said = follow_the_readme(shop, tmp_path)
    for words in ("version 1", "approved", "succeeded", "True", "approved by admin"):
        assert words in said.splitlines(), said
    trace: Json = json.loads((tmp_path / "trace.json").read_text())
    assert trace["complete"]
    assert trace["missing"] == []
    assert trace["gaps"] == []
    assert trace["parameters"]["epochs"] == 20
    assert all(DIGEST.fullmatch(one["sha256"]) for one in [trace["model"], *trace["data"]])
    assert "digits:train" in [one["entry"] for one in trace["code"]]
    assert all(DIGEST.fullmatch(one["snapshot"]) for one in trace["code"])
    assert "scikit-learn" in {p["name"] for one in trace["environment"] for p in one["packages"]}
    assert trace["approval"]["was_requester"]
