"""Half a minute of chaos by a plan, and some hundred browsers at once."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.orchestrator_site.running import ROOT


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_half_a_minute_of_chaos_breaks_nothing() -> None:
    said = perform("tests.soak", SECONDS="30", SEED="1")
    assert "| violations " in said


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_hundreds_of_sockets_some_of_which_never_read_hear_within_a_second() -> None:
    """`python -m tests.soak.sockets` does the same with 2,000."""
    said = perform("tests.soak.sockets", SOCKETS="300", RUNS="6")
    assert " 0 missed" in said


def perform(module: str, **environment: str) -> str:
    """What a program of this package says; it must end well."""
    ours = ("ORCHESTRATOR_", "DJANGO_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    cache = {name: os.environ[name] for name in ("ORCHESTRATOR_CACHE",) if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-m", module],
        cwd=ROOT,
        env={**kept, **cache, **environment},
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, f"{done.stdout[-6000:]}\n{done.stderr[-3000:]}"
    return done.stdout
