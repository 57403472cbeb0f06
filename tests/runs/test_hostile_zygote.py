"""Modules of `preload` run in the zygote, so what it says is believed in its shape only, and has a limit."""

from __future__ import annotations

import json
import os
import socket
import struct
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from runs.worker import zygotes
from runs.worker.zygotes import Running, Zygote

ENDED = {"event": "ended", "exit": 1, "signal": None, "killed": None, "passed": None, "rusage": None}


def framed(message: Any) -> bytes:
    body = json.dumps(message).encode()
    return struct.pack("!I", len(body)) + body


@dataclass
class Taken:
    """An attempt whose zygote somebody else speaks for."""

    running: Running
    theirs: socket.socket

    def say(self, message: Any) -> None:
        self.theirs.sendall(framed(message))

    def ended(self) -> dict[str, Any]:
        event = self.running.poll(10)
        assert event is not None
        assert event["event"] == "ended"
        error: dict[str, Any] = event["result"]["error"]
        return error


@pytest.fixture
def taken(tmp_path: Path) -> Iterator[Taken]:
    ours, theirs = socket.socketpair()
    process = subprocess.Popen(["sleep", "60"])
    zygote = Zygote(process, ours, (), 12.0)
    zygote.running = Running(zygote, "no-attempt", str(tmp_path), os.memfd_create("report"), None)
    yield Taken(zygote.running, theirs)
    theirs.close()
    process.kill()
    zygote.close()


def test_a_result_comes_from_the_runner_alone(taken: Taken) -> None:
    forged = {"outputs": [{"name": "x", "type": "file", "path": "/etc/passwd"}]}
    taken.say({**ENDED, "result": forged, "told": True})
    assert taken.ended()["message"] == "the process ended with exit code 1 and no report of a result"


@pytest.mark.parametrize(
    "message",
    [
        [],
        {},
        {"event": "of another kind"},
        {"event": "started"},
        {"event": "started", "pid": "1", "preload_problems": {}},
        {"event": "started", "pid": 1, "preload_problems": {"numpy": 3}},
        {"event": "capture", "provenance": "none"},
        {"event": "ended"},
        {**ENDED, "exit": "0"},
        {**ENDED, "signal": 9.5},
        {**ENDED, "passed": {"what": "patience", "limit": 1, "held": 2}},
        {**ENDED, "passed": {"what": "memory", "limit": "all", "held": 2}},
        {**ENDED, "rusage": 3},
    ],
)
def test_what_no_zygote_says_ends_the_attempt_and_not_the_worker(taken: Taken, message: Any) -> None:
    taken.say(message)
    assert taken.ended()["reason"] == "infrastructure"


@pytest.mark.parametrize("body", [b"no json", b"[" * 100_000, b"\xff"])
def test_what_is_no_json_ends_the_attempt_and_not_the_worker(taken: Taken, body: bytes) -> None:
    taken.theirs.sendall(struct.pack("!I", len(body)) + body)
    assert taken.ended()["reason"] == "infrastructure"


def test_an_endless_message_is_not_waited_for(taken: Taken, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zygotes, "MESSAGE_LIMIT", 1000)
    taken.theirs.sendall(struct.pack("!I", 2**32 - 1) + b" " * 2000)
    assert taken.ended()["reason"] == "infrastructure"


def test_thousands_of_facts_are_no_depth(taken: Taken) -> None:
    facts = [{"event": "capture", "provenance": {"number": number}} for number in range(3000)]
    taken.running.zygote._buffer += b"".join(framed(message) for message in [*facts, ENDED])
    assert taken.ended()["reason"] == "exit"
