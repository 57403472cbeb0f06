"""What an explanation is made of, and the task that is asked about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import TextChoices
from django.urls import reverse

from pipelines.access import Rights
from pipelines.clock import EngineNow
from pipelines.problems import listed
from runs import pages
from runs.models import Queue, Run, TaskRun

# Names in one sentence, and links beside it; the rest is counted.
MOST: Final = 5

# Columns of the version and the pipeline that may be megabytes.
LARGE: Final = (
    "run__version__text",
    "run__version__spec",
    "run__version__layout",
    "run__pipeline__draft_text",
    "run__pipeline__draft_layout",
)

# What the pages call a state that has another name in the tables.
SHOWN: Final = {
    "pending": "queued",
    "ready": "queued",
    "retry_wait": "retrying",
    "awaiting_approval": "needs approval",
    "upstream_failed": "not run",
}


class Code(TextChoices):
    """What can keep a task from going on."""

    TASKS = "tasks", "Tasks before it have not ended."
    SCOPE = "scope", "The group around it has not begun."
    INNER_TASKS = "inner-tasks", "It is a group, and tasks inside it have not ended."
    APPROVAL = "approval", "A person has to decide."
    REUSE = "reuse", "It is not decided yet whether an earlier result is taken over."
    RETRY = "retry", "The time of its next attempt has not come."
    OVERLAP = "overlap", "Its run waits for those of its pipeline that were started before."
    QUARANTINE = "quarantine", "Its run does not begin, as a task of it is in quarantine."
    RUN_PAUSED = "run-paused", "Its run is paused."
    PIPELINE_PAUSED = "pipeline-paused", "Its pipeline is paused."
    QUEUE_PAUSED = "queue-paused", "Its queue is paused."
    NO_WORKERS = "no-workers", "No worker serves its queue."
    ISOLATION = "isolation", "No worker of its queue gives the isolation that the queue asks for."
    WORKERS_IN_TROUBLE = "workers-in-trouble", "The workers of its queue take no tasks now."
    WORKERS_BUSY = "workers-busy", "The workers of its queue are busy."
    SLOTS_ABSENT = "slots-absent", "No worker of its queue is offered the slots that it needs."
    SLOTS_HELD = "slots-held", "Others hold the slots that it needs."
    SLOTS_RESERVED = "slots-reserved", "Slots that it needs are kept for a task that has waited longer."
    TEAM_LIMIT = "team-limit", "Its team runs as many tasks as it may."
    ENVIRONMENT = "environment", "A worker has it, and its environment has to be built first."


@dataclass(frozen=True, slots=True)
class Link:
    """``rel``: what it is to the blocker; ``href``: the address of its page on this site."""

    rel: str
    href: str
    name: str


@dataclass(frozen=True, slots=True)
class Blocker:
    """One thing in the way. ``since``, ``until``: where that is known; ``remedy``: what a person can do."""

    code: Code
    words: str
    since: datetime | None = None
    until: datetime | None = None
    links: tuple[Link, ...] = ()
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """``words``: what there is to say in one sentence, also when nothing is in the way."""

    state: str
    words: str
    blockers: tuple[Blocker, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A task, who asks about it, and the time by the clock of the engine."""

    task: TaskRun
    rights: Rights
    now: datetime

    @property
    def run(self) -> Run:
        return self.task.run

    @property
    def by_worker(self) -> bool:
        """Is it for a worker, and not for a person or the engine, to carry out?"""
        return self.task.begins_as == "ready"

    @property
    def due(self) -> bool:
        """Could a worker claim it now, if nothing else is in the way?"""
        return self.task.ready_at is not None and self.task.ready_at <= self.now


def ask(task_run_id: int, rights: Rights) -> Asked:
    """The task with all that is read of its run and pipeline, as they are now. One query."""
    rows = TaskRun.objects.select_related(
        "task",
        "parent",
        "run__team",
        "run__token",
        "run__paused_by",
        "run__version",
        "run__pipeline__team",
        "run__pipeline__paused_by",
    ).defer("run__params", "run__only", *LARGE)
    task = rows.annotate(asked_at=EngineNow()).get(pk=task_run_id)
    return Asked(task, rights, task.asked_at)


def shown_state(state: str) -> str:
    return SHOWN.get(state, state)


def task_link(rel: str, run: Run, key: str) -> Link:
    return Link(rel, pages.of_task(run.uuid, key), key)


def held_link(asked: Asked, rel: str, run: Run, key: str) -> Link:
    """A task of any run; the pipeline of the run is read."""
    if run.pk == asked.run.pk:
        return task_link(rel, run, key)
    return Link(rel, pages.of_task(run.uuid, key), f"{run.pipeline.name} #{run.number}: {key}")


def queue_links(asked: Asked, queue: Queue) -> tuple[Link, ...]:
    """The page of a queue is in the console, which site admins alone see."""
    if not asked.rights.site_admin:
        return ()
    return (Link("queue", reverse("admin:runs_queue_change", args=[queue.pk]), queue.slug),)


def sentence(words: str) -> str:
    """With one full stop, whatever was quoted at its end."""
    return f"{words.strip().rstrip('.')}."


def some(names: list[str], total: int) -> str:
    """`a, b and c`; the first few of many, with their number."""
    return listed(names) if total <= len(names) else f"{', '.join(names)} and {total - len(names)} more"
