"""Workers taken out of service with nothing lost: they take nothing more, end what they have, and go."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from pipelines import audit
from pipelines.errors import Conflict
from pipelines.models import ApiToken, User
from runs import dispatch, protocol, queries
from runs.models import WorkerLease


def named(name: str) -> list[WorkerLease]:
    """The workers that are there and are called so: a host, a worker's name, or the id of its lease."""
    wanted = Q(host=name) | Q(worker=name)
    with suppress(ValueError):
        wanted |= Q(uuid=UUID(name))
    return list(queries.open_leases().filter(wanted).order_by("id"))


def has_to_be_stopped(lease: WorkerLease) -> bool:
    """Is a worker of a version that takes nothing more when it is drained, and does not leave by itself?"""
    return "drains" not in lease.labels


@transaction.atomic
def drain(
    leases: Sequence[WorkerLease], *, actor: User | None, token: ApiToken | None = None
) -> list[WorkerLease]:
    """Have these workers leave; returns those that nobody had asked before. ``actor`` None: the product.

    However long an attempt at hand takes, it is waited for. Conflict: one of them has gone already.
    """
    asked = []
    for lease in leases:
        if protocol.move_lease(lease.uuid, ("live",), "draining"):
            asked.append(lease)
            facts = {"worker": lease.worker, "host": lease.host, "queue": lease.queue}
            audit.write(actor, "worker.drain", lease, facts, team=None, token=token)
            transaction.on_commit(partial(dispatch.nudge_worker, str(lease.uuid)), robust=True)
        elif not queries.open_leases().filter(pk=lease.pk).exists():
            raise Conflict(f"{lease.worker} has gone already.", code="worker-gone")
    return asked
