"""The row of an environment, as the process that builds or uses it writes it."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.db import connection

from pipelines.clock import EngineNow
from runs.environments import pruning, venvs
from runs.environments.interpreters import Python, PythonMissing
from runs.environments.uv import BuildFailed
from runs.models import Environment

PYTHON_MISSING = "python-missing"
LOG_LIMIT = 1024 * 1024  # characters of uv's words that are kept
LOG_CUT = "\n[the rest is in the log file on the machine that built it]\n"
ALIVE_EVERY = 5.0  # seconds between two signs of life of a chore that builds


class Row:
    """One environment's row, written by this process."""

    def __init__(self, lock_sha256: str, wanted: str) -> None:
        self.lock = lock_sha256
        self.wanted = wanted
        self.builder = f"{socket.gethostname()}:{os.getpid()}"

    @property
    def rows(self) -> Any:
        return Environment.objects.filter(lock_sha256=self.lock, wanted=self.wanted)

    def make(self) -> None:
        """Write the row unless it is there."""
        Environment.objects.bulk_create(
            [Environment(lock_sha256=self.lock, wanted=self.wanted)], ignore_conflicts=True
        )

    def update(self, **fields: Any) -> None:
        self.rows.update(**fields)

    def begin(self) -> None:
        """A build begins: its log starts anew, and is this process's until another one begins."""
        self.make()
        self._execute(
            "state = 'building', build = build + 1, builder = %s, log = '', progress = '', "
            "started_at = engine_now()",
            self.builder,
        )

    def say(self, words: str) -> None:
        self.rows.filter(builder=self.builder).update(progress=words[:200])

    def append(self, text: str) -> None:
        """Add to the log, up to its limit."""
        self._execute(
            "log = CASE WHEN length(log) > %s THEN log WHEN length(log) + length(%s) > %s "
            "THEN left(log || %s, %s) || %s ELSE log || %s END",
            *(LOG_LIMIT, text, LOG_LIMIT, text, LOG_LIMIT, LOG_CUT, text),
            also=" AND builder = %s",
            last=(self.builder,),
        )

    def ready(self, python: Python, folder: Path, lock: Path) -> None:
        """It is there on this host; ``lock`` is its lock file."""
        self.make()
        found = venvs.packages(lock.read_bytes()) if lock.is_file() else []
        self.update(
            state="ready", python=python.version, problem="", problem_code="", progress="",
            preload_problems={}, packages=[list(each) for each in found],
        )  # fmt: skip
        self._on_this_host(str(folder / "bin" / "python"), pruning.measure(folder)[0])
        self.rows.filter(built_at=None).update(built_at=EngineNow())

    def _on_this_host(self, python: str, size: int) -> None:
        host = socket.gethostname()
        self._execute(
            "paths = paths || jsonb_build_object(%s::text, %s::text), "
            "sizes = sizes || jsonb_build_object(%s::text, %s::bigint)",
            *(host, python, host, size),
        )

    def is_ready(self, python: Path) -> bool:
        """Is it written down as ready on this host, there?"""
        return bool(
            self.rows.filter(state="ready", paths__contains={socket.gethostname(): str(python)}).exists()
        )

    def failed(self, failure: BuildFailed) -> None:
        """It could not be built here; where other hosts have it, it stays ready for them."""
        self.make()
        host = socket.gethostname()
        code = PYTHON_MISSING if isinstance(failure, PythonMissing) else "build-failed"
        self._execute(
            "paths = paths - %s::text, sizes = sizes - %s::text, progress = '', problem = %s, "
            "problem_code = %s, state = CASE WHEN paths - %s::text = '{}' THEN 'failed' ELSE 'ready' END",
            *(host, host, str(failure).replace("\0", ""), code, host),
        )

    def gone(self) -> None:
        """It was removed from this host."""
        host = socket.gethostname()
        self._execute(
            "paths = paths - %s::text, sizes = sizes - %s::text, built_at = NULL, "
            "state = CASE WHEN paths - %s::text = '{}' THEN 'missing' ELSE state END",
            *(host, host, host),
        )

    def _execute(self, change: str, *values: Any, also: str = "", last: tuple[Any, ...] = ()) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE environment SET {change} WHERE lock_sha256 = %s AND wanted = %s{also}",  # noqa: S608
                [*values, self.lock, self.wanted, *last],
            )


class Told(venvs.Watcher):
    """Writes what a build says into its row while it goes on; `alive` is called every few seconds."""

    def __init__(self, row: Row, alive: Callable[[], None] = lambda: None) -> None:
        self.row = row
        self.alive = alive
        self.next_sign = 0.0

    def begin(self) -> None:
        self.row.begin()

    def step(self, words: str) -> None:
        self.row.say(words)
        self.row.append(f"# {words}\n")

    def said(self, text: str) -> None:
        if text:
            self.row.append(text.replace("\0", ""))
        if time.monotonic() >= self.next_sign:
            self.next_sign = time.monotonic() + ALIVE_EVERY
            self.alive()
