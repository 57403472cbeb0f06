"""Who may decide on a task that waits for a person, and in which role."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Q

from pipelines.access import Rights
from pipelines.models import Membership, Role, User
from runs.models import Run, TaskRun
from runs.states import TaskState

# The role under which somebody decides whom the task names by user name and who holds no named role.
NAMED_PERSON = "named"


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether this person may decide: the ``role`` it counts as, or else the sentence ``why_not``."""

    role: str | None
    why_not: str | None


def config_of(task_run: TaskRun) -> dict[str, Any]:
    """The approval's own keys: ``by``, ``deadline`` (seconds), ``requester_may_approve``."""
    config = task_run.task.spec.get("config") or {}
    return {"by": [], "deadline": None, "requester_may_approve": False, **config}


def standing(rights: Rights, run: Run, task_run: TaskRun) -> Standing:
    """May the person decide on this task now? Reads no more than the rights do."""
    if task_run.kind != "approval":
        return Standing(None, "This task does not ask for a decision.")
    if task_run.state != TaskState.AWAITING_APPROVAL:
        return Standing(None, f"This task waits for no decision now; it is {task_run.state}.")
    config = config_of(task_run)
    if getattr(rights.user, "service_of_id", None) is not None:
        return Standing(None, "A service account decides on nothing: a decision is a person's.")
    if not rights.scope_allows("approve"):
        return Standing(None, rights.scope_missing("approve"))
    role = deciding_role(config["by"], rights.user.get_username(), rights.roles_in(run.team_id))
    if role is None:
        return Standing(None, f"Only {' or '.join(config['by'])} may decide on this task.")
    if asked_for(run, rights.user.pk) and not config["requester_may_approve"]:
        return Standing(None, "Whoever asked for the run may not decide on it; ask somebody else.")
    return Standing(role, None)


def asked_for(run: Run, person_id: int | None) -> bool:
    """Did this person ask for the run, as themselves or with a token that they issued for another account?"""
    return run.requested_by_id == person_id or (run.token is not None and run.token.issued_by_id == person_id)


def deciding_role(by: list[str], username: str, roles: frozenset[str]) -> str | None:
    """The role in which a person meets ``by`` (roles and user names), or None."""
    known = set(Role.values)
    for name in by:
        if name in known and name in roles:
            return name
    return NAMED_PERSON if username in by and username not in known else None


def deciders(run: Run, task_run: TaskRun) -> list[User]:
    """The people who may decide on the task, by user name. One query."""
    config = config_of(task_run)
    by = set(config["by"])
    held = Membership.objects.filter(user=OuterRef("pk"), team=run.team_id, ended_at=None, role__in=by)
    meant = Q(Exists(held)) | Q(username__in=by - set(Role.values))
    people = User.objects.filter(meant, is_active=True, service_of=None).order_by("username")
    return [person for person in people if config["requester_may_approve"] or not asked_for(run, person.pk)]
