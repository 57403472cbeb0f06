"""Where ready tasks wait, and who carries them out."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from pipelines.clock import EngineNow
from pipelines.models import Team, User
from runs import isolation
from runs.states import LeaseState


class Queue(models.Model):
    """A labelled line of ready tasks; one RQ queue of the same name carries its doorbell."""

    slug = models.SlugField(max_length=63, unique=True)
    title = models.CharField(max_length=200, blank=True, default="")
    labels = models.JSONField(default=dict)
    isolation = models.CharField(max_length=16, default=isolation.SHARED)
    # Of its containers, at that level: what they are made from, and whether they reach the network.
    image = models.CharField(max_length=500, blank=True, default="")
    network = models.BooleanField(default=False)
    limits = models.JSONField(default=dict)
    paused_at = models.DateTimeField(null=True, blank=True)
    paused_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    paused_until = models.DateTimeField(null=True, blank=True)
    paused_reason = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(db_default=EngineNow(), editable=False)
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "queue"
        ordering: ClassVar = ["slug"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(isolation__in=isolation.LEVELS), name="queue_isolation_known")
        ]

    def __str__(self) -> str:
        return self.slug


class TaskUser(models.Model):
    """The operating system user that carries out a team's tasks at `own user`; never another team's."""

    team = models.OneToOneField(Team, on_delete=models.PROTECT, related_name="+")
    uid = models.IntegerField(unique=True)
    created_at = models.DateTimeField(db_default=EngineNow(), editable=False)

    class Meta:
        db_table = "task_user"

    def __str__(self) -> str:
        return str(self.uid)


class WorkerLease(models.Model):
    """A worker's right to hold attempts; it lapses unless renewed, and never comes back."""

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    worker = models.CharField(max_length=200)
    host = models.CharField(max_length=200)
    pid = models.IntegerField()
    queue = models.CharField(max_length=63)
    labels = models.JSONField(default=dict)
    state = models.CharField(max_length=16, choices=LeaseState)
    started_at = models.DateTimeField(db_default=EngineNow(), editable=False)
    expires_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "worker_lease"
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(state__in=LeaseState.values), name="lease_state_known")
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["queue", "expires_at"],
                condition=Q(state__in=["live", "draining"]),
                name="lease_open_of_queue",
            )
        ]

    def __str__(self) -> str:
        return self.worker


class Chore(models.Model):
    """Work that is not a task. At most one live row per kind and key."""

    kind = models.CharField(max_length=32)
    key = models.CharField(max_length=200)
    payload = models.JSONField(default=dict)
    state = models.CharField(max_length=16, default="waiting")
    due_at = models.DateTimeField(db_default=EngineNow())
    attempts = models.IntegerField(default=0)
    error = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(db_default=EngineNow(), editable=False)
    taken_until = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "chore"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["kind", "key"], condition=Q(state__in=["waiting", "running"]), name="chore_live_once"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "running", "done", "dead"]), name="chore_state_known"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["due_at"], condition=Q(state__in=["waiting", "running"]), name="chore_due")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"
