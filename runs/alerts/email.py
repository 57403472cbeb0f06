"""One e-mail to a pipeline's owner when a run of it fails beyond its retries.

The engine asks for it by a chore, once per run, in the transaction of the first failure. A chore whose
delivery failed is repeated; the Message-ID stays the same, so a mail server can tell a repetition.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

from pipelines.models import Membership, Pipeline, Role, User
from runs import logs, queries
from runs.models import Attempt, Chore, Run, TaskRun

LOG_LINES = 20
LINE_LENGTH = 300  # characters of a log line that are shown
# Escape sequences of terminals, and control characters: a mail is no terminal.
UNPRINTABLE = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|[\x00-\x08\x0b-\x1f\x7f-\x9f]"
)


class NobodyToTell(Exception):
    """Neither the pipeline nor its team has an active person with an address."""


@dataclass(frozen=True, slots=True)
class Alert:
    """What the owner is told, in words."""

    subject: str
    pipeline: str
    title: str
    number: int
    version: int
    task: str
    attempt: int
    cause: str
    requested_by: str
    log: list[str]
    link: str
    why_you: str


def deliver(chore: Chore) -> None:
    """Send the mail that a chore of kind ``alert`` asks for. Raises what the mail server raises."""
    run = Run.objects.select_related("pipeline__team", "pipeline__owner", "pipeline__deputy", "version").get(
        uuid=chore.payload["run"]
    )
    task_run = TaskRun.objects.select_related("task").get(pk=chore.payload["task_run"])
    people, why = recipients(run.pipeline)
    message(run, compose(run, task_run, why), [str(person.email) for person in people]).send()


def recipients(pipeline: Pipeline) -> tuple[list[User], str]:
    """Who is told, and why they: the owner, else the deputy, else the team's admins."""
    for person, why in (
        (pipeline.owner, "you own this pipeline"),
        (pipeline.deputy, "you are the deputy of this pipeline, and its owner is not there"),
    ):
        if person is not None and reachable(person):
            return [person], why
    admins = Membership.objects.filter(
        team_id=pipeline.team_id, role=Role.ADMIN, ended_at=None, user__is_active=True
    ).select_related("user")
    found = [member.user for member in admins.order_by("user__username") if reachable(member.user)]
    if not found:
        raise NobodyToTell(
            f"{pipeline} has no active owner or deputy with an e-mail address, and its team no such admin: "
            "give the pipeline an owner."
        )
    return found, "you are an admin of its team, and this pipeline has neither owner nor deputy"


def reachable(person: User) -> bool:
    return person.is_active and bool(person.email)


def compose(run: Run, task_run: TaskRun, why_you: str) -> Alert:
    """The words of the alert."""
    attempt = queries.latest_attempts([task_run.pk]).get(task_run.pk)
    cause = queries.task_message(task_run, attempt) or "It failed."
    pipeline = f"{run.pipeline.team.slug}:{run.pipeline.name}"
    return Alert(
        subject=one_line(f"{pipeline} #{run.number} failed at {task_run.key}: {cause}", 180),
        pipeline=pipeline,
        title=one_line(run.pipeline.title or run.pipeline.name, 200),
        number=run.number,
        version=run.version.number,
        task=task_run.key,
        attempt=attempt.no if attempt else 0,
        cause=one_line(cause, 500),
        requested_by=run.requested_by.shown_name if run.requested_by else "",
        log=[one_line(line, LINE_LENGTH, strip=False) for line in logs.tail(attempt, LOG_LINES)]
        if attempt
        else [],
        link=link_to(run, task_run, attempt),
        why_you=why_you,
    )


def link_to(run: Run, task_run: TaskRun, attempt: Attempt | None) -> str:
    """The page of the run with the failed task open."""
    place = f"?task={quote(task_run.key, safe='')}"
    if attempt is not None:
        place += f"&attempt={attempt.no}&tab=log"
    return f"{settings.ORCHESTRATOR['URL']}/runs/{run.uuid}{place}"


def message(run: Run, alert: Alert, to: list[str]) -> EmailMultiAlternatives:
    """The mail itself; its Message-ID is the run's own."""
    host = urlsplit(settings.ORCHESTRATOR["URL"]).hostname or "localhost"
    mail = EmailMultiAlternatives(
        subject=alert.subject,
        body=render_to_string("runs/alert.txt", {"alert": alert}),
        to=to,
        headers={
            "Message-ID": f"<run-{run.uuid}-failed@{host}>",
            "Auto-Submitted": "auto-generated",
        },
    )
    mail.attach_alternative(render_to_string("runs/alert.html", {"alert": alert}), "text/html")
    return mail


def one_line(text: str, limit: int, *, strip: bool = True) -> str:
    """Printable text on one line, cut at ``limit`` characters."""
    flat = UNPRINTABLE.sub("", text.replace("\n", " "))
    flat = flat.strip() if strip else flat.rstrip()
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"
