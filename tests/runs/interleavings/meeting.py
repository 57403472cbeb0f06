"""How two verbs are made to meet: one has done its work and not committed while the other begins.

The first verb's transaction stays open until PostgreSQL itself says that the second waits for one of its
locks, or until the second has ended without waiting.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from django.db import connection, transaction

from runs.protocol import Refused

PATIENCE = 10.0  # seconds in which a verb waits or ends
WAITS = "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = %s"

Verb = Callable[[], Any]


@dataclass(frozen=True)
class Met:
    """What both verbs answered, and whether the second had to wait for a lock of the first."""

    first: Any
    second: Any
    waited: bool


def meet(first: Verb, second: Verb) -> Met:
    """``first`` commits once ``second`` waits for it, or has ended without waiting."""
    other = Other(second)
    with transaction.atomic():
        answer = answer_of(first)
        other.start()
        waited = other.waits()
    return Met(answer, other.answer(), waited)


def answer_of(verb: Verb) -> Any:
    """What a verb says; a refusal is its code."""
    try:
        return verb()
    except Refused as refused:
        return refused.code


@contextmanager
def somebody_else() -> Iterator[psycopg.Connection]:
    """Another connection of the application, in a transaction of its own."""
    given = connection.get_connection_params()
    known = {key: given[key] for key in ("dbname", "user", "password", "host", "port") if given.get(key)}
    with psycopg.connect(**known) as other:
        yield other
        other.rollback()


class Other(threading.Thread):
    """A second worker or person, on a connection of its own."""

    def __init__(self, verb: Verb) -> None:
        super().__init__(daemon=True)
        self.verb = verb
        self.backend = 0
        self.connected = threading.Event()
        self.answered: Any = None
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                (self.backend,) = cursor.fetchone()
            self.connected.set()
            self.answered = answer_of(self.verb)
        except BaseException as error:
            self.error = error
        finally:
            self.connected.set()
            connection.close()

    def waits(self) -> bool:
        """True as soon as it waits for a lock, False when it has ended without."""
        self.connected.wait(PATIENCE)
        with somebody_else() as watcher:
            watcher.autocommit = True
            deadline = time.monotonic() + PATIENCE
            while self.is_alive():
                if watcher.execute(WAITS, [self.backend]).fetchone() == (True,):
                    return True
                assert time.monotonic() < deadline, "the second verb neither waits nor ends"
                time.sleep(0.001)
        return False

    def answer(self) -> Any:
        self.join(PATIENCE)
        assert not self.is_alive(), "the second verb does not end although the first has committed"
        if self.error is not None:
            raise self.error
        return self.answered
