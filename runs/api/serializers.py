"""The shapes of the API: what requests are checked against, and what the schema says of answers.

Answers are made as plain JSON by ``bodies.py``; a test holds them against these shapes.
"""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from pipelines.api.code_shapes import Snapshot
from pipelines.api.shapes import Paused, Person, Shape
from runs import isolation, team_limits
from runs.explaining import Code
from runs.pausing import LONGEST_REASON
from runs.states import AttemptState, LeaseState, Priority, RunState, TaskState


class WithFrom(Shape):
    """``from`` is a word of the language, so such a field has another name in the class."""

    def get_fields(self) -> dict[str, Any]:
        return {name.rstrip("_"): field for name, field in super().get_fields().items()}


# --- requests -------------------------------------------------------------------------------------


class StartRun(Shape):
    parameters = serializers.DictField(
        required=False, help_text="Name -> value; what is left out has its default."
    )
    version = serializers.IntegerField(required=False, min_value=1, help_text="The active one when left out.")
    only = serializers.ListField(
        child=serializers.CharField(max_length=500),
        required=False,
        allow_empty=False,
        max_length=10_000,
        help_text="Run these tasks and what they need.",
    )


class Rerun(WithFrom):
    parameters = serializers.DictField(
        required=False, help_text="Name -> value; what is left out is as in the old run."
    )
    version = serializers.IntegerField(
        required=False, min_value=1, help_text="That of the old run when left out."
    )
    from_ = serializers.CharField(
        required=False, max_length=500, help_text="Run this task and all after it, whatever was done before."
    )
    only = serializers.ListField(
        child=serializers.CharField(max_length=500),
        required=False,
        allow_empty=False,
        max_length=10_000,
        help_text="Run these tasks, and have what they need: taken over where it is equal, else run.",
    )
    reuse = serializers.BooleanField(
        required=False, default=True, help_text="Take over what is equal in the old run, or cached."
    )


def most(what: str) -> serializers.IntegerField:
    """How many of something a team may have."""
    words: dict[str, Any] = dict.fromkeys(("min_value", "max_value", "invalid"), team_limits.NO_COUNT)
    return serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=0,
        max_value=team_limits.MOST,
        help_text=what,
        error_messages=words,
    )


class LimitsOfQueue(Shape):
    queue = serializers.CharField(max_length=63)
    running_tasks = most("Tasks that run on it at once.")
    weight = serializers.FloatField(required=False, allow_null=True, help_text="Its share of this queue.")

    def validate_weight(self, value: float | None) -> float | None:
        """Judged here as well, so that a wrong share is told of its queue and not of the whole team."""
        if not team_limits.is_weight(value):
            raise serializers.ValidationError(team_limits.NO_WEIGHT)
        return value


class SetTeamLimits(Shape):
    active_runs = most("Unfinished runs.")
    queued_tasks = most("Their tasks that have neither ended nor run.")
    running_tasks = most("Tasks that run at once, on all queues.")
    weight = serializers.FloatField(
        required=False, allow_null=True, help_text="Its share of a queue beside other teams; 1 when left out."
    )
    queues = LimitsOfQueue(many=True, required=False)

    def validate_queues(self, value: list[dict[str, Any]]) -> list[dict[str, Any]]:
        named = [row["queue"] for row in value]
        if twice := sorted({name for name in named if named.count(name) > 1}):
            raise serializers.ValidationError(f"Named more than once: {', '.join(twice)}.")
        return value


class LiftQuarantine(Shape):
    comment = serializers.CharField(
        max_length=10_000,
        help_text="What has changed; it stands in the audit trail.",
        error_messages=dict.fromkeys(("required", "blank", "null"), "Say what has changed."),
    )


class PauseThing(Shape):
    reason = serializers.CharField(
        max_length=LONGEST_REASON, help_text="Shown to everybody whose tasks wait."
    )
    until = serializers.DateTimeField(
        required=False,
        allow_null=True,
        default=None,
        help_text="Until somebody lets it go on when left out.",
    )


class Decide(Shape):
    comment = serializers.CharField(required=False, allow_blank=True, default="", max_length=10_000)


# --- answers --------------------------------------------------------------------------------------


class PipelineNameShape(Shape):
    name = serializers.CharField()
    team = serializers.CharField()
    title = serializers.CharField()


class CauseShape(Shape):
    task = serializers.CharField()
    task_run = serializers.UUIDField()
    attempt = serializers.UUIDField(allow_null=True)
    attempt_no = serializers.IntegerField()
    reason = serializers.CharField()
    message = serializers.CharField()


class RerunOfShape(WithFrom):
    id = serializers.UUIDField()
    number = serializers.IntegerField()
    from_ = serializers.CharField(
        allow_blank=True, help_text="The task from which all ran, if one was named."
    )
    reuse = serializers.BooleanField()


class RunCodeShape(Shape):
    location = serializers.CharField(help_text="owner:name where another team lends it")
    snapshot = Snapshot()


class RunBeforeShape(Shape):
    id = serializers.UUIDField()
    number = serializers.IntegerField()


class QueuedShape(Shape):
    words = serializers.CharField(help_text="What it waits for.")
    behind = RunBeforeShape(allow_null=True, help_text="The run before it that has not ended.")


class HeldShape(Shape):
    task = serializers.CharField()
    words = serializers.CharField()
    remedy = serializers.CharField()


class RunCanShape(Shape):
    rerun = serializers.BooleanField()
    cancel = serializers.BooleanField()
    resume = serializers.BooleanField(help_text="False as well while a task of it is in quarantine.")
    pause = serializers.BooleanField(help_text="And let it go on.")
    approve = serializers.BooleanField()


class RunShape(Paused):
    id = serializers.UUIDField()
    number = serializers.IntegerField()
    pipeline = PipelineNameShape()
    version = serializers.IntegerField()
    code = RunCodeShape(allow_null=True)
    state = serializers.ChoiceField(choices=RunState.choices)
    priority = serializers.ChoiceField(choices=Priority.labels)
    trigger = serializers.CharField()
    requested_by = Person(allow_null=True)
    parameters = serializers.DictField()
    only = serializers.ListField(child=serializers.CharField(), allow_null=True)
    rerun_of = RerunOfShape(allow_null=True)
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    last_seq = serializers.IntegerField()
    resume_no = serializers.IntegerField()
    counts = serializers.DictField(child=serializers.IntegerField(), help_text="State -> number of tasks.")
    cause = CauseShape(allow_null=True)
    queued = QueuedShape(allow_null=True, help_text="Why it has not begun; null once it has.")
    quarantine = HeldShape(
        allow_null=True,
        help_text="The task of it in quarantine: why it does not begin, or cannot be resumed.",
    )
    replaced_by = RunBeforeShape(
        allow_null=True, help_text="The newer run for which the pipeline's `overlap` cancelled it."
    )
    can = RunCanShape()


class AttemptBriefShape(Shape):
    id = serializers.UUIDField()
    no = serializers.IntegerField()
    state = serializers.ChoiceField(choices=AttemptState.choices)
    reason = serializers.CharField(allow_blank=True)
    cause = serializers.CharField(allow_blank=True, help_text="Why it ended, in one line of words.")
    started_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class ApprovalShape(Shape):
    by = serializers.ListField(child=serializers.CharField())
    deadline_at = serializers.DateTimeField(allow_null=True)
    requester_may_approve = serializers.BooleanField()
    decision = serializers.ChoiceField(choices=["approved", "rejected"], allow_null=True)
    decided_by = Person(allow_null=True)
    comment = serializers.CharField(allow_blank=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    may_decide = serializers.BooleanField()
    why_not = serializers.CharField(allow_null=True)


class ReusedFromShape(Shape):
    attempt = serializers.UUIDField()
    attempt_no = serializers.IntegerField()
    task_run = serializers.UUIDField()
    task = serializers.CharField()
    run = serializers.UUIDField()
    number = serializers.IntegerField()
    finished_at = serializers.DateTimeField(allow_null=True)


class TaskRunShape(Shape):
    id = serializers.UUIDField()
    key = serializers.CharField()
    name = serializers.CharField()
    parent = serializers.CharField(allow_null=True)  # type: ignore[assignment]
    kind = serializers.CharField()
    title = serializers.CharField(allow_blank=True)
    state = serializers.ChoiceField(choices=TaskState.choices)
    reason = serializers.CharField(allow_blank=True)
    message = serializers.CharField(allow_blank=True, help_text="Why it is in this state, in words.")
    queue = serializers.CharField(allow_blank=True)
    priority = serializers.ChoiceField(choices=Priority.labels)
    waiting_on = serializers.IntegerField()
    retries_used = serializers.IntegerField()
    retries_limit = serializers.IntegerField()
    lost = serializers.IntegerField()
    next_attempt_at = serializers.DateTimeField(allow_null=True)
    ready_at = serializers.DateTimeField(allow_null=True)
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    attempt = AttemptBriefShape(allow_null=True)
    approval = ApprovalShape(allow_null=True)
    reused_from = ReusedFromShape(allow_null=True, help_text="The attempt whose result was taken over.")


class SlotBriefShape(Shape):
    kind = serializers.CharField()
    host = serializers.CharField(allow_blank=True, help_text="Empty for a unit of a pool.")
    device = serializers.CharField(help_text="The UUID of a GPU, or the number of a unit of its pool.")
    name = serializers.CharField(allow_blank=True)


class AttemptShape(AttemptBriefShape):
    resume_no = serializers.IntegerField()
    detail = serializers.CharField(allow_blank=True, help_text="All that is known of why it ended.")
    worker = serializers.CharField()
    host = serializers.CharField()
    exit_code = serializers.IntegerField(allow_null=True)
    pid = serializers.IntegerField(allow_null=True)
    isolation = serializers.CharField()
    log_lines = serializers.IntegerField()
    slots = SlotBriefShape(many=True, help_text="What it held: GPUs, units of pools.")


class BytesShape(Shape):
    task = serializers.CharField()
    output = serializers.CharField()
    sha256 = serializers.CharField()
    size = serializers.IntegerField()
    media_type = serializers.CharField(allow_blank=True)
    meta = serializers.DictField()
    artifact = serializers.UUIDField()


class InputShape(Shape):
    name = serializers.CharField()
    type = serializers.CharField()
    value = serializers.JSONField(allow_null=True)
    artifact = BytesShape(allow_null=True)


class OutputShape(Shape):
    name = serializers.CharField()
    type = serializers.CharField()
    value = serializers.JSONField(allow_null=True)
    sha256 = serializers.CharField(allow_blank=True)
    size = serializers.IntegerField()
    media_type = serializers.CharField(allow_blank=True)
    meta = serializers.DictField()
    artifact = serializers.UUIDField()


class TaskRunDetailShape(TaskRunShape):
    run = serializers.UUIDField()
    attempts = AttemptShape(many=True)
    inputs = InputShape(many=True)
    outputs = OutputShape(many=True)


class EventShape(WithFrom):
    seq = serializers.IntegerField()
    kind = serializers.CharField()
    task = serializers.CharField(allow_null=True)
    from_ = serializers.CharField(allow_blank=True)
    to = serializers.CharField(allow_blank=True)
    reason = serializers.CharField(allow_blank=True)
    actor = serializers.CharField(allow_blank=True)
    facts = serializers.DictField(
        help_text="What else is known: of a pause why and until when, of `replaced` by which run."
    )
    at = serializers.DateTimeField()


class EventsShape(Shape):
    last_seq = serializers.IntegerField(
        help_text="Of the run; ask again while it is above the last one here."
    )
    results = EventShape(many=True)


class PlannedShape(Shape):
    key = serializers.CharField()
    action = serializers.ChoiceField(choices=["run", "keep"])
    code = serializers.CharField()
    reason = serializers.CharField()


class ResumePlanShape(Shape):
    allowed = serializers.BooleanField()
    why_not = serializers.CharField(allow_null=True)
    tasks = PlannedShape(many=True)


class ForeseenShape(Shape):
    key = serializers.CharField()
    kind = serializers.CharField()
    action = serializers.ChoiceField(choices=["run", "reuse", "decide"])
    code = serializers.CharField()
    reason = serializers.CharField()
    details = serializers.ListField(child=serializers.CharField(), help_text="What differs, part by part.")


class RerunPlanShape(Shape):
    version = serializers.IntegerField()
    parameters = serializers.DictField(help_text="Those of the new run, complete.")
    counts = serializers.DictField(child=serializers.IntegerField(), help_text="Action -> number of tasks.")
    tasks = ForeseenShape(many=True)


class DifferenceShape(Shape):
    part = serializers.CharField()
    name = serializers.CharField(allow_blank=True)
    before = serializers.JSONField(allow_null=True)
    after = serializers.JSONField(allow_null=True)
    words = serializers.CharField()


class ReuseShape(Shape):
    considered = serializers.BooleanField(help_text="Whether an equal result was, or will be, looked for.")
    reused = serializers.BooleanField()
    sentence = serializers.CharField()
    key = serializers.CharField(allow_blank=True, help_text="sha256 of what it was made from.")
    taken_from = ReusedFromShape(allow_null=True)
    nearest = ReusedFromShape(allow_null=True, help_text="The earlier result that differs least.")
    differences = DifferenceShape(many=True)


class BlockerLinkShape(Shape):
    rel = serializers.CharField(help_text="What it is to the task: upstream, busy-with, pipeline, …")
    href = serializers.CharField(help_text="The address of its page on this site.")
    name = serializers.CharField()


class BlockerShape(Shape):
    code = serializers.ChoiceField(choices=Code.choices)
    words = serializers.CharField()
    since = serializers.DateTimeField(allow_null=True)
    until = serializers.DateTimeField(
        allow_null=True, help_text="When it passes by itself, where that is known."
    )
    links = BlockerLinkShape(many=True)
    remedy = serializers.CharField(allow_blank=True, help_text="What a person can do about it.")


class ExplanationShape(Shape):
    state = serializers.ChoiceField(choices=TaskState.choices)
    words = serializers.CharField(help_text="The first blocker's, or that nothing is in its way.")
    blockers = BlockerShape(many=True, help_text="When all of them have gone, the task goes on.")


class LogShape(Shape):
    offset = serializers.IntegerField()
    lines = serializers.ListField(child=serializers.CharField(allow_blank=True))
    next = serializers.IntegerField(help_text="The offset to ask for next.")
    total = serializers.IntegerField()
    complete = serializers.BooleanField(help_text="The attempt has ended; total is final.")
    dropped_bytes = serializers.IntegerField()


class QueueShape(Paused):
    slug = serializers.CharField()
    title = serializers.CharField(allow_blank=True)
    labels = serializers.DictField()
    isolation = serializers.ChoiceField(choices=isolation.LEVELS)
    image = serializers.CharField(
        allow_blank=True, help_text="What its containers are made from; empty at other levels."
    )
    network = serializers.BooleanField(help_text="Whether its containers reach the network.")
    isolation_problem = serializers.CharField(
        allow_blank=True, help_text="Why no worker takes its tasks, when none gives that isolation."
    )
    ready = serializers.IntegerField()
    running = serializers.IntegerField()
    workers = serializers.IntegerField()
    troubles = serializers.ListField(
        child=serializers.CharField(),
        help_text="Why some of its workers take no tasks now: a full disk, a store that is away.",
    )


class WorkShape(Shape):
    attempt = serializers.UUIDField()
    task_run = serializers.UUIDField()
    task = serializers.CharField()
    run = serializers.UUIDField()
    number = serializers.IntegerField()
    pipeline = PipelineNameShape()
    started_at = serializers.DateTimeField()


class WorkerShape(Shape):
    id = serializers.UUIDField()
    worker = serializers.CharField()
    host = serializers.CharField()
    pid = serializers.IntegerField()
    queue = serializers.CharField()
    labels = serializers.DictField()
    state = serializers.ChoiceField(choices=LeaseState.choices)
    started_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    busy = serializers.BooleanField()
    work = WorkShape(allow_null=True, help_text="Null when idle, or when its run is not yours to see.")


# --- what may begin -------------------------------------------------------------------------------


class TeamLoadShape(Shape):
    active_runs = serializers.IntegerField()
    queued_tasks = serializers.IntegerField()
    running_tasks = serializers.IntegerField()


class QueueLimitsShape(Shape):
    queue = serializers.CharField()
    running_tasks = serializers.IntegerField(allow_null=True)
    weight = serializers.FloatField(allow_null=True)


class TeamLimitsShape(Shape):
    team = serializers.CharField()
    active_runs = serializers.IntegerField(allow_null=True, help_text="Unfinished runs; null is no limit.")
    queued_tasks = serializers.IntegerField(
        allow_null=True, help_text="Their tasks that have neither ended nor run."
    )
    running_tasks = serializers.IntegerField(allow_null=True, help_text="Tasks that run at once.")
    weight = serializers.FloatField(allow_null=True, help_text="Its share of a queue beside other teams.")
    queues = QueueLimitsShape(many=True)
    now = TeamLoadShape()
    may_set = serializers.BooleanField()


class QuarantineShape(Shape):
    id = serializers.UUIDField()
    pipeline = PipelineNameShape()
    version = serializers.IntegerField()
    task = serializers.CharField()
    run = RunBeforeShape(help_text="The run in which its worker was lost three times.")
    words = serializers.CharField()
    remedy = serializers.CharField(allow_blank=True, help_text="Empty once it is lifted.")
    created_at = serializers.DateTimeField()
    lifted_at = serializers.DateTimeField(allow_null=True)
    lifted_by = Person(allow_null=True)
    comment = serializers.CharField(allow_blank=True)
    may_lift = serializers.BooleanField()
