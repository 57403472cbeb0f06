"""Models with a name, where they went, who agreed."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.contrib.postgres.fields import DateTimeRangeField
from django.db import models
from django.db.models import Q

from lineage.models.catalogue import Artifact
from lineage.models.record import Record
from pipelines.clock import EngineNow
from pipelines.models import Team, User
from runs.models import Approval, Attempt, Run


class Stage(models.TextChoices):
    """How much depends on an endpoint; ``production`` asks for a second person."""

    DEMO = "demo"
    STAGING = "staging"
    PRODUCTION = "production"


class Model(models.Model):
    """A team's name for a line of trained models."""

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="models")
    name = models.SlugField(max_length=63)
    last_number = models.IntegerField(default=0)
    created_at = models.DateTimeField(db_default=EngineNow(), editable=False)

    class Meta:
        db_table = "model"
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["team", "name"], name="model_name_once")]

    def __str__(self) -> str:
        return self.name


class ModelVersion(models.Model):
    """One registered model: its artifact, the record of the attempt that made it, its metrics."""

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    model = models.ForeignKey(Model, on_delete=models.PROTECT, related_name="versions")
    number = models.IntegerField()
    artifact = models.ForeignKey(Artifact, on_delete=models.PROTECT, related_name="model_versions")
    record = models.ForeignKey(Record, on_delete=models.PROTECT, related_name="+", db_index=False)
    sha256 = models.CharField(max_length=64)
    metrics = models.JSONField(default=dict)
    # Registered by this attempt, inside the transaction that finishes it.
    attempt = models.ForeignKey(Attempt, on_delete=models.PROTECT, related_name="+", db_index=False)
    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="model_versions", db_constraint=False)
    registered_by = models.ForeignKey(
        User, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    created_at = models.DateTimeField(db_default=EngineNow(), editable=False)

    class Meta:
        db_table = "model_version"
        ordering: ClassVar = ["-number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["model", "number"], name="model_version_number_once"),
            models.UniqueConstraint(fields=["attempt"], name="model_version_once_per_attempt"),
        ]

    def __str__(self) -> str:
        return f"{self.model} v{self.number}"


class ModelClosure(models.Model):
    """Every artifact upstream of a model version, the model's own included."""

    version = models.ForeignKey(
        ModelVersion, on_delete=models.PROTECT, related_name="closure", db_index=False
    )
    artifact = models.ForeignKey(Artifact, on_delete=models.PROTECT, related_name="+")

    class Meta:
        db_table = "model_closure"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["version", "artifact"], name="model_closure_once")
        ]

    def __str__(self) -> str:
        return f"{self.version} <- {self.artifact}"


class Endpoint(models.Model):
    """A place where a model serves; ``address`` is the folder its bytes are copied to."""

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="endpoints")
    name = models.SlugField(max_length=63)
    stage = models.CharField(max_length=16, choices=Stage)
    address = models.TextField()
    description = models.TextField(blank=True, default="")
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=EngineNow(), editable=False)
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "endpoint"
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["team", "name"], name="endpoint_name_once"),
            models.CheckConstraint(condition=Q(stage__in=Stage.values), name="endpoint_stage_known"),
        ]

    def __str__(self) -> str:
        return self.name


class CataloguedApproval(models.Model):
    """A person's decision on a digest, as catalogued from the task's approval."""

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    approval = models.OneToOneField(Approval, on_delete=models.PROTECT, related_name="+")
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="+", db_index=False)
    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="+", db_constraint=False)
    task = models.CharField(max_length=500)
    decision = models.CharField(max_length=16)
    digest = models.CharField(max_length=64)
    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    role = models.CharField(max_length=16)
    was_requester = models.BooleanField()
    comment = models.TextField(blank=True, default="")
    decided_at = models.DateTimeField()

    class Meta:
        db_table = "catalogued_approval"

    def __str__(self) -> str:
        return f"{self.task}: {self.decision}"


class DeploymentMove(models.Model):
    """Who put which version on which endpoint, when, why and on whose approval. Append-only."""

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="+", db_index=False)
    endpoint = models.ForeignKey(Endpoint, on_delete=models.PROTECT, related_name="moves", db_index=False)
    model_version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="moves")
    previous = models.ForeignKey(
        ModelVersion, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    approval = models.ForeignKey(
        CataloguedApproval, null=True, on_delete=models.PROTECT, related_name="moves"
    )
    attempt = models.OneToOneField(Attempt, on_delete=models.PROTECT, related_name="+")
    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="+", db_constraint=False)
    moved_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    reason = models.CharField(max_length=200, blank=True, default="")
    address = models.TextField()
    at = models.DateTimeField(db_default=EngineNow(), editable=False)

    class Meta:
        db_table = "deployment_move"
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [models.Index(fields=["endpoint", "-id"], name="deployment_move_of_endpoint")]

    def __str__(self) -> str:
        return f"{self.model_version} -> {self.endpoint}"


class Deployment(models.Model):
    """What was live where and when: a projection of the moves. Ranges of one endpoint may not overlap."""

    endpoint = models.ForeignKey(Endpoint, on_delete=models.PROTECT, related_name="deployments")
    move = models.OneToOneField(DeploymentMove, on_delete=models.PROTECT, related_name="deployment")
    model_version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="deployments")
    during = DateTimeRangeField()

    class Meta:
        db_table = "deployment"

    def __str__(self) -> str:
        return f"{self.model_version} on {self.endpoint}"
