"""The verbs of the engine, one transaction each: start_run, claim, finish, beat, cancel, decide, resume.

PostgreSQL decides; everything told after the commit is best effort and found again by the sweep.
"""

from __future__ import annotations

import hashlib
import json
import socket
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import F

from pipelines import audit, grants, references, secrets
from pipelines.clock import EngineNow
from pipelines.models import ApiToken, Pipeline, PipelineVersion, User
from runs import (
    admission,
    approvals,
    code,
    judging,
    kinds,
    live,
    pausing,
    quarantine,
    retention,
    transitions,
)
from runs.models import Approval, Attempt, Run, TaskRun, WorkerLease
from runs.refusals import Refused as Refused
from runs.reuse import results
from runs.states import Priority, RunState
from runs.transitions import Told, call, retried

LEASE_TTL = 15.0  # seconds
CLAIM_TRIES = 40  # times 50 ms at most for which a claim waits for what others hold
Json = dict[str, Any]

PRIORITIES = {str(each.label): each.value for each in Priority}


# --- starting -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rerun:
    """How a run repeats another. ``fresh``: tasks that run whatever was done before.

    ``reuse``: take over what is equal. ``from_task``: the task from which all runs, "" for none.
    """

    of: Run
    fresh: frozenset[str] = frozenset()
    reuse: bool = True
    from_task: str = ""


def start_run(
    version: PipelineVersion,
    *,
    parameters: Json,
    trigger: str,
    requested_by: User | None,
    token: ApiToken | None = None,
    idempotency_key: str | None = None,
    only: Sequence[str] | None = None,
    priority: int | None = None,
    rerun: Rerun | None = None,
) -> Run:
    """Write a run of ``version``, all its task runs and its first events together; begin what can.

    What of a large rerun can be reused is decided afterwards, outside (:mod:`runs.judging`).

    The run that is returned is as it stands after the commit: it may have moved on.

    ``parameters`` are complete and checked (``pipelines.parameters``). The same ``idempotency_key`` within a
    team gives the same run. ``rerun``: the run that this one repeats. Raises :class:`Refused` for a paused
    pipeline, and for code or a secret that is gone.
    """
    if idempotency_key is not None and (found := _same_run(version, idempotency_key)):
        return found
    _refuse_missing_secrets(version, only)
    _refuse_unlent_endpoints(version, only)
    quarantine.refuse(version, only)
    try:
        run = retried(
            lambda: _start(
                version, parameters, trigger, requested_by, token, idempotency_key, only, priority, rerun
            )
        )
    except IntegrityError:
        if idempotency_key is not None and (found := _same_run(version, idempotency_key)):
            return found
        raise
    run.refresh_from_db(fields=["state", "last_seq", "open_tasks", "created_at", "finished_at"])
    return run


def _refuse_missing_secrets(version: PipelineVersion, only: Sequence[str] | None) -> None:
    """A run whose tasks would not be given what they name does not begin. No query where none is named."""
    tasks = _tasks_of(version, only)
    named = {name for task in tasks for name in references.secrets_named(task).values()}
    if absent := secrets.missing(version.pipeline.team_id, named):
        raise Refused("secret-missing", secrets.unavailable(absent))


def _refuse_unlent_endpoints(version: PipelineVersion, only: Sequence[str] | None) -> None:
    """A run that would move a model to another team's endpoint begins only while that is lent."""
    given = [task["with"].get("endpoint", {}).get("lit") for task in _tasks_of(version, only, "deploy")]
    named = {name for name in given if isinstance(name, str) and ":" in name}
    for name in sorted(grants.missing(version.pipeline.team_id, "endpoint", named)):
        raise Refused("endpoint-not-lent", f"The endpoint {grants.not_lent(name)}")


def _tasks_of(version: PipelineVersion, only: Sequence[str] | None, kind: str = "") -> list[Json]:
    """The tasks of a run of ``version``, as the version holds them; of one kind if one is named."""
    chosen = set(only) if only is not None else None
    tasks: list[Json] = version.spec["tasks"]
    return [
        task for task in tasks if (chosen is None or task["key"] in chosen) and kind in ("", task["kind"])
    ]


def _same_run(version: PipelineVersion, key: str) -> Run | None:
    return Run.objects.filter(team_id=version.pipeline.team_id, idempotency_key=key).first()


@transaction.atomic
def _start(
    version: PipelineVersion,
    parameters: Json,
    trigger: str,
    requested_by: User | None,
    token: ApiToken | None,
    idempotency_key: str | None,
    only: Sequence[str] | None,
    priority: int | None,
    rerun: Rerun | None,
) -> Run:
    # What ends meanwhile may refer to the pipeline, so its key stays free. Whoever has waited for this lock
    # is given the row as it is then, and whether it is paused then.
    pipelines = Pipeline.objects.select_for_update(no_key=True).annotate(is_paused=pausing.HOLDS)
    pipeline = pipelines.only("name", "paused_reason", "last_run_number").get(id=version.pipeline_id)
    team = version.pipeline.team
    if trigger != "manual" and pipeline.is_paused:
        raise Refused(
            "pipeline-paused", f"{pipeline.name} is paused: {pipeline.paused_reason or 'no reason given'}."
        )
    admission.refuse_over_limit(team.id, len(_tasks_of(version, only)))
    told = Told()
    starter = admission.Starter(pipeline.last_run_number + 1, requested_by, token)
    admitted = admission.admitted(version, starter, told)
    Pipeline.objects.filter(id=pipeline.id).update(last_run_number=F("last_run_number") + 1)
    may_reuse = _may_reuse(version, rerun)
    run = Run(
        team=team,
        pipeline=version.pipeline,
        version=version,
        number=starter.number,
        state=admitted.state,
        trigger=trigger,
        priority=PRIORITIES.get(version.spec.get("priority", "normal"), 0) if priority is None else priority,
        params=parameters,
        only=list(only) if only is not None else None,
        # Whatever Python has to judge, and the engine alone cannot.
        has_conditions=bool(may_reuse) or any(task.get("when") for task in version.spec["tasks"]),
        rerun_of=rerun.of if rerun else None,
        rerun_from=rerun.from_task if rerun else "",
        reuse=rerun.reuse if rerun else True,
        requested_by=requested_by,
        token=token,
        idempotency_key=idempotency_key,
    )
    run.save(force_insert=True)
    admission.link_replaced(admitted.replaced, run, told)
    _fix_code(run, version.spec)
    _ensure_partitions(run.id)
    judging.take(
        told, call("engine_plant", run.id, version.id, run.only, _actor_name(requested_by), may_reuse)
    )
    told_of = {"number": run.number, "trigger": trigger, "parameters": parameters, **_repeated(rerun)}
    audit.write(
        requested_by,
        "run.rerun" if rerun else "run.start",
        run,
        told_of,
        team=team,
        token=token,
    )
    told.after_commit()
    if admitted.state == RunState.QUEUED:
        admission.admit_after_commit(pipeline.id)
    return run


def _may_reuse(version: PipelineVersion, rerun: Rerun | None) -> list[str]:
    """The tasks of a new run that may take over an equal result."""
    if rerun is None:
        return results.candidates(version.spec)
    if not rerun.reuse:
        return []
    done = TaskRun.objects.filter(run=rerun.of, state="succeeded").values_list("key", flat=True)
    return results.candidates(version.spec, frozenset(done), rerun.fresh)


def _repeated(rerun: Rerun | None) -> Json:
    """What the audit trail says of a rerun beside what it says of any run."""
    if rerun is None:
        return {}
    return {"rerun_of": rerun.of.number, "from": rerun.from_task, "reuse": rerun.reuse}


def _fix_code(run: Run, spec: Json) -> None:
    """Every attempt of the run uses the snapshot that its version names, or follows."""
    try:
        code.fix(run, spec)
    except code.CodeMissing as missing:
        raise Refused(missing.code, missing.message) from None


_partitions_until = 0


def _ensure_partitions(run_id: int) -> None:
    """The partition of a run's events exists; the sweep makes the next one ahead, this is for its absence."""
    if run_id < _partitions_until:
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT ensure_run_partitions(%s)", [run_id])
    # Not before: a transaction that is rolled back takes its partition along.
    transaction.on_commit(lambda: _remember_partitions((run_id // 100_000 + 2) * 100_000))


def _remember_partitions(until: int) -> None:
    global _partitions_until
    _partitions_until = until


def _actor_name(actor: User | None) -> str:
    return actor.username if actor else ""


# --- work ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Work:
    """One claimed attempt, as ``engine_give`` describes it."""

    attempt: Json
    task: Json
    run: Json
    spec: Json
    upstream: Json

    @property
    def token(self) -> str:
        return str(self.attempt["uuid"])

    @property
    def kind(self) -> str:
        return str(self.task["kind"])

    @property
    def slots(self) -> list[Json]:
        """What the attempt holds: [{kind, host, device, name}]."""
        return list(self.attempt["slots"])

    @property
    def effect_key(self) -> str:
        """Stable over the attempts of one resume: what an external effect is known by."""
        return f"{self.run['uuid']}:{self.task['key']}:{self.attempt['resume_no']}"


@dataclass
class Outcome:
    """How an attempt ended. ``outputs`` are rows of AttemptOutput; ``values`` its resolved inputs.

    ``facts``: what its interpreter found about its surroundings, kept once and named in ``provenance``.
    """

    state: str
    reason: str = ""
    cause: str = ""
    exit_code: int | None = None
    outputs: list[Json] = field(default_factory=list)
    values: Json = field(default_factory=dict)
    provenance: Json | None = None
    facts: Json | None = None
    dropped_bytes: int = 0
    pid: int | None = None


@dataclass(frozen=True)
class Finished:
    """``fenced``: the attempt was no longer ours and nothing changed. ``next``: the worker's next work."""

    fenced: bool
    task_state: str = ""
    next: Work | None = None
    lease_dead: bool = False


def _work(answer: Json | None) -> Work | None:
    if not answer or "lease" in answer or "busy" in answer:
        return None
    return Work(answer["attempt"], answer["task"], answer["run"], answer["spec"], answer["upstream"])


def claim(lease: uuid.UUID | str, queue: str) -> Work | None:
    """The best runnable task of ``queue`` as a new attempt of ``lease``; None when nothing is runnable.

    Raises :class:`LeaseLost` when the lease may not claim any more.
    """
    answer = retried(lambda: call("engine_claim", lease, queue))
    for _ in range(CLAIM_TRIES):
        if not answer or not answer.get("busy"):
            break
        answer = retried(lambda: call("engine_claim", lease, queue))
    if answer and answer.get("lease") == "dead":
        raise LeaseLost(str(lease))
    work = _work(answer)
    if work is not None:
        live.run_moved(work.run["id"], work.run["last_seq"], "running")
    return work


class LeaseLost(Exception):
    """This worker's lease has lapsed or was closed; it must stop what it does and leave."""


def finish(
    token: str,
    outcome: Outcome,
    *,
    work: Work | None = None,
    lease: uuid.UUID | str | None = None,
    queue: str = "",
    claim_next: bool = False,
) -> Finished:
    """Settle an attempt by its token and, if asked, claim the worker's next task in the same transaction.

    One SQL call where the run has no conditions and the kind no handler; otherwise Python judges within the
    same transaction. A token that no longer names a running attempt is *fenced*: nothing changes.
    """
    if work is not None and not work.run["has_conditions"] and not kinds.has_handler(work.kind):
        return retried(lambda: _finish_at_once(token, outcome, lease, queue, claim_next))
    return retried(lambda: _finish_judging(token, outcome, work, lease, queue, claim_next))


def storable(text: str) -> str:
    """A text as PostgreSQL takes it: without NUL, and without halves of characters from odd file names."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")


def _finish_sql(token: str, outcome: Outcome, lease: Any, queue: str, claim_next: bool) -> Json:
    answer: Json = call(
        "engine_finish",
        token,
        outcome.state,
        outcome.reason,
        storable(outcome.cause)[:4000],
        outcome.exit_code,
        json.dumps(outcome.outputs) if outcome.outputs else None,
        json.dumps(outcome.provenance) if outcome.provenance else None,
        outcome.dropped_bytes,
        outcome.pid,
        None,
        lease,
        queue,
        claim_next,
    )
    return answer


def _finish_at_once(token: str, outcome: Outcome, lease: Any, queue: str, claim_next: bool) -> Finished:
    answer = _finish_sql(token, outcome, lease, queue, claim_next)
    if answer.get("fenced"):
        return Finished(fenced=True)
    told = Told()
    told.add(answer)
    return _finished(answer, answer.get("next"), told, queue)


@transaction.atomic
def _finish_judging(
    token: str, outcome: Outcome, work: Work | None, lease: Any, queue: str, claim_next: bool
) -> Finished:
    if outcome.state == "succeeded" and work is not None and kinds.has_handler(work.kind):
        if not _hold(token):
            return Finished(fenced=True)
        outcome.outputs = kinds.handle(_finishing(work, outcome))
    answer = _finish_sql(token, outcome, lease, queue, False)
    if answer.get("fenced"):
        return Finished(fenced=True)
    told = Told()
    judging.take(told, answer)
    if outcome.state == "lost" and answer["task_state"] == "failed":
        quarantine.put(_task_run_of(token))
    following = None
    if claim_next:
        following = transitions.claim_holding(lease, queue, answer["run"]["id"])
    return _finished(answer, following, told, queue)


def _task_run_of(token: str) -> int:
    return Attempt.objects.values_list("task_run_id", flat=True).get(uuid=token)


def _finished(answer: Json, following: Json | None, told: Told, queue: str) -> Finished:
    work = _work(following)
    if work is not None:
        told.claimed(queue)
        moved = told.runs.get(work.run["id"])
        told.runs[work.run["id"]] = {
            "id": work.run["id"],
            "last_seq": work.run["last_seq"],
            "state": moved["state"] if moved else "running",
        }
    told.after_commit()
    dead = bool(following and following.get("lease") == "dead")
    return Finished(False, answer["task_state"], work, dead)


def _hold(token: str) -> bool:
    """Lock the run of an attempt; False when the attempt is not running any more."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM run WHERE id = (SELECT run_id FROM attempt WHERE uuid = %s) FOR UPDATE", [token]
        )
        cursor.execute("SELECT 1 FROM attempt WHERE uuid = %s AND state = 'running'", [token])
        return cursor.fetchone() is not None


def _finishing(work: Work, outcome: Outcome) -> kinds.Finishing:
    return kinds.Finishing(
        attempt_id=work.attempt["id"],
        attempt_uuid=work.token,
        task_run_id=work.task["id"],
        run_id=work.run["id"],
        team_id=work.run["team_id"],
        kind=work.kind,
        with_values=outcome.values,
        outputs=outcome.outputs,
    )


def lose(token: str, reason: str, cause: str = "") -> Finished:
    """Settle an attempt whose worker is gone (``lease``) or handed it back (``drained``)."""
    causes = {"lease": "its worker stopped answering", "drained": "its worker was stopped and handed it back"}
    outcome = Outcome("lost", reason, cause or causes.get(reason, reason))
    return retried(lambda: _finish_judging(token, outcome, None, None, "", False))


# --- people -------------------------------------------------------------------------------------------


def cancel_run(run_id: int, *, actor: User, token: ApiToken | None = None) -> bool:
    """Stop a run: what has not begun ends now, what runs is asked to stop. False when it was not open."""
    return _by_person(
        lambda: call("engine_cancel", run_id, actor.username, "by_person"),
        "run.cancel",
        run_id,
        actor,
        token,
    )


def resume_run(run_id: int, *, actor: User, token: ApiToken | None = None) -> Run:
    """Go on with a failed or cancelled run, same version, parameters and code."""

    def resume() -> Json | None:
        retention.hold()
        if retention.is_sealed(run_id):
            raise Refused("too-old", retention.TOO_OLD)
        admission.refuse_resume(run_id)
        answer: Json | None = call("engine_resume", run_id, actor.username)
        if answer is not None:
            Run.objects.filter(pk=run_id).update(replaced_by=None)
        return answer

    if not _by_person(resume, "run.resume", run_id, actor, token):
        raise Refused(
            "not-resumable",
            "Only a failed or cancelled run can be resumed, and not while an attempt is still running.",
        )
    return Run.objects.get(id=run_id)


def retry_now(task_run_id: int, *, actor: User, token: ApiToken | None = None) -> bool:
    """Start a waiting retry at once. False when the task is not waiting for one."""
    run_id = TaskRun.objects.values_list("run_id", flat=True).get(id=task_run_id)
    return _by_person(
        lambda: call("engine_retry_now", task_run_id, actor.username), "task.retry", run_id, actor, token
    )


def _by_person(
    verb: Callable[[], Json | None], name: str, run_id: int, actor: User, token: ApiToken | None
) -> bool:
    @transaction.atomic
    def act() -> bool:
        answer = verb()
        if answer is None:
            return False
        told = Told()
        judging.take(told, answer)
        run = Run.objects.select_related("pipeline__team", "team").get(id=run_id)
        audit.write(actor, name, run, {"number": run.number}, team=run.team, token=token)
        told.after_commit()
        return True

    return retried(act)


DECISIONS = {"approved": "succeeded", "rejected": "failed"}


def decide(
    task_run_id: int, decision: str, *, actor: User, role: str, comment: str, token: ApiToken | None = None
) -> Approval:
    """Approve or reject a task that waits for a person. Raises :class:`Refused`.

    The decision is bound to a digest of version, parameters and what the task was shown. The requester of the
    run may decide only where the document says so.
    """
    return retried(lambda: _decide(task_run_id, decision, actor, role, comment, token))


@transaction.atomic
def _decide(
    task_run_id: int, decision: str, actor: User, role: str, comment: str, token: ApiToken | None
) -> Approval:
    task_run = TaskRun.objects.select_related("task", "run__version", "run__team", "run__token").get(
        id=task_run_id
    )
    _refuse_late(task_run)
    run = task_run.run
    was_requester = approvals.asked_for(run, actor.id)
    if was_requester and not task_run.task.spec["config"].get("requester_may_approve"):
        raise Refused(
            "requester-may-not-approve",
            "Whoever started the run may not decide this. Ask another approver, or allow it in the document "
            "with requester_may_approve: true.",
        )
    reason = "" if decision == "approved" else "by_person"
    answer = call(
        "engine_end_task", task_run_id, "awaiting_approval", DECISIONS[decision], reason, actor.username
    )
    if answer is None:
        task_run.refresh_from_db(fields=["state"])
        raise Refused("not-waiting", f"{task_run.key} does not wait for a decision: it is {task_run.state}.")
    run.refresh_from_db(fields=["resume_no"])  # now that it is locked: it may have been resumed since
    try:
        with transaction.atomic():
            approval = Approval.objects.create(
                task_run=task_run,
                resume_no=run.resume_no,
                decision=decision,
                decided_by=actor,
                role=role,
                was_requester=was_requester,
                comment=comment,
                digest=approval_digest(task_run),
            )
    except IntegrityError:
        raise Refused("already-decided", f"{task_run.key} was decided already.") from None
    told = Told()
    judging.take(told, answer)
    payload = {
        "task": task_run.key,
        "comment": comment,
        "digest": approval.digest,
        "was_requester": was_requester,
    }
    audit.write(actor, f"task.{decision}", run, payload, team=run.team, token=token)
    told.after_commit()
    return approval


def _refuse_late(task_run: TaskRun) -> None:
    """A decision after the deadline counts for nothing, also before the sweep has ended the task."""
    waiting = TaskRun.objects.filter(pk=task_run.pk, state="awaiting_approval", deadline_at__lte=EngineNow())
    if waiting.exists():
        raise Refused(
            "deadline-passed",
            f"The deadline of {task_run.key} has passed, so it ends as failed: "
            "resume the run to be asked anew.",
        )


def approval_digest(task_run: TaskRun) -> str:
    """sha256 over version, parameters and the contents that the tasks before this one produced."""
    upstream = TaskRun.objects.filter(out_edges__down=task_run).values_list("key", flat=True)
    shown = call("engine_outputs", task_run.run_id, json.dumps(sorted(upstream)))
    contents = {
        key: {name: out["sha256"] or out["value"] for name, out in sorted(outputs.items())}
        for key, outputs in sorted(shown.items())
    }
    document = {
        "version": task_run.run.version.spec_sha256,
        "parameters": task_run.run.params,
        "inputs": contents,
    }
    return hashlib.sha256(json.dumps(document, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def expire_approval(task_run_id: int) -> None:
    """End a task that waited for a person beyond its deadline."""

    @transaction.atomic
    def expire() -> None:
        answer = call("engine_end_task", task_run_id, "awaiting_approval", "failed", "deadline", "")
        if answer is not None:
            told = Told()
            judging.take(told, answer)
            told.after_commit()

    retried(expire)


# --- leases -------------------------------------------------------------------------------------------


def open_lease(worker: str, queue: str, pid: int, labels: Json | None = None) -> WorkerLease:
    """A new live lease of this host for one worker process."""
    lease = WorkerLease(
        worker=worker, host=socket.gethostname(), pid=pid, queue=queue, labels=labels or {}, state="live"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO worker_lease (uuid, worker, host, pid, queue, labels, state, expires_at) "
            "VALUES (%s, %s, %s, %s, %s, %s::jsonb, 'live', engine_now() + make_interval(secs => %s)) "
            "RETURNING id",
            [lease.uuid, worker, lease.host, pid, queue, json.dumps(lease.labels), LEASE_TTL],
        )
        (lease.id,) = cursor.fetchone()
    return lease


def move_lease(lease: uuid.UUID, from_states: Sequence[str], to_state: str) -> bool:
    """Compare-and-set of a lease's state; False when it was in none of ``from_states``."""
    ended = "closed_at = engine_now()," if to_state in ("closed", "lost") else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE worker_lease SET {ended} state = %s WHERE uuid = %s AND state = ANY (%s)",  # noqa: S608
            [to_state, lease, list(from_states)],
        )
        return cursor.rowcount == 1


def label_lease(lease: uuid.UUID, labels: Json, without: Sequence[str] = ()) -> None:
    """Write on an open lease what its worker says of itself; what stands there as ``without`` goes."""
    transitions.execute(
        "UPDATE worker_lease SET labels = (labels - %s::text[]) || %s::jsonb "
        "WHERE uuid = %s AND state IN ('live', 'draining')",
        (list(without), json.dumps(labels), lease),
    )


def held_by(lease: uuid.UUID) -> list[str]:
    """Tokens of the running attempts of a lease."""
    held = Attempt.objects.filter(lease__uuid=lease, state="running").values_list("uuid", flat=True)
    return [str(token) for token in held]
