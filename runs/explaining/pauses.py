"""Nothing is claimed from what is paused: a run, a pipeline, a queue."""

from __future__ import annotations

from typing import Final

from pipelines.models import Pipeline
from runs import pages
from runs.explaining.answers import Asked, Blocker, Code, Link, queue_links, sentence
from runs.models import Queue, Run

# {page}, {address}: what the pages and the API call the thing.
LIFTED: Final = (
    'An operator of the team presses "Let it go on" on the page of the {page}, '
    "or calls POST {address}unpause/."
)
LIFTED_BY_ADMIN: Final = (
    "A site admin lets the queue go on, in the console or by POST /api/v1/queues/{slug}/unpause/."
)


def pauses(asked: Asked, queue: Queue | None) -> list[Blocker]:
    """Each pause that holds the task now."""
    run, pipeline = asked.run, asked.run.pipeline
    found = []
    if _holds(asked, run):
        link = Link("run", pages.of_run(run), f"run {run.number}")
        remedy = LIFTED.format(page="run", address=f"/api/v1/runs/{run.uuid}/")
        found.append(_pause(Code.RUN_PAUSED, "Its run", run, (link,), remedy))
    if _holds(asked, pipeline):
        link = Link("pipeline", pages.of_pipeline(pipeline.team.slug, pipeline.name), pipeline.name)
        address = f"/api/v1/pipelines/{pipeline.team.slug}:{pipeline.name}/"
        remedy = LIFTED.format(page="pipeline", address=address)
        found.append(_pause(Code.PIPELINE_PAUSED, f"The pipeline {pipeline.name}", pipeline, (link,), remedy))
    if queue is not None and _holds(asked, queue):
        links = queue_links(asked, queue)
        remedy = LIFTED_BY_ADMIN.format(slug=queue.slug)
        found.append(_pause(Code.QUEUE_PAUSED, f"The queue {queue.slug}", queue, links, remedy))
    return found


def _holds(asked: Asked, thing: Run | Pipeline | Queue) -> bool:
    return thing.paused_at is not None and (thing.paused_until is None or thing.paused_until > asked.now)


def _pause(
    code: Code, name: str, thing: Run | Pipeline | Queue, links: tuple[Link, ...], remedy: str
) -> Blocker:
    by = f" by {thing.paused_by.shown_name}" if thing.paused_by else ""
    reason = f": {thing.paused_reason}" if thing.paused_reason else ""
    return Blocker(
        code,
        sentence(f"{name} is paused{by}{reason}"),
        since=thing.paused_at,
        until=thing.paused_until,
        links=links,
        remedy=remedy,
    )
