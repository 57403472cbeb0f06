"""The process that serves: what it does to daphne and Twisted."""

from __future__ import annotations

import subprocess
import sys

STATUSES = """
from orchestrator_site.web import name_statuses
name_statuses()
from twisted.web.http import RESPONSES
print([RESPONSES[status].decode() for status in (404, 422, 429)])
"""


def test_a_status_that_twisted_does_not_know_has_its_phrase() -> None:
    # In a process of its own, as Twisted may install its reactor.
    said = subprocess.run([sys.executable, "-c", STATUSES], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "['Not Found', 'Unprocessable Entity', 'Too Many Requests']"
