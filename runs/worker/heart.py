"""The heartbeat of a worker: renews its lease, and hears in the same statement what it should be doing.

A thread with its own connection. 1 row: alive. 0 rows: the lease is lost, and everything this worker
carries out must die. An error: PostgreSQL cannot be asked; runners go on for ``outage_patience``.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

import structlog
from django.db import Error, InterfaceError, connection
from redis.client import PubSub
from redis.exceptions import RedisError

from runs import dispatch
from runs.protocol import LEASE_TTL
from runs.transitions import call

log = structlog.get_logger()

INTERVAL = 5.0  # seconds between beats, give or take a tenth
OUTAGE_PATIENCE = 600.0  # seconds a runner goes on while the database cannot be asked


class Heart(threading.Thread):
    """``on_answer`` gets [{attempt, cancel, timeout}] of the lease's running attempts with each beat.

    ``on_lost(sentence)`` is called at most once; ``on_beat`` before each beat, whether or not it is answered.
    """

    def __init__(
        self,
        lease: UUID,
        *,
        on_answer: Callable[[list[dict[str, Any]]], None],
        on_lost: Callable[[str], None],
        on_beat: Callable[[], None],
        interval: float = INTERVAL,
        patience: float = OUTAGE_PATIENCE,
    ) -> None:
        super().__init__(name="heart", daemon=True)
        self.lease = lease
        self.on_answer = on_answer
        self.on_lost = on_lost
        self.on_beat = on_beat
        self.interval = interval
        self.patience = patience
        self.last_answer = time.monotonic()
        self._ended = threading.Event()
        self._bell: PubSub | None = None

    def end(self) -> None:
        """Stop beating; returns at once."""
        self._ended.set()

    def run(self) -> None:
        try:
            self._beat_on()
        except BaseException as error:
            # Without a heart the lease lapses, and what runs here would run twice.
            log.exception("the heart stopped")
            if not self._ended.is_set():
                self.on_lost(f"its heart stopped: {error!r}")

    def _beat_on(self) -> None:
        while not self._ended.is_set():
            self.on_beat()
            if not self._beat():
                return
            self._wait(self.interval * random.uniform(0.9, 1.1))  # noqa: S311
        connection.close()

    def _beat(self) -> bool:
        """False when there is nothing left to beat for."""
        try:
            running = call("engine_beat", self.lease, LEASE_TTL)
            if running is not None:
                self.on_answer(running)
        except (Error, InterfaceError) as error:
            return self._no_answer(error)
        self.last_answer = time.monotonic()
        if running is None and not self._ended.is_set():
            self.on_lost("the lease has lapsed")
            return False
        return True

    def _no_answer(self, error: Exception) -> bool:
        connection.close()
        silent = time.monotonic() - self.last_answer
        log.warning("the database does not answer", seconds=round(silent), error=str(error).strip())
        if silent < self.patience:
            self._ended.wait(1.0)
            return True
        self.on_lost(f"the database has not answered for {silent:.0f} s")
        return False

    def _wait(self, seconds: float) -> None:
        """Until the next beat, or until somebody asks for one through Redis."""
        deadline = time.monotonic() + seconds
        try:
            if self._bell is None:
                self._bell = dispatch.redis().pubsub(ignore_subscribe_messages=True)
                self._bell.subscribe(dispatch.NUDGE_CHANNEL + str(self.lease))
            while (left := deadline - time.monotonic()) > 0 and not self._ended.is_set():
                if self._bell.get_message(timeout=left):
                    return
        except (RedisError, OSError):
            self._bell = None
            self._ended.wait(max(0.0, deadline - time.monotonic()))
