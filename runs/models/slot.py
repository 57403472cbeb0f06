"""Units of something scarce: a GPU of a host, a seat of a licence. One row each, held by one attempt."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from pipelines.clock import EngineNow
from runs.models.attempt import Attempt
from runs.models.queue import WorkerLease
from runs.models.run import TaskRun

GPU = "gpu"


class Slot(models.Model):
    """One unit. A device belongs to a host, whose workers register it; a unit of a pool has no host.

    ``device``: the UUID of a GPU, or the number of a unit within its pool. ``position``: its place in a list.
    ``withdrawn_at``: since when it is not given out; what holds it then keeps it. ``reserved_for``: the wide
    task before which no task of lower rank gets it.
    """

    kind = models.CharField(max_length=63)
    host = models.CharField(max_length=200, blank=True, default="")
    device = models.CharField(max_length=100)
    position = models.IntegerField(default=0)
    name = models.CharField(max_length=200, blank=True, default="", db_default="")
    memory_mib = models.IntegerField(null=True)
    holder = models.ForeignKey(Attempt, null=True, on_delete=models.PROTECT, related_name="slots")
    # Without a constraint: leases are cleared away when they are old.
    registered_by = models.ForeignKey(
        WorkerLease,
        null=True,
        on_delete=models.DO_NOTHING,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    reserved_for = models.ForeignKey(
        TaskRun, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    withdrawn_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=EngineNow(), editable=False)

    class Meta:
        db_table = "slot"
        ordering: ClassVar = ["kind", "host", "position", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["kind", "device"], name="slot_once"),
            models.CheckConstraint(
                condition=(Q(kind=GPU) & ~Q(host="")) | (~Q(kind=GPU) & Q(host="")),
                name="slot_device_or_pool",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.position}" + (f" of {self.host}" if self.host else "")


class AttemptSlot(models.Model):
    """An attempt had a slot, from its start to its end; append-only."""

    attempt = models.ForeignKey(Attempt, on_delete=models.PROTECT, related_name="held", db_index=False)
    slot = models.ForeignKey(Slot, on_delete=models.PROTECT, related_name="history")
    # Later than the end of whoever had it before; an attempt's own start may be a moment earlier than that.
    taken_at = models.DateTimeField(db_default=EngineNow(), editable=False)

    class Meta:
        db_table = "attempt_slot"
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["attempt", "slot"], name="attempt_slot_once")
        ]

    def __str__(self) -> str:
        return f"{self.attempt} had {self.slot}"
