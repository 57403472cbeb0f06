"""Tasks that take their workers with them: no run begins them again before a person has looked.

A task whose third worker was lost has failed as poison, and is in quarantine with its version: runs with it
are refused, and those that are queued stay so. A task of another version is another task.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from pipelines import audit
from pipelines.clock import EngineNow
from pipelines.models import ApiToken, PipelineVersion, User
from runs.models import Quarantine, TaskRun
from runs.refusals import Refused


def put(task_run_id: int) -> None:
    """Put the task of this task run into quarantine, in the transaction in which it failed."""
    poisoned = TaskRun.objects.select_related("run__version", "team").get(pk=task_run_id)
    row, made = Quarantine.objects.get_or_create(
        version=poisoned.run.version,
        task_key=poisoned.key,
        lifted_at=None,
        defaults={"team": poisoned.team, "task_run": poisoned},
    )
    if made:
        facts = {"task": poisoned.key, "run": poisoned.run.number, "version": poisoned.run.version.number}
        audit.write(None, "task.quarantine", row, facts, team=poisoned.team)


def refuse(version: PipelineVersion, keys: Iterable[str] | None) -> None:
    """Raises Refused when one of these tasks of a version, or of all for None, is in quarantine."""
    held = Quarantine.objects.filter(version=version, lifted_at=None)
    if keys is not None:
        held = held.filter(task_key__in=list(keys))
    # Mostly there is none, and it takes less to ask for that than to say what is read of one.
    if held.exists() and (found := held.select_related("task_run__run").first()):
        raise Refused("quarantined", f"{words(found)} {remedy(version)}")


def words(row: Quarantine) -> str:
    """Why nothing begins the task, or nothing began it. The row comes with its task run and run."""
    number = row.task_run.run.number
    verb = "is" if row.lifted_at is None else "was"
    return f"{row.task_key} {verb} in quarantine: in run #{number} it was lost with its worker three times."


def remedy(version: PipelineVersion) -> str:
    """What can be done about a quarantine."""
    return (
        f"Publish a version after {version.number} that is mended, or have an operator lift the quarantine."
    )


@transaction.atomic
def lift(row: Quarantine, comment: str, *, actor: User, token: ApiToken | None = None) -> bool:
    """Let runs begin the task again; those that are queued do so within seconds. False when it was lifted."""
    rows = Quarantine.objects.filter(pk=row.pk, lifted_at=None)
    if not rows.update(lifted_at=EngineNow(), lifted_by=actor, comment=comment):
        return False
    facts = {"task": row.task_key, "comment": comment}
    audit.write(actor, "task.quarantine-lift", row, facts, team=row.team, token=token)
    return True
