"""What may begin: runs beside others of their pipeline, and as many as their team may have.

Every start and resume asks here under the lock of its pipeline's row, so that two of them see each other. A
run that has to wait is written as ``queued`` and begins when those before it have ended: at once by whoever
ends the last of them, and by the sweep for certain.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from django.db import transaction
from django.db.models import Count, QuerySet, Sum

from pipelines import audit
from pipelines.models import ApiToken, Pipeline, PipelineVersion, Team, User
from runs import judging, quarantine
from runs.models import Run, RunEvent, TaskRun, TeamLimits
from runs.refusals import Refused
from runs.states import OPEN_RUN, Reason, RunState
from runs.transitions import Told, call, retried

QUEUE: Final = "queue"
SKIP: Final = "skip"
CANCEL_PREVIOUS: Final = "cancel_previous"
# Seconds after which a team that has as much as it may is told to try again.
RETRY_AFTER: Final = 30


@dataclass(frozen=True)
class Starter:
    """Who starts a run, and its number."""

    number: int
    person: User | None
    token: ApiToken | None


# --- others of the pipeline ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Admitted:
    """How a new run begins: its state, and the runs that were cancelled for it."""

    state: str
    replaced: Sequence[Run] = ()


def admitted(version: PipelineVersion, starter: Starter, told: Told) -> Admitted:
    """How a new run begins by its document's ``overlap``: running or queued.

    Cancels the runs before it where the document says so, into ``told``. Refused where it says ``skip``.
    """
    policy = policy_of(version)
    if policy is None:
        return Admitted(RunState.RUNNING)
    before = open_runs(version.pipeline_id)
    if policy == SKIP and (under_way := before.first()) is not None:
        raise Refused("overlap", _skipped(version.pipeline, under_way))
    stopped = _cancel(before.select_related("team"), starter, told) if policy == CANCEL_PREVIOUS else []
    return Admitted(RunState.QUEUED if before.exists() else RunState.RUNNING, stopped)


def policy_of(version: PipelineVersion) -> str | None:
    """What a document says its runs do beside others; None when it says nothing, as most do."""
    policy: str | None = version.spec.get("overlap")
    return policy if policy != QUEUE or call("engine_has_overlap", version.pk) else None


def open_runs(pipeline_id: int) -> QuerySet[Run]:
    """The unfinished runs of a pipeline, the oldest first."""
    return Run.objects.filter(pipeline_id=pipeline_id, state__in=OPEN_RUN).order_by("id")


def _skipped(pipeline: Pipeline, under_way: Run) -> str:
    return (
        f"Run #{under_way.number} of {pipeline.name} is under way, and by `overlap: {SKIP}` no other begins "
        "beside it: wait until it has ended, or cancel it."
    )


def _cancel(runs: Iterable[Run], starter: Starter, told: Told) -> list[Run]:
    stopped = [run for run in runs if _stop(run, starter, told)]
    # The trail of a team is a lock: whoever holds a run waits for it, so it is taken after the last run.
    for run in stopped:
        facts = {"number": run.number, "overlap": CANCEL_PREVIOUS, "replaced_by": starter.number}
        audit.write(starter.person, "run.cancel", run, facts, team=run.team, token=starter.token)
    return stopped


def _stop(run: Run, starter: Starter, told: Told) -> bool:
    """False when somebody has stopped it already."""
    who = starter.person.username if starter.person else ""
    answer = call("engine_cancel", run.pk, who, "overlap")
    if answer is not None:
        judging.take(told, answer)
    return answer is not None


def link_replaced(replaced: Iterable[Run], newer: Run, told: Told) -> None:
    """Have the runs that were cancelled for a newer one say which that is, in their rows and events.

    They are still locked.
    """
    for stopped in replaced:
        seq = told.runs[stopped.pk]["last_seq"] + 1
        facts = {"id": str(newer.uuid), "number": newer.number}
        RunEvent.objects.create(
            run_id=stopped.pk, seq=seq, kind="replaced", reason=Reason.OVERLAP, payload=facts
        )
        Run.objects.filter(pk=stopped.pk).update(last_seq=seq, replaced_by=newer)
        told.runs[stopped.pk]["last_seq"] = seq


def refuse_resume(run_id: int) -> None:
    """Raises Refused when a run may not go on now, whatever state it is in. Locks its pipeline."""
    run = Run.objects.select_related("version").get(pk=run_id)
    pipeline = Pipeline.objects.select_for_update(no_key=True).only("name").get(pk=run.pipeline_id)
    other = open_runs(pipeline.pk).exclude(pk=run.pk).first()
    if other is not None and policy_of(run.version) is not None:
        raise Refused(
            "overlap",
            f"Run #{other.number} of {pipeline.name} is under way, and by its `overlap` runs do not go side "
            "by side: resume this one when that has ended.",
        )
    again = TaskRun.objects.filter(run=run).exclude(state="succeeded").values_list("key", flat=True)
    quarantine.refuse(run.version, again)
    refuse_over_limit(run.team_id, 0)


# --- the limits of a team ----------------------------------------------------------------------------------


def refuse_over_limit(team_id: int, tasks: int) -> None:
    """Raises Refused when a team has as many runs as it may, or would have too many tasks that wait.

    ``tasks``: how many the new run has. Locks the team's row where it has such limits.
    """
    limits = TeamLimits.objects.filter(team=team_id, queue="")
    limit = limits.exclude(active_runs=None, queued_tasks=None).first()
    if limit is None:
        return
    team = Team.objects.select_for_update(no_key=True).get(pk=team_id)
    now = load_of(team_id)
    if limit.active_runs is not None and now.active_runs >= limit.active_runs:
        raise _limited(_too_many_runs(team, now.active_runs, limit.active_runs))
    if limit.queued_tasks is not None and now.queued_tasks + tasks > limit.queued_tasks:
        raise _limited(_too_many_tasks(team, now.queued_tasks, tasks, limit.queued_tasks))


def _too_many_runs(team: Team, now: int, most: int) -> str:
    if most == 0:
        return f"The team {team.slug} may have no runs: ask a site admin to raise its limit."
    return (
        f"The team {team.slug} has {now:,} unfinished run{'' if now == 1 else 's'} and may have {most:,}: "
        "wait until one has ended, or cancel one."
    )


def _too_many_tasks(team: Team, now: int, more: int, most: int) -> str:
    if more > most:
        return (
            f"This run has {more:,} tasks, and the team {team.slug} may have {most:,} that wait: "
            "ask a site admin to raise its limit."
        )
    return (
        f"The team {team.slug} has {now:,} tasks that wait and may have {most:,}; this run has {more:,} more:"
        " wait until some have ended, or cancel a run."
    )


def _limited(words: str) -> Refused:
    return Refused("team-limit", words, retry_after=RETRY_AFTER)


@dataclass(frozen=True)
class Load:
    """What a team has now, counted as ``TeamLimits`` names it."""

    active_runs: int
    queued_tasks: int
    running_tasks: int


def load_of(team_id: int) -> Load:
    """Two queries."""
    counted = Run.objects.filter(team_id=team_id, state__in=OPEN_RUN).order_by()
    found = counted.aggregate(runs=Count("id"), tasks=Sum("open_tasks"))
    running = TaskRun.objects.filter(team_id=team_id, state="running").count()
    return Load(found["runs"], max(0, (found["tasks"] or 0) - running), running)


# --- runs that wait -----------------------------------------------------------------------------------------


def admit(pipeline_id: int) -> bool:
    """Begin the first queued run of a pipeline if its turn has come; False when none begins."""

    @transaction.atomic
    def begin() -> bool:
        answer = call("engine_admit", pipeline_id)
        if answer is None:
            return False
        told = Told()
        judging.take(told, answer)
        told.after_commit()
        return True

    return retried(begin)


def admit_after_commit(pipeline_id: int) -> None:
    """The runs before may have ended while a run was being written as queued, or while it was held."""
    transaction.on_commit(partial(admit, pipeline_id), robust=True)


def when_finished(sender: Any, run: int, **given: Any) -> None:
    """A run has ended: whoever waits for it begins."""
    waiting = Run.objects.filter(state=RunState.QUEUED, pipeline__runs=run).order_by("id")
    if (pipeline_id := waiting.values_list("pipeline_id", flat=True).first()) is not None:
        admit(pipeline_id)


def sweep() -> None:
    """Begin what nobody has begun: its turn came while nobody looked."""
    queued = Run.objects.filter(state=RunState.QUEUED).order_by("pipeline_id")
    for pipeline_id in queued.values_list("pipeline_id", flat=True).distinct():
        admit(pipeline_id)
