"""What there is: bytes, occurrences of bytes, and the ingredients that records share."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models

from pipelines.clock import EngineNow
from pipelines.models import Team


class Content(models.Model):
    """Bytes, known by sha256: of a folder its manifest's, of a small value its RFC 8785 JSON's.

    ``inline`` holds the JSON text of a small value; larger bytes lie at their locations.
    """

    sha256 = models.CharField(max_length=64, unique=True)
    size = models.BigIntegerField()
    media_type = models.CharField(max_length=100, blank=True, default="")
    hashed_by = models.CharField(max_length=16, default="worker")
    inline = models.TextField(null=True)
    created_at = models.DateTimeField(db_default=EngineNow(), editable=False)

    class Meta:
        db_table = "content"

    def __str__(self) -> str:
        return self.sha256[:12]


class ContentLocation(models.Model):
    """One place where a content's bytes lie."""

    content = models.ForeignKey(Content, on_delete=models.PROTECT, related_name="locations", db_index=False)
    address = models.TextField()
    object_version = models.CharField(max_length=200, blank=True, default="")
    created_at = models.DateTimeField(db_default=EngineNow(), editable=False)

    class Meta:
        db_table = "content_location"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["content", "address", "object_version"], name="content_location_once"
            )
        ]

    def __str__(self) -> str:
        return self.address


class Artifact(models.Model):
    """One occurrence of something: this attempt wrote this, in this slot.

    Its producer is its one "wrote" use. ``uuid`` is that of the attempt's output.
    """

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=16)
    name = models.CharField(max_length=800)
    content = models.ForeignKey(Content, on_delete=models.PROTECT, related_name="artifacts")
    metadata = models.JSONField(default=dict)
    created_at = models.DateTimeField(db_default=EngineNow(), editable=False)

    class Meta:
        db_table = "artifact"
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [
            models.Index(fields=["team", "name", "-id"], name="artifact_of_name"),
            models.Index(fields=["team", "-id"], name="artifact_of_team"),
        ]

    def __str__(self) -> str:
        return self.name


class CodeRef(models.Model):
    """The code that ran: a snapshot of a code location, text written in the pipeline, or a built-in kind."""

    fingerprint = models.CharField(max_length=64, unique=True)
    kind = models.CharField(max_length=16)
    location = models.CharField(max_length=200, blank=True, default="")
    bundle_sha256 = models.CharField(max_length=64, blank=True, default="")
    entry = models.CharField(max_length=500, blank=True, default="")
    source = models.TextField(blank=True, default="")

    class Meta:
        db_table = "code_ref"
        indexes: ClassVar = [models.Index(fields=["bundle_sha256"], name="code_ref_bundle")]

    def __str__(self) -> str:
        return self.entry or self.fingerprint[:12]


class EnvironmentSnapshot(models.Model):
    """The interpreter and packages an attempt ran with, as its runner saw them."""

    fingerprint = models.CharField(max_length=64, unique=True)
    python = models.CharField(max_length=64, blank=True, default="")
    platform = models.CharField(max_length=300, blank=True, default="")
    lock_sha256 = models.CharField(max_length=64, blank=True, default="")
    packages = models.JSONField(null=True)

    class Meta:
        db_table = "environment_snapshot"

    def __str__(self) -> str:
        return self.fingerprint[:12]


class HardwareProfile(models.Model):
    """The machine an attempt ran on: processor, memory class, GPUs."""

    fingerprint = models.CharField(max_length=64, unique=True)
    facts = models.JSONField()

    class Meta:
        db_table = "hardware_profile"

    def __str__(self) -> str:
        return self.fingerprint[:12]


class ParameterSet(models.Model):
    """The values an attempt was given, as canonical JSON; a secret stands there by name and version."""

    sha256 = models.CharField(max_length=64, unique=True)
    values = models.JSONField()

    class Meta:
        db_table = "parameter_set"

    def __str__(self) -> str:
        return self.sha256[:12]
