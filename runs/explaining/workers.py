"""Whether a worker can come: somebody must serve the queue, give its isolation, be well and be free."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import BooleanField, ExpressionWrapper, Q

from pipelines.clock import EngineNow
from runs import isolation, queries
from runs.explaining.answers import MOST, Asked, Blocker, Code, held_link, queue_links, sentence
from runs.explaining.slots import Units
from runs.explaining.turns import turn
from runs.models import Attempt, Queue, WorkerLease
from runs.states import LeaseState


def why_none_comes(asked: Asked, queue: Queue | None) -> list[Blocker]:
    """Why no worker takes the task: lasting reasons, and for a task that is due what others have now.

    Up to six queries.
    """
    slug = asked.task.queue
    crew = _crew(slug)
    live = [lease for lease in crew if lease.state == LeaseState.LIVE and lease.answers]  # type: ignore[attr-defined]
    if not live:
        return [_nobody(slug, crew)]
    level = queue.isolation if queue is not None else isolation.SHARED
    able = [lease for lease in live if level in isolation.given(lease.labels)]
    if not able:
        return [_wrong_level(asked, queue, live)]
    well = [lease for lease in able if not lease.labels.get("trouble")]
    return _what_is_taken(asked, well) if well else [_in_trouble(slug, able)]


def _what_is_taken(asked: Asked, well: Sequence[WorkerLease]) -> list[Blocker]:
    """What is missing, or in the hands of others, where workers take tasks."""
    units = Units(asked)
    fit = [lease for lease in well if units.suffice(lease)]
    if not fit:
        return units.absent(well)
    if not asked.due:
        return []
    held = queries.current_attempts([lease.pk for lease in fit])
    if any(attempt.task_run_id == asked.task.pk for attempt in held.values()):
        return []  # it was taken while we looked
    free = [lease for lease in fit if lease.pk not in held]
    return [*([] if free else [_all_busy(asked, list(held.values()))]), *units.taken(free or fit)]


def _crew(slug: str) -> list[WorkerLease]:
    """The workers of a queue that have not gone, and whether each has renewed its lease in time."""
    answers = ExpressionWrapper(Q(expires_at__gt=EngineNow()), output_field=BooleanField())
    return list(queries.open_leases().filter(queue=slug).annotate(answers=answers).order_by("id"))


def _nobody(slug: str, crew: Sequence[WorkerLease]) -> Blocker:
    words = f"No worker serves the queue {slug}."
    if any(lease.state == LeaseState.LIVE for lease in crew):
        words = f"The workers of the queue {slug} have stopped answering."
    elif crew:
        words = f"The workers of the queue {slug} end what they have and take nothing more."
    return Blocker(Code.NO_WORKERS, words, remedy=f"Start a worker: manage.py worker --queue {slug}")


def _wrong_level(asked: Asked, queue: Queue | None, live: Sequence[WorkerLease]) -> Blocker:
    level = queue.isolation if queue is not None else isolation.SHARED
    words = isolation.problem(level, [lease.labels for lease in live])
    links = queue_links(asked, queue) if queue is not None else ()
    remedy = "Start a worker that gives it, or have a site admin choose another level for the queue."
    return Blocker(Code.ISOLATION, sentence(words), links=links, remedy=remedy)


def _in_trouble(slug: str, able: Sequence[WorkerLease]) -> Blocker:
    troubles = sorted({str(lease.labels["trouble"]) for lease in able})
    words = f"The workers of the queue {slug} take no tasks now. {' '.join(troubles[:MOST])}"
    return Blocker(
        Code.WORKERS_IN_TROUBLE, words, remedy="They claim again by themselves when that has passed."
    )


def _all_busy(asked: Asked, held: Sequence[Attempt]) -> Blocker:
    whose = f"of the queue {asked.task.queue} that could take it"
    seen = [attempt for attempt in held if asked.rights.can("view", attempt.run)]
    return Blocker(
        Code.WORKERS_BUSY,
        f"{_how_many(len(held), whose)} busy. {turn(asked).words}".rstrip(),
        since=asked.task.ready_at,
        links=tuple(held_link(asked, "busy-with", each.run, each.task_run.key) for each in seen[:MOST]),
        remedy="The next one that is free takes it when nothing is before it; more workers make that sooner.",
    )


def _how_many(workers: int, whose: str) -> str:
    """`Both workers of … are`: all of them."""
    if workers == 1:
        return f"The only worker {whose} is"
    return f"Both workers {whose} are" if workers == 2 else f"All {workers} workers {whose} are"
