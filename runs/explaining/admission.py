"""Why a run is queued: those of its pipeline that go before it, and tasks of it that are in quarantine."""

from __future__ import annotations

from django.db.models import BooleanField, Case, Count, F, Func, Q, QuerySet, Value, When, Window

from runs import pages, quarantine
from runs.explaining.answers import MOST, Asked, Blocker, Code, Link, shown_state, some
from runs.models import Quarantine, Run, TaskRun
from runs.states import OPEN_RUN, RunState


def why_queued(asked: Asked) -> list[Blocker]:
    """What keeps the run of a task from beginning; nothing of one that has begun. Up to two queries."""
    if asked.run.state != RunState.QUEUED:
        return []
    ahead = _runs_before(asked)
    return [*([ahead] if ahead else []), *(_quarantined(asked, row) for row in _quarantines(asked))]


def _runs_before(asked: Asked) -> Blocker | None:
    run = asked.run
    found = list(_ahead(run).annotate(total=Window(Count("*"))).only("uuid", "number", "state")[:MOST])
    if not found:
        return None
    names = [f"run {other.number} ({shown_state(other.state)})" for other in found]
    return Blocker(
        Code.OVERLAP,
        f"Its run waits for {some(names, found[0].total)} to end, as the pipeline's `overlap` says.",
        since=run.created_at,
        links=tuple(Link("run", pages.of_run(other), f"run {other.number}") for other in found),
        remedy="It begins by itself then; cancel what goes before it to have it begin sooner.",
    )


def _ahead(run: Run) -> QuerySet[Run]:
    """The open runs of the pipeline that were started before, but for those that quarantine holds back.

    And those that went past while it was held back itself: `engine_admit` has the rule.
    """
    quarantined = Func(F("id"), function="engine_quarantined", output_field=BooleanField())
    held_back = Case(When(state=RunState.QUEUED, then=quarantined), default=Value(False))
    in_turn = Func(F("version"), function="engine_has_overlap", output_field=BooleanField())
    gone_past = Q(state__in=(RunState.RUNNING, RunState.CANCELLING), in_turn=True)
    others = Run.objects.filter(pipeline=run.pipeline_id, state__in=OPEN_RUN).exclude(pk=run.pk)
    before = others.alias(in_turn=in_turn).filter(Q(id__lt=run.pk) | gone_past)
    return before.alias(held_back=held_back).filter(held_back=False).order_by("id")


def _quarantines(asked: Asked) -> QuerySet[Quarantine]:
    """Those of tasks of the run."""
    keys = TaskRun.objects.filter(run=asked.run).values("key")
    rows = Quarantine.objects.filter(version=asked.run.version_id, lifted_at=None, task_key__in=keys)
    return rows.select_related("task_run__run").order_by("id")[:MOST]


def _quarantined(asked: Asked, row: Quarantine) -> Blocker:
    poisoned = row.task_run
    link = Link(
        "quarantined-by", pages.of_task(poisoned.run.uuid, row.task_key), f"run {poisoned.run.number}"
    )
    return Blocker(
        Code.QUARANTINE,
        f"Its run does not begin: {quarantine.words(row)}",
        since=row.created_at,
        links=(link,),
        remedy=quarantine.remedy(asked.run.version),
    )
