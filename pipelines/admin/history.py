"""The audit chain in words: what was done to a thing, by whom and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.core.paginator import Page, Paginator
from django.db.models import Model, Q, QuerySet

from pipelines import audit
from pipelines.access import kind_of
from pipelines.models import AuditEvent, User

PAGE: Final = 50
LONGEST: Final = 300  # characters of one detail; the API and the export have all of it
DIGEST: Final = 12
ERASED: Final = "The details were erased."
# The thing done, as said after the name of who did it. A verb that is missing here is shown as it is.
_WORDS: Final = {
    "audit.export": "exported the audit log",
    "code.archive": "archived the code location",
    "code.register": "registered the code location",
    "code.restore": "restored the code location",
    "code.sync": "synced the code location",
    "code.change": "changed the code location",
    "code.follow": "followed the code location",
    "code.trust": "took the host key at the first contact of the code location",
    "draft.save": "saved the draft",
    "endpoint.create": "made the endpoint",
    "environment.build": "had the environment built",
    "environment.prune": "removed the environment, which nothing needs",
    "grant.end": "took back the loan",
    "grant.give": "lent to another team",
    "model.deploy": "deployed the model",
    "model.register": "registered the model",
    "person.change": "changed details",
    "person.create": "made the account",
    "person.deactivate": "deactivated the account",
    "person.password": "set a new password",
    "person.sign-in": "signed in",
    "person.sign-in-locked": "was refused after too many attempts to sign in",
    "person.sessions-ended": "ended sessions of their own",
    "person.second-factor": "changed their second factor",
    "person.second-factor-reset": "reset the second factor",
    "person.link": "linked a provider",
    "person.unlink": "unlinked a provider",
    "person.reactivate": "reactivated the account",
    "person.site-admin": "decided who is site admin",
    "pipeline.archive": "archived the pipeline",
    "pipeline.create": "made the pipeline",
    "pipeline.describe": "changed whose it is or what it is for",
    "pipeline.pause": "paused the pipeline",
    "pipeline.restore": "restored the pipeline",
    "pipeline.unpause": "let the pipeline go on",
    "purge": "removed bytes that nothing refers to from the",
    "queue.archive": "archived the queue",
    "queue.create": "made the queue",
    "queue.limits": "set the limits of tasks of the queue",
    "queue.pause": "paused the queue",
    "queue.rename": "renamed the queue",
    "queue.isolate": "changed the isolation of the queue",
    "queue.restore": "restored the queue",
    "queue.unpause": "let the queue go on",
    "record.seal": "sealed the record of an attempt",
    "run.cancel": "cancelled the run",
    "run.pause": "paused the run",
    "run.rerun": "started again, as a new run, the run",
    "run.resume": "resumed the run",
    "run.start": "started the run",
    "run.unpause": "let the run go on",
    "secret.archive": "archived the secret and forgot its value",
    "secret.change": "changed the secret",
    "secret.create": "stored the secret",
    "secret.rotate": "sealed the secret with another key",
    "slots.pool": "set the size of the pool of",
    "task.quarantine": "put into quarantine the task",
    "task.quarantine-lift": "lifted the quarantine of the task",
    "task.retry": "tried the task again",
    "team.archive": "archived the team",
    "team.create": "made the team",
    "team.limits": "set what the team may have at a time",
    "team.rename": "renamed the team",
    "team.restore": "restored the team",
    "team.roles": "set the roles of a member",
    "token.issue": "made the token",
    "token.revoke": "revoked the token",
    "version.activate": "made a version the active one",
    "version.publish": "published a version",
    "worker.drain": "had the worker leave",
}


@dataclass(frozen=True)
class Line:
    """One row of the chain, ready to be shown. facts: (name, value) pairs of its payload."""

    at: datetime
    actor: str
    token: str
    words: str
    facts: list[tuple[str, str]]
    thing: str
    place: str


def events_of(obj: Model) -> QuerySet[AuditEvent]:
    """All rows that tell of a thing, by its uuid, or by its name where it has none; the newest first."""
    about = Q(object_kind=kind_of(obj))
    uuid = getattr(obj, "uuid", None)
    about &= Q(object_uuid=uuid) if uuid is not None else Q(object_uuid=None, object_name=str(obj))
    if isinstance(obj, User):
        # A membership is told of at its team.
        about |= Q(object_kind="team", verb="team.roles", payload__body__person=obj.username)
    return newest_first(AuditEvent.objects.filter(about))


def acts_of(person: User) -> QuerySet[AuditEvent]:
    """What somebody did, the newest first."""
    return newest_first(AuditEvent.objects.filter(actor=person))


def newest_first(rows: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
    return rows.select_related("payload", "token", "team").order_by("-id")


def page(rows: QuerySet[AuditEvent], number: str | None) -> Page[AuditEvent]:
    """One page of rows; ``line`` says each in words."""
    return Paginator(rows, PAGE).get_page(number)


def line(event: AuditEvent) -> Line:
    """An event in words."""
    return Line(
        at=event.at,
        actor=event.actor_name,
        token=(event.token.name or "a token") if event.token else "",
        words=words(event.verb),
        facts=facts(event),
        thing=event.object_name,
        place=f"{event.team.slug if event.team else 'site'} #{event.seq}",
    )


def words(verb: str) -> str:
    """What a verb means, as said after a name."""
    return _WORDS.get(verb, verb)


def facts(event: AuditEvent) -> list[tuple[str, str]]:
    """The payload of an event as pairs of words."""
    payload = audit.payload_of(event)
    if payload is None:
        return [("", ERASED)] if event.payload_id else []
    return [
        (name.replace("_", " "), _said(value)[: DIGEST if name.endswith("sha256") else LONGEST])
        for name, value in payload.items()
    ]


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or value in ("", [], {}):
        return "nothing"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list):
        return ", ".join(_said(each) for each in value)
    if isinstance(value, dict):
        return "; ".join(_pairs(value))
    return str(value)


def _pairs(parts: dict[str, Any]) -> list[str]:
    return [f"{name.replace('_', ' ')}: {_inner(each)}" for name, each in parts.items()]


def _inner(value: Any) -> str:
    """A value within another: in brackets where it has parts of its own."""
    return f"({', '.join(_pairs(value))})" if isinstance(value, dict) and value else _said(value)
