"""What a document may name: queues, code, endpoints, secrets and people, as plain values. Pure.

None means "not known here": names are then not judged, as with `orchestrator validate` offline.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.signatures import Signature

ROLES = ("viewer", "editor", "operator", "approver", "auditor", "admin")
PRODUCTION = "production"


@dataclass(frozen=True, slots=True)
class CodeSeen:
    """A code location as seen now. Digests are hex; None before the first sync or without a lock file.

    environment: of its lock file: "state", "problem" and "problem_code"; None where it needs none.
    """

    snapshot: str | None = None
    lock: str | None = None
    blocks: Mapping[str, Signature] | None = None
    environment: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Context:
    """locations by name; queues: name -> image of its containers, or ""; endpoints: name -> stage.

    users: user names who may be asked to approve.
    pipeline_fields: owner, deputy, purpose and runbook of the pipeline (falsy where empty).
    pipeline_name: the name the document must carry.
    slots: kind -> the most units that one task could be given, on one machine or of one pool.
    """

    locations: Mapping[str, CodeSeen] | None = None
    queues: Mapping[str, str] | None = None
    endpoints: Mapping[str, str] | None = None
    secrets: Collection[str] | None = None
    users: Collection[str] | None = None
    pipeline_fields: Mapping[str, Any] | None = None
    pipeline_name: str | None = None
    slots: Mapping[str, int] | None = None

    @classmethod
    def empty(cls) -> Context:
        """Nothing is known, so only what the document itself says is judged."""
        return cls()

    def blocks(self, location: str) -> Mapping[str, Signature] | None:
        """Signatures by "module:function"; None when they are not known here."""
        seen = (self.locations or {}).get(location)
        return seen.blocks if seen is not None else None

    def code(self, location: str) -> dict[str, str | None] | None:
        """{"snapshot", "lock"} of a location; None when it is not known here."""
        seen = (self.locations or {}).get(location)
        return {"snapshot": seen.snapshot, "lock": seen.lock} if seen is not None else None
