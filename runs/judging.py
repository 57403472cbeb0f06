"""What becomes of tasks whose edges are satisfied: they begin, are skipped, or take over an equal result.

They are judged within the transaction that satisfied their edges, in waves: those of one wave together, with
a fixed number of queries for reuse, then those that stand after them. About the reuse of many tasks a verb
does not decide alone: what is left stays pending and is decided in transactions of its own, by the system
worker as soon as it is rung and by the sweep for certain. Nothing has to be remembered for that: a pending
task that waits for nothing, may reuse and is in a run that goes on has not been decided.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final

import structlog
from django.db import connection, transaction

from pipelines import conditions, references
from runs import dispatch, transitions
from runs.models import Run, TaskRun
from runs.reuse import results, stored
from runs.transitions import FindOut, Told, call, retried

log = structlog.get_logger()

Json = dict[str, Any]

NUDGE: Final = "reuse"
# Tasks about whose reuse a verb decides itself, in its own transaction.
AT_ONCE: Final = 20
# Tasks about whose reuse one transaction decides that does nothing else.
BATCH: Final = 100


def take(told: Told, answer: Json, at_most: int = AT_ONCE) -> None:
    """Add a verb's answer to what is told, judging the tasks it left open, in its transaction."""
    told.add(answer)
    if answer["conditions"]:
        _judge_on(told, answer["run"]["id"], answer["conditions"], at_most)


def _judge_on(told: Told, run_id: int, waiting: Sequence[int], left: int) -> None:
    """Judge tasks and those that follow from it; decide about the reuse of at most ``left``.

    What stands behind results whose bytes the store must be asked for is left, too: beginning again is cheap
    while nothing was done.
    """
    run = Run.objects.select_related("rerun_of").get(id=run_id)
    first = True
    while waiting:
        tasks = _tasks(run, waiting, left)
        looking = [task for task in tasks if task.may_reuse]
        left -= len(looking)
        answers, undecided = _judge_wave(run, tasks, may_ask=first)
        if undecided or len(tasks) < len(waiting):
            told.undecided.add(run_id)
        for answer in answers:
            told.add(answer)
        waiting = [task for answer in answers for task in answer["conditions"]]
        first = False


def _tasks(run: Run, ids: Sequence[int], left: int) -> list[TaskRun]:
    """The tasks to judge now: all that cannot reuse anything, and ``left`` of the others."""
    rows = TaskRun.objects.filter(id__in=ids).order_by("id")
    if len(ids) > left:
        may_reuse = rows.filter(may_reuse=True).values_list("id", flat=True)
        rows = rows.exclude(id__in=list(may_reuse)[left:])
    tasks = list(rows.select_related("task"))
    for task in tasks:
        task.run = run
    return tasks


def _judge_wave(run: Run, tasks: Sequence[TaskRun], *, may_ask: bool) -> tuple[list[Json], bool]:
    """What becomes of tasks whose edges are satisfied, and whether some are left undecided.

    Raises :class:`FindOut` when the store must be asked first, ``may_ask`` and the verb may.
    """
    verdicts = {task.pk: judge(task) if task.has_condition else True for task in tasks}
    looking = [task for task in tasks if task.may_reuse and verdicts[task.pk]]
    looked = results.look(run, looking)
    if looked.unasked and may_ask and transitions.may_ask():
        raise FindOut(looked.ask)
    taken = [task.pk for task in tasks if task.pk in looked.sources]
    answers = []
    if taken:
        sources = [looked.sources[task] for task in taken]
        keys = [looked.keys[task].sha256 for task in taken]
        answers.append(call("engine_reuse", run.pk, taken, sources, keys))
    settled = {*taken, *looked.unasked}
    results.mark([task for task in looking if task.pk not in settled], looked.keys)
    answers.append(_judged(run, {task: verdict for task, verdict in verdicts.items() if task not in settled}))
    return [answer for answer in answers if answer is not None], bool(looked.unasked)


def _judged(run: Run, verdicts: dict[int, bool | None]) -> Json | None:
    """Tasks begin, are skipped or fail, by the truth of their conditions."""
    if not verdicts:
        return None
    by_truth: dict[bool | None, list[int]] = {True: [], False: [], None: []}
    for task, verdict in verdicts.items():
        by_truth[verdict].append(task)
    answer: Json | None = call("engine_judged", run.pk, by_truth[True], by_truth[False], by_truth[None])
    return answer


# --- what was left --------------------------------------------------------------------------------------

UNDECIDED = """
    SELECT DISTINCT t.run_id FROM task_run t JOIN run r ON r.id = t.run_id
    LEFT JOIN task_run p ON p.id = t.parent_id
    WHERE t.state = 'pending' AND t.may_reuse AND t.waiting_on = 0 AND r.state = 'running'
      AND (t.parent_id IS NULL OR p.state = 'waiting')
"""


def undecided() -> list[int]:
    """The runs with tasks that only wait for the decision whether they reuse a result."""
    with connection.cursor() as cursor:
        cursor.execute(UNDECIDED)
        return sorted(run for (run,) in cursor.fetchall())


def catch_up() -> None:
    """Decide what was left, a batch of every run in turn."""
    waiting = [run for run in undecided() if _settles(_look_ahead, run)]
    while waiting:
        waiting = [run for run in waiting if _settles(decide_some, run)]


def _settles(step: Callable[[int], bool], run_id: int) -> bool:
    """A run that cannot be decided does not keep the others waiting."""
    try:
        return step(run_id)
    except Exception:
        log.exception("what a run can reuse could not be decided; the sweep asks again", run=run_id)
        return False


@lru_cache(maxsize=256)
def _look_ahead(run_id: int) -> bool:
    """Find out at once about all that a rerun may take over, rather than wave by wave. Once for each run."""
    run = Run.objects.select_related("rerun_of").get(id=run_id)
    if run.rerun_of is not None:
        results.recall(run.rerun_of)
        stored.ask_store_ahead(run.rerun_of)
    return True


def decide_some(run_id: int) -> bool:
    """Decide about a batch of a run's tasks in one transaction; False when there is nothing to decide."""

    @transaction.atomic
    def decide() -> bool:
        tasks = call("engine_undecided", run_id, BATCH)
        if not tasks:
            return False
        told = Told()
        _judge_on(told, run_id, tasks, BATCH)
        told.undecided.clear()  # we go on ourselves
        told.after_commit()
        return True

    return retried(decide)


_sweeping = threading.Lock()


def sweep() -> None:
    """See to it that what was left is decided: ring again, and decide, whatever the system worker does."""
    if not undecided():
        return
    dispatch.ring_system("nudge", NUDGE)
    if _sweeping.acquire(blocking=False):
        # The store may be slow, and leases are not to wait for it.
        threading.Thread(target=_decide_beside, name="reuse", daemon=True).start()


def _decide_beside() -> None:
    try:
        catch_up()
    except Exception:
        log.exception("what can be reused could not be decided; the sweep tries again")
    finally:
        connection.close()
        _sweeping.release()


# --- conditions -----------------------------------------------------------------------------------------


def judge(found: TaskRun) -> bool | None:
    """The truth of a task's ``when`` over what its run knows now; None when it cannot be evaluated."""
    when = found.task.spec["when"]
    try:
        return conditions.evaluate(when["text"], _condition_values(found, when["refs"]))
    except (conditions.ConditionError, references.ResolveError):
        return None


def _condition_values(task_run: TaskRun, refs: dict[str, Json]) -> Json:
    """{"params": …, "tasks": {name: {"outputs": {…}}}, "inputs": …} of the names that a condition uses."""
    keys = sorted(
        {
            ref["task"]
            for expr in refs.values()
            for ref in references.references(expr)
            if ref["ref"] == "tasks"
        }
    )
    outputs = call("engine_outputs", task_run.run_id, json.dumps(keys)) if keys else {}
    lookup = value_lookup(task_run.run.params, outputs)
    values: Json = {"params": {}, "tasks": {}, "inputs": {}}
    for name, expr in refs.items():
        try:
            value = references.resolve(expr, lookup)
        except KeyError:
            continue  # absent: the condition's own evaluation says so, unless it does not matter
        at = values
        *path, last = name.split(".")
        for step in path:
            at = at.setdefault(step, {})
        at[last] = value
    return values


def value_lookup(params: Json, upstream: Json) -> Callable[[Any], Any]:
    """Looks references up in a run's parameters and the inline outputs of its tasks. Raises KeyError."""

    def lookup(ref: Any) -> Any:
        if ref["ref"] == "tasks":
            return upstream[ref["task"]][ref["output"]]["value"]
        root, _, name = ref["ref"].partition(".")
        if root == "params":
            return params[name]
        raise KeyError(ref["ref"])

    return lookup
