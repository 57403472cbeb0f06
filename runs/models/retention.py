"""What retention leaves: where the log of an attempt lies now, and which partitions are gone."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from pipelines.clock import EngineNow
from runs.models.attempt import Attempt


class LogArchive(models.Model):
    """The whole log of an ended attempt as gzip in the store; append-only.

    Its members are gzip by themselves: ``members`` has for each [number of the line in which it begins,
    offset in the stored bytes]. ``lines`` counts the last one even if it has no end.
    """

    attempt = models.OneToOneField(Attempt, on_delete=models.PROTECT, related_name="log_archive")
    sha256 = models.CharField(max_length=64)
    size = models.BigIntegerField()
    lines = models.IntegerField()
    members = models.JSONField()
    archived_at = models.DateTimeField(db_default=EngineNow(), editable=False)

    class Meta:
        db_table = "log_archive"

    def __str__(self) -> str:
        return f"log of {self.attempt}"


class DroppedPartition(models.Model):
    """Rows of `run_event` or `log_chunk` for the runs ``first_run`` to ``end_run`` are gone; append-only."""

    table_name = models.CharField(max_length=32)
    first_run = models.BigIntegerField()
    end_run = models.BigIntegerField()
    bytes = models.BigIntegerField()
    dropped_at = models.DateTimeField(db_default=EngineNow(), editable=False)

    class Meta:
        db_table = "dropped_partition"
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["table_name", "first_run"], name="dropped_partition_once")
        ]

    def __str__(self) -> str:
        return f"{self.table_name} of runs {self.first_run} to {self.end_run}"
