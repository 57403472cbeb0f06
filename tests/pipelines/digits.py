"""A code location and a context for the tests of documents; nothing here touches Django."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pipelines.context import CodeSeen, Context
from pipelines.signatures import read_modules

HERE: Final = Path(__file__).parent
CODE: Final = (HERE / "digits_code.py.txt").read_text(encoding="utf-8")
DOCUMENT: Final = (HERE / "digits_training.yaml").read_text(encoding="utf-8")
SNAPSHOT: Final = "a1" * 32
LOCK: Final = "b2" * 32


def context() -> Context:
    """Alice's team: one synced location, one that never was, two queues, a demo and a production endpoint."""
    blocks = read_modules({"digits": CODE}).blocks
    return Context(
        locations={"demo": CodeSeen(SNAPSHOT, LOCK, blocks), "fresh": CodeSeen()},
        queues={"cpu": "", "gpu": ""},
        endpoints={"digits-prod": "demo", "live": "production"},
        secrets={"database"},
        users={"alice", "bob"},
        pipeline_fields={"owner": "alice", "deputy": None, "purpose": "", "runbook": ""},
    )
