"""What pages and programs ask about runs. Read only; each function costs a constant number of queries."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Count, F, Max, Prefetch, Q, QuerySet, prefetch_related_objects
from django.db.models.functions import Coalesce

from pipelines.models import CodeSnapshot
from runs import planner, quarantine, reasons, retention
from runs.models import (
    Approval,
    Attempt,
    AttemptInput,
    AttemptOutput,
    LogArchive,
    LogChunk,
    Quarantine,
    Queue,
    Run,
    RunCode,
    RunEvent,
    TaskEdge,
    TaskRun,
    WorkerLease,
)
from runs.states import AttemptState, LeaseState, RunState, TaskState

# Kinds that hold other tasks: they are no task of their own in counts and cause lines.
SCOPES = ("group", "map", "pipeline")

RESUMABLE = frozenset({RunState.FAILED, RunState.CANCELLED})
CANCELLABLE = frozenset({RunState.QUEUED, RunState.RUNNING})

# Rows that are shown with each run.
SHOWN = ("pipeline", "team", "version", "requested_by")
# Most runs have none of these. Fourteen tables in one statement take PostgreSQL longer to plan than to read.
ANOTHER_RUN = Run.objects.defer("params", "only")
SELDOM: dict[str, str | Prefetch[Any]] = {
    "paused_by_id": "paused_by",
    "rerun_of_id": Prefetch("rerun_of", ANOTHER_RUN),
    "replaced_by_id": Prefetch("replaced_by", ANOTHER_RUN),
}
CODE = Prefetch(
    "code",
    RunCode.objects.select_related("snapshot", "location__team").only(
        "run_id",
        "location__name",
        "location__team__slug",
        *(
            f"snapshot__{field.name}"
            for field in CodeSnapshot._meta.concrete_fields
            if field.name != "blocks"
        ),
    ),
)
# Columns of a version and a pipeline that may be megabytes and that no list shows.
HEAVY = (
    "version__text",
    "version__spec",
    "version__layout",
    "pipeline__draft_text",
    "pipeline__draft_layout",
)
# Columns of the rows beside a run that a list of runs reads.
LISTED = {
    "pipeline": ("uuid", "name", "title"),
    "team": ("slug",),
    "version": ("number",),
    "requested_by": ("username", "first_name", "last_name"),
}


# One look into the index for each run: whatever the statistics say, never the whole table.
COUNTS = """
    SELECT r.id, c.state, c.count FROM unnest(%s::bigint[]) AS r (id) CROSS JOIN LATERAL (
        SELECT t.state, count(*) FROM task_run t
        WHERE t.run_id = r.id AND t.kind <> ALL (%s) GROUP BY t.state
    ) c
"""
# A scope fails after the task that made it fail, so the first to end is the cause.
FIRST_FAILED = """
    SELECT c.id FROM unnest(%s::bigint[]) AS r (id) CROSS JOIN LATERAL (
        SELECT t.id FROM task_run t
        WHERE t.run_id = r.id AND t.state = 'failed' ORDER BY t.finished_at, t.id LIMIT 1
    ) c
"""


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a run failed: its first failed task and the last attempt of that task, in words."""

    task: str
    task_run: uuid.UUID
    attempt: uuid.UUID | None
    attempt_no: int
    reason: str
    message: str


def runs(visible: QuerySet[Run]) -> QuerySet[Run]:
    """The runs with the rows beside them, without the large columns."""
    return visible.select_related(*SHOWN).defer(*HEAVY)


def listed(visible: QuerySet[Run]) -> QuerySet[Run]:
    """The runs with what a list shows of the rows beside them, and nothing else of those."""
    beside = [f"{row}__{column}" for row, columns in LISTED.items() for column in columns]
    own = [field.name for field in Run._meta.concrete_fields]
    return visible.select_related(*SHOWN).only(*own, *beside)


def complete(rows: Sequence[Run], waiting: Collection[int]) -> None:
    """Read what is shown of runs beside :data:`SHOWN`; what none of these has is not asked for.

    ``waiting``: those that wait for a person's decision, which depends on whose token asked for the run.
    """
    prefetch_related_objects([run for run in rows if run.pk in waiting], "token")
    had = [row for column, row in SELDOM.items() if any(getattr(run, column) is not None for run in rows)]
    prefetch_related_objects(rows, *had, CODE)


def counts_by_state(run_ids: Collection[int]) -> dict[int, dict[str, int]]:
    """Run -> task state -> number of its tasks, scopes not counted."""
    counts: dict[int, dict[str, int]] = {run_id: {} for run_id in run_ids}
    with connection.cursor() as cursor:
        cursor.execute(COUNTS, [list(run_ids), list(SCOPES)])
        for run_id, state, count in cursor.fetchall():
            counts[run_id][state] = count
    return counts


# The run before one that is queued.
QUEUED = """
    SELECT r.id, b.id FROM unnest(%s::bigint[]) AS w (id) JOIN run r ON r.id = w.id
    LEFT JOIN LATERAL (
        SELECT o.id FROM run o
        WHERE o.pipeline_id = r.pipeline_id AND o.state IN ('queued', 'running', 'cancelling')
          AND (o.id < r.id OR (o.id > r.id AND o.state <> 'queued' AND engine_has_overlap(o.version_id)))
        ORDER BY o.id > r.id, o.id DESC LIMIT 1
    ) b ON true
"""
# The first task in quarantine of those that a run would still begin.
QUARANTINED = """
    SELECT r.id, q.id FROM unnest(%s::bigint[]) AS w (id) JOIN run r ON r.id = w.id CROSS JOIN LATERAL (
        SELECT q.id FROM quarantine q JOIN task_run t ON t.run_id = r.id AND t.key = q.task_key
        WHERE q.version_id = r.version_id AND q.lifted_at IS NULL AND t.state <> 'succeeded'
        ORDER BY q.id LIMIT 1
    ) q
"""


@dataclass(frozen=True, slots=True)
class Queued:
    """Why a run has not begun: the one before it, or that a task of it is in quarantine."""

    words: str
    behind: Run | None


def queued(waiting: Collection[int], held: Mapping[int, Quarantine]) -> dict[int, Queued]:
    """Why these queued runs have not begun. ``held``: as of :func:`quarantined`. Two queries, or none."""
    if not waiting:
        return {}
    found = _pairs(QUEUED, waiting)
    before = Run.objects.only("id", "uuid", "number").in_bulk([b for b in found.values() if b])
    return {run: _queued(before.get(b), held.get(run)) for run, b in found.items()}


def quarantined(rows: Iterable[Run]) -> dict[int, Quarantine]:
    """Run -> the task in quarantine that keeps it from beginning or being resumed. Two queries, or none."""
    held = [run.pk for run in rows if run.state in {*RESUMABLE, RunState.QUEUED}]
    if not held:
        return {}
    found = _pairs(QUARANTINED, held)
    by_id = Quarantine.objects.select_related("task_run__run").in_bulk(list(found.values()))
    return {run: by_id[row] for run, row in found.items()}


def _pairs(sql: str, run_ids: Collection[int]) -> dict[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(sql, [list(run_ids)])
        return dict(cursor.fetchall())


def _queued(behind: Run | None, held: Quarantine | None) -> Queued:
    if held is not None:
        return Queued(quarantine.words(held), None)
    if behind is not None:
        return Queued(f"Queued behind #{behind.number}, which has not ended.", behind)
    return Queued("Its turn has come: it begins within seconds.", None)


def awaiting_approval(run_ids: Collection[int]) -> dict[int, list[TaskRun]]:
    """Run -> its tasks that wait for a person's decision. One query, or none."""
    found: dict[int, list[TaskRun]] = defaultdict(list)
    if not run_ids:
        return found
    waiting = TaskRun.objects.filter(run_id__in=run_ids, state=TaskState.AWAITING_APPROVAL)
    for task_run in waiting.select_related("task"):
        found[task_run.run_id].append(task_run)
    return found


def causes(run_ids: Collection[int]) -> dict[int, Cause]:
    """The cause line of each run that has one. Four queries, none without runs."""
    if not run_ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(FIRST_FAILED, [list(run_ids)])
        ids = [row[0] for row in cursor.fetchall()]
    failed = list(TaskRun.objects.filter(pk__in=ids).select_related("task"))
    attempts = latest_attempts([task_run.pk for task_run in failed])
    decisions = approvals([task_run.pk for task_run in failed])
    return {
        task_run.run_id: _cause(task_run, attempts.get(task_run.pk), decisions.get(task_run.pk))
        for task_run in failed
    }


def _cause(task_run: TaskRun, attempt: Attempt | None, approval: Approval | None) -> Cause:
    return Cause(
        task=task_run.key,
        task_run=task_run.uuid,
        attempt=attempt.uuid if attempt else None,
        attempt_no=attempt.no if attempt else 0,
        reason=task_run.reason,
        message=task_message(task_run, attempt, approval),
    )


def task_message(task_run: TaskRun, attempt: Attempt | None, approval: Approval | None = None) -> str:
    """One line on why a task run is in its state; empty when there is nothing to say."""
    if approval is not None and approval.decision == "rejected":
        who = approval.decided_by.shown_name
        return f"Rejected by {who}: {approval.comment}" if approval.comment else f"Rejected by {who}."
    said = attempt_message(attempt, task_run) if attempt else ""
    if task_run.reason == "upstream" and task_run.state == TaskState.FAILED:
        return "A task inside it failed."
    if task_run.reason == "upstream" and task_run.state == TaskState.SKIPPED:
        return "What it waits for did not happen."
    if task_run.reason in reasons.TASK_WORDS:
        return reasons.task_words(task_run.reason, said)
    return said or reasons.task_words(task_run.reason)


def attempt_message(attempt: Attempt, task_run: TaskRun) -> str:
    """One line on why an attempt ended; empty for one that succeeded or still runs."""
    if attempt.state in (AttemptState.RUNNING, AttemptState.SUCCEEDED):
        return ""
    resources = task_run.task.spec.get("resources") or {}
    return reasons.attempt_words(
        attempt.reason,
        attempt.cause,
        exit_code=attempt.exit_code,
        timeout=task_run.timeout,
        memory=resources.get("memory"),
    )


def latest_attempts(task_run_ids: Collection[int]) -> dict[int, Attempt]:
    """Task run -> its last attempt."""
    rows = (
        Attempt.objects.filter(task_run_id__in=task_run_ids)
        .defer("provenance")
        .order_by("task_run_id", "-no")
        .distinct("task_run_id")
    )
    return {attempt.task_run_id: attempt for attempt in rows}


def approvals(task_run_ids: Collection[int]) -> dict[int, Approval]:
    """Task run -> its last decision, in whichever resume of the run it fell."""
    rows = (
        Approval.objects.filter(task_run_id__in=task_run_ids)
        .select_related("decided_by")
        .order_by("task_run_id", "-resume_no")
        .distinct("task_run_id")
    )
    return {approval.task_run_id: approval for approval in rows}


def task_runs(run: Run) -> QuerySet[TaskRun]:
    """The tasks of a run in the order of its document."""
    return run.task_runs.select_related("task", "parent").order_by("id")


def changed_since(run: Run, seq: int) -> QuerySet[TaskRun]:
    """The tasks that an event after number ``seq`` speaks of."""
    touched = RunEvent.objects.filter(run_id=run.pk, seq__gt=seq, task_run_id__isnull=False)
    return task_runs(run).filter(pk__in=touched.values("task_run_id"))


def events_since(run: Run, seq: int, limit: int) -> list[RunEvent]:
    """At most ``limit`` events after number ``seq``, in their order."""
    return list(RunEvent.objects.filter(run_id=run.pk, seq__gt=seq).order_by("seq")[:limit])


def keys_of(task_run_ids: Iterable[int]) -> dict[int, str]:
    """Task run -> its key."""
    return dict(TaskRun.objects.filter(pk__in=set(task_run_ids)).values_list("pk", "key"))


def attempts(task_run: TaskRun) -> QuerySet[Attempt]:
    """The attempts of a task, oldest first, with the worker that made each."""
    return task_run.attempts.select_related("lease").defer("provenance").order_by("no")


def inputs(attempt: Attempt) -> QuerySet[AttemptInput]:
    """What an attempt read, with the outputs it came from."""
    return attempt.inputs.select_related("source__attempt__task_run").order_by("name", "position")


def outputs(attempt: Attempt | None) -> list[AttemptOutput]:
    """What an attempt produced, in the order in which it said so."""
    return list(attempt.outputs.order_by("name", "position")) if attempt else []


def source_of_outputs(task_run: TaskRun, made: Collection[Attempt]) -> Attempt | None:
    """The attempt whose outputs are those of the task: its own success, or the one it reuses."""
    succeeded = [attempt for attempt in made if attempt.state == AttemptState.SUCCEEDED]
    return succeeded[-1] if succeeded else task_run.reused_from


def sources(rows: Iterable[TaskRun]) -> dict[int, Attempt]:
    """Task run -> the attempt whose result it took over, for those that did. No query where none did."""
    taken = {row.pk: row.reused_from_id for row in rows if row.reused_from_id is not None}
    if not taken:
        return {}
    found = Attempt.objects.filter(pk__in=set(taken.values())).select_related("run", "task_run")
    by_id = found.defer("provenance", "run__params", "run__only").in_bulk()
    return {task_run: by_id[attempt] for task_run, attempt in taken.items()}


def resume_plan(run: Run) -> list[planner.Planned]:
    """What a resume of this run would do with each task."""
    tasks = [
        planner.PlanTask(key, state, parent)
        for key, state, parent in task_runs(run).values_list("key", "state", "parent__key")
    ]
    edges = TaskEdge.objects.filter(run=run).values_list("up__key", "down__key", "rule")
    return planner.resume_plan(tasks, edges)


def why_not_resumable(run: Run) -> str | None:
    """The sentence that says why a run cannot be resumed now, or None when it can."""
    if run.state not in RESUMABLE:
        return f"Only a failed or cancelled run can be resumed; this one is {run.state}."
    if Attempt.objects.filter(run=run, state=AttemptState.RUNNING).exists():
        return "An attempt of this run is still running; wait until it has ended."
    if retention.is_sealed(run.pk):
        return retention.TOO_OLD
    if (held := quarantined([run]).get(run.pk)) is not None:
        return f"{quarantine.words(held)} {quarantine.remedy(run.version)}"
    return None


@dataclass(frozen=True, slots=True)
class QueueLoad:
    """How busy one queue is: tasks that wait for a worker, attempts that run, workers that live.

    ``given``: the labels of those workers, which say what isolation each gives, and its trouble.
    """

    ready: int = 0
    running: int = 0
    given: tuple[dict[str, Any], ...] = ()

    @property
    def workers(self) -> int:
        return len(self.given)

    @property
    def troubles(self) -> list[str]:
        """Why some of them take no tasks now: a full disk, a store that is away. Each sentence once."""
        return sorted({str(labels["trouble"]) for labels in self.given if labels.get("trouble")})


def queue_loads(slugs: Collection[str]) -> dict[str, QueueLoad]:
    """Queue -> its load. Two queries."""
    runnable = Q(state__in=[TaskState.READY, TaskState.RETRY_WAIT])
    rows = (
        TaskRun.objects.filter(queue__in=slugs, state__in=["ready", "retry_wait", "running"])
        .order_by()
        .values_list("queue")
        .annotate(ready=Count("id", filter=runnable), running=Count("id", filter=Q(state="running")))
    )
    tasks = {queue: (ready, running) for queue, ready, running in rows}
    given: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for queue, labels in open_leases().filter(queue__in=slugs).values_list("queue", "labels"):
        given[queue].append(labels)
    return {slug: QueueLoad(*tasks.get(slug, (0, 0)), tuple(given[slug])) for slug in slugs}


def open_leases() -> QuerySet[WorkerLease]:
    """The workers that are there: live or draining."""
    return WorkerLease.objects.filter(state__in=[LeaseState.LIVE, LeaseState.DRAINING])


def current_attempts(lease_ids: Collection[int]) -> dict[int, Attempt]:
    """Worker lease -> the attempt it holds."""
    rows = Attempt.objects.filter(lease_id__in=lease_ids, state=AttemptState.RUNNING)
    return {attempt.lease_id: attempt for attempt in _with_runs(rows)}


def with_runs(attempt_ids: Collection[int]) -> list[Attempt]:
    """These attempts with their tasks and runs, the oldest first."""
    return list(_with_runs(Attempt.objects.filter(pk__in=attempt_ids)).order_by("pk"))


def _with_runs(rows: QuerySet[Attempt]) -> QuerySet[Attempt]:
    return rows.select_related("task_run", "run__pipeline__team").defer(
        "provenance", "run__pipeline__draft_text", "run__pipeline__draft_layout"
    )


def queues() -> QuerySet[Queue]:
    return Queue.objects.filter(archived_at=None).select_related("paused_by")


def log_lines(attempt_ids: Collection[int], run_id: int) -> dict[int, int]:
    """Attempt -> how many ended lines its log has."""
    rows = LogChunk.objects.filter(run_id=run_id, attempt_id__in=attempt_ids).order_by()
    counted = rows.values_list("attempt_id").annotate(lines=Coalesce(Max(F("first_line") + F("lines")), 0))
    found = dict(counted)
    if absent := set(attempt_ids) - found.keys():
        found.update(LogArchive.objects.filter(attempt__in=absent).values_list("attempt_id", "lines"))
    return found
