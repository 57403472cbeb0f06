"""The shapes of requests and answers about code locations, their snapshots and blocks."""

from __future__ import annotations

from rest_framework import serializers

from pipelines.api.shapes import NameField, Shape, Signature
from pipelines.code import STATES
from pipelines.models import CodeKind

# --- answers --------------------------------------------------------------------------------------------


class Commit(Shape):
    sha = serializers.CharField()
    at = serializers.DateTimeField(allow_null=True, help_text="when its author made it")
    subject = serializers.CharField(help_text="the first line of its message")
    branch = serializers.CharField(help_text="the full name of the ref it was found under; may be empty")
    dirty = serializers.BooleanField(help_text="the folder held more, or other, than this commit")


class Snapshot(Shape):
    id = serializers.UUIDField()
    tree_sha256 = serializers.CharField()
    lock_sha256 = serializers.CharField()
    python = serializers.CharField(help_text="the versions of Python that it wants; empty for any")
    file_count = serializers.IntegerField()
    size = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    commit = Commit(allow_null=True, help_text="the first one in which these bytes were seen")


class LocationEnvironment(Shape):
    id = serializers.UUIDField()
    state = serializers.ChoiceField(["missing", "building", "ready", "failed"])
    progress = serializers.CharField(allow_blank=True)
    problem = serializers.CharField(allow_blank=True)
    problem_code = serializers.ChoiceField(["", "python-missing", "build-failed"])
    preload_problems = serializers.DictField(
        child=serializers.CharField(), help_text="Module -> why it could not be imported."
    )


class HostKey(Shape):
    host = serializers.CharField()
    kind = serializers.CharField()
    fingerprint = serializers.CharField(help_text="as `ssh-keygen -l` shows it")


class Syncing(Shape):
    words = serializers.CharField()
    per_cent = serializers.IntegerField()


class LocationCan(Shape):
    sync = serializers.BooleanField()
    manage = serializers.BooleanField(help_text="change and archive it")


class Location(Shape):
    id = serializers.UUIDField()
    name = serializers.CharField()
    team = serializers.CharField()
    kind = serializers.ChoiceField(CodeKind.choices)
    address = serializers.CharField()
    ref = serializers.CharField(help_text="branch, tag or commit; empty for what the repository begins with")
    folder = serializers.CharField(help_text="inside the repository")
    secret = serializers.CharField(help_text="the name of the secret with the credentials")
    known_hosts = serializers.CharField()
    host_keys = HostKey(many=True)
    auto_sync = serializers.BooleanField()
    lock_file = serializers.CharField()
    preload = serializers.ListField(child=serializers.CharField())
    state = serializers.ChoiceField(STATES, help_text="how the last snapshot stands to what there is")
    commit = Commit(allow_null=True, help_text="where the last sync stood")
    remote_commit = serializers.CharField(help_text="where the ref pointed when it was last looked at")
    checked_at = serializers.DateTimeField(allow_null=True)
    check_error = serializers.CharField()
    syncing = Syncing(allow_null=True, help_text="null while no sync is under way")
    synced_at = serializers.DateTimeField(allow_null=True)
    sync_error = serializers.CharField(help_text="why the last sync failed, and how to go on")
    notes = serializers.ListField(child=serializers.CharField(), help_text="what the last sync left out")
    snapshot = Snapshot(allow_null=True)
    environment = LocationEnvironment(allow_null=True)
    created_at = serializers.DateTimeField()
    can = LocationCan()


class Block(Signature):
    id = serializers.CharField(help_text="module:function")


class Blocks(Shape):
    snapshot = serializers.CharField(allow_null=True)
    blocks = Block(many=True)


class PipelineCode(Shape):
    location = serializers.CharField(help_text="as the version names it")
    location_id = serializers.UUIDField(allow_null=True, help_text="null when it may not be seen")
    state = serializers.ChoiceField(STATES, allow_null=True)
    follow = serializers.ChoiceField(["published", "latest"])
    version = serializers.IntegerField(help_text="the active one")
    used = Snapshot(allow_null=True, help_text="what its runs use now")
    latest = Snapshot(allow_null=True, help_text="what was synced last")
    used_environment = LocationEnvironment(allow_null=True)
    latest_environment = LocationEnvironment(allow_null=True)
    new_code = serializers.BooleanField(help_text="the version uses an older snapshot than the last one")


# --- requests -------------------------------------------------------------------------------------------


class ChangeLocation(Shape):
    address = serializers.CharField(max_length=1024, required=False)
    ref = serializers.CharField(required=False, allow_blank=True, max_length=255)
    folder = serializers.CharField(required=False, allow_blank=True, max_length=255)
    secret = serializers.CharField(required=False, allow_blank=True, max_length=63)
    known_hosts = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False)
    lock_file = serializers.CharField(required=False, allow_blank=True, max_length=255)
    auto_sync = serializers.BooleanField(required=False)


class RegisterLocation(ChangeLocation):
    """The fields ref, folder, secret, known_hosts and auto_sync are of repositories."""

    team = NameField(required=False)
    name = NameField()
    kind = serializers.ChoiceField(CodeKind.choices, required=False, default=CodeKind.FOLDER)
    address = serializers.CharField(max_length=4096)
    preload = serializers.ListField(
        child=serializers.RegexField(r"^[A-Za-z_][\w.]*$", max_length=200),
        required=False,
        default=list,
        max_length=50,
    )
