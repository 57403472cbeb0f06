"""Tells open browsers that something moved: ids and event numbers only, best effort.

A process that is not async keeps one thread with an event loop for the channel layer. Movements are
collected in a dict, and each changed run is sent at most every 200 ms.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Collection
from typing import Any

import structlog
from channels.layers import get_channel_layer
from django.db import connection

log = structlog.get_logger()

EVERY = 0.2  # seconds between two messages about the same run

RUN_FACTS = """
    SELECT r.uuid::text, p.uuid::text, t.slug FROM run r JOIN pipeline p ON p.id = r.pipeline_id
    JOIN team t ON t.id = r.team_id WHERE r.id = %s
"""

# The group of all sockets, which hear in it that rights have changed.
RIGHTS = "rights"

Message = dict[str, Any]


def groups(run: str, pipeline: str, team: str) -> list[str]:
    """The channel groups that hear of a run."""
    return [f"run.{run}", f"pipeline.{pipeline}", f"fleet.{team}"]


class _Publisher:
    """The thread of one process. Never inherited by a fork: see :func:`_publisher`."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.facts: dict[int, tuple[str, str, str]] = {}
        self._waiting: dict[tuple[str, str], tuple[list[str], Message]] = {}
        self._lock = threading.Lock()
        self._loop = asyncio.new_event_loop()
        self._wake = asyncio.Event()
        # A daemon, and without an executor of its own: nothing of it may keep the process alive.
        threading.Thread(
            target=self._loop.run_until_complete, args=(self._run(),), name="live", daemon=True
        ).start()

    def put(self, key: tuple[str, str], groups: list[str], message: Message) -> None:
        with self._lock:
            quiet = not self._waiting
            self._waiting[key] = (groups, message)
        if quiet:
            self._loop.call_soon_threadsafe(self._wake.set)

    async def _run(self) -> None:
        while True:
            # Waiting in a thread of an executor would keep the process from ending.
            await self._wake.wait()
            self._wake.clear()
            with self._lock:
                batch, self._waiting = self._waiting, {}
            for names, message in batch.values():
                await self._send(names, message)
            await asyncio.sleep(EVERY)

    async def _send(self, names: list[str], message: Message) -> None:
        try:
            layer = get_channel_layer()
            for name in names:
                await layer.group_send(name, message)
        except Exception as error:
            log.warning("browsers were not told", error=str(error))


_current: _Publisher | None = None


def _publisher() -> _Publisher:
    global _current
    if _current is None or _current.pid != os.getpid():
        _current = _Publisher()
    return _current


def _facts(run_id: int) -> tuple[str, str, str] | None:
    publisher = _publisher()
    if run_id not in publisher.facts:
        with connection.cursor() as cursor:
            cursor.execute(RUN_FACTS, [run_id])
            row = cursor.fetchone()
        if row is None:
            return None
        if len(publisher.facts) > 10_000:
            publisher.facts.clear()
        publisher.facts[run_id] = row
    return publisher.facts[run_id]


def run_moved(run_id: int, seq: int, state: str) -> None:
    """Events of a run exist up to ``seq``."""
    facts = _facts(run_id)
    if facts is not None:
        run, pipeline, _ = facts
        message = {"type": "live.run", "id": run, "seq": seq, "pipeline": pipeline, "state": state}
        _publisher().put(("run", run), groups(*facts), message)


def log_grew(run_id: int, attempt: str, lines: int) -> None:
    """The log of an attempt has ``lines`` lines now."""
    facts = _facts(run_id)
    if facts is not None:
        message = {"type": "live.log", "run": facts[0], "attempt": attempt, "lines": lines}
        _publisher().put(("log", attempt), [f"run.{facts[0]}"], message)


def rights_changed(users: Collection[int] | None, **_: Any) -> None:
    """These people, or perhaps anybody, may see more or less: their sockets look again."""
    ids = sorted(users) if users is not None else None
    _publisher().put((RIGHTS, str(ids)), [RIGHTS], {"type": "live.rights", "users": ids})
