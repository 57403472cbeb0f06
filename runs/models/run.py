"""A run, its task runs and what they wait for."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from pipelines.clock import EngineNow
from pipelines.models import ApiToken, CodeLocation, CodeSnapshot, Pipeline, PipelineVersion, Task, Team, User
from runs.states import RunState, TaskState


class Run(models.Model):
    """One performance of one version, with parameters. Only the verbs of ``runs.protocol`` move it."""

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="runs")
    pipeline = models.ForeignKey(Pipeline, on_delete=models.PROTECT, related_name="runs")
    version = models.ForeignKey(PipelineVersion, on_delete=models.PROTECT, related_name="runs")
    number = models.BigIntegerField()
    state = models.CharField(max_length=16, choices=RunState)
    reason = models.CharField(max_length=32, blank=True, default="")
    trigger = models.CharField(max_length=16, default="manual")
    priority = models.SmallIntegerField(default=0)
    params = models.JSONField(default=dict)
    only = models.JSONField(null=True)
    has_conditions = models.BooleanField(default=False)
    open_tasks = models.IntegerField(default=0)
    last_seq = models.BigIntegerField(default=0)
    resume_no = models.IntegerField(default=0)
    rerun_of = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="reruns")
    # How a rerun was asked for: the task from which all runs again, and whether equal results are taken over.
    rerun_from = models.CharField(max_length=500, blank=True, default="", db_default="")
    reuse = models.BooleanField(default=True, db_default=True)
    # The newer run for which its pipeline's `overlap` cancelled this one; None again once it is resumed.
    replaced_by = models.ForeignKey(
        "self", null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    requested_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    token = models.ForeignKey(ApiToken, null=True, on_delete=models.PROTECT, related_name="+")
    interval_start = models.DateTimeField(null=True)
    interval_end = models.DateTimeField(null=True)
    partition_key = models.CharField(max_length=200, blank=True, default="")
    idempotency_key = models.CharField(max_length=200, null=True)
    created_at = models.DateTimeField(db_default=EngineNow(), editable=False)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    first_failure = models.ForeignKey("TaskRun", null=True, on_delete=models.PROTECT, related_name="+")
    paused_at = models.DateTimeField(null=True)
    paused_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    paused_until = models.DateTimeField(null=True)
    paused_reason = models.TextField(blank=True, default="")

    class Meta:
        db_table = "run"
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["pipeline", "number"], name="run_number_once"),
            models.UniqueConstraint(fields=["team", "idempotency_key"], name="run_idempotent"),
            models.CheckConstraint(condition=Q(state__in=RunState.values), name="run_state_known"),
            models.CheckConstraint(condition=Q(open_tasks__gte=0), name="run_open_tasks_not_negative"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["team", "-id"], name="run_of_team"),
            models.Index(fields=["pipeline", "-id"], name="run_of_pipeline"),
            models.Index(
                fields=["id"], condition=Q(state__in=["queued", "running", "cancelling"]), name="run_open"
            ),
            models.Index(
                fields=["pipeline", "id"],
                condition=Q(state__in=["queued", "running", "cancelling"]),
                name="run_open_of_pipeline",
            ),
            models.Index(
                fields=["team"],
                condition=Q(state__in=["queued", "running", "cancelling"]),
                name="run_open_of_team",
            ),
            models.Index(fields=["id"], condition=Q(paused_at__isnull=False), name="run_paused"),
        ]

    def __str__(self) -> str:
        return f"{self.pipeline} #{self.number}"


class RunCode(models.Model):
    """Which code a run uses, fixed at its start."""

    run = models.OneToOneField(Run, on_delete=models.PROTECT, related_name="code")
    location = models.ForeignKey(CodeLocation, on_delete=models.PROTECT, related_name="+")
    snapshot = models.ForeignKey(CodeSnapshot, on_delete=models.PROTECT, related_name="+")
    lock_sha256 = models.CharField(max_length=64, blank=True, default="")

    class Meta:
        db_table = "run_code"

    def __str__(self) -> str:
        return f"{self.run}: {self.snapshot}"


class TaskRun(models.Model):
    """One task in one run. ``waiting_on`` counts the edges whose upstream has not ended."""

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    # The unique index on (run, key) serves the run.
    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="task_runs", db_index=False)
    # That of its run, here so that the tasks of a team stand together in the index of those that wait.
    team = models.ForeignKey(
        Team, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    task = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="+", db_index=False)
    key = models.CharField(max_length=500)
    parent = models.ForeignKey(
        "self", null=True, on_delete=models.PROTECT, related_name="children", db_index=False
    )
    kind = models.CharField(max_length=16)
    begins_as = models.CharField(max_length=20)
    state = models.CharField(max_length=20, choices=TaskState)
    reason = models.CharField(max_length=32, blank=True, default="")
    queue = models.CharField(max_length=63)
    needs = models.JSONField(default=dict)
    priority = models.SmallIntegerField(default=0)
    has_condition = models.BooleanField(default=False)
    # Whether an equal result may be taken over; then it is looked for when all that it is given is known.
    may_reuse = models.BooleanField(default=False, db_default=False)
    # The key of what it was made from, known once that has been looked for.
    cache_key = models.CharField(max_length=64, blank=True, default="", db_default="")
    reads = models.JSONField(default=list)
    retries = models.JSONField(default=dict)
    timeout = models.FloatField(null=True)
    deadline = models.FloatField(null=True)
    waiting_on = models.IntegerField(default=0)
    open_children = models.IntegerField(default=0)
    attempts_made = models.IntegerField(default=0)
    retries_used = models.IntegerField(default=0)
    lost = models.IntegerField(default=0)
    reused_from = models.ForeignKey(
        "Attempt", null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    next_attempt_at = models.DateTimeField(null=True)
    ready_at = models.DateTimeField(null=True)
    # Its run is paused, and it stands in no line; see `engine_park`.
    parked = models.BooleanField(default=False, db_default=False)
    deadline_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "task_run"
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "key"], name="task_run_key_once"),
            models.CheckConstraint(condition=Q(state__in=TaskState.values), name="task_run_state_known"),
            models.CheckConstraint(condition=Q(waiting_on__gte=0), name="task_run_waiting_not_negative"),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["queue", "team", "priority", "parked", "ready_at", "id"],
                condition=Q(state__in=["ready", "retry_wait"]),
                name="task_run_in_line",
            ),
            models.Index(fields=["team", "queue"], condition=Q(state="running"), name="task_run_running"),
            models.Index(
                fields=["priority", "ready_at", "id"],
                condition=Q(state__in=["ready", "retry_wait"]) & ~Q(needs={}),
                name="task_run_wants_slots",
            ),
            models.Index(fields=["run"], condition=Q(parked=True), name="task_run_parked"),
            models.Index(fields=["parent"], condition=Q(parent__isnull=False), name="task_run_of_scope"),
            models.Index(
                fields=["run"], condition=Q(state="pending", may_reuse=True), name="task_run_undecided"
            ),
            models.Index(
                fields=["deadline_at"], condition=Q(state="awaiting_approval"), name="task_run_deadline"
            ),
        ]

    def __str__(self) -> str:
        return self.key


class TaskEdge(models.Model):
    """What one task run waits for within its run."""

    # The trigger of the table checks all three at once: both tasks exist and are of the run.
    run = models.ForeignKey(
        Run, on_delete=models.PROTECT, related_name="task_edges", db_index=False, db_constraint=False
    )
    up = models.ForeignKey(
        TaskRun, on_delete=models.PROTECT, related_name="out_edges", db_index=False, db_constraint=False
    )
    down = models.ForeignKey(TaskRun, on_delete=models.PROTECT, related_name="in_edges", db_constraint=False)
    rule = models.CharField(max_length=8)
    data = models.BooleanField(default=False)

    class Meta:
        db_table = "task_edge"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["up", "down", "rule"], name="task_edge_once")
        ]

    def __str__(self) -> str:
        return f"{self.up} -> {self.down}"


class Reuse(models.Model):
    """A task of a run that took over what an equal one had made; append-only.

    ``source`` is the attempt that did the work, of the same team. It never is a reuse itself.
    """

    task_run = models.ForeignKey(TaskRun, on_delete=models.PROTECT, related_name="reuses")
    resume_no = models.IntegerField()
    source = models.ForeignKey("Attempt", on_delete=models.PROTECT, related_name="reused_by", db_index=False)
    cache_key = models.CharField(max_length=64)
    at = models.DateTimeField(db_default=EngineNow(), editable=False)

    class Meta:
        db_table = "task_reuse"
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["task_run", "resume_no"], name="task_reuse_once")
        ]

    def __str__(self) -> str:
        return f"{self.task_run} from {self.source}"


class TaskKey(models.Model):
    """The document behind a key: what a task is made from, kept once (``runs.fingerprints``).

    Nothing is taken over by a key in quarantine: the bytes that were stored for it were found damaged.
    """

    sha256 = models.CharField(max_length=64, unique=True)
    document = models.JSONField()
    created_at = models.DateTimeField(db_default=EngineNow(), editable=False)
    quarantined_at = models.DateTimeField(null=True)
    quarantine_reason = models.TextField(blank=True, default="", db_default="")

    class Meta:
        db_table = "task_key"

    def __str__(self) -> str:
        return self.sha256[:12]


class Approval(models.Model):
    """A person's decision on one task of one resume of a run, bound to what was shown to them."""

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    task_run = models.ForeignKey(TaskRun, on_delete=models.PROTECT, related_name="approvals")
    resume_no = models.IntegerField()
    decision = models.CharField(max_length=16)
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=16)
    was_requester = models.BooleanField()
    comment = models.TextField(blank=True, default="")
    digest = models.CharField(max_length=64)
    decided_at = models.DateTimeField(db_default=EngineNow(), editable=False)

    class Meta:
        db_table = "approval"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["task_run", "resume_no"], name="approval_once"),
            models.CheckConstraint(
                condition=Q(decision__in=["approved", "rejected"]), name="approval_decision_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.task_run}: {self.decision}"
