"""The loop that finds unfinished business: what a nudge missed, it does for certain, within seconds.

One process leads, by an advisory lock on a connection of its own; several leaders at once do no harm,
for every verb checks what it changes.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from typing import Any

import structlog
from django.db import Error, InterfaceError, OperationalError, connection

from runs import chores, dispatch, protocol
from runs.protocol import LEASE_TTL
from runs.worker.zygotes import hide_memory

log = structlog.get_logger()

EVERY = 2.0  # seconds
FOLLOW_EVERY = 5.0  # seconds between two tries to become the leader
LEADER_LOCK = 0x0C4E_57A7
STALL = 1.0  # seconds that a small question may take before the answer's time is no longer trusted
OVERDUE = 30.0  # seconds past its time-out after which the sweep ends an attempt that its worker did not

# While the database has been up for less than one TTL nobody could renew a lease. The moment is asked for on
# its own before: a statement that hung through a stall would take all leases for lapsed.
NOW = "SELECT engine_now()"
EXPIRE_LEASES = """
    UPDATE worker_lease SET state = 'lost', closed_at = engine_now()
    WHERE state IN ('live', 'draining') AND expires_at < %s
      AND clock_timestamp() - pg_postmaster_start_time() > make_interval(secs => %s)
    RETURNING worker
"""
ORPHANED = """
    SELECT a.uuid::text FROM attempt a JOIN worker_lease l ON l.id = a.lease_id
    WHERE a.state = 'running' AND l.state IN ('lost', 'closed') ORDER BY a.id LIMIT 200
"""
OVERDUE_ATTEMPTS = """
    SELECT uuid::text FROM attempt
    WHERE state = 'running' AND timeout_at < engine_now() - make_interval(secs => %s)
"""
PAST_DEADLINE = (
    "SELECT id FROM task_run WHERE state = 'awaiting_approval' AND deadline_at <= engine_now() LIMIT 200"
)
# Claimable for 2 s without anybody having come, for each queue up to as many as a ring may ask for.
UNHEARD = """
    SELECT q.slug, count(*) FROM queue q CROSS JOIN LATERAL (
        SELECT 1 FROM task_run t JOIN run r ON r.id = t.run_id JOIN pipeline p ON p.id = r.pipeline_id
        WHERE t.queue = q.slug AND t.state IN ('ready', 'retry_wait')
          AND NOT t.parked AND t.ready_at <= engine_now() - interval '2 s'
          AND r.state = 'running'
          AND (r.paused_at IS NULL OR r.paused_until <= engine_now())
          AND (p.paused_at IS NULL OR p.paused_until <= engine_now())
        LIMIT 16
    ) t
    WHERE q.paused_at IS NULL OR q.paused_until <= engine_now()
    GROUP BY 1
"""
AHEAD = "SELECT ensure_run_partitions(coalesce((SELECT max(id) FROM run), 0) + 50000)"

_registered: list[Callable[[], Any]] = []


def register(sweep: Callable[[], Any]) -> None:
    """A room above adds its own unfinished business, looked for once per round."""
    _registered.append(sweep)


def _rows(sql: str, *arguments: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, arguments)
        return cursor.fetchall()


def _each(what: str, items: Iterable[Any], settle: Callable[[Any], Any]) -> int:
    """Settle one after the other; one that cannot be settled does not keep the others waiting."""
    done = 0
    for item in items:
        try:
            settle(item)
            done += 1
        except Exception as error:
            if _is_outage(error):
                raise
            log.exception("one of many could not be settled", what=what, item=str(item))
    return done


def _is_outage(error: Exception) -> bool:
    """Has the connection been lost, rather than a statement refused?"""
    return isinstance(error, OperationalError | InterfaceError) and not connection.is_usable()


def expire_leases() -> int:
    """Leases that nobody renewed are lost; returns how many."""
    asked = time.monotonic()
    ((now,),) = _rows(NOW)
    if time.monotonic() - asked > STALL:
        return 0
    lost = _rows(EXPIRE_LEASES, now, LEASE_TTL)
    for (worker,) in lost:
        log.warning("a worker stopped answering", worker=worker)
    return len(lost)


def settle_orphans() -> int:
    """Attempts whose lease is gone are lost, their tasks runnable again; returns how many."""
    tokens = [token for (token,) in _rows(ORPHANED)]
    return _each("lost attempt", tokens, lambda token: protocol.lose(token, "lease"))


def end_overdue() -> int:
    """Attempts whose own worker did not end them in time; returns how many."""
    cause = "it ran longer than its time-out, and its worker did not stop it"
    tokens = [token for (token,) in _rows(OVERDUE_ATTEMPTS, OVERDUE)]
    outcome = protocol.Outcome("failed", "timeout", cause)
    return _each("overdue attempt", tokens, lambda token: protocol.finish(token, outcome))


def expire_approvals() -> int:
    """Tasks that waited for a person beyond their deadline; returns how many."""
    waiting = [task for (task,) in _rows(PAST_DEADLINE)]
    return _each("approval", waiting, protocol.expire_approval)


def park_paused() -> None:
    """Have the tasks of paused runs stand beside their lines, and those of the others in them."""
    _rows("SELECT engine_unpark()")
    _rows("SELECT engine_park()")


def ring_unheard() -> None:
    """Ring again for tasks that wait although somebody could come."""
    for queue, count in _rows(UNHEARD):
        dispatch.ring(queue, count)


def nudge_chores() -> None:
    """Wake the system worker when something is due."""
    if chores.due(1):
        dispatch.ring_system("nudge", "chores")


def sweep_once(*, may_expire: bool = True) -> None:
    """One round. ``may_expire``: False while an outage or a stall is less than one TTL ago."""
    steps = [
        settle_orphans,
        end_overdue,
        expire_approvals,
        park_paused,
        ring_unheard,
        nudge_chores,
        *_registered,
    ]
    if may_expire:
        steps.insert(0, expire_leases)
    _each("step of the sweep", steps, lambda step: step())


class Leader:
    """Whether this process leads. The lock lives as long as the connection."""

    def __init__(self) -> None:
        self.leads = False

    def check(self) -> bool:
        """Take the lock if it is free; a broken connection has lost it."""
        if connection.connection is None or connection.connection.closed:
            self.leads = False
        if not self.leads:
            # A leader that hangs loses its session, and with it the lock.
            _rows("SELECT set_config('idle_session_timeout', '30s', false)")
            ((self.leads,),) = _rows("SELECT pg_try_advisory_lock(%s)", LEADER_LOCK)
        return self.leads


def main() -> None:
    """Sweep until the process is ended; outlives any outage of the database."""
    hide_memory()
    leader = Leader()
    troubled_at = -math.inf
    completed_at = time.monotonic()
    partitions_at = -math.inf
    while True:
        try:
            if leader.check():
                if time.monotonic() - completed_at > LEASE_TTL / 2:
                    # We, the database or the machine stood still: so did those who would have renewed.
                    troubled_at = time.monotonic()
                sweep_once(may_expire=time.monotonic() - troubled_at > LEASE_TTL)
                if time.monotonic() - partitions_at > 3600:
                    _rows(AHEAD)
                    partitions_at = time.monotonic()
            completed_at = time.monotonic()
        except (Error, InterfaceError) as error:
            troubled_at = time.monotonic()
            log.warning("the sweep was interrupted", error=str(error).strip())
            connection.close()
        except Exception:
            log.exception("one round of the sweep failed")
        time.sleep(EVERY if leader.leads else FOLLOW_EVERY)
