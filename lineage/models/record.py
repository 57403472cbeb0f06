"""The sealed facts: this attempt read these artifacts and wrote those."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from lineage.models.catalogue import (
    Artifact,
    CodeRef,
    EnvironmentSnapshot,
    HardwareProfile,
    ParameterSet,
)
from pipelines.clock import EngineNow
from pipelines.models import AuditEvent, PipelineVersion, Team
from runs.models import Attempt, Run, TaskRun
from runs.states import AttemptState

READ, WROTE, REUSED = 0, 1, 2

# As records write them.
DIRECTIONS = {READ: "read", WROTE: "wrote", REUSED: "reused"}

FINISHED = [state for state in AttemptState.values if state != AttemptState.RUNNING]


class Record(models.Model):
    """What one finished attempt did, whatever its end. The database refuses any change once it is sealed.

    A task that took over what an earlier attempt had made (``reused_from``) has one without an attempt.
    ``uuid`` is that of the attempt, or made from task run and resume. ``digest`` covers every fact by
    content, never by row id, and can be computed again from the rows by
    :func:`lineage.documents.record_document`.
    """

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="+", db_index=False)
    source = models.CharField(max_length=16, default="native")
    attempt = models.OneToOneField(Attempt, null=True, on_delete=models.PROTECT, related_name="record")
    reused_from = models.ForeignKey(
        Attempt, null=True, on_delete=models.PROTECT, related_name="reuse_records", db_index=False
    )
    # No constraint in the database: checking it would lock the row of a run that the engine is moving.
    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="records", db_constraint=False)
    task_run = models.ForeignKey(
        TaskRun, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    version = models.ForeignKey(PipelineVersion, on_delete=models.PROTECT, related_name="+", db_index=False)
    job = models.CharField(max_length=800)
    task = models.CharField(max_length=500)
    kind = models.CharField(max_length=16)
    attempt_no = models.IntegerField()
    resume_no = models.IntegerField()
    state = models.CharField(max_length=16)
    reason = models.CharField(max_length=32, blank=True, default="")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    partition = models.CharField(max_length=200, blank=True, default="")
    code = models.ForeignKey(CodeRef, null=True, on_delete=models.PROTECT, related_name="records")
    environment = models.ForeignKey(
        EnvironmentSnapshot, null=True, on_delete=models.PROTECT, related_name="records"
    )
    hardware = models.ForeignKey(
        HardwareProfile, null=True, on_delete=models.PROTECT, related_name="records", db_index=False
    )
    parameters = models.ForeignKey(
        ParameterSet, on_delete=models.PROTECT, related_name="records", db_index=False
    )
    seeds = models.JSONField(null=True)
    metrics = models.JSONField(null=True)
    actor = models.CharField(max_length=150, blank=True, default="")
    isolation = models.CharField(max_length=16, blank=True, default="")
    cache_key = models.CharField(max_length=64, blank=True, default="")
    gaps = models.JSONField(default=list)
    grade = models.CharField(max_length=1)
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(db_default=EngineNow(), editable=False)
    sealed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "record"
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(state__in=FINISHED), name="record_state_terminal"),
            models.CheckConstraint(
                condition=Q(attempt__isnull=True) ^ Q(reused_from__isnull=True),
                name="record_of_attempt_or_reuse",
            ),
            models.UniqueConstraint(
                fields=["task_run", "resume_no"], condition=Q(attempt=None), name="record_of_reuse_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.job} attempt {self.attempt_no}"


class Use(models.Model):
    """One edge of a record: it read (0), wrote (1) or took over (2) this artifact, in this slot."""

    record = models.ForeignKey(Record, on_delete=models.PROTECT, related_name="uses", db_index=False)
    artifact = models.ForeignKey(Artifact, on_delete=models.PROTECT, related_name="uses", db_index=False)
    direction = models.SmallIntegerField()
    slot = models.CharField(max_length=200)
    position = models.IntegerField(default=0)
    binding = models.CharField(max_length=8, default="explicit")
    torn = models.BooleanField(default=False)

    class Meta:
        db_table = "use"
        ordering: ClassVar = ["record", "direction", "slot", "position"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["record", "direction", "slot", "position"], include=["artifact"], name="use_once"
            ),
            models.UniqueConstraint(
                fields=["artifact"], condition=Q(direction=WROTE), name="use_one_producer"
            ),
            models.CheckConstraint(
                condition=Q(direction__in=[READ, WROTE, REUSED]), name="use_direction_known"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["artifact", "direction", "record"], name="use_of_artifact")]

    def __str__(self) -> str:
        return f"{self.record} {DIRECTIONS[self.direction]} {self.slot}"


class RecordSeal(models.Model):
    """The way from a record's digest to the root in the audit row of its batch."""

    record = models.OneToOneField(Record, on_delete=models.PROTECT, related_name="seal")
    event = models.ForeignKey(AuditEvent, on_delete=models.PROTECT, related_name="+")
    path = models.JSONField()

    class Meta:
        db_table = "record_seal"

    def __str__(self) -> str:
        return f"{self.record} in {self.event}"


class RecorderMark(models.Model):
    """One row: every attempt up to ``attempt_id``, and reuse up to ``reuse_id``, has its record."""

    attempt_id = models.BigIntegerField(default=0)
    reuse_id = models.BigIntegerField(default=0, db_default=0)

    class Meta:
        db_table = "recorder_mark"

    def __str__(self) -> str:
        return str(self.attempt_id)
