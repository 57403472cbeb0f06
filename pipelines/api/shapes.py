"""The shapes of requests, which they check, and of answers, for the schema the frontend is typed by."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from pipelines.access import SCOPES
from pipelines.api.base import PersonField
from pipelines.models import Role

NAME = r"^[a-z0-9-]+$"
NAME_MESSAGE = "Small letters, digits and hyphens only."


class Shape(serializers.Serializer[Any]):
    """A serializer that is given and gives plain values."""


class NameField(serializers.RegexField):
    def __init__(self, **options: Any) -> None:
        super().__init__(NAME, max_length=63, error_messages={"invalid": NAME_MESSAGE}, **options)


class PlainObject(serializers.DictField):
    """Any JSON object."""


# --- answers --------------------------------------------------------------------------------------------


Person = PersonField


class Problem(Shape):
    severity = serializers.CharField(help_text="error or warning")
    code = serializers.CharField()
    path = serializers.CharField()
    line = serializers.IntegerField(help_text="from 1; 0 where there is no text")
    column = serializers.IntegerField()
    message = serializers.CharField()
    params = PlainObject()


class TeamRoles(Shape):
    slug = serializers.CharField()
    name = serializers.CharField()
    roles = serializers.ListField(child=serializers.CharField())


class Me(Shape):
    username = serializers.CharField()
    email = serializers.CharField(allow_null=True)
    name = serializers.CharField()
    is_superuser = serializers.BooleanField()
    time_zone = serializers.CharField()
    locale = serializers.CharField()
    teams = TeamRoles(many=True)


class VersionSummary(Shape):
    number = serializers.IntegerField()
    message = serializers.CharField()
    created_at = serializers.DateTimeField()
    created_by = Person(allow_null=True)


class VersionItem(VersionSummary):
    active = serializers.BooleanField()


class Port(Shape):
    name = serializers.CharField()
    type = serializers.CharField()
    required = serializers.BooleanField(required=False)  # type: ignore[assignment]
    default = serializers.JSONField(required=False, allow_null=True)
    choices = serializers.ListField(
        child=serializers.JSONField(), required=False, help_text="the only values it takes"
    )


class GraphTask(Shape):
    key = serializers.CharField()
    name = serializers.CharField()
    parent = serializers.CharField(allow_null=True)  # type: ignore[assignment]
    kind = serializers.CharField()
    title = serializers.CharField()
    queue = serializers.CharField(allow_null=True)
    config = PlainObject()
    inputs = Port(many=True)
    outputs = Port(many=True)


class GraphEdge(Shape):
    up = serializers.CharField()
    down = serializers.CharField()
    rule = serializers.CharField(help_text="success, failure or always")
    data = serializers.BooleanField()  # type: ignore[assignment]


class PipelineGraph(Shape):
    tasks = GraphTask(many=True)
    edges = GraphEdge(many=True)


class CodeUsed(Shape):
    location = serializers.CharField()
    follow = serializers.CharField()
    snapshot = serializers.CharField(allow_null=True)
    lock = serializers.CharField(allow_null=True)


class Version(VersionItem):
    text = serializers.CharField()
    text_sha256 = serializers.CharField()
    spec_sha256 = serializers.CharField()
    layout = PlainObject()
    code = CodeUsed(allow_null=True)
    parameters = PlainObject()
    graph = PipelineGraph()


class PublishedVersion(Version):
    created = serializers.BooleanField(help_text="false when nothing had changed")
    problems = Problem(many=True)


class RunGlyph(Shape):
    id = serializers.UUIDField()
    number = serializers.IntegerField()
    state = serializers.CharField()
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)


class PipelineCan(Shape):
    run = serializers.BooleanField()
    edit = serializers.BooleanField()
    pause = serializers.BooleanField(help_text="And let it go on.")


class Paused(Shape):
    """All null and empty where nobody paused it. A pause whose end has come holds nothing any more."""

    paused_at = serializers.DateTimeField(allow_null=True)
    paused_by = Person(allow_null=True)
    paused_until = serializers.DateTimeField(allow_null=True, help_text="null: until somebody lets it go on.")
    paused_reason = serializers.CharField(allow_blank=True)


class Keeper(Shape):
    """Who answers for a pipeline."""

    username = serializers.CharField()
    name = serializers.CharField()
    active = serializers.BooleanField(
        help_text="false when they may no longer sign in or are no longer in the team"
    )


class Pipeline(Paused):
    id = serializers.UUIDField()
    name = serializers.CharField()
    title = serializers.CharField()
    description = serializers.CharField()
    team = serializers.CharField()
    owner = Keeper(allow_null=True)
    deputy = Keeper(allow_null=True)
    purpose = serializers.CharField()
    runbook = serializers.CharField()
    tags = serializers.ListField(child=serializers.CharField())
    active_version = VersionSummary(allow_null=True)
    parameters = PlainObject()
    state = serializers.CharField(allow_null=True, help_text="of the newest run")
    last_runs = RunGlyph(many=True)
    can = PipelineCan()


class Draft(Shape):
    document = serializers.CharField()
    layout = PlainObject()
    problems = Problem(many=True, allow_null=True)
    etag = serializers.CharField()
    saved_at = serializers.DateTimeField(allow_null=True)
    saved_by = Person(allow_null=True)


class Signature(Shape):
    name = serializers.CharField()
    doc = serializers.CharField(help_text="the first line of its docstring")
    line = serializers.IntegerField(help_text="of its `def`, from 1")
    open = serializers.BooleanField(help_text="takes any further input")
    problem = serializers.CharField(help_text="why it cannot be used; empty when it can")
    inputs = Port(many=True)
    outputs = Port(many=True)


class Validation(Shape):
    problems = Problem(many=True)
    graph = PipelineGraph(allow_null=True)
    signatures = serializers.DictField(
        child=Signature(), help_text="of the code written into the document, by key of its task"
    )


class GraphDiff(Shape):
    against = serializers.IntegerField(allow_null=True)
    number = serializers.IntegerField()
    added = serializers.ListField(child=serializers.CharField())
    removed = serializers.ListField(child=serializers.CharField())
    changed = serializers.DictField(child=serializers.ListField(child=serializers.CharField()))
    edges_added = GraphEdge(many=True)
    edges_removed = GraphEdge(many=True)
    parameters = serializers.ListField(child=serializers.CharField())
    fields_ = serializers.ListField(child=serializers.CharField())

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        fields = super().get_fields()
        fields["fields"] = fields.pop("fields_")
        return fields


class Token(Shape):
    id = serializers.UUIDField()
    name = serializers.CharField()
    team = serializers.CharField(allow_null=True)
    state = serializers.CharField(help_text="usable, ending (within 14 days), expired or revoked")
    scopes = serializers.ListField(child=serializers.CharField())
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    last_used_at = serializers.DateTimeField(allow_null=True)
    revoked_at = serializers.DateTimeField(allow_null=True)


class NewToken(Token):
    token = serializers.CharField(help_text="shown this once")


class Member(Shape):
    team = serializers.CharField()
    username = serializers.CharField()
    name = serializers.CharField()
    email = serializers.CharField(allow_null=True)
    roles = serializers.ListField(child=serializers.CharField())
    active = serializers.BooleanField(help_text="false when they may no longer sign in")
    service = serializers.BooleanField(help_text="a program's account, which owns nothing")


class KindInput(Port):
    accepts = serializers.ListField(child=serializers.CharField(), help_text="further types beside its own")


class KindPorts(Shape):
    inputs = KindInput(many=True)
    outputs = Port(many=True)
    open_inputs = serializers.BooleanField(help_text="takes further inputs")
    open_outputs = serializers.BooleanField(help_text="what it gives is not known before it is written")


class Kind(Shape):
    name = serializers.CharField()
    title = serializers.CharField()
    description = serializers.CharField()
    category = serializers.CharField()
    available = serializers.BooleanField(help_text="false when it can be drawn and not published")
    worked = serializers.BooleanField(help_text="carried out by a worker: has queue, timeout, retries")
    scope = serializers.BooleanField(help_text="holds tasks of its own")
    takes_secrets = serializers.BooleanField()
    required = serializers.ListField(child=serializers.CharField())  # type: ignore[assignment]
    keys = serializers.DictField(child=PlainObject(), help_text="JSON Schema of its own keys")
    ports = KindPorts(help_text="of a task with no key but `kind`")
    starter = PlainObject(help_text="the entry of a new task")


class Kinds(Shape):
    common = serializers.DictField(child=PlainObject(), help_text="JSON Schema of keys of every task")
    work = serializers.DictField(child=PlainObject(), help_text="and of those a worker carries out")
    kinds = Kind(many=True)


class AuditObject(Shape):
    kind = serializers.CharField()
    id = serializers.UUIDField(allow_null=True)
    name = serializers.CharField()


class AuditRow(Shape):
    id = serializers.UUIDField()
    chain = serializers.CharField()
    seq = serializers.IntegerField()
    team = serializers.CharField(allow_null=True)
    at = serializers.DateTimeField()
    actor = serializers.CharField()
    token = serializers.UUIDField(allow_null=True)
    verb = serializers.CharField()
    object = AuditObject()
    payload = PlainObject(allow_null=True)
    payload_sha256 = serializers.CharField()
    prev_hash = serializers.CharField()
    hash = serializers.CharField()


# --- requests -------------------------------------------------------------------------------------------


class DocumentField(serializers.CharField):
    """A whole text, kept to the last space."""

    def __init__(self, **options: Any) -> None:
        super().__init__(trim_whitespace=False, allow_blank=True, **options)


class CreatePipeline(Shape):
    name = NameField()
    team = NameField(required=False)
    document = DocumentField(required=False, default="")
    layout = PlainObject(required=False)


class ChangePipeline(Shape):
    owner = serializers.CharField(required=False, allow_null=True)
    deputy = serializers.CharField(required=False, allow_null=True)
    purpose = serializers.CharField(required=False, allow_blank=True, max_length=10_000)
    runbook = serializers.CharField(required=False, allow_blank=True, max_length=10_000)
    tags = serializers.ListField(child=serializers.CharField(max_length=63), required=False, max_length=50)


class SaveDraft(Shape):
    document = DocumentField()
    layout = PlainObject(required=False)


class Validate(Shape):
    document = DocumentField()
    team = NameField(required=False)


class Publish(Shape):
    message = serializers.CharField(required=False, allow_blank=True, default="", max_length=10_000)
    activate = serializers.BooleanField(required=False, default=True)
    code = serializers.ChoiceField(
        ["draft", "latest"],
        required=False,
        default="draft",
        help_text="latest: the active version's text with the last synced code, instead of the draft",
    )


class Activate(Shape):
    version = serializers.IntegerField(min_value=1, max_value=2**31 - 1)


class MakeToken(Shape):
    name = serializers.CharField(max_length=100)
    team = NameField(required=False)
    scopes = serializers.ListField(child=serializers.ChoiceField(SCOPES), required=False, allow_empty=False)
    days = serializers.IntegerField(min_value=1, max_value=366, required=False, default=90)


class MakeTeam(Shape):
    slug = NameField()
    name = serializers.CharField(max_length=200)


class SetMember(Shape):
    team = NameField()
    username = serializers.CharField(max_length=150)
    roles = serializers.ListField(child=serializers.ChoiceField(Role.choices), allow_empty=True)
    email = serializers.EmailField(required=False)
    name = serializers.CharField(required=False, max_length=150)
    password = serializers.CharField(required=False, max_length=4096, trim_whitespace=False, write_only=True)
