"""Why a result was taken over, or why not: part by part, against the earlier one that differs least."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from runs.fingerprints import Difference, NotKnown, differences
from runs.models import Attempt, Run, TaskKey, TaskRun
from runs.reuse import keys, results, stored, surroundings

# Runs of the pipeline, and results of the task among them, that the nearest is looked for in.
RUNS_BACK = 200
RESULTS_BACK = 20

AFRESH = {"approval": "A decision belongs to its run; it is never reused."}
EFFECTS = "It acts on the outside, so it is done again in every run."


@dataclass(frozen=True, slots=True)
class Explanation:
    """``considered``: an equal result was, or will be, looked for. ``nearest``: what differs least."""

    considered: bool
    sentence: str
    source: Attempt | None = None
    nearest: Attempt | None = None
    differences: list[Difference] = field(default_factory=list)


def explain(task_run: TaskRun) -> Explanation:
    """Why the result of a task was taken over or not. A fixed number of queries."""
    if task_run.reused_from_id is not None:
        source = _with_run(task_run.reused_from_id)
        sentence = f"Its result is that of run {source.run.number}: it was given the same, by the same code."
        return Explanation(True, sentence, source=source)
    if not task_run.may_reuse:
        return Explanation(False, _why_not_considered(task_run))
    if task_run.state == "pending":
        return Explanation(True, "Decided when its inputs are known.")
    if not task_run.cache_key:
        return Explanation(True, _unknown(task_run))
    return _against_nearest(task_run)


def _why_not_considered(task_run: TaskRun) -> str:
    spec, run = task_run.task.spec, task_run.run
    if task_run.kind in AFRESH:
        return AFRESH[task_run.kind]
    if task_run.begins_as != "ready":
        return "It holds other tasks; each of them is looked at for itself."
    if not results.reusable(spec):
        return EFFECTS
    if run.rerun_of_id is not None and not run.reuse:
        return "This run was started without reusing anything."
    if run.rerun_of is not None:
        return _chosen(task_run, run.rerun_of)
    return "It does not ask for earlier results. With `cache: true` an equal one is reused."


def _chosen(task_run: TaskRun, old: Run) -> str:
    if not old.task_runs.filter(key=task_run.key, state="succeeded").exists():
        return f"Run {old.number}, which is repeated, has no result of it."
    start = task_run.run.rerun_from
    return f"This run was started anew from {start}." if start else "It was chosen to run."


def _unknown(task_run: TaskRun) -> str:
    try:
        keys.key_now(task_run)
    except NotKnown as unknown:
        return f"Not reused: {unknown}"
    return "Not reused: when it began, what it is made from was not fully known."


def _against_nearest(task_run: TaskRun) -> Explanation:
    """The difference to the result of the repeated run, else to the nearest of earlier runs."""
    document = TaskKey.objects.get(sha256=task_run.cache_key).document
    rows = _results_before(task_run)
    if not rows:
        return Explanation(True, _first(task_run))
    row, apart = min(
        ((row, differences(before, document)) for row, before in rows),
        key=lambda each: (len(each[1]), -each[0].run_id),
    )
    source = keys.source_of(row)
    nearest = _with_run(source.pk) if source else None
    return Explanation(True, _sentence(row, apart, nearest), nearest=nearest, differences=apart)


def _sentence(row: TaskRun, apart: list[Difference], nearest: Attempt | None) -> str:
    # What the row took over was made in another run: that is the one the pages lead to.
    number = nearest.run.number if nearest is not None else row.run.number
    if apart:
        return f"Not reused: it differs from run {number} in {_counted(len(apart))}."
    if TaskKey.objects.filter(sha256=row.cache_key, quarantined_at__isnull=False).exists():
        return f"Not reused: the stored result of run {number} was found damaged."
    if nearest is not None and not surroundings.told_by([keys.fact_of(nearest)]):
        return f"Not reused: what the task ran with in run {number} was not captured."
    if nearest is not None and stored.gone([nearest.pk]):
        return f"Not reused: the bytes of the result of run {number} are not there any more."
    days = settings.ORCHESTRATOR["REUSE_MAX_DAYS"]
    return (
        f"Not reused although run {number} was given the same: its result was not there yet when this "
        f"task began, or is older than {days:g} days."
    )


def _counted(count: int) -> str:
    return "one part" if count == 1 else f"{count} parts"


def _first(task_run: TaskRun) -> str:
    if task_run.run.rerun_of_id is not None:
        return "Not reused: what it was made from in the repeated run is not fully known."
    return "Nothing like it was done before: this is the first result that can be reused."


def _results_before(task_run: TaskRun) -> list[tuple[TaskRun, dict[str, Any]]]:
    """Earlier results of the same task with their documents."""
    run = task_run.run
    rows = TaskRun.objects.filter(key=task_run.key, state="succeeded").select_related(
        "task", "run", "reused_from"
    )
    if run.rerun_of_id is not None:
        old = rows.filter(run_id=run.rerun_of_id).first()
        if old is not None and (document := _document_then(old)):
            return [(old, document)]
    earlier = Run.objects.filter(pipeline_id=run.pipeline_id, id__lt=run.pk).order_by("-id")
    lately = list(earlier.values_list("id", flat=True)[:RUNS_BACK])
    found = list(rows.filter(run_id__in=lately).exclude(cache_key="").order_by("-run_id")[:RESULTS_BACK])
    kept = TaskKey.objects.filter(sha256__in={row.cache_key for row in found})
    documents = dict(kept.values_list("sha256", "document"))
    facts = _facts_of(found)
    return [(row, _put_right(documents[row.cache_key], facts[row.pk])) for row in found]


def _facts_of(rows: list[TaskRun]) -> dict[int, str]:
    """What the attempts that did the work told about their surroundings, by task; "" for nothing."""
    own = [row for row in rows if row.reused_from is None]
    done = Attempt.objects.filter(task_run__in=own, state="succeeded")
    made = {attempt.task_run_id: attempt for attempt in done}
    facts = {row.pk: keys.fact_of(row.reused_from or made[row.pk]) for row in rows}
    surroundings.told_by(set(facts.values()))  # all at once
    return facts


def _put_right(document: dict[str, Any], fact: str) -> dict[str, Any]:
    try:
        return keys.put_right(document, fact).document
    except NotKnown:
        return document


def _document_then(old: TaskRun) -> dict[str, Any] | None:
    try:
        return keys.key_then(old).document
    except NotKnown:
        return None


def _with_run(attempt: int) -> Attempt:
    rows = Attempt.objects.select_related("run", "task_run")
    return rows.defer("provenance", "run__params", "run__only").get(pk=attempt)
