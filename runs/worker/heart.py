"""The heartbeat of a worker: renews its lease, and hears in the same statement what it should be doing.

A thread with its own connection. 1 row: alive. 0 rows: the lease is lost, and everything this worker
carries out must die. An error: PostgreSQL cannot be asked; runners go on for ``outage_patience``. In a
network that was cut, asking may hang for longer than runners bear silence: the pulse is a thread that asks
nobody.
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
BREATH = 2.0  # seconds between two signs of life to the runners
OUTAGE_PATIENCE = 600.0  # seconds a runner goes on while the database cannot be asked


class Heart(threading.Thread):
    """``on_answer`` gets [{attempt, cancel, timeout}] of the lease's running attempts with each beat.

    ``on_lost(sentence)`` is called at most once; ``on_beat`` every two seconds, by the pulse.
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
        self.last_answer = time.monotonic()  # when the question was asked that was answered last
        self._obeyed_at = self.last_answer  # when an answer was last carried out
        self.pulse = threading.Thread(target=self._alive, args=(self._breathe,), name="pulse", daemon=True)
        self._ended = threading.Event()
        self._telling = threading.Lock()
        self._bell: PubSub | None = None

    def start(self) -> None:
        super().start()
        self.pulse.start()

    def end(self) -> None:
        """Stop beating; returns at once."""
        self._ended.set()

    def run(self) -> None:
        self._alive(self._beat_on)

    def _alive(self, go_on: Callable[[], None]) -> None:
        try:
            go_on()
        except BaseException as error:
            # Without a heart the lease lapses, and what runs here would run twice.
            log.exception("the heart stopped")
            self._lose(f"its heart stopped: {error!r}")

    def _lose(self, sentence: str) -> None:
        with self._telling:
            if not self._ended.is_set():
                self._ended.set()
                self.on_lost(sentence)

    def _breathe(self) -> None:
        """Keep the runners alive, for as long as the database may be silent."""
        while not self._ended.is_set():
            self.on_beat()
            silent = time.monotonic() - self._obeyed_at
            if silent >= self.patience:
                self._lose(f"the database has not answered for {silent:.0f} s")
            self._ended.wait(min(BREATH, self.patience / 4))

    def _beat_on(self) -> None:
        while not self._ended.is_set():
            began = time.monotonic()
            if not self._beat():
                return
            # From the question on: after an answer that was read late, the lease may be lost by now.
            self._wait(began + self.interval * random.uniform(0.9, 1.1))  # noqa: S311
        connection.close()

    def ask(self) -> list[dict[str, Any]] | None:
        """Renew the lease: what its attempts shall do, None when it is lost. Any thread. Raises Error."""
        asked = time.monotonic()
        running: list[dict[str, Any]] | None = call("engine_beat", self.lease, LEASE_TTL)
        if running is not None:
            # The lease lasts from the question on: this process may have stood still before it read this.
            self.last_answer = max(self.last_answer, asked)
        return running

    def _beat(self) -> bool:
        """False when there is nothing left to beat for."""
        try:
            running = self.ask()
            if running is not None:
                self.on_answer(running)
                self._obeyed_at = time.monotonic()
        except (Error, InterfaceError) as error:
            self._no_answer(error)
            return True
        if running is None:
            self._lose("the lease has lapsed")
        return running is not None

    def _no_answer(self, error: Exception) -> None:
        connection.close()
        silent = time.monotonic() - self._obeyed_at
        log.warning("the database does not answer", seconds=round(silent), error=str(error).strip())
        self._ended.wait(1.0)

    def _wait(self, deadline: float) -> None:
        """Until the next beat, or until somebody asks for one through Redis."""
        if time.monotonic() >= deadline:
            return
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
