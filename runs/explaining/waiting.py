"""What a task waits for within its run: other tasks, its group, a person, the clock, a decision."""

from __future__ import annotations

from django.db.models import Count, Exists, OuterRef, QuerySet, Window

from runs import approvals, pages, queries
from runs.explaining.answers import MOST, Asked, Blocker, Code, Link, sentence, shown_state, some, task_link
from runs.isolation import CONTAINER
from runs.models import Attempt, Environment, RunCode, TaskEdge, TaskRun
from runs.states import TERMINAL_TASK, AttemptState

# What is built in runs with the product's own packages.
WITH_ENVIRONMENT = frozenset({"python", "shell"})


def tasks_before(asked: Asked) -> Blocker | None:
    """The tasks whose end it waits for. One query."""
    edges = TaskEdge.objects.filter(up=OuterRef("pk"), down=asked.task.pk)
    names, links = _open(asked, TaskRun.objects.filter(Exists(edges)), "upstream")
    if not links:
        return None
    return Blocker(Code.TASKS, f"It waits for {names} to end.", links=links)


def scope(asked: Asked) -> Blocker | None:
    """The group around it, which has not begun."""
    parent = asked.task.parent
    if parent is None or parent.state != "pending":
        return None
    words = f"It is inside {parent.key}, which has not begun."
    return Blocker(Code.SCOPE, words, links=(task_link("scope", asked.run, parent.key),))


def inner_tasks(asked: Asked) -> Blocker | None:
    """The tasks inside a group that has begun. One query."""
    names, links = _open(asked, TaskRun.objects.filter(parent=asked.task), "inner")
    if not links:
        return None
    since = asked.task.started_at
    return Blocker(Code.INNER_TASKS, f"It waits for {names}, inside it, to end.", since=since, links=links)


def _open(asked: Asked, rows: QuerySet[TaskRun], rel: str) -> tuple[str, tuple[Link, ...]]:
    """Those of some tasks that have not ended: in words with their states, and as links. The first few."""
    open_rows = rows.filter(run=asked.run).exclude(state__in=TERMINAL_TASK).order_by("id")
    found = list(open_rows.annotate(total=Window(Count("*"))).values_list("key", "state", "total")[:MOST])
    if not found:
        return "", ()
    names = [f"{key} ({shown_state(state)})" for key, state, _ in found]
    return some(names, found[0][2]), tuple(task_link(rel, asked.run, key) for key, _, _ in found)


def decision_on_reuse(asked: Asked) -> Blocker | None:
    """Nothing is left to wait for but whether an earlier result is taken over."""
    task = asked.task
    begun = task.parent is None or task.parent.state == "waiting"
    if not (task.may_reuse and task.waiting_on == 0 and begun and asked.run.state == "running"):
        return None
    words = "It is being found out whether an earlier result of it can be reused."
    remedy = "That takes seconds; if it takes longer, see whether the system worker and the store work."
    return Blocker(Code.REUSE, words, remedy=remedy)


def retry(asked: Asked) -> Blocker | None:
    """The time of its next attempt. Up to one query."""
    task = asked.task
    if asked.due:
        return None
    attempt = queries.latest_attempts([task.pk]).get(task.pk)
    after = f", as attempt {attempt.no} ended: {queries.attempt_message(attempt, task)}" if attempt else ""
    return Blocker(
        Code.RETRY,
        sentence(f"It waits before it is tried again{after}"),
        since=attempt.finished_at if attempt else None,
        until=task.next_attempt_at,
        remedy="Try it now, if what made it fail has passed.",
    )


def approval(asked: Asked) -> Blocker:
    """The people who may decide. Their names are for those who see the team. Up to three queries."""
    task, run = asked.task, asked.run
    by = " or ".join(approvals.config_of(task)["by"])
    people = approvals.deciders(run, task)
    words = f"It waits for {by or 'a person'} to decide."
    remedy = "One of those who may decide opens this task and does."
    if not people:
        remedy = (
            "Nobody may decide now: whoever asked for the run may not. Give somebody else in the team the "
            "role, or cancel the run."
        )
    elif asked.rights.can("view", run.team):
        words = f"{words[:-1]}: {some([person.shown_name for person in people[:MOST]], len(people))} may."
    return Blocker(
        Code.APPROVAL,
        words,
        since=task.started_at,
        until=task.deadline_at,
        links=(task_link("decide", run, task.key),),
        remedy=remedy,
    )


def environment(asked: Asked) -> Blocker | None:
    """What its worker has to build before the code can begin. Three queries."""
    if asked.task.kind not in WITH_ENVIRONMENT:
        return None
    held = Attempt.objects.filter(task_run=asked.task, state=AttemptState.RUNNING).select_related("lease")
    attempt = held.exclude(isolation=CONTAINER).defer("provenance").first()
    code = RunCode.objects.select_related("snapshot", "location").filter(run=asked.run).first()
    if attempt is None or code is None or not code.lock_sha256:
        return None
    rows = Environment.objects.filter(lock_sha256=code.lock_sha256, wanted=code.snapshot.python)
    found = rows.defer("log", "packages").first()
    host = attempt.lease.host
    if found is None or host in found.paths:
        return None
    said = found.problem or found.progress
    words = f"Its environment is not there yet on {host}, so it is built first"
    return Blocker(
        Code.ENVIRONMENT,
        sentence(f"{words}: {said}" if said else words),
        since=attempt.started_at,
        links=_environment_links(asked, found, code),
        remedy="It begins by itself when the environment is ready; the page of that shows how far it is.",
    )


def _environment_links(asked: Asked, found: Environment, code: RunCode) -> tuple[Link, ...]:
    """The page of an environment is for those who see the code that needs it."""
    if not asked.rights.can("view", code.location):
        return ()
    return (Link("environment", pages.of_environment(found), f"environment of {code.location.name}"),)
