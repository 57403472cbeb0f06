"""The process that serves: what it does to daphne and Twisted."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import Any

import pytest
from asgiref.sync import AsyncToSync
from asgiref.testing import ApplicationCommunicator

from orchestrator_site.asgi import django_application

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


def test_a_request_stays_in_one_thread_from_the_first_middleware_to_the_view(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gone_back: list[object] = []
    go_back = AsyncToSync.__call__

    def noted(self: AsyncToSync[Any, Any], *args: Any, **options: Any) -> Any:
        gone_back.append(self)
        return go_back(self, *args, **options)

    monkeypatch.setattr(AsyncToSync, "__call__", noted)
    assert asyncio.run(status_of("/healthz")) == 200
    assert gone_back == []


async def status_of(path: str) -> int:
    scope = {"type": "http", "method": "GET", "path": path, "headers": [(b"host", b"localhost")]}
    asked = ApplicationCommunicator(django_application, scope)
    await asked.send_input({"type": "http.request", "body": b""})
    answer = await asked.receive_output()
    return int(answer["status"])
