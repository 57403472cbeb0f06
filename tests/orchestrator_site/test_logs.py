"""What the product's own log says, and what it must not say."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.orchestrator_site.running import ROOT

FAIL = """
import django, structlog
django.setup()

def open_it():
    opened = "-".join(["the", "value", "itself"])
    raise OSError("no such door")

try:
    open_it()
except OSError:
    structlog.get_logger().exception("a task could not be carried out", attempt="a1")
"""


@pytest.mark.parametrize("as_json", ["false", "true"])
def test_the_log_of_an_exception_shows_no_local_variable(
    as_json: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOG_JSON", as_json)
    said = subprocess.run(
        [sys.executable, "-c", FAIL], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    ).stderr
    assert "no such door" in said
    assert "open_it" in said
    assert "the-value-itself" not in said
