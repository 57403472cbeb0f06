"""Work that is not a task: a row, a nudge that carries it out at once, and a sweep that is certain.

``runs`` and ``lineage`` register what they can do. A chore that raises is tried again with growing
pauses; after :data:`MOST_ATTEMPTS` it is dead, and its error stays readable.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog
from django.db import connection, transaction

from runs import dispatch
from runs.models import Chore

log = structlog.get_logger()

MOST_ATTEMPTS = 8
TAKEN_FOR = 600  # seconds after which somebody else may try a chore whose holder has vanished

Handler = Callable[[Chore], None]
_handlers: dict[str, Handler] = {}
_nudges: dict[str, Callable[[], Any]] = {}

TAKE = """
    UPDATE chore SET state = 'running', attempts = attempts + 1,
        taken_until = engine_now() + make_interval(secs => %s)
    WHERE id = %s AND due_at <= engine_now()
      AND (state = 'waiting' OR (state = 'running' AND taken_until < engine_now()))
"""
DUE = """
    SELECT id FROM chore WHERE due_at <= engine_now()
      AND (state = 'waiting' OR (state = 'running' AND taken_until < engine_now()))
    ORDER BY due_at LIMIT %s
"""
# Whoever took it vanished each time: taking it once more would end one more worker.
BURY = """
    UPDATE chore SET state = 'dead', finished_at = engine_now(), error = %s
    WHERE id = %s AND state = 'running' AND taken_until < engine_now() AND attempts >= %s
"""
VANISHED = "Whoever carried it out ended in the middle of it, {:,} times: it is not tried again."
# Pauses of 5 s, 20 s, 80 s … up to an hour.
FAIL = """
    UPDATE chore SET state = CASE WHEN attempts >= %s THEN 'dead' ELSE 'waiting' END, error = %s,
        due_at = engine_now() + make_interval(secs => least(3600, 5 * power(4, attempts - 1)))
    WHERE id = %s AND state = 'running' AND attempts = %s
"""


def register(kind: str, handler: Handler) -> None:
    """``handler(chore)`` carries out chores of ``kind``; it must be safe to repeat."""
    _handlers[kind] = handler


def register_nudge(name: str, run: Callable[[], Any]) -> None:
    """``run()`` catches up with something; the system worker calls it when nudged."""
    _nudges[name] = run


def run_nudge(name: str) -> None:
    """Catch up with what is registered under ``name``. Raises KeyError for an unknown name."""
    _nudges[name]()


def run_all_nudges() -> None:
    """Catch up with everything once, as at the start of a system worker."""
    for name in list(_nudges):
        try:
            run_nudge(name)
        except Exception:
            log.exception("catching up failed; the sweep will ask again", what=name)


def ask(kind: str, key: str, payload: dict[str, Any] | None = None) -> None:
    """Have one chore of ``kind`` done for ``key``: no second one while one is live."""
    Chore.objects.bulk_create(
        [Chore(kind=kind, key=key, payload=payload or {})],
        ignore_conflicts=True,
    )
    transaction.on_commit(lambda: dispatch.ring_system("nudge", "chores"), robust=True)


def due(limit: int = 100) -> list[int]:
    """Ids of chores that somebody should carry out now, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(DUE, [limit])
        return [row[0] for row in cursor.fetchall()]


def carry_out_due() -> int:
    """Carry out all that is due; returns how many were tried."""
    ids = due()
    for chore_id in ids:
        carry_out(chore_id)
    return len(ids)


def carry_out(chore_id: int) -> bool:
    """Carry out one chore; False when somebody else has it or it is not due."""
    with connection.cursor() as cursor:
        cursor.execute(BURY, [VANISHED.format(MOST_ATTEMPTS), chore_id, MOST_ATTEMPTS])
        if cursor.rowcount:
            return False
        cursor.execute(TAKE, [TAKEN_FOR, chore_id])
        if cursor.rowcount != 1:
            return False
    chore = Chore.objects.get(id=chore_id)
    try:
        _handlers[chore.kind](chore)
    except Exception as error:
        log.warning(
            "a chore failed", kind=chore.kind, key=chore.key, attempt=chore.attempts, error=str(error)
        )
        with connection.cursor() as cursor:
            cursor.execute(
                FAIL, [MOST_ATTEMPTS, f"{type(error).__name__}: {error}", chore_id, chore.attempts]
            )
        return True
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE chore SET state = 'done', error = '', finished_at = engine_now() "
            "WHERE id = %s AND state = 'running' AND attempts = %s",
            [chore_id, chore.attempts],
        )
    return True


register_nudge("chores", carry_out_due)
