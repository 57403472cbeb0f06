"""The audit chain: who did what, each row bound to the one before it by the database.

``write`` is called last in the transaction of the change: from then until the commit no other row of the
same chain can be written. The place in the chain and the hashes are the work of a trigger
(``sql/audit.sql``); ``verify`` computes them again.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction
from django.db.models import Model

from pipelines.models import ApiToken, AuditEvent, AuditPayload, Team, User

SYSTEM = "system"
_SALT = "~"  # makes the hash of an erased payload useless for guessing what it was


def write(
    actor: User | None,
    verb: str,
    obj: Model | None,
    payload: Mapping[str, Any],
    *,
    team: Team | None,
    token: ApiToken | None = None,
    name: str = "",
) -> AuditEvent:
    """Append one row to the chain of ``team``, or to the site's when it is None.

    Must run inside the transaction that makes the change, as its last statement. ``actor`` None means the
    product itself. ``payload`` is JSON and holds no secret. Read the row again to see its place and hash.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError(
            "An audit row belongs in the transaction of the change it tells of."
        )
    body = AuditPayload(body={**_plain(payload), _SALT: secrets.token_hex(8)})
    body.save(force_insert=True)
    event = AuditEvent(
        team=team,
        actor=actor,
        actor_name=actor.username if actor else SYSTEM,
        token=token,
        verb=verb,
        object_kind=str(obj._meta.model_name) if obj is not None else "site",
        object_uuid=getattr(obj, "uuid", None),
        object_name=name or (str(obj) if obj is not None else ""),
        payload=body,
        seq=0,
    )
    event.save(force_insert=True)
    return event


def _plain(payload: Mapping[str, Any]) -> dict[str, Any]:
    """The payload as JSON holds it: times, uuids and numbers in their written form."""
    return dict(json.loads(json.dumps(dict(payload), cls=DjangoJSONEncoder)))


def payload_of(event: AuditEvent) -> dict[str, Any] | None:
    """What was written with an event; None when it has been erased."""
    body = event.payload.body if event.payload else None
    if body is None:
        return None
    return {key: value for key, value in body.items() if key != _SALT}


def erase(event: AuditEvent) -> None:
    """Forget the text behind a row, for a person's sake; the chain still holds."""
    if event.payload_id is not None:
        AuditPayload.objects.filter(pk=event.payload_id).update(body=None)


@dataclass(frozen=True)
class Verdict:
    """What verifying one chain found: ``rows`` looked at, ``head`` the hash of the last, and each fault."""

    chain: str
    rows: int
    head: str
    faults: list[str]

    @property
    def valid(self) -> bool:
        return not self.faults


_FAULTS = """
WITH linked AS (
    SELECT e.id, e.seq, e.hash, e.prev_hash, e.payload_id, e.payload_sha256,
           audit_hash(e) AS again,
           lag(e.seq, 1, 0::bigint) OVER w AS seq_before,
           lag(e.hash::text, 1, repeat('0', 64)) OVER w AS hash_before
    FROM audit_event e WHERE e.chain = %s
    WINDOW w AS (ORDER BY e.seq)
)
SELECT l.seq,
       l.seq <> l.seq_before + 1,
       l.prev_hash <> l.hash_before,
       l.hash <> l.again,
       p.body IS NOT NULL AND audit_payload_hash(p.body) <> l.payload_sha256
           OR p.id IS NULL AND l.payload_sha256 <> ''
           OR p.sha256 <> l.payload_sha256
FROM linked l LEFT JOIN audit_payload p ON p.id = l.payload_id
WHERE l.seq <> l.seq_before + 1 OR l.prev_hash <> l.hash_before OR l.hash <> l.again
   OR p.body IS NOT NULL AND audit_payload_hash(p.body) <> l.payload_sha256
   OR p.id IS NULL AND l.payload_sha256 <> ''
   OR p.sha256 <> l.payload_sha256
ORDER BY l.seq LIMIT 100
"""
_WHAT = (
    "a row before it is missing",
    "it does not follow the row before it",
    "its content does not have its hash",
    "its payload does not have its hash",
)


def chains() -> list[str]:
    """The names of all chains that have a row: ``site`` and ``team:<uuid>``."""
    return list(AuditEvent.objects.order_by("chain").values_list("chain", flat=True).distinct())


def verify(chain: str) -> Verdict:
    """Compute every hash of a chain again. Rows cut off at its end are noticed by its anchors only."""
    with connection.cursor() as cursor:
        cursor.execute(_FAULTS, [chain])
        found = cursor.fetchall()
    faults = [
        f"row {seq}: {what}"
        for seq, *flags in found
        for what, wrong in zip(_WHAT, flags, strict=True)
        if wrong
    ]
    last = AuditEvent.objects.filter(chain=chain).order_by("-seq").first()
    return Verdict(chain, AuditEvent.objects.filter(chain=chain).count(), last.hash if last else "", faults)
