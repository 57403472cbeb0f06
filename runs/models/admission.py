"""What may begin, and how much of it: the limits of teams, and tasks that are in quarantine."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from pipelines.clock import EngineNow
from pipelines.models import PipelineVersion, Team, User
from runs.models.run import TaskRun


class TeamLimits(models.Model):
    """What a team may have at a time, on one queue or, for the queue "", in all. None is no limit.

    ``active_runs``: unfinished runs. ``queued_tasks``: their tasks that have neither ended nor run.
    ``running_tasks``: tasks that run. ``weight``: its share of a queue beside other teams, 1 when None. Only
    ``runs.team_limits`` writes it.
    """

    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="limits", db_index=False)
    queue = models.CharField(max_length=63, blank=True, default="")
    active_runs = models.IntegerField(null=True, blank=True)
    queued_tasks = models.IntegerField(null=True, blank=True)
    running_tasks = models.IntegerField(null=True, blank=True)
    weight = models.FloatField(null=True, blank=True)

    class Meta:
        db_table = "team_limits"
        verbose_name = "limits of a team"
        verbose_name_plural = "limits of teams"
        ordering: ClassVar = ["team", "queue"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["team", "queue"], name="team_limits_once"),
            models.CheckConstraint(
                condition=Q(queue="") | Q(active_runs=None, queued_tasks=None), name="team_limits_of_queue"
            ),
            models.CheckConstraint(condition=Q(weight=None) | Q(weight__gt=0), name="team_limits_weight"),
        ]

    def __str__(self) -> str:
        return f"{self.team} on {self.queue}" if self.queue else str(self.team)


class Quarantine(models.Model):
    """A task of a version that took three workers with it: no run begins it again before this is lifted.

    ``task_run`` is the one that did. Only ``runs.quarantine`` writes it.
    """

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="+")
    version = models.ForeignKey(PipelineVersion, on_delete=models.PROTECT, related_name="+", db_index=False)
    task_key = models.CharField(max_length=500)
    task_run = models.ForeignKey(TaskRun, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=EngineNow(), editable=False)
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    comment = models.TextField(blank=True, default="")

    class Meta:
        db_table = "quarantine"
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["version", "task_key"], condition=Q(lifted_at=None), name="quarantine_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.task_key} of {self.version}"
