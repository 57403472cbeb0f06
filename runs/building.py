"""The environments of code locations: built when code is synced, or at the latest when a task needs one.

What a machine has built stands in the rows of ``Environment``: state, path per host and, after a failure, the
end of what uv said.
"""

from __future__ import annotations

import platform
import socket
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django.db import connection

from pipelines import snapshots
from pipelines.clock import EngineNow
from pipelines.models import CodeSnapshot
from pipelines.store import Store, configured
from runs import chores, environments
from runs.models import Chore, Environment

log = structlog.get_logger()

LOG_TAIL = 16 * 1024  # bytes of uv's words that are kept after a failure

# Environments that this process knows to be built and written down.
_known: set[str] = set()


def checkout(store: Store, tree_sha256: str) -> Path:
    """The folder of a snapshot on this machine, fetched if need be. Raises StoreError, OSError."""
    return snapshots.materialise(store, tree_sha256, Path(settings.ORCHESTRATOR["HOME"]) / "snapshots")


def read_lock(store: Store, tree_sha256: str, lock_file: str) -> bytes:
    """The bytes of a snapshot's lock file. Raises StoreError, OSError."""
    return (checkout(store, tree_sha256) / lock_file).read_bytes()


def interpreter(lock_sha256: str, read: Callable[[], bytes]) -> str:
    """The interpreter of a lock's environment, built now if it is not there. Raises BuildFailed."""
    cache = Path(settings.ORCHESTRATOR["CACHE"])
    if lock_sha256 in _known and environments.built(cache, lock_sha256):
        return str(environments.environment_path(cache, lock_sha256) / "bin" / "python")
    if not environments.built(cache, lock_sha256):
        _write_down(lock_sha256, state="building")
    try:
        python = str(environments.interpreter(cache, lock_sha256, read))
    except environments.BuildFailed as failure:
        _write_down(lock_sha256, state="failed", log=_said(failure))
        raise
    _write_down(lock_sha256, state="ready", log="", built_at=EngineNow())
    _add_path(lock_sha256, python)
    _known.add(lock_sha256)
    return python


def _said(failure: environments.BuildFailed) -> str:
    if failure.log is None or not failure.log.is_file():
        return str(failure)
    tail = failure.log.read_bytes()[-LOG_TAIL:].decode(errors="replace")
    return f"{failure}\n{tail}".replace("\0", "")


def _write_down(lock_sha256: str, **fields: Any) -> None:
    Environment.objects.bulk_create(
        [Environment(lock_sha256=lock_sha256, python=platform.python_version())], ignore_conflicts=True
    )
    Environment.objects.filter(lock_sha256=lock_sha256).update(**fields)


def _add_path(lock_sha256: str, python: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE environment SET paths = paths || jsonb_build_object(%s::text, %s::text) "
            "WHERE lock_sha256 = %s",
            [socket.gethostname(), python, lock_sha256],
        )


def when_synced(snapshot: CodeSnapshot, **_: Any) -> None:
    """A new snapshot: have its environment built before the first task asks for it."""
    if snapshot.lock_sha256:
        chores.ask("build", snapshot.lock_sha256, {"snapshot": snapshot.id})


def carry_out(chore: Chore) -> None:
    """Build what a chore names. Raises BuildFailed, StoreError, OSError: tried again later."""
    snapshot = CodeSnapshot.objects.select_related("location").get(id=chore.payload["snapshot"])
    store = configured.store()
    read = partial(read_lock, store, snapshot.tree_sha256, snapshot.location.lock_file)
    interpreter(snapshot.lock_sha256, read)
