"""Half a minute of chaos by a plan in which every kind of fault has its place."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.orchestrator_site.running import ROOT


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_half_a_minute_of_chaos_breaks_nothing() -> None:
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("ORCHESTRATOR_", "DJANGO_"))
    }
    cache = {name: os.environ[name] for name in ("ORCHESTRATOR_CACHE",) if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-m", "tests.soak"],
        cwd=ROOT,
        env={**kept, **cache, "SECONDS": "30", "SEED": "1"},
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, f"{done.stdout[-6000:]}\n{done.stderr[-3000:]}"
    assert "| violations " in done.stdout
