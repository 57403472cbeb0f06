"""Whether the units of scarce things that a task needs are there at all, free, and not kept for another."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Final, NamedTuple

from django.db import connection

from runs import queries
from runs.explaining.answers import MOST, Asked, Blocker, Code, Link, held_link, some
from runs.models import TaskRun, WorkerLease
from runs.models.slot import GPU

# A unit that is reserved for a task of higher rank is kept from this one, as `engine_slots` says.
UNITS: Final = """
    SELECT s.kind, s.host, s.device, s.withdrawn_at IS NOT NULL, s.holder_id,
           CASE WHEN w.state IN ('ready', 'retry_wait') AND w.id <> t.id
                 AND (-engine_urgency(w.priority, w.ready_at, engine_now()), w.ready_at, w.id)
                     <= (-engine_urgency(t.priority, coalesce(t.ready_at, engine_now()), engine_now()),
                         coalesce(t.ready_at, engine_now()), t.id)
                THEN w.id END
    FROM task_run t JOIN slot s ON t.needs ? s.kind LEFT JOIN task_run w ON w.id = s.reserved_for_id
    WHERE t.id = %s ORDER BY s.position, s.id
"""


class Unit(NamedTuple):
    """``withdrawn``: not given out; ``holder``: an attempt; ``kept_for``: the task of higher rank that it is
    reserved for.
    """

    kind: str
    host: str
    device: str
    withdrawn: bool
    holder: int | None
    kept_for: int | None


class Units:
    """The units of the kinds that a task needs. One query, none for none."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.needs: dict[str, int] = asked.task.needs

    @cached_property
    def _rows(self) -> list[Unit]:
        if not self.needs:
            return []
        with connection.cursor() as cursor:
            cursor.execute(UNITS, [self.asked.task.pk])
            return [Unit(*row) for row in cursor.fetchall()]

    def of(self, lease: WorkerLease, kind: str) -> list[Unit]:
        """The units of a kind that a worker may be given, by whomever they are held."""
        devices = set(lease.labels.get("devices") or ())
        given_out = [unit for unit in self._rows if unit.kind == kind and not unit.withdrawn]
        return [unit for unit in given_out if not unit.host or unit.device in devices]

    def suffice(self, lease: WorkerLease) -> bool:
        """Would they do for the task if nobody else had any?"""
        return all(len(self.of(lease, kind)) >= amount for kind, amount in self.needs.items())

    def absent(self, leases: Sequence[WorkerLease]) -> list[Blocker]:
        """The kinds of which none of these workers has enough, whoever holds them."""
        most = {kind: max(len(self.of(lease, kind)) for lease in leases) for kind in self.needs}
        return [
            self._absent(kind, most[kind]) for kind in sorted(self.needs) if most[kind] < self.needs[kind]
        ]

    def _absent(self, kind: str, most: int) -> Blocker:
        amount, queue = self.needs[kind], self.asked.task.queue
        if kind == GPU:
            offered = f"more than {most}" if most else "any"
            words = f"It needs {_counted(amount, kind)} of one machine,"
            words += f" and no worker of the queue {queue} has {offered}."
            words += self._withdrawn(kind)
            remedy = f"Start a worker on a machine that has them: manage.py worker --queue {queue}"
        else:
            words = f"It needs {amount} {kind} at a time, and there {_are(most)} {most or 'none'}."
            remedy = "A site admin gives the pool more units."
            if not most:
                remedy = "Correct the name in the document, or have a site admin make a pool of this name."
        return Blocker(Code.SLOTS_ABSENT, words, remedy=remedy)

    def _withdrawn(self, kind: str) -> str:
        """A device that was in the hands of a worker that fell silent may still be in use there."""
        hosts = sorted({unit.host for unit in self._rows if unit.kind == kind and unit.withdrawn})
        if not hosts:
            return ""
        names = some(hosts[:MOST], len(hosts))
        return f" Those of {names} are withdrawn until a worker there offers them again."

    def taken(self, leases: Sequence[WorkerLease]) -> list[Blocker]:
        """What others hold, or is kept for them, at the one of these workers that comes nearest."""
        best = max(leases, key=self._nearness)
        short = [kind for kind in sorted(self.needs) if self._usable(best, kind) < self.needs[kind]]
        return [blocker for kind in short for blocker in self._short(best, kind)]

    def _usable(self, lease: WorkerLease, kind: str) -> int:
        return sum(unit.holder is None and unit.kept_for is None for unit in self.of(lease, kind))

    def _nearness(self, lease: WorkerLease) -> int:
        return sum(min(self._usable(lease, kind), amount) for kind, amount in self.needs.items())

    def _short(self, lease: WorkerLease, kind: str) -> list[Blocker]:
        """Held ones, reserved ones, or both: each is named when the task cannot begin unless it goes."""
        units, amount = self.of(lease, kind), self.needs[kind]
        unkept = sum(unit.kept_for is None for unit in units)
        free = sum(unit.holder is None for unit in units)
        found = []
        if free < amount or unkept >= amount:
            found.append(self._held(kind, units, free))
        if unkept < amount:
            found.append(self._kept(kind, units))
        return found

    def _held(self, kind: str, units: Sequence[Unit], free: int) -> Blocker:
        asked, amount = self.asked, self.needs[kind]
        attempts = queries.with_runs({unit.holder for unit in units if unit.holder is not None})
        seen = [attempt for attempt in attempts if asked.rights.can("view", attempt.run)]
        links = tuple(
            held_link(asked, "holder", attempt.run, attempt.task_run.key) for attempt in seen[:MOST]
        )
        place = f" on {units[0].host}" if units[0].host else ""
        words = (
            f"It needs {_counted(amount, kind)} at a time:"
            f" of {len(units)}{place}, {free or 'none'} {_are(free)} free."
        )
        remedy = "It begins when those that hold them have ended."
        return Blocker(Code.SLOTS_HELD, words, since=asked.task.ready_at, links=links, remedy=remedy)

    def _kept(self, kind: str, units: Sequence[Unit]) -> Blocker:
        asked = self.asked
        kept = [unit for unit in units if unit.kept_for is not None]
        rows = TaskRun.objects.filter(pk__in={unit.kept_for for unit in kept})
        first = rows.select_related("run__pipeline__team").defer("run__params", "run__only").order_by("pk")[0]
        links: tuple[Link, ...] = ()
        if asked.rights.can("view", first.run):
            links = (held_link(asked, "kept-for", first.run, first.key),)
        count = len(kept)
        words = (
            f"{_counted(count, kind)} {_are(count)} kept for a task that needs several and has waited longer."
        )
        return Blocker(Code.SLOTS_RESERVED, words, since=asked.task.ready_at, links=links)


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _counted(count: int, kind: str) -> str:
    """``2 GPUs``; what a pool gives out is called as documents call it: ``2 licence``."""
    if kind == GPU:
        return f"{count} GPU" if count == 1 else f"{count} GPUs"
    return f"{count} {kind}"
