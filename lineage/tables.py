"""Looks into tables, each in a process of its own (`lineage.table_reader`), kept for whoever asks next."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import OrderedDict
from pathlib import Path
from threading import Lock, Semaphore
from typing import Any, Final

import structlog

from pipelines.errors import Refusal

log = structlog.get_logger()
Json = dict[str, Any]

READER: Final = Path(__file__).with_name("table_reader.py")
PATIENCE: Final = 25.0  # seconds on the clock, waiting for a turn not counted
QUEUE: Final = 20.0  # seconds that one look waits for those before it
KEPT: Final = 16 * 1024 * 1024  # bytes of answers
# What an answer is made of changes with this number, and with it every ETag.
FORM: Final = 1


class Busy(Refusal):
    """Others are being looked at; soon there is room again."""

    status = 503
    default_code = "busy"


class Unreadable(Exception):
    """The bytes are not what their type says, or cost more to look at than a look may; says so in words."""


class Memory:
    """The answers that were asked for last, as text, at most so many bytes of them. For several threads.

    Bytes known by their digest never change, so nothing here is ever outdated.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.kept: OrderedDict[tuple[str, ...], bytes] = OrderedDict()
        self.size = 0
        self.lock = Lock()

    def get(self, key: tuple[str, ...]) -> bytes | None:
        with self.lock:
            if key in self.kept:
                self.kept.move_to_end(key)
            return self.kept.get(key)

    def put(self, key: tuple[str, ...], answer: bytes) -> None:
        with self.lock:
            self.size += len(answer) - len(self.kept.pop(key, b""))
            self.kept[key] = answer
            while self.size > self.most:
                _, oldest = self.kept.popitem(last=False)
                self.size -= len(oldest)


_memory = Memory(KEPT)
# One profile at a time: the machine is there for the runs. Quick looks do not wait for slow ones.
_turns = {"rows": Semaphore(2), "profile": Semaphore(1)}


def first_rows(path: Path, form: str) -> Json:
    """What `table_reader.first_rows` says of a file of the store. Raises Unreadable, Busy."""
    return _look("rows", path, form)


def profile(path: Path, form: str) -> Json:
    """What `table_reader.profile` says of a file of the store. Raises Unreadable, Busy."""
    return _look("profile", path, form)


def _look(verb: str, path: Path, form: str) -> Json:
    key = (verb, form, path.name)  # in the store a file is named by its digest
    answer = _memory.get(key)
    if answer is None:
        if not _turns[verb].acquire(timeout=QUEUE):
            raise Busy("Other tables are being looked at. Try again in a moment.")
        try:
            answer = _memory.get(key) or _read({"verb": verb, "path": str(path), "form": form})
        finally:
            _turns[verb].release()
        _memory.put(key, answer)
    found: Json = json.loads(answer)
    if "unreadable" in found:
        raise Unreadable(found["unreadable"])
    return found


def _read(request: Json) -> bytes:
    """The answer of a fresh reader; one that broke off is answered for."""
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(READER)],
            input=json.dumps(request).encode(),
            capture_output=True,
            timeout=PATIENCE,
            cwd="/",
            env={"LANG": "C.UTF-8"},
            check=False,
        )
    except subprocess.TimeoutExpired:
        log.warning("looking into a table took too long", path=request["path"], verb=request["verb"])
        return _unreadable(f"Looking into it takes longer than {PATIENCE:.0f} seconds. Download it.")
    if done.returncode != 0 or not done.stdout:
        log.warning("looking into a table broke off", path=request["path"], code=done.returncode)
        return _unreadable(
            "Its bytes are damaged, or made to do damage: the process that read them was ended."
        )
    return done.stdout


def _unreadable(reason: str) -> bytes:
    return json.dumps({"unreadable": reason}).encode()
