"""The environments of tasks."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models

from pipelines.clock import EngineNow


class Environment(models.Model):
    """The interpreter and packages that one lock file names, for one wish of Python; locations share it.

    ``wanted``: a version specifier, "" for the product's own Python; ``python``: the version it was built on.
    ``paths`` and ``sizes`` (bytes) are by host. ``progress`` says what is being done, ``problem`` what failed
    last, with ``problem_code`` python-missing or build-failed. ``preload_problems``: module -> why it could
    not be imported. ``build`` counts the builds; ``builder`` is the process whose words are in ``log``.
    """

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    lock_sha256 = models.CharField(max_length=64)
    wanted = models.CharField(max_length=100, blank=True, default="")
    python = models.CharField(max_length=32, blank=True, default="")
    state = models.CharField(max_length=16, default="missing")
    progress = models.CharField(max_length=200, blank=True, default="")
    problem = models.TextField(blank=True, default="")
    problem_code = models.CharField(max_length=32, blank=True, default="")
    paths = models.JSONField(default=dict)
    sizes = models.JSONField(default=dict)
    packages = models.JSONField(default=list)
    preload_problems = models.JSONField(default=dict)
    log = models.TextField(blank=True, default="")
    build = models.IntegerField(default=0)
    builder = models.CharField(max_length=200, blank=True, default="")
    created_at = models.DateTimeField(db_default=EngineNow(), editable=False)
    started_at = models.DateTimeField(null=True)
    built_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "environment"
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["lock_sha256", "wanted"], name="environment_once"),
            models.CheckConstraint(
                condition=models.Q(state__in=["missing", "building", "ready", "failed"]),
                name="environment_state_known",
            ),
        ]

    def __str__(self) -> str:
        return self.lock_sha256[:12]
