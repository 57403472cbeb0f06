"""What should run, and whose is it: people, teams, pipelines, versions, code and the audit chain."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q
from knox.models import AbstractAuthToken

from pipelines.clock import EngineNow


class Role(models.TextChoices):
    """What a member may do in a team; a person may hold several."""

    VIEWER = "viewer"
    EDITOR = "editor"
    OPERATOR = "operator"
    APPROVER = "approver"
    AUDITOR = "auditor"
    ADMIN = "admin"


class Team(models.Model):  # type: ignore[django-manager-missing] # knox has no types
    """The unit of ownership, permission, quota and secrets."""

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(max_length=63, unique=True)
    name = models.CharField(max_length=200)
    created_at = models.DateTimeField(db_default=EngineNow(), editable=False)
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "team"
        ordering: ClassVar = ["slug"]

    def __str__(self) -> str:
        return self.slug


class User(AbstractUser):  # type: ignore[django-manager-missing] # knox has no types
    """A person, or a service account owned by a team. Never deleted, only deactivated."""

    # null for service accounts
    email = models.EmailField(unique=True, null=True, blank=True)  # type: ignore[assignment]
    date_joined = models.DateTimeField(db_default=EngineNow(), editable=False)
    time_zone = models.CharField(max_length=64, default="UTC")
    locale = models.CharField(max_length=16, default="en")
    service_of = models.ForeignKey(
        Team, null=True, blank=True, on_delete=models.PROTECT, related_name="service_accounts"
    )
    # Who made the account; null for the first admin, and where a program of the product made it.
    created_by = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = "person"
        verbose_name_plural = "people"
        ordering: ClassVar = ["username"]

    def save(self, *args: object, **kwargs: object) -> None:
        self.email = self.email or None
        super().save(*args, **kwargs)  # type: ignore[arg-type]

    @property
    def shown_name(self) -> str:
        return self.get_full_name() or self.username


class Membership(models.Model):
    """One role of one person in one team."""

    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role)
    created_at = models.DateTimeField(db_default=EngineNow(), editable=False)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "membership"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["team", "user", "role"], condition=Q(ended_at=None), name="membership_once"
            ),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="membership_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user} is {self.role} of {self.team}"


class Grant(models.Model):
    """Leave for one team to use one thing of another team, its ``owner``. Only `pipelines.grants` writes it.

    ``object_name`` is how documents of the team name the thing: ``owner:name``.
    """

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="given_grants")
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="grants")
    verb = models.CharField(max_length=32)
    object_kind = models.CharField(max_length=32)
    object_uuid = models.UUIDField()
    object_name = models.CharField(max_length=200)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=EngineNow(), editable=False)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        db_table = "team_grant"
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["team", "verb", "object_kind", "object_uuid"],
                condition=Q(ended_at=None),
                name="grant_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.team} may {self.verb} {self.object_name}"


class ApiToken(AbstractAuthToken):
    """A hashed, scoped, expiring credential of a user within one team (all their teams when null)."""

    objects: ClassVar[models.Manager[ApiToken]] = models.Manager()

    id = models.BigAutoField(primary_key=True)
    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    digest = models.CharField(max_length=128, unique=True)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="auth_token_set")
    created = models.DateTimeField(db_default=EngineNow(), editable=False)
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.PROTECT, related_name="tokens")
    name = models.CharField(max_length=100, default="")
    # The person behind the token, also where a service account issued it; null where the product did.
    issued_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    scopes = models.JSONField(default=list)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "api_token"
        verbose_name = "token"
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return f"{self.name or 'token'} of {self.user}"


class CodeKind(models.TextChoices):
    """Where the code of a location lies."""

    FOLDER = "folder", "a folder of the server"
    GIT = "git", "a Git repository"


class CodeLocation(models.Model):
    """Where a team's blocks come from: a folder of the server, or a folder of a Git repository.

    ``ref``, ``folder``, ``secret`` (the name of one of the team), ``known_hosts`` (of ssh; what was first
    seen is recorded here) and ``auto_sync`` are of repositories. ``commit``, ``commit_at``, ``subject``
    and ``branch`` say where the last sync stood, ``dirty`` that the folder held more than its commit.
    ``remote_commit`` is what the repository had when it was last asked, ``rewritten`` that its history
    does not hold ours any more. ``notes``: what the last sync left out. ``syncing``: {"words",
    "per_cent"} while one is under way.
    """

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="code_locations")
    name = models.SlugField(max_length=63)
    kind = models.CharField(max_length=16, choices=CodeKind, default=CodeKind.FOLDER)
    address = models.TextField()
    ref = models.CharField(max_length=255, blank=True, default="")
    folder = models.CharField(max_length=255, blank=True, default="")
    secret = models.CharField(max_length=63, blank=True, default="")
    known_hosts = models.TextField(blank=True, default="")
    auto_sync = models.BooleanField(default=False)
    lock_file = models.CharField(max_length=255, blank=True, default="")
    # What is preloaded, and what was said at the registration, for code that does not say it itself.
    preload = models.JSONField(default=list)
    preload_given = models.JSONField(default=list)
    last_snapshot = models.ForeignKey(
        "CodeSnapshot", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    synced_at = models.DateTimeField(null=True, blank=True)
    sync_error = models.TextField(blank=True, default="")
    notes = models.JSONField(default=list)
    syncing = models.JSONField(null=True, blank=True)
    commit = models.CharField(max_length=64, blank=True, default="")
    commit_at = models.DateTimeField(null=True, blank=True)
    subject = models.CharField(max_length=300, blank=True, default="")
    branch = models.CharField(max_length=300, blank=True, default="")
    dirty = models.BooleanField(default=False)
    remote_commit = models.CharField(max_length=64, blank=True, default="")
    rewritten = models.BooleanField(default=False)
    checked_at = models.DateTimeField(null=True, blank=True)
    check_error = models.TextField(blank=True, default="")
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=EngineNow(), editable=False)
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "code_location"
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["team", "name"], name="code_location_name_once"),
            models.CheckConstraint(condition=Q(kind__in=CodeKind.values), name="code_location_kind_known"),
        ]

    def __str__(self) -> str:
        return self.name


class CodeSnapshot(models.Model):
    """The bytes of a code location at one moment, known by the hash of their manifest. Never changes.

    ``commit`` and what is said of it (``commit_at``, ``subject``, ``branch``) is the first in which these
    bytes were seen; ``dirty`` when they were seen in a work tree, beside its commit. Bytes that are committed
    later have a second row, which names that commit and is used from then on.
    """

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    location = models.ForeignKey(CodeLocation, on_delete=models.PROTECT, related_name="snapshots")
    tree_sha256 = models.CharField(max_length=64)
    lock_sha256 = models.CharField(max_length=64, blank=True, default="")
    # A version specifier such as ">=3.12"; "" is content with any.
    python = models.CharField(max_length=100, blank=True, default="")
    file_count = models.IntegerField(default=0)
    size = models.BigIntegerField(default=0)
    blocks = models.JSONField(default=dict)
    created_at = models.DateTimeField(db_default=EngineNow(), editable=False)
    commit = models.CharField(max_length=64, blank=True, default="")
    commit_at = models.DateTimeField(null=True, blank=True)
    subject = models.CharField(max_length=300, blank=True, default="")
    branch = models.CharField(max_length=300, blank=True, default="")
    dirty = models.BooleanField(default=False)

    class Meta:
        db_table = "code_snapshot"
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["location", "tree_sha256", "commit"], name="code_snapshot_once")
        ]

    def __str__(self) -> str:
        return f"{self.location}@{self.tree_sha256[:12]}"


class SecretSource(models.TextChoices):
    """Where the value of a secret is."""

    VALUE = "value", "stored here, encrypted"
    ENVIRONMENT = "environment", "an environment variable of the worker"
    FILE = "file", "a file on the worker's machine"


class Secret(models.Model):
    """A value that tasks are given by name and nobody reads again. Only `pipelines.secrets` writes it.

    ``version`` counts the values that the team has had under this name. ``ciphertext`` holds the present one,
    encrypted with the key ``key_id``; an archived secret has none. ``address``: name of the variable or file.
    """

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="secrets")
    name = models.CharField(max_length=63)
    description = models.TextField(blank=True, default="")
    source = models.CharField(max_length=16, choices=SecretSource, default=SecretSource.VALUE)
    address = models.CharField(max_length=255, blank=True, default="")
    version = models.IntegerField(default=1)
    ciphertext = models.BinaryField(default=bytes)
    key_id = models.CharField(max_length=16, blank=True, default="")
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=EngineNow(), editable=False)
    changed_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    changed_at = models.DateTimeField(db_default=EngineNow(), editable=False)
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "secret"
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["team", "name"], condition=Q(archived_at=None), name="secret_name_once"
            ),
            models.CheckConstraint(condition=Q(source__in=SecretSource.values), name="secret_source_known"),
            # A key id without a ciphertext, or the other way round, could never be opened.
            models.CheckConstraint(
                condition=Q(ciphertext=b"", key_id="") | (~Q(ciphertext=b"") & ~Q(key_id="")),
                name="secret_sealed_whole",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Pipeline(models.Model):
    """A named piece of work with an owner, its one draft, and its active version."""

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="pipelines")
    name = models.SlugField(max_length=63)
    title = models.CharField(max_length=200, blank=True, default="")
    description = models.TextField(blank=True, default="")
    owner = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="owned_pipelines"
    )
    deputy = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="deputised_pipelines"
    )
    purpose = models.TextField(blank=True, default="")
    runbook = models.TextField(blank=True, default="")
    tags = models.JSONField(default=list, blank=True)
    active_version = models.ForeignKey(
        "PipelineVersion", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    draft_text = models.TextField(blank=True, default="")
    draft_layout = models.JSONField(default=dict, blank=True)
    draft_revision = models.BigIntegerField(default=1)
    draft_saved_at = models.DateTimeField(null=True, blank=True)
    draft_saved_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    last_version_number = models.IntegerField(default=0)
    last_run_number = models.BigIntegerField(default=0)
    paused_at = models.DateTimeField(null=True, blank=True)
    paused_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    paused_until = models.DateTimeField(null=True, blank=True)
    paused_reason = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(db_default=EngineNow(), editable=False)
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "pipeline"
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["team", "name"], name="pipeline_name_once")]
        indexes: ClassVar = [
            models.Index(fields=["id"], condition=Q(paused_at__isnull=False), name="pipeline_paused")
        ]

    def __str__(self) -> str:
        return f"{self.team.slug}:{self.name}"


class PipelineVersion(models.Model):
    """An unchangeable published graph. The database refuses UPDATE and DELETE."""

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    pipeline = models.ForeignKey(Pipeline, on_delete=models.PROTECT, related_name="versions")
    number = models.IntegerField()
    text = models.TextField()
    text_sha256 = models.CharField(max_length=64)
    spec = models.JSONField()
    spec_sha256 = models.CharField(max_length=64)
    layout = models.JSONField(default=dict)
    message = models.TextField(blank=True, default="")
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=EngineNow(), editable=False)

    class Meta:
        db_table = "pipeline_version"
        ordering: ClassVar = ["-number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["pipeline", "number"], name="version_number_once")
        ]

    def __str__(self) -> str:
        return f"{self.pipeline} v{self.number}"


class Task(models.Model):
    """One step of a version; ``spec`` is its entry in the version's canonical JSON."""

    version = models.ForeignKey(PipelineVersion, on_delete=models.PROTECT, related_name="tasks")
    key = models.CharField(max_length=500)
    parent = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="children")
    position = models.IntegerField()
    kind = models.CharField(max_length=16)
    queue = models.CharField(max_length=63)
    spec = models.JSONField()

    class Meta:
        db_table = "task"
        ordering: ClassVar = ["position"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["version", "key"], name="task_key_once")]

    def __str__(self) -> str:
        return self.key


class Edge(models.Model):
    """What a task waits for: ``rule`` of ``up`` must be satisfied before ``down`` is judged."""

    version = models.ForeignKey(PipelineVersion, on_delete=models.PROTECT, related_name="edges")
    up = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="out_edges")
    down = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="in_edges")
    rule = models.CharField(max_length=8, default="success")
    data = models.BooleanField(default=False)

    class Meta:
        db_table = "edge"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["up", "down", "rule"], name="edge_once"),
            models.CheckConstraint(
                condition=Q(rule__in=["success", "failure", "always"]), name="edge_rule_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.up} -> {self.down}"


class AuditPayload(models.Model):
    """The erasable text behind one audit row; the chain keeps only its hash."""

    sha256 = models.CharField(max_length=64)
    body = models.JSONField(null=True)
    erased_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "audit_payload"

    def __str__(self) -> str:
        return self.sha256[:12]


class AuditEvent(models.Model):
    """One link of a team's audit chain (or the site's, when ``team`` is null).

    ``seq``, ``prev_hash`` and ``hash`` are set by a trigger; the table takes INSERT and SELECT only.
    """

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    chain = models.CharField(max_length=63)
    seq = models.BigIntegerField()
    team = models.ForeignKey(Team, null=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(db_default=EngineNow(), editable=False)
    actor = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    actor_name = models.CharField(max_length=150)
    token = models.ForeignKey(ApiToken, null=True, on_delete=models.PROTECT, related_name="+")
    verb = models.CharField(max_length=64)
    object_kind = models.CharField(max_length=32)
    object_uuid = models.UUIDField(null=True)
    object_name = models.CharField(max_length=500)
    payload = models.ForeignKey(AuditPayload, null=True, on_delete=models.PROTECT, related_name="+")
    payload_sha256 = models.CharField(max_length=64, blank=True, default="")
    prev_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    class Meta:
        db_table = "audit_event"
        verbose_name = "audit row"
        verbose_name_plural = "audit log"
        ordering: ClassVar = ["chain", "seq"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["chain", "seq"], name="audit_seq_once")]
        indexes: ClassVar = [
            models.Index(fields=["object_kind", "object_uuid"]),
            models.Index(fields=["team", "-at"]),
        ]

    def __str__(self) -> str:
        return f"{self.chain}#{self.seq} {self.verb}"
