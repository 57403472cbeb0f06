"""Once an hour the product looks by itself whether what must always hold does (``runs.invariants``)."""

from __future__ import annotations

import time

import structlog
from django.db import connection

from runs import chores, metrics
from runs.invariants import check_all
from runs.models import Chore

EVERY = 3600.0  # seconds between two looks
FIRST_LOOK = 300.0  # seconds after the start of a sweep

log = structlog.get_logger(__name__)


class Broken(Exception):
    """Something that must always hold does not; the text names the first rows."""


_next_look = time.monotonic() + FIRST_LOOK


def ask_hourly() -> None:
    """A sweep: have what must hold looked at by the system worker, once an hour."""
    global _next_look
    if time.monotonic() >= _next_look:
        _next_look = time.monotonic() + EVERY
        chores.ask("invariants", "lately")


def look(chore: Chore) -> None:
    """Carry out a chore of kind ``invariants``. Raises :class:`Broken`: its error stays to be read."""
    found = check_all(lately=True)
    for name, rows in found.items():
        log.error("an invariant is broken", invariant=name, rows=[str(row) for row in rows[:10]])
    if found:
        shown = "; ".join(f"{name}: {rows[0]} ({len(rows)} rows)" for name, rows in found.items())
        raise Broken(f"{shown}. `manage.py invariants` lists them all.")


LAST_LOOK = (
    "SELECT error <> '' FROM chore WHERE kind = 'invariants' AND attempts > 0 ORDER BY id DESC LIMIT 1"
)


def broken_at_last_look() -> float:
    """1 when the last hourly look found something broken, or could not look at all; else 0."""
    with connection.cursor() as cursor:
        cursor.execute(LAST_LOOK)
        return float((cursor.fetchone() or (False,))[0])


metrics.register(
    "orchestrator_invariants_broken", "1 when something that must always hold does not.", broken_at_last_look
)
