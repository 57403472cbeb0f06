"""What is old goes: events and log chunks by whole partitions of 100,000 runs, leases in batches.

A partition goes when all its runs ended before its term. The logs in it are copied into the store first;
their bytes stay until lineage removes them. Runs, tasks, attempts and records stay for ever.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import structlog
from django.conf import settings
from django.db import OperationalError, connection, transaction
from psycopg import errors

from pipelines.store import Store, configured
from runs import chores, log_archives, metrics
from runs.models import Attempt, Chore, DroppedPartition

log = structlog.get_logger()

SIZE: Final = 100_000  # runs of a partition
EVENTS: Final = "run_event"
LOGS: Final = "log_chunk"
BATCH: Final = 200  # logs that are looked for at a time
LEASES: Final = 5_000  # deleted in one transaction
CHORE: Final = "retention"
EVERY: Final = 600.0  # seconds between two rounds
ROUND: Final = 120.0  # seconds after which a round leaves the rest to the next one
PATIENCE: Final = "10min"  # that looking through a partition may take, more than a page's question may

TOO_OLD: Final = (
    "This run ended so long ago that its events or logs were removed from the database: it cannot go on. "
    "Start a rerun of it, which takes over what is equal."
)
# Without its last two partitions, which are filled and made ahead.
PARTITIONS: Final = """
    SELECT p.first, pg_total_relation_size(p.oid) FROM (
        SELECT c.oid, substring(c.relname FROM '[0-9]+$')::bigint AS first
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = %s::regclass
    ) p ORDER BY p.first
"""
PAST: Final = """
    SELECT NOT EXISTS (
        SELECT FROM run
        WHERE id >= %(first)s AND id < %(end)s AND (finished_at IS NULL OR finished_at >= %(before)s)
    ) AND EXISTS (SELECT FROM run WHERE id >= %(end)s AND created_at < %(before)s)
"""
OLD_LEASES: Final = """
    SELECT count(*) FROM worker_lease l
    WHERE l.state IN ('closed', 'lost') AND l.closed_at < engine_now() - make_interval(days => %s)
      AND NOT EXISTS (SELECT FROM attempt a WHERE a.lease_id = l.id)
"""


@dataclass(frozen=True)
class Partition:
    """Events or log chunks of the runs from ``first`` on; ``size`` in bytes, with indexes."""

    table: str
    first: int
    size: int

    @property
    def end(self) -> int:
        """The first run beyond it."""
        return self.first + SIZE


@dataclass
class Done:
    """What one round has done. ``unfinished``: time was up, or somebody held a partition."""

    archived: int = 0
    dropped: int = 0
    leases: int = 0
    unfinished: bool = False


def days_of(table: str) -> int:
    """Days after the end of its last run for which a partition stays; 0: for ever."""
    return max(0, settings.ORCHESTRATOR["EVENT_DAYS" if table == EVENTS else "LOG_DAYS"])


def due() -> list[Partition]:
    """The partitions whose term is over, the oldest first."""
    return [
        found for table in (LOGS, EVENTS) if days_of(table) for found in _partitions(table) if _is_past(found)
    ]


def _partitions(table: str) -> Iterator[Partition]:
    with connection.cursor() as cursor:
        cursor.execute(PARTITIONS, [table])
        rows = cursor.fetchall()
    return (Partition(table, first, size) for first, size in rows)


def _is_past(partition: Partition) -> bool:
    before = _before(days_of(partition.table))
    return bool(_value(PAST, {"first": partition.first, "end": partition.end, "before": before}))


def _before(days: int) -> Any:
    """The moment so many days ago."""
    return _value("SELECT engine_now() - make_interval(days => %s)", [days])


def _value(sql: str, arguments: Any = None) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql, arguments)
        return cursor.fetchone()[0]


def old_leases() -> int:
    """How many leases are past their term and no attempt's."""
    days = settings.ORCHESTRATOR["LEASE_DAYS"]
    return int(_value(OLD_LEASES, [days])) if days else 0


def unarchived(partition: Partition) -> int:
    """How many logs must be copied before the partition may go."""
    return int(
        _value("SELECT count(*) FROM unarchived_logs(%s, %s, 2147483647)", [partition.first, partition.end])
    )


# --- carrying out ---------------------------------------------------------------------------------------


def carry_out(seconds: float = float("inf")) -> Done:
    """Remove what is past its term, for about so long. Safe beside other rounds. Raises StoreError."""
    until = time.monotonic() + seconds
    done = Done()
    with configured.store() as store:
        for partition in due():
            if partition.table == LOGS:
                _archive(store, partition, until, done)
            if time.monotonic() >= until:
                done.unfinished = True
                break
            _drop(partition, done)
    _delete_leases(until, done)
    return done


def _archive(store: Store, partition: Partition, until: float, done: Done) -> None:
    while time.monotonic() < until:
        batch = _unarchived(partition)
        if not batch:
            return
        for attempt in batch:
            log_archives.archive(store, attempt)
            done.archived += 1


def _unarchived(partition: Partition) -> list[Attempt]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attempt FROM unarchived_logs(%s, %s, %s)", [partition.first, partition.end, BATCH]
        )
        ids = [number for (number,) in cursor.fetchall()]
    return list(Attempt.objects.filter(pk__in=ids).only("uuid", "run_id"))


def _drop(partition: Partition, done: Done) -> None:
    """Drop a partition, unless somebody holds it; whether it may go is looked at again under its lock."""
    arguments = [partition.table, partition.first, _before(days_of(partition.table))]
    try:
        with transaction.atomic():
            _value("SELECT set_config('statement_timeout', %s, true)", [PATIENCE])
            answer = _value("SELECT drop_run_partition(%s, %s, %s)", arguments)
    except OperationalError as error:
        if not isinstance(error.__cause__, errors.LockNotAvailable):
            raise
        answer = "held"
    done.dropped += answer == "dropped"
    done.unfinished |= answer not in ("dropped", "absent")
    log.info(
        "retention", table=partition.table, first_run=partition.first, end_run=partition.end, answer=answer
    )


def _delete_leases(until: float, done: Done) -> None:
    days = settings.ORCHESTRATOR["LEASE_DAYS"]
    while days and time.monotonic() < until:
        count = _value("SELECT delete_old_leases(%s, %s)", [_before(days), LEASES])
        done.leases += count
        if count < LEASES:
            return


# --- what is gone ---------------------------------------------------------------------------------------


def hold() -> None:
    """Until the end of this transaction no partition is dropped."""
    _value("SELECT pg_advisory_xact_lock_shared(retention_lock())")


def events_dropped(run_id: int) -> DroppedPartition | None:
    """When the events of a run were removed; None when they are there."""
    return DroppedPartition.objects.filter(table_name=EVENTS, first_run=run_id // SIZE * SIZE).first()


def is_sealed(run_id: int) -> bool:
    """Is there no room any more for events or logs of a run that would go on?"""
    return DroppedPartition.objects.filter(first_run=run_id // SIZE * SIZE).exists()


# --- in production --------------------------------------------------------------------------------------

_next_round = time.monotonic() + EVERY


def ask() -> None:
    """A sweep: have the system worker do a round, every ten minutes, when there is something to do."""
    global _next_round
    if time.monotonic() >= _next_round:
        _next_round = time.monotonic() + EVERY
        if due() or old_leases():
            chores.ask(CHORE, "all")


def carry_out_chore(chore: Chore) -> None:
    """Carry out a chore of kind ``retention``. Raises StoreError: tried again later."""
    carry_out(ROUND)


def _size(table: str) -> int:
    return sum(found.size for found in _partitions(table))


metrics.register(
    "orchestrator_event_bytes", "Bytes of the events of runs in the database.", lambda: _size(EVENTS)
)
metrics.register("orchestrator_log_bytes", "Bytes of the logs in the database.", lambda: _size(LOGS))
metrics.register(
    "orchestrator_retention_due", "Partitions of events and logs past their term.", lambda: len(due())
)
