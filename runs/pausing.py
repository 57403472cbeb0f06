"""Pauses of runs and pipelines: no further task of them is handed out, and what runs goes on to its end.

Queues are paused in :mod:`runs.queues`. A pause whose end has come holds nothing any more, whatever still
stands in its row; the sweep rings for what waited.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import Count, F, Q, QuerySet

from pipelines import audit
from pipelines.clock import EngineNow
from pipelines.errors import Conflict, Invalid
from pipelines.models import ApiToken, Pipeline, User
from runs.models import Run, RunEvent, TaskRun
from runs.states import OPEN_RUN, RunState, TaskState
from runs.transitions import Told, execute, retried

LONGEST_REASON: Final = 1000  # characters
PAUSABLE: Final = frozenset({RunState.QUEUED, RunState.RUNNING})
# Of rows of a run, a pipeline or a queue: those that are paused now.
HOLDS: Final = Q(paused_at__isnull=False) & (Q(paused_until=None) | Q(paused_until__gt=EngineNow()))


@dataclass(frozen=True)
class Pause:
    """Why and until when; ``until`` None: until somebody lets it go on. Invalid without words of a reason."""

    reason: str
    until: datetime | None = None

    def __post_init__(self) -> None:
        if not self.reason.strip():
            raise Invalid("Say why it is paused.", errors=[("reason", "Missing.")])
        if len(self.reason) > LONGEST_REASON:
            message = f"At most {LONGEST_REASON:,} characters."
            raise Invalid(f"The reason is too long. {message}", errors=[("reason", message)])

    @property
    def facts(self) -> dict[str, Any]:
        return {"reason": self.reason, "until": self.until.isoformat() if self.until else None}


def pause_run(run_id: int, pause: Pause, *, actor: User, token: ApiToken | None = None) -> bool:
    """Hand out no further task of a run, or change reason and end of its pause.

    False when it is paused alike. Conflict for a run that is neither queued nor running; Invalid for an end
    that has passed.
    """

    def act() -> bool:
        run = _locked_run(run_id)
        if run.state not in PAUSABLE:
            words = f"Run {run.number} is {run.state}: only one that is queued or running can be paused."
            raise Conflict(words, code="not-open")
        if not _write(Run.objects.filter(pk=run.pk), pause, actor):
            return False
        _record(run, "pause", pause.facts, actor, token).after_commit()
        return True

    return _together(act)


def unpause_run(run_id: int, *, actor: User, token: ApiToken | None = None) -> bool:
    """Let a run go on: its queues are rung. False when it was not paused."""

    def act() -> bool:
        run = _locked_run(run_id)
        rows = Run.objects.filter(pk=run.pk)
        if not _clear(rows):
            return False
        _put_back()
        told = _record(run, "unpause", {}, actor, token)
        told.woken = due(rows)
        told.after_commit()
        return True

    return _together(act)


def pause_pipeline(pipeline: Pipeline, pause: Pause, *, actor: User, token: ApiToken | None = None) -> bool:
    """Hand out no further task of all runs of a pipeline; programs and triggers start none either.

    False when it is paused alike. Invalid for an end that has passed.
    """

    def act() -> bool:
        rows = _locked_pipeline(pipeline)
        _lock_open_runs(pipeline)
        changed = _write(rows, pause, actor)
        if changed:
            audit.write(actor, "pipeline.pause", pipeline, pause.facts, team=pipeline.team, token=token)
        return changed

    return _together(act)


def unpause_pipeline(pipeline: Pipeline, *, actor: User, token: ApiToken | None = None) -> bool:
    """Let the runs of a pipeline go on: their queues are rung. False when it was not paused."""

    def act() -> bool:
        if not _clear(_locked_pipeline(pipeline)):
            return False
        _put_back()
        audit.write(actor, "pipeline.unpause", pipeline, {}, team=pipeline.team, token=token)
        running = Run.objects.filter(pipeline=pipeline, state=RunState.RUNNING)
        Told(woken=due(running)).after_commit()
        return True

    return _together(act)


def _together(act: Callable[[], bool]) -> bool:
    return retried(transaction.atomic(act))


def _locked_run(run_id: int) -> Run:
    return Run.objects.select_for_update(of=("self",)).select_related("team", "pipeline__team").get(pk=run_id)


def _locked_pipeline(pipeline: Pipeline) -> QuerySet[Pipeline]:
    rows = Pipeline.objects.filter(pk=pipeline.pk)
    rows.select_for_update(no_key=True).only("pk").get()
    return rows


def _lock_open_runs(pipeline: Pipeline) -> None:
    """A claim that holds one of them hands out its task first; a later one sees the pause."""
    open_runs = Run.objects.select_for_update().filter(pipeline=pipeline, state__in=OPEN_RUN)
    list(open_runs.order_by("pk").only("pk"))


def _write(rows: QuerySet[Any], pause: Pause, actor: User) -> bool:
    """Pause the one locked row. A pause that holds goes on: it began when it began."""
    held = rows.filter(HOLDS)
    if held.filter(paused_reason=pause.reason, paused_until=pause.until).exists():
        return False
    began = F("paused_at") if held.exists() else EngineNow()
    rows.update(paused_at=began, paused_by=actor, paused_reason=pause.reason, paused_until=pause.until)
    if not rows.filter(HOLDS).exists():
        raise Invalid("The end of the pause has passed.", errors=[("until", "In the past.")])
    return True


def _clear(rows: QuerySet[Any]) -> bool:
    paused = rows.exclude(paused_at=None)
    return bool(paused.update(paused_at=None, paused_by=None, paused_reason="", paused_until=None))


def _put_back() -> None:
    """What the sweep has parked of runs that are paused no longer stands in its line again.

    Of very many tasks the first; the sweep sees to the others.
    """
    execute("SELECT engine_unpark()", ())


def _record(run: Run, verb: str, facts: dict[str, Any], actor: User, token: ApiToken | None) -> Told:
    """The event and the audit row of a locked run; returns what is to be told of it."""
    seq = run.last_seq + 1
    RunEvent.objects.create(run_id=run.pk, seq=seq, kind=verb, actor=actor.username, payload=facts)
    Run.objects.filter(pk=run.pk).update(last_seq=seq)
    told_of = {"number": run.number, **facts}
    audit.write(actor, f"run.{verb}", run, told_of, team=run.team, token=token)
    return Told(runs={run.pk: {"id": run.pk, "last_seq": seq, "state": run.state}})


def due(runs: QuerySet[Run]) -> dict[str, int]:
    """Queue -> how many tasks of these runs wait there for a worker."""
    waiting = TaskRun.objects.filter(run__in=runs, state__in=(TaskState.READY, TaskState.RETRY_WAIT))
    due = waiting.filter(ready_at__lte=EngineNow()).order_by()
    return dict(due.values_list("queue").annotate(Count("pk")))
