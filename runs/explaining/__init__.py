"""Why is a task not running? Each thing in its way, in words, with where to look and what to do.

What would keep the task from starting although everything else were right is always said: what it waits for
in its run, pauses, a queue that nobody serves. What is only taken by others at this moment, such as the hands
of all workers, is said of a task that could begin otherwise. When what is said has gone, the task starts.

A constant number of queries, whatever the size of the run and of the fleet.
"""

from __future__ import annotations

from pipelines.access import Rights
from runs import queries
from runs.explaining import admission, limits, pauses, waiting, workers
from runs.explaining.answers import Asked, Blocker, Code, Explanation, Link, ask, shown_state
from runs.explaining.turns import turn
from runs.models import Queue
from runs.states import TERMINAL_TASK, RunState, TaskState

__all__ = ["Blocker", "Code", "Explanation", "Link", "explain"]


def explain(task_run_id: int, rights: Rights) -> Explanation:
    """Why the task is not running now, as far as somebody with these rights may know."""
    asked = ask(task_run_id, rights)
    blockers = tuple(blocker for blocker in _blockers(asked) if blocker is not None)
    words = blockers[0].words if blockers else _nothing_in_the_way(asked)
    return Explanation(asked.task.state, words, blockers)


def _blockers(asked: Asked) -> list[Blocker | None]:
    match asked.task.state:
        case TaskState.PENDING:
            before = [waiting.tasks_before(asked), waiting.scope(asked), waiting.decision_on_reuse(asked)]
            return [
                *admission.why_queued(asked),
                *before,
                *(_on_the_way_to_a_worker(asked) if asked.by_worker else []),
            ]
        case TaskState.READY:
            return _on_the_way_to_a_worker(asked)
        case TaskState.RETRY_WAIT:
            return [waiting.retry(asked), *_on_the_way_to_a_worker(asked)]
        case TaskState.WAITING:
            return [waiting.inner_tasks(asked)]
        case TaskState.AWAITING_APPROVAL:
            return [waiting.approval(asked)]
        case TaskState.RUNNING:
            return [waiting.environment(asked)]
    return []


def _on_the_way_to_a_worker(asked: Asked) -> list[Blocker | None]:
    queue = Queue.objects.filter(slug=asked.task.queue).select_related("paused_by").first()
    return [
        *pauses.pauses(asked, queue),
        *limits.running_tasks(asked),
        *workers.why_none_comes(asked, queue),
    ]


def _nothing_in_the_way(asked: Asked) -> str:
    task = asked.task
    if task.state in TERMINAL_TASK:
        return _ended(asked)
    if task.state == TaskState.RUNNING:
        ending = ", and has been asked to stop" if asked.run.state == RunState.CANCELLING else ""
        return f"It is running, attempt {task.attempts_made}{ending}."
    if task.state in (TaskState.READY, TaskState.RETRY_WAIT):
        return _next_or_later(asked)
    return "Nothing is in its way: it goes on in a moment."


def _next_or_later(asked: Asked) -> str:
    found, queue = turn(asked), asked.task.queue
    who = f"a worker of the queue {queue} takes it in its turn"
    if not found.before:
        who = f"the next free worker of the queue {queue} takes it"
    return f"Nothing is in its way: {who}. {found.words}".rstrip()


def _ended(asked: Asked) -> str:
    task = asked.task
    attempt = queries.latest_attempts([task.pk]).get(task.pk)
    decision = queries.approvals([task.pk]).get(task.pk)
    message = queries.task_message(task, attempt, decision)
    return f"It has ended: {shown_state(task.state)}. {message}".strip()
