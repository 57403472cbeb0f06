"""Slots: registered by workers, put in pools by site admins, looked after by the sweep.

The claim gives them and the finish frees them, in ``runs/sql/slots.sql``.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Final
from uuid import UUID

import structlog
from django.db import connection, transaction
from django.db.models import QuerySet

from pipelines import audit
from pipelines.clock import EngineNow
from pipelines.errors import Invalid
from pipelines.models import ApiToken, User
from runs.models import AttemptSlot, Slot
from runs.models.slot import GPU
from runs.transitions import Told, call

log = structlog.get_logger()

MOST_UNITS: Final = 10_000
STATES: Final = ("free", "held", "reserved", "withdrawn")
RESERVE_AFTER: Final = 600.0  # seconds after which a wide task reserves its host
_KIND: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


@dataclass(frozen=True)
class Device:
    """A GPU of a host. ``device``: its UUID; ``position``: its number there; memory in MiB."""

    device: str
    position: int
    name: str
    memory_mib: int | None


def register(lease: UUID, devices: Sequence[Device]) -> int:
    """A live worker offers these GPUs of its host and no others; returns how many are new or back."""
    named = json.dumps([asdict(device) for device in devices])
    with connection.cursor() as cursor:
        cursor.execute("SELECT engine_register(%s, %s::jsonb)", [lease, named])
        (count,) = cursor.fetchone()
    return int(count)


# --- pools --------------------------------------------------------------------------------------------


@transaction.atomic
def set_pool(kind: str, units: int, *, actor: User, token: ApiToken | None = None) -> bool:
    """Have so many units of a kind that workers of every host may take, such as seats of a licence.

    Fewer than before: those held now are withdrawn, and leave with their holders. False when nothing changes.
    Invalid: not a name, ``gpu``, or a number out of range.
    """
    check_kind(kind)
    if not 0 <= units <= MOST_UNITS:
        raise Invalid(f"A pool has between 0 and {MOST_UNITS:,} units.", errors=[("units", "Out of range.")])
    # Two admins at once: the second counts what the first has written.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('pool'), hashtext(%s))", [kind])
    rows = list(Slot.objects.select_for_update().filter(kind=kind).order_by("position"))
    before = sum(row.withdrawn_at is None for row in rows)
    if before == units:
        return False
    Slot.objects.filter(kind=kind, position__gt=units, withdrawn_at=None).update(withdrawn_at=EngineNow())
    Slot.objects.filter(kind=kind, position__lte=units).exclude(withdrawn_at=None).update(withdrawn_at=None)
    Slot.objects.bulk_create(
        Slot(kind=kind, device=str(number), position=number) for number in range(len(rows) + 1, units + 1)
    )
    more = max(0, units - before)
    Told(woken=call("engine_wanting", [kind] * more)).after_commit()
    subject = Slot.objects.filter(kind=kind).order_by("position").first()
    audit.write(
        actor, "slots.pool", subject, {"kind": kind, "before": before, "units": units}, team=None, token=token
    )
    return True


def check_kind(kind: str) -> None:
    """Raises Invalid for what cannot be the name of a pool."""
    if not _KIND.fullmatch(kind):
        raise Invalid(
            "Name the kind with small letters, digits and hyphens, such as licence-matlab.",
            errors=[("kind", "Not a name.")],
        )
    if kind == GPU:
        raise Invalid(
            "GPUs are registered by the workers of their machines: choose another name.",
            errors=[("kind", "Not for a pool.")],
        )


# --- what is shown ------------------------------------------------------------------------------------


def shown() -> QuerySet[Slot]:
    """All slots with what is said of who holds them, and for whom they are reserved."""
    runs = [f"{name}__run" for name in ("holder", "reserved_for")]
    heavy = ("params", "only", "pipeline__draft_text", "pipeline__draft_layout")
    return Slot.objects.select_related("holder__task_run", *(f"{run}__pipeline__team" for run in runs)).defer(
        "holder__provenance", *(f"{run}__{column}" for run in runs for column in heavy)
    )


def state_of(slot: Slot) -> str:
    """One of :data:`STATES`; what is held is held, whoever offers it."""
    if slot.holder_id is not None:
        return "held"
    if slot.withdrawn_at is not None:
        return "withdrawn"
    return "reserved" if slot.reserved_for_id is not None else "free"


def held_by(attempt_ids: Collection[int]) -> dict[int, list[Slot]]:
    """Attempt -> the slots that it holds, or held until it ended; one query."""
    found: dict[int, list[Slot]] = defaultdict(list)
    rows = AttemptSlot.objects.filter(attempt_id__in=attempt_ids).select_related("slot")
    for row in rows.order_by("slot__kind", "slot__position", "slot_id"):
        found[row.attempt_id].append(row.slot)
    return found


# --- the sweep ----------------------------------------------------------------------------------------


def sweep() -> None:
    """Free what ended attempts still hold, withdraw what nobody offers, reserve for wide tasks that wait."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT slot_id, attempt_id FROM engine_free_orphans()")
        for slot, attempt in cursor.fetchall():
            log.error("a slot was held by an attempt that had ended", slot=slot, attempt=attempt)
        cursor.execute("SELECT host, device FROM engine_withdraw()")
        for host, device in cursor.fetchall():
            log.warning("no worker offers a device any more", host=host, device=device)
        cursor.execute("SELECT engine_reserve(%s)", [RESERVE_AFTER])
