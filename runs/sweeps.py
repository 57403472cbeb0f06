"""The loop that finds unfinished business: what a nudge missed, it does for certain, within seconds.

One process leads, by an advisory lock on a connection of its own; several leaders at once do no harm,
for every verb checks what it changes.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import structlog
from django.db import Error, InterfaceError, connection

from runs import chores, dispatch, protocol
from runs.protocol import LEASE_TTL

log = structlog.get_logger()

EVERY = 2.0  # seconds
FOLLOW_EVERY = 5.0  # seconds between two tries to become the leader
LEADER_LOCK = 0x0C4E_57A7
OVERDUE = 30.0  # seconds past its time-out after which the sweep ends an attempt that its worker did not

# While the database has been up for less than one TTL nobody could renew a lease.
EXPIRE_LEASES = """
    UPDATE worker_lease SET state = 'lost', closed_at = engine_now()
    WHERE state IN ('live', 'draining') AND expires_at < engine_now()
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
# Runnable for 2 s without anybody having come: {queue: how many}.
UNHEARD = """
    SELECT t.queue, count(*) FROM (
        SELECT queue FROM task_run
        WHERE state IN ('ready', 'retry_wait') AND ready_at <= engine_now() - interval '2 s' LIMIT 1000
    ) t GROUP BY 1
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


def expire_leases() -> int:
    """Leases that nobody renewed are lost; returns how many."""
    lost = _rows(EXPIRE_LEASES, LEASE_TTL)
    for (worker,) in lost:
        log.warning("a worker stopped answering", worker=worker)
    return len(lost)


def settle_orphans() -> int:
    """Attempts whose lease is gone are lost, their tasks runnable again; returns how many."""
    tokens = [token for (token,) in _rows(ORPHANED)]
    for token in tokens:
        protocol.lose(token, "lease")
    return len(tokens)


def end_overdue() -> int:
    """Attempts whose own worker did not end them in time; returns how many."""
    tokens = [token for (token,) in _rows(OVERDUE_ATTEMPTS, OVERDUE)]
    for token in tokens:
        cause = "it ran longer than its time-out, and its worker did not stop it"
        protocol.finish(token, protocol.Outcome("failed", "timeout", cause))
    return len(tokens)


def expire_approvals() -> int:
    """Tasks that waited for a person beyond their deadline; returns how many."""
    waiting = [task for (task,) in _rows(PAST_DEADLINE)]
    for task in waiting:
        protocol.expire_approval(task)
    return len(waiting)


def ring_unheard() -> None:
    """Ring again for tasks that wait although somebody could come."""
    for queue, count in _rows(UNHEARD):
        dispatch.ring(queue, count)


def nudge_chores() -> None:
    """Wake the system worker when something is due."""
    if chores.due(1):
        dispatch.ring_system("nudge", "chores")


def sweep_once(*, may_expire: bool = True) -> None:
    """One round. ``may_expire``: False while a connection error is less than one TTL ago."""
    if may_expire:
        expire_leases()
    settle_orphans()
    end_overdue()
    expire_approvals()
    ring_unheard()
    nudge_chores()
    for sweep in _registered:
        sweep()


class Leader:
    """Whether this process leads. The lock lives as long as the connection."""

    def __init__(self) -> None:
        self.leads = False

    def check(self) -> bool:
        """Take the lock if it is free; a broken connection has lost it."""
        if connection.connection is None or connection.connection.closed:
            self.leads = False
        if not self.leads:
            ((self.leads,),) = _rows("SELECT pg_try_advisory_lock(%s)", LEADER_LOCK)
        return self.leads


def main() -> None:
    """Sweep until the process is ended; outlives any outage of the database."""
    leader = Leader()
    troubled_at: float | None = None
    partitions_at = 0.0
    while True:
        try:
            if leader.check():
                trusted = troubled_at is None or time.monotonic() - troubled_at > LEASE_TTL
                sweep_once(may_expire=trusted)
                if time.monotonic() - partitions_at > 3600:
                    _rows(AHEAD)
                    partitions_at = time.monotonic()
        except (Error, InterfaceError) as error:
            troubled_at = time.monotonic()
            log.warning("the sweep was interrupted", error=str(error).strip())
            connection.close()
        except Exception:
            log.exception("one round of the sweep failed")
        time.sleep(EVERY if leader.leads else FOLLOW_EVERY)
