"""The one way the engine's SQL verbs are called, and what their answers mean.

Each verb in ``runs/sql/`` moves states by UPDATE … WHERE the expected state, checks the row count and writes
the events, all under the run's row lock. Here they are called, retried on deadlock, and what has to be told
after the commit (bells, browsers, listeners) is told.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.db import OperationalError, connection, transaction
from psycopg import errors

from runs import dispatch, live, signals

TRIES = 5
# Times that one transaction may learn of something outside the database and begin again. It asks for all it
# needs at once and only before it has done anything, so more than one is a change in between.
QUESTIONS = 5
T = TypeVar("T")
_thread = threading.local()

# Functions of runs/sql with the casts their arguments need.
VERBS = {
    "engine_plant": "%s, %s, %s::text[], %s, %s::text[]",
    "engine_claim": "%s, %s",
    "engine_finish": "%s, %s, %s, %s, %s, %s::jsonb, %s::jsonb, %s, %s, %s, %s, %s, %s",
    "engine_end_task": "%s, %s, %s, %s, %s",
    "engine_judged": "%s, %s::bigint[], %s::bigint[], %s::bigint[]",
    "engine_reuse": "%s, %s::bigint[], %s::bigint[], %s::text[]",
    "engine_undecided": "%s, %s",
    "engine_retry_now": "%s, %s",
    "engine_cancel": "%s, %s, %s",
    "engine_admit": "%s",
    "engine_has_overlap": "%s",
    "engine_resume": "%s, %s",
    "engine_beat": "%s, %s",
    "engine_outputs": "%s, %s::jsonb",
    "engine_wanting": "%s::text[]",
}
HELD_CLAIM = "SELECT engine_claim(%s, %s, %s)"


def call(verb: str, *arguments: Any) -> Any:
    """The JSON that ``verb`` (a key of :data:`VERBS`) returns, as Python; None for SQL NULL."""
    return _one(f"SELECT {verb}({VERBS[verb]})", arguments)


def claim_holding(lease: Any, queue: str, run: int) -> Any:
    """``engine_claim`` within the transaction that has locked ``run`` already."""
    return _one(HELD_CLAIM, (lease, queue, run))


def _one(sql: str, arguments: tuple[Any, ...]) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql, arguments)
        (value,) = cursor.fetchone()
    return json.loads(value) if isinstance(value, str) else value


def execute(sql: str, arguments: tuple[Any, ...]) -> None:
    """One statement of the engine that gives nothing back."""
    with connection.cursor() as cursor:
        cursor.execute(sql, arguments)


class FindOut(Exception):
    """A transaction cannot go on until something outside the database is known: ``ask`` finds it out.

    Nothing of the transaction is kept; it begins again when the answer is there.
    """

    def __init__(self, ask: Callable[[], None]) -> None:
        super().__init__("something outside the database must be known first")
        self.ask = ask


def retried(verb: Callable[[], T]) -> T:
    """Run a whole engine transaction, again up to 5 times on deadlock or serialization failure.

    Within somebody else's transaction it runs once: only the one who began can begin again. Nor does it
    :class:`FindOut` anything there, as locks would be held meanwhile.
    """
    for left in range(0 if within_another() else QUESTIONS, -1, -1):
        try:
            with _asking(left > 0):
                return _retried(verb)
        except FindOut as question:
            question.ask()
    raise AssertionError("unreachable")


def within_another() -> bool:
    """Has somebody else begun the transaction that this thread is in?"""
    return connection.in_atomic_block


def may_ask() -> bool:
    """May the verb at work begin again for a question? If not it leaves open what hangs on the answer."""
    return getattr(_thread, "may_ask", False)


@contextmanager
def _asking(allowed: bool) -> Iterator[None]:
    before, _thread.may_ask = may_ask(), allowed
    try:
        yield
    finally:
        _thread.may_ask = before


def _retried(verb: Callable[[], T]) -> T:
    if connection.in_atomic_block:
        return verb()
    for left in range(TRIES - 1, -1, -1):
        try:
            return verb()
        except OperationalError as error:
            if not left or not isinstance(
                error.__cause__, errors.DeadlockDetected | errors.SerializationFailure
            ):
                raise
            time.sleep(random.uniform(0.001, 0.02))  # noqa: S311
    raise AssertionError("unreachable")


@dataclass
class Told:
    """What a verb's transaction has to tell once it is committed."""

    runs: dict[int, dict[str, Any]] = field(default_factory=dict)
    woken: dict[str, int] = field(default_factory=dict)
    attempts: list[int] = field(default_factory=list)
    closed: list[int] = field(default_factory=list)
    leases: list[str] = field(default_factory=list)
    undecided: set[int] = field(default_factory=set)

    def add(self, answer: dict[str, Any]) -> None:
        """Take in the answer of one SQL verb."""
        run = answer["run"]
        self.runs[run["id"]] = run
        for queue, count in answer["woken"].items():
            self.woken[queue] = self.woken.get(queue, 0) + count
        if answer["closed"]:
            self.closed.append(run["id"])
        if "attempt" in answer:
            self.attempts.append(answer["attempt"])
        self.leases += answer.get("leases", [])

    def claimed(self, queue: str) -> None:
        """The caller has taken one of the woken tasks itself: nobody else is needed for it."""
        if self.woken.get(queue):
            self.woken[queue] -= 1

    def after_commit(self) -> None:
        """Ring, publish and signal when the transaction is committed; all of it best effort."""
        transaction.on_commit(self._tell, robust=True)

    def _tell(self) -> None:
        for queue, count in self.woken.items():
            dispatch.ring(queue, count)
        if self.undecided:
            dispatch.ring_system("nudge", "reuse")
        for lease in self.leases:
            dispatch.nudge_worker(lease)
        for run in self.runs.values():
            live.run_moved(run["id"], run["last_seq"], run["state"])
        if self.attempts:
            signals.attempt_finished.send_robust(sender=None, attempts=list(self.attempts))
        for run_id in self.closed:
            signals.run_finished.send_robust(sender=None, run=run_id)
