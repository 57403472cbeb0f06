"""The log of one attempt on its way into the database: split, bounded, written in chunks."""

from __future__ import annotations

import time

import structlog
from django.conf import settings
from django.db import Error, InterfaceError, connection

from runs import live
from runs.transitions import execute
from runs.worker.logs import DROPPED_RATE, Bucket, Chunk, LogSplitter
from runs.worker.masking import Mask

log = structlog.get_logger()

KEPT_BACK = 128  # chunks held while the database is away; 8 MiB
HELD_UP = 5.0  # seconds from which on a task is told that its log held it up
PATIENCE = 60.0  # seconds for which the end of a log waits for a database that is away


class Journal:
    """Takes what an attempt says. While the database is away, reading stops and the task's pipe fills."""

    def __init__(self, run_id: int, attempt_id: int, token: str) -> None:
        self.run_id = run_id
        self.attempt_id = attempt_id
        self.token = token
        self._splitter = LogSplitter()
        self._bucket = Bucket(time.monotonic(), settings.ORCHESTRATOR["LOG_RATE"])
        self._unwritten: list[Chunk] = []
        self._flushed_at = 0.0
        self._given_up = 0
        # Set before the first byte of an attempt that was given secrets.
        self.mask: Mask | None = None

    @property
    def pending(self) -> bool:
        """Is there something that has not been written?"""
        return self._splitter.pending or bool(self._unwritten)

    @property
    def dropped(self) -> int:
        """Bytes beyond the limit of an attempt that were not kept."""
        return self._splitter.dropped + self._given_up

    def delay(self) -> float:
        """Seconds until more may be read: a flood is slowed down, and a lost database stops it."""
        if len(self._unwritten) >= KEPT_BACK:
            return 0.5
        return self._bucket.delay(time.monotonic())

    def feed(self, data: bytes) -> None:
        """Take bytes that the attempt wrote."""
        self._bucket.take(len(data), time.monotonic())
        self._take(data)
        if self._splitter.full:
            # Nothing of it is written any more, so it may come faster; a task is not held up for the bin.
            self._bucket.open_to(DROPPED_RATE)

    def say(self, text: str) -> None:
        """A sentence of ours in the attempt's log."""
        self._take(text.encode())

    def _take(self, data: bytes) -> None:
        self._write(self._splitter.feed(self.mask.feed(data) if self.mask else data))

    def flush_if_due(self, every: float) -> None:
        """Write what has come when the last write is ``every`` seconds ago."""
        now = time.monotonic()
        if self.pending and now - self._flushed_at >= every:
            self._flushed_at = now
            self._write(self._splitter.flush())

    def close(self) -> None:
        """Write the rest, for some seconds again and again. What is given up then counts as dropped."""
        rest = self._splitter.feed(self.mask.close()) if self.mask else []
        if self._bucket.held >= HELD_UP:
            rest += self._splitter.feed(self._held_up().encode())
        self._write(rest + self._splitter.close())
        until = time.monotonic() + PATIENCE
        while self._unwritten and time.monotonic() < until:
            time.sleep(0.5)
            self._write([])
        if self._unwritten:
            self._given_up = sum(len(chunk.body) for chunk in self._unwritten)
            log.warning("the end of a log was lost", attempt=self.token, bytes=self._given_up)

    def _held_up(self) -> str:
        rate = settings.ORCHESTRATOR["LOG_RATE"] / 1024**2
        return (
            f"\n--- this task was held up for {self._bucket.held:.0f} s: "
            f"it wrote faster than {rate:g} MiB a second ---\n"
        )

    def _write(self, chunks: list[Chunk]) -> None:
        self._unwritten += chunks
        if not self._unwritten:
            return
        try:
            while self._unwritten:
                chunk = self._unwritten[0]
                execute(
                    "SELECT engine_log(%s, %s, %s, %s, %s, %s)",
                    (self.run_id, self.attempt_id, chunk.seq, chunk.first_line, chunk.lines, chunk.body),
                )
                self._unwritten.pop(0)
            live.log_grew(self.run_id, self.token, self._splitter.lines)
        except (Error, InterfaceError) as error:
            log.warning("a log waits for the database", attempt=self.token, error=str(error).strip())
            connection.close()
