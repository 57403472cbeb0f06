"""The shapes of requests and answers, for the schema the frontend is typed by."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from lineage.models import Stage
from pipelines.api.shapes import NameField, Person, PlainObject, Shape

Texts = serializers.ListField


class RecordSummary(Shape):
    id = serializers.UUIDField()
    job = serializers.CharField()
    task = serializers.CharField()
    kind = serializers.CharField()
    state = serializers.CharField()
    attempt_no = serializers.IntegerField()
    run = serializers.UUIDField()
    run_number = serializers.IntegerField()
    started_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    grade = serializers.CharField()
    digest = serializers.CharField()


class ArtifactItem(Shape):
    id = serializers.UUIDField()
    team = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.CharField()
    sha256 = serializers.CharField()
    size = serializers.IntegerField(help_text="bytes")
    media_type = serializers.CharField()
    metadata = PlainObject()
    created_at = serializers.DateTimeField()


class PipelineRef(Shape):
    team = serializers.CharField()
    name = serializers.CharField()
    title = serializers.CharField()


class Producer(RecordSummary):
    pipeline = PipelineRef()
    version = serializers.IntegerField()
    requested_by = Person(allow_null=True)
    metrics = PlainObject()


class EndpointRef(Shape):
    team = serializers.CharField()
    name = serializers.CharField()
    stage = serializers.ChoiceField(Stage.choices)


class ModelVersionItem(Shape):
    id = serializers.UUIDField()
    model = serializers.CharField()
    version = serializers.IntegerField()
    sha256 = serializers.CharField()
    artifact = serializers.UUIDField()
    metrics = PlainObject()
    created_at = serializers.DateTimeField()
    registered_by = Person(allow_null=True)
    run = serializers.UUIDField()
    run_number = serializers.IntegerField()


class RegisteredVersion(ModelVersionItem):
    team = serializers.CharField()
    deployed_to = EndpointRef(many=True, help_text="where it serves now")


class ArtifactDetail(ArtifactItem):
    file_name = serializers.CharField(help_text="of the file that the task wrote; empty when it had none")
    is_folder = serializers.BooleanField()
    present = serializers.BooleanField(help_text="whether its bytes are in the store")
    value = serializers.JSONField(allow_null=True, help_text="of a small value; null for bytes in the store")
    produced_by = Producer(allow_null=True)
    slot = serializers.CharField(allow_null=True)
    model_versions = RegisteredVersion(many=True)


class UsedArtifact(Shape):
    slot = serializers.CharField()
    position = serializers.IntegerField()
    artifact = ArtifactItem()


class Neighbour(Shape):
    record = RecordSummary()
    slot = serializers.CharField(help_text="in which the record read or wrote the artifact asked about")
    artifacts = UsedArtifact(many=True)


class PreviewColumn(Shape):
    name = serializers.CharField()
    type = serializers.CharField()


class PreviewEntry(Shape):
    path = serializers.CharField()
    size = serializers.IntegerField(help_text="bytes")
    sha256 = serializers.CharField(allow_null=True, help_text="null for a link")
    link = serializers.CharField(allow_null=True, help_text="where a symbolic link points to")


class ArraySummary(Shape):
    min = serializers.JSONField(allow_null=True)
    max = serializers.JSONField(allow_null=True)
    mean = serializers.FloatField(allow_null=True)
    not_finite = serializers.IntegerField(help_text="values that are NaN or infinite, left out of the others")


class ArtifactPreview(Shape):
    kind = serializers.ChoiceField(["json", "text", "table", "array", "image", "folder", "model", "none"])
    truncated = serializers.BooleanField()
    value = serializers.JSONField(required=False, allow_null=True)
    text = serializers.CharField(required=False)
    format = serializers.ChoiceField(["parquet", "csv"], required=False)
    columns = PreviewColumn(many=True, required=False)
    columns_total = serializers.IntegerField(required=False)
    rows = serializers.ListField(child=serializers.ListField(child=serializers.JSONField()), required=False)
    row_count = serializers.IntegerField(required=False, allow_null=True, help_text="null: not counted")
    shape = serializers.ListField(child=serializers.IntegerField(), required=False)
    dtype = serializers.CharField(required=False)
    objects = serializers.BooleanField(required=False, help_text="an array of pickles, which stay closed")
    summary = ArraySummary(required=False, allow_null=True)
    values = serializers.ListField(
        child=serializers.ListField(child=serializers.JSONField()), required=False, allow_null=True
    )
    media_type = serializers.CharField(required=False)
    width = serializers.IntegerField(required=False, help_text="pixels")
    height = serializers.IntegerField(required=False, help_text="pixels")
    entries = PreviewEntry(many=True, required=False)
    count = serializers.IntegerField(required=False)
    reason = serializers.CharField(required=False)


class TopValue(Shape):
    value = serializers.JSONField()
    count = serializers.IntegerField()


class Histogram(Shape):
    """Counts in equal steps between two bounds; `from` is a word of Python."""

    counts = serializers.ListField(child=serializers.IntegerField())

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        bounds = {"from": serializers.JSONField(), "to": serializers.JSONField()}
        return {**bounds, **super().get_fields()}


class ColumnProfile(PreviewColumn):
    nulls = serializers.IntegerField()
    distinct = serializers.IntegerField(allow_null=True, help_text="null: not counted for such a type")
    top = TopValue(many=True, help_text="the commonest values that come more than once")
    min = serializers.JSONField(required=False, allow_null=True)
    max = serializers.JSONField(required=False, allow_null=True)
    mean = serializers.JSONField(required=False, allow_null=True)
    std = serializers.JSONField(required=False, allow_null=True)
    quartiles = serializers.ListField(child=serializers.JSONField(), required=False)
    not_finite = serializers.IntegerField(required=False)
    lengths = serializers.ListField(
        child=serializers.IntegerField(), required=False, help_text="characters of the shortest and longest"
    )
    histogram = Histogram(required=False)


class TableProfile(Shape):
    kind = serializers.ChoiceField(["table", "none"])
    reason = serializers.CharField(required=False)
    rows = serializers.IntegerField(required=False, help_text="looked at, from the first on")
    row_count = serializers.IntegerField(required=False, allow_null=True)
    whole = serializers.BooleanField(required=False, help_text="whether these are all rows")
    columns_total = serializers.IntegerField(required=False)
    columns = ColumnProfile(many=True, required=False)


class ModelItem(Shape):
    id = serializers.UUIDField()
    team = serializers.CharField()
    name = serializers.CharField()
    created_at = serializers.DateTimeField()
    latest = ModelVersionItem(allow_null=True)


class ModelVersionDetail(ModelVersionItem):
    team = serializers.CharField()
    size = serializers.IntegerField()
    media_type = serializers.CharField()
    pipeline = serializers.CharField()
    record = RecordSummary()
    made_from = ArtifactItem(many=True, help_text="everything upstream, its own artifact left out")
    deployed_to = serializers.ListField(child=serializers.CharField())


class EndpointItem(Shape):
    id = serializers.UUIDField()
    name = serializers.CharField()
    team = serializers.CharField()
    stage = serializers.ChoiceField(Stage.choices)
    address = serializers.CharField()
    description = serializers.CharField()
    created_at = serializers.DateTimeField()


class CreateEndpoint(Shape):
    name = NameField()
    team = serializers.CharField(required=False)
    stage = serializers.ChoiceField(Stage.choices)
    address = serializers.CharField(
        required=False, help_text="a folder of the server; site admins only. Default: one in the home"
    )
    description = serializers.CharField(required=False, allow_blank=True, max_length=2000)


class MoveApproval(Shape):
    decision = serializers.CharField()
    task = serializers.CharField()
    by = Person()
    role = serializers.CharField()
    comment = serializers.CharField()
    at = serializers.DateTimeField()
    digest = serializers.CharField()
    was_requester = serializers.BooleanField()


class Move(Shape):
    id = serializers.UUIDField()
    model = serializers.CharField()
    version = serializers.IntegerField()
    sha256 = serializers.CharField()
    since = serializers.DateTimeField()
    until = serializers.DateTimeField(allow_null=True)
    moved_by = Person(allow_null=True)
    run = serializers.UUIDField()
    run_number = serializers.IntegerField()
    reason = serializers.CharField()
    approval = MoveApproval(allow_null=True)


class DeploymentItem(Shape):
    endpoint = EndpointItem()
    current = Move(allow_null=True)


class DeploymentDetail(DeploymentItem):
    history = Move(many=True)


class TraceNode(Shape):
    id = serializers.CharField()
    type = serializers.ChoiceField(["deployment", "model_version", "artifact", "record"])
    label = serializers.CharField()  # type: ignore[assignment]
    detail = PlainObject()


class TraceEdge(Shape):
    slot = serializers.CharField()

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """`from` is a word of Python and cannot be written as an attribute."""
        return {"from": serializers.CharField(), "to": serializers.CharField(), **super().get_fields()}


class TraceModel(Shape):
    id = serializers.UUIDField()
    name = serializers.CharField()
    version = serializers.IntegerField()
    sha256 = serializers.CharField()
    artifact = serializers.UUIDField()
    metrics = PlainObject()
    registered_at = serializers.DateTimeField()


class TraceCommit(Shape):
    sha = serializers.CharField()
    subject = serializers.CharField()
    dirty = serializers.BooleanField(help_text="the folder held more, or other, than this commit")


class TraceCode(Shape):
    kind = serializers.ChoiceField(["snapshot", "inline", "builtin"])
    location = serializers.CharField()
    snapshot = serializers.CharField()
    commit = TraceCommit(allow_null=True)
    entry = serializers.CharField(allow_null=True)


class TracePackage(Shape):
    name = serializers.CharField()
    version = serializers.CharField()


class TraceEnvironment(Shape):
    fingerprint = serializers.CharField()
    python = serializers.CharField()
    platform = serializers.CharField()
    lock = serializers.CharField()
    packages = TracePackage(many=True)


class TraceData(Shape):
    artifact = serializers.UUIDField()
    name = serializers.CharField()
    sha256 = serializers.CharField()
    size = serializers.IntegerField(allow_null=True)
    rows = serializers.IntegerField(allow_null=True)


class TraceGap(Shape):
    record = serializers.UUIDField()
    job = serializers.CharField()
    code = serializers.CharField()
    about = serializers.CharField()
    message = serializers.CharField()


class Trace(Shape):
    complete = serializers.BooleanField(help_text="false until the last record behind it is sealed")
    missing = Texts(child=serializers.CharField())
    deployment = PlainObject()
    model = TraceModel(allow_null=True)
    approval = MoveApproval(allow_null=True)
    nodes = TraceNode(many=True)
    edges = TraceEdge(many=True)
    code = TraceCode(many=True)
    environment = TraceEnvironment(many=True)
    parameters = PlainObject()
    data = TraceData(many=True)  # type: ignore[assignment]
    gaps = TraceGap(many=True)
