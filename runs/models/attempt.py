"""One try at one task, what it read and what it said it produced."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from pipelines.clock import EngineNow
from pipelines.models import Team
from runs.models.queue import WorkerLease
from runs.models.run import Run, TaskRun
from runs.states import AttemptState


class Attempt(models.Model):
    """One try. Its ``uuid`` is the fence: a finish that does not name a running attempt changes nothing."""

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    # Without constraints in the database: ``engine_give`` writes an attempt from rows it has just read, and
    # checking them again would lock the rows of team, run, task and lease with every attempt.
    team = models.ForeignKey(
        Team, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="attempts", db_constraint=False)
    # The unique index on (task_run, no) serves the task.
    task_run = models.ForeignKey(
        TaskRun, on_delete=models.PROTECT, related_name="attempts", db_index=False, db_constraint=False
    )
    lease = models.ForeignKey(
        WorkerLease, on_delete=models.PROTECT, related_name="attempts", db_index=False, db_constraint=False
    )
    no = models.IntegerField()
    resume_no = models.IntegerField(default=0)
    state = models.CharField(max_length=16, choices=AttemptState)
    reason = models.CharField(max_length=32, blank=True, default="")
    cause = models.TextField(blank=True, default="")
    exit_code = models.IntegerField(null=True)
    pid = models.IntegerField(null=True)
    isolation = models.CharField(max_length=16, default="shared user")
    started_at = models.DateTimeField(db_default=EngineNow(), editable=False)
    finished_at = models.DateTimeField(null=True)
    timeout_at = models.DateTimeField(null=True)
    cancel_requested_at = models.DateTimeField(null=True)
    code_sha256 = models.CharField(max_length=64, blank=True, default="")
    environment_sha256 = models.CharField(max_length=64, blank=True, default="")
    cache_key = models.CharField(max_length=64, blank=True, default="")
    dropped_bytes = models.BigIntegerField(default=0)
    provenance = models.JSONField(null=True)

    class Meta:
        db_table = "attempt"
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["task_run", "no"], name="attempt_no_once"),
            models.UniqueConstraint(
                fields=["task_run"], condition=Q(state="running"), name="attempt_running_once"
            ),
            models.CheckConstraint(condition=Q(state__in=AttemptState.values), name="attempt_state_known"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["lease"], condition=Q(state="running"), name="attempt_running_of_lease"),
            models.Index(
                fields=["team", "cache_key", "-id"],
                condition=Q(state="succeeded") & ~Q(cache_key=""),
                name="attempt_of_key",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.task_run} attempt {self.no}"


class AttemptOutput(models.Model):
    """One output of a succeeded attempt: a small JSON value, or bytes in the store."""

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    attempt = models.ForeignKey(Attempt, on_delete=models.PROTECT, related_name="outputs", db_index=False)
    name = models.CharField(max_length=200)
    position = models.IntegerField(default=0)
    type = models.CharField(max_length=16)
    value = models.JSONField(null=True)
    sha256 = models.CharField(max_length=64, blank=True, default="")
    address = models.TextField(blank=True, default="")
    size = models.BigIntegerField(default=0)
    media_type = models.CharField(max_length=100, blank=True, default="")
    meta = models.JSONField(default=dict)

    class Meta:
        db_table = "attempt_output"
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["attempt", "name", "position"], name="attempt_output_once")
        ]

    def __str__(self) -> str:
        return f"{self.attempt}.{self.name}"


class AttemptInput(models.Model):
    """One thing an attempt read: the output of another attempt (values of parameters are not inputs)."""

    attempt = models.ForeignKey(Attempt, on_delete=models.PROTECT, related_name="inputs", db_index=False)
    name = models.CharField(max_length=200)
    position = models.IntegerField(default=0)
    source = models.ForeignKey(AttemptOutput, null=True, on_delete=models.PROTECT, related_name="readers")
    token = models.CharField(max_length=200, blank=True, default="")
    strength = models.CharField(max_length=16, blank=True, default="")

    class Meta:
        db_table = "attempt_input"
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["attempt", "name", "position"], name="attempt_input_once")
        ]

    def __str__(self) -> str:
        return f"{self.attempt} <- {self.name}"


class CapturedFact(models.Model):
    """What a process found about its surroundings (environment, hardware), kept once per content."""

    sha256 = models.CharField(max_length=64, unique=True)
    kind = models.CharField(max_length=16)
    body = models.JSONField()
    created_at = models.DateTimeField(db_default=EngineNow(), editable=False)

    class Meta:
        db_table = "captured_fact"

    def __str__(self) -> str:
        return f"{self.kind} {self.sha256[:12]}"


class RunEvent(models.Model):
    """What happened in a run, numbered without gaps. Append-only, partitioned by run."""

    pk = models.CompositePrimaryKey("run_id", "seq")
    run_id = models.BigIntegerField()
    seq = models.BigIntegerField()
    at = models.DateTimeField(db_default=EngineNow())
    kind = models.CharField(max_length=32)
    task_run_id = models.BigIntegerField(null=True)
    attempt_id = models.BigIntegerField(null=True)
    actor = models.CharField(max_length=150, blank=True, default="")
    from_state = models.CharField(max_length=20, blank=True, default="")
    to_state = models.CharField(max_length=20, blank=True, default="")
    reason = models.CharField(max_length=32, blank=True, default="")
    payload = models.JSONField(null=True)

    class Meta:
        db_table = "run_event"
        managed = False

    def __str__(self) -> str:
        return f"{self.run_id}#{self.seq} {self.kind}"


class LogChunk(models.Model):
    """Up to 64 KiB of what an attempt said. Append-only, partitioned by run."""

    pk = models.CompositePrimaryKey("run_id", "attempt_id", "seq")
    run_id = models.BigIntegerField()
    attempt_id = models.BigIntegerField()
    seq = models.IntegerField()
    first_line = models.IntegerField()
    lines = models.IntegerField()
    body = models.BinaryField()
    at = models.DateTimeField(db_default=EngineNow())

    class Meta:
        db_table = "log_chunk"
        managed = False

    def __str__(self) -> str:
        return f"{self.attempt_id}#{self.seq}"
