"""What the API answers, as plain JSON: many rows at a time, with a constant number of queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from pipelines.access import Rights
from pipelines.api import code_shown
from pipelines.api.base import paused, person
from pipelines.models import Pipeline, Team
from pipelines.references import describe
from runs import admission, approvals, isolation, pausing, queries, slots
from runs import quarantine as quarantines
from runs import team_limits as limits
from runs.explaining import Explanation as WhyNot
from runs.models import (
    Approval,
    Attempt,
    AttemptInput,
    AttemptOutput,
    Quarantine,
    Queue,
    Run,
    RunCode,
    RunEvent,
    Slot,
    TaskRun,
    WorkerLease,
)
from runs.planner import Foreseen
from runs.reuse.words import Explanation
from runs.states import RunState, TaskState, priority_word

Body = dict[str, Any]

DECIDED = (TaskState.SUCCEEDED, TaskState.FAILED)


# --- runs -----------------------------------------------------------------------------------------


def runs(rights: Rights, rows: Sequence[Run]) -> list[Body]:
    """RUN of each row."""
    counts = queries.counts_by_state([run.pk for run in rows])
    causes = queries.causes([pk for pk, by_state in counts.items() if TaskState.FAILED in by_state])
    waiting = queries.awaiting_approval(
        [pk for pk, by_state in counts.items() if TaskState.AWAITING_APPROVAL in by_state]
    )
    queries.complete(rows, waiting)
    held = queries.quarantined(rows)
    queued = queries.queued([run.pk for run in rows if run.state == RunState.QUEUED], held)
    return [
        {
            **_run(run, counts[run.pk], causes.get(run.pk)),
            "queued": _queued(queued.get(run.pk)),
            "quarantine": _held(run, held.get(run.pk)),
            "can": _can(rights, run, waiting.get(run.pk, []), run.pk in held),
        }
        for run in rows
    ]


def run(rights: Rights, row: Run) -> Body:
    """RUN of one row."""
    return runs(rights, [row])[0]


def _run(run: Run, counts: dict[str, int], cause: queries.Cause | None) -> Body:
    return {
        "id": run.uuid,
        "number": run.number,
        "pipeline": pipeline_name(run.pipeline, run.team.slug),
        "version": run.version.number,
        "code": _code(getattr(run, "code", None), run),
        "state": run.state,
        "priority": priority_word(run.priority),
        "trigger": run.trigger,
        "requested_by": person(run.requested_by),
        "parameters": run.params,
        "only": run.only,
        "rerun_of": _rerun_of(run),
        "created_at": run.created_at,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "last_seq": run.last_seq,
        "resume_no": run.resume_no,
        "counts": counts,
        "cause": _cause(cause) if cause else None,
        "replaced_by": run_before(run.replaced_by) if run.replaced_by else None,
        **paused(run),
    }


def _can(rights: Rights, run: Run, waiting: Sequence[TaskRun], held: bool) -> Body:
    """``waiting``: its tasks that a person has to decide; ``held``: whether one of it is in quarantine."""
    return {
        "rerun": rights.can("run", run),
        "cancel": run.state in queries.CANCELLABLE and rights.can("cancel", run),
        "resume": run.state in queries.RESUMABLE and not held and rights.can("resume", run),
        "pause": run.state in pausing.PAUSABLE and rights.can("pause", run),
        "approve": any(approvals.standing(rights, run, task_run).role for task_run in waiting),
    }


def _held(run: Run, row: Quarantine | None) -> Body | None:
    if row is None:
        return None
    return {
        "task": row.task_key,
        "words": quarantines.words(row),
        "remedy": quarantines.remedy(run.version),
    }


def _queued(why: queries.Queued | None) -> Body | None:
    if why is None:
        return None
    return {"words": why.words, "behind": run_before(why.behind) if why.behind else None}


def run_before(run: Run) -> Body:
    return {"id": run.uuid, "number": run.number}


def _rerun_of(run: Run) -> Body | None:
    if run.rerun_of is None:
        return None
    old = run.rerun_of
    return {"id": old.uuid, "number": old.number, "from": run.rerun_from, "reuse": run.reuse}


def _code(used: RunCode | None, run: Run) -> Body | None:
    """Which code a run uses; None where no task needs any."""
    if used is None:
        return None
    location = used.location
    lent = "" if location.team_id == run.team_id else f"{location.team.slug}:"
    return {"location": f"{lent}{location.name}", "snapshot": code_shown.snapshot(used.snapshot)}


def pipeline_name(pipeline: Pipeline, team: str) -> Body:
    return {"name": pipeline.name, "team": team, "title": pipeline.title}


def _cause(cause: queries.Cause) -> Body:
    return {
        "task": cause.task,
        "task_run": cause.task_run,
        "attempt": cause.attempt,
        "attempt_no": cause.attempt_no,
        "reason": cause.reason,
        "message": cause.message,
    }


# --- tasks ----------------------------------------------------------------------------------------


def task_runs(rights: Rights, run: Run, rows: Sequence[TaskRun]) -> list[Body]:
    """TASK of each row of one run."""
    ids = [task_run.pk for task_run in rows]
    attempts = queries.latest_attempts(ids)
    decisions = queries.approvals([task_run.pk for task_run in rows if task_run.kind == "approval"])
    sources = queries.sources(rows)
    return [
        {
            **_task_run(rights, run, task_run, attempts.get(task_run.pk), decisions.get(task_run.pk)),
            "reused_from": reused_from(sources.get(task_run.pk)),
        }
        for task_run in rows
    ]


def reused_from(source: Attempt | None) -> Body | None:
    """The attempt whose result was taken over, with its run."""
    if source is None:
        return None
    return {
        "attempt": source.uuid,
        "attempt_no": source.no,
        "task_run": source.task_run.uuid,
        "task": source.task_run.key,
        "run": source.run.uuid,
        "number": source.run.number,
        "finished_at": source.finished_at,
    }


def _task_run(
    rights: Rights, run: Run, task_run: TaskRun, attempt: Attempt | None, decision: Approval | None
) -> Body:
    # A decision of an earlier resume is no decision on the task as it stands now.
    decision = decision if task_run.state in DECIDED else None
    ended = task_run.state not in (TaskState.RUNNING, TaskState.READY, TaskState.PENDING)
    return {
        "id": task_run.uuid,
        "key": task_run.key,
        "name": task_run.key.rpartition("/")[2],
        "parent": task_run.parent.key if task_run.parent else None,
        "kind": task_run.kind,
        "title": task_run.task.spec.get("title") or "",
        "state": task_run.state,
        "reason": task_run.reason,
        "message": queries.task_message(task_run, attempt, decision) if ended else "",
        "queue": task_run.queue,
        "priority": priority_word(task_run.priority),
        "waiting_on": task_run.waiting_on,
        "retries_used": task_run.retries_used,
        "retries_limit": task_run.retries.get("limit", 0),
        "lost": task_run.lost,
        "next_attempt_at": task_run.next_attempt_at,
        "ready_at": task_run.ready_at,
        "started_at": task_run.started_at,
        "finished_at": task_run.finished_at,
        "attempt": _attempt_brief(attempt, task_run) if attempt else None,
        "approval": _approval(rights, run, task_run, decision) if task_run.kind == "approval" else None,
    }


def _attempt_brief(attempt: Attempt, task_run: TaskRun) -> Body:
    return {
        "id": attempt.uuid,
        "no": attempt.no,
        "state": attempt.state,
        "reason": attempt.reason,
        "cause": queries.attempt_message(attempt, task_run),
        "started_at": attempt.started_at,
        "finished_at": attempt.finished_at,
    }


def _approval(rights: Rights, run: Run, task_run: TaskRun, decision: Approval | None) -> Body:
    config = approvals.config_of(task_run)
    standing = approvals.standing(rights, run, task_run)
    return {
        "by": config["by"],
        "deadline_at": task_run.deadline_at,
        "requester_may_approve": config["requester_may_approve"],
        "decision": decision.decision if decision else None,
        "decided_by": person(decision.decided_by) if decision else None,
        "comment": decision.comment if decision else "",
        "decided_at": decision.decided_at if decision else None,
        "may_decide": standing.role is not None,
        "why_not": standing.why_not,
    }


def foreseen(task: Foreseen) -> Body:
    """FORESEEN: what a rerun does with one task."""
    return {
        "key": task.key,
        "kind": task.kind,
        "action": task.action,
        "code": task.code,
        "reason": task.reason,
        "details": list(task.details),
    }


def reuse(task_run: TaskRun, why: Explanation) -> Body:
    """REUSE: why a result was taken over or not."""
    return {
        "considered": why.considered,
        "reused": why.source is not None,
        "sentence": why.sentence,
        "key": task_run.cache_key,
        "taken_from": reused_from(why.source),
        "nearest": reused_from(why.nearest),
        "differences": [{**one._asdict(), "words": one.words} for one in why.differences],
    }


def explanation(why: WhyNot) -> Body:
    """EXPLANATION: what is in the way of a task."""
    return asdict(why)


def task_run_detail(rights: Rights, task_run: TaskRun) -> Body:
    """TASK with its attempts, the inputs of the latest one, and the outputs of the one that succeeded."""
    run = task_run.run
    made = list(queries.attempts(task_run))
    source = queries.source_of_outputs(task_run, made)
    produced = queries.outputs(source)
    # What was taken over was made from what its maker read.
    reader = source if source is not None else made[-1] if made else None
    read = list(queries.inputs(reader)) if reader is not None else []
    lines = queries.log_lines([attempt.pk for attempt in made], run.pk)
    had = slots.held_by([attempt.pk for attempt in made])
    return {
        **task_runs(rights, run, [task_run])[0],
        "run": run.uuid,
        "attempts": [
            _attempt(attempt, task_run, lines.get(attempt.pk, 0), had[attempt.pk]) for attempt in made
        ],
        "inputs": _inputs(task_run, read),
        "outputs": [_output(output) for output in produced],
    }


def _attempt(attempt: Attempt, task_run: TaskRun, lines: int, had: Sequence[Slot]) -> Body:
    return {
        **_attempt_brief(attempt, task_run),
        "resume_no": attempt.resume_no,
        "detail": attempt.cause,
        "worker": attempt.lease.worker,
        "host": attempt.lease.host,
        "exit_code": attempt.exit_code,
        "pid": attempt.pid,
        "isolation": attempt.isolation,
        "log_lines": lines,
        "slots": [slot(one) for one in had],
    }


def slot(row: Slot) -> Body:
    """SLOT, in short: which one it is."""
    return {"kind": row.kind, "host": row.host, "device": row.device, "name": row.name}


def _inputs(task_run: TaskRun, read: Sequence[AttemptInput]) -> list[Body]:
    """What was read from other tasks, then what the document or the run's parameters gave."""
    types = {port["name"]: port.get("type", "any") for port in task_run.task.spec.get("inputs") or []}
    found = [_read(row, types) for row in read]
    names = {body["name"] for body in found}
    params = task_run.run.params
    for name, expr in (task_run.task.spec.get("with") or {}).items():
        if name not in names:
            body = {
                "name": name,
                "type": types.get(name, "any"),
                "value": _given(expr, params),
                "artifact": None,
            }
            found.append(body)
    return found


def _given(expr: Any, params: dict[str, Any]) -> Any:
    """The value of an input that comes from no task. A secret is named, never opened."""
    if "lit" in expr:
        return expr["lit"]
    reference = expr.get("ref", "")
    if reference.startswith("params."):
        return params.get(reference.removeprefix("params."))
    if reference:
        return "${{ " + describe(expr) + " }}"
    if "list" in expr:
        return [_given(item, params) for item in expr["list"]]
    if "map" in expr:
        return {key: _given(item, params) for key, item in expr["map"].items()}
    return "".join(str(_given(part, params)) for part in expr.get("cat", []))


def _read(row: AttemptInput, types: dict[str, str]) -> Body:
    source = row.source
    artifact = None
    if source is not None and source.sha256:
        artifact = {
            "task": source.attempt.task_run.key,
            "output": source.name,
            "sha256": source.sha256,
            "size": source.size,
            "media_type": source.media_type,
            "meta": source.meta,
            "artifact": source.uuid,
        }
    return {
        "name": row.name,
        "type": source.type if source else types.get(row.name, "any"),
        "value": source.value if source else None,
        "artifact": artifact,
    }


def _output(output: AttemptOutput) -> Body:
    return {
        "name": output.name,
        "type": output.type,
        "value": output.value,
        "sha256": output.sha256,
        "size": output.size,
        "media_type": output.media_type,
        "meta": output.meta,
        # What is catalogued, a small value as well, has the name of the output it was made from.
        "artifact": output.uuid,
    }


# --- events ---------------------------------------------------------------------------------------


def events(rows: Sequence[RunEvent]) -> list[Body]:
    """EVENT of each row."""
    keys = queries.keys_of(row.task_run_id for row in rows if row.task_run_id)
    return [
        {
            "seq": row.seq,
            "kind": row.kind,
            "task": keys.get(row.task_run_id) if row.task_run_id else None,
            "from": row.from_state,
            "to": row.to_state,
            "reason": row.reason,
            "actor": row.actor,
            "facts": row.payload or {},
            "at": row.at,
        }
        for row in rows
    ]


# --- queues and workers ---------------------------------------------------------------------------


def queues(rows: Sequence[Queue]) -> list[Body]:
    """QUEUE of each row, with its load."""
    loads = queries.queue_loads([queue.slug for queue in rows])
    return [_queue(queue, loads[queue.slug]) for queue in rows]


def _queue(queue: Queue, load: queries.QueueLoad) -> Body:
    return {
        "slug": queue.slug,
        "title": queue.title,
        "labels": queue.labels,
        "isolation": queue.isolation,
        "image": queue.image,
        "network": queue.network,
        "isolation_problem": isolation.problem(queue.isolation, load.given),
        **paused(queue),
        "ready": load.ready,
        "running": load.running,
        "workers": load.workers,
        "troubles": load.troubles,
    }


def workers(rights: Rights, rows: Sequence[WorkerLease]) -> list[Body]:
    """WORKER of each row. What one works on is said only to those who may see that run."""
    held = queries.current_attempts([lease.pk for lease in rows])
    return [_worker(rights, lease, held.get(lease.pk)) for lease in rows]


def _worker(rights: Rights, lease: WorkerLease, attempt: Attempt | None) -> Body:
    return {
        "id": lease.uuid,
        "worker": lease.worker,
        "host": lease.host,
        "pid": lease.pid,
        "queue": lease.queue,
        "labels": lease.labels,
        "state": lease.state,
        "started_at": lease.started_at,
        "expires_at": lease.expires_at,
        "busy": attempt is not None,
        "work": work(attempt) if attempt and rights.can("view", attempt.run) else None,
    }


def work(attempt: Attempt) -> Body:
    """WORK: what somebody carries out."""
    run = attempt.run
    return {
        "attempt": attempt.uuid,
        "task_run": attempt.task_run.uuid,
        "task": attempt.task_run.key,
        "run": run.uuid,
        "number": run.number,
        "pipeline": pipeline_name(run.pipeline, run.pipeline.team.slug),
        "started_at": attempt.started_at,
    }


# --- what may begin -------------------------------------------------------------------------------


def team_limits(rights: Rights, team: Team) -> Body:
    """TEAM LIMITS, with what the team has now."""
    found = limits.of(team)
    queues = [
        {"queue": queue, "running_tasks": one.running_tasks, "weight": one.weight}
        for queue, one in found.items()
        if queue != limits.EVERYWHERE
    ]
    return {
        "team": team.slug,
        **asdict(found.get(limits.EVERYWHERE, limits.Limits())),
        "queues": queues,
        "now": asdict(admission.load_of(team.pk)),
        "may_set": rights.can("manage", None),
    }


def quarantine(rights: Rights, row: Quarantine) -> Body:
    """QUARANTINE of one row."""
    return {
        "id": row.uuid,
        "pipeline": pipeline_name(row.version.pipeline, row.version.pipeline.team.slug),
        "version": row.version.number,
        "task": row.task_key,
        "run": run_before(row.task_run.run),
        "words": quarantines.words(row),
        "remedy": quarantines.remedy(row.version) if row.lifted_at is None else "",
        "created_at": row.created_at,
        "lifted_at": row.lifted_at,
        "lifted_by": person(row.lifted_by),
        "comment": row.comment,
        "may_lift": row.lifted_at is None and rights.can("pause", row),
    }
