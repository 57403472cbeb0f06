"""The environments of this machine that nothing needs any more, and their removal."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterable

import structlog
from django.conf import settings
from django.db import connection, transaction

from pipelines import audit
from runs import chores
from runs.environments import building, pruning
from runs.environments.rows import Row
from runs.models import Chore, Environment

log = structlog.get_logger()

LOOK_EVERY = 3600.0  # seconds between two questions whether a day has passed

_next_look = time.monotonic() + 600.0

NEEDED = """
    SELECT e.lock_sha256, e.python FROM environment e WHERE e.python <> '' AND (
        EXISTS (
            SELECT FROM code_location l JOIN code_snapshot s ON s.id = l.last_snapshot_id
            WHERE l.archived_at IS NULL AND s.lock_sha256 = e.lock_sha256 AND s.python = e.wanted
        ) OR EXISTS (
            SELECT FROM pipeline p JOIN pipeline_version v ON v.id = p.active_version_id
            WHERE p.archived_at IS NULL AND v.spec #>> '{code,lock}' = e.lock_sha256
        ) OR EXISTS (
            SELECT FROM run r JOIN run_code c ON c.run_id = r.id
            WHERE r.state IN ('queued', 'running', 'cancelling') AND c.lock_sha256 = e.lock_sha256
        )
    )
"""


def needed() -> set[tuple[str, str]]:
    """(sha256 of the lock, Python version built on) of what unarchived locations, versions and runs use."""
    with connection.cursor() as cursor:
        cursor.execute(NEEDED)
        return {(lock, python) for lock, python in cursor.fetchall()}


def prunable(days: float | None = None) -> list[pruning.Found]:
    """What nothing needs and nobody used for ``days``, by default the setting's, on this machine."""
    limit = settings.ORCHESTRATOR["ENVIRONMENT_DAYS"] if days is None else days
    cache = building.cache_folder()
    return pruning.prunable(cache, limit, pruning.paths_of(cache, needed()))


def prune(days: float | None = None, *, by_person: bool = False) -> list[pruning.Found]:
    """Remove what is prunable from this machine; returns what went. A person's doing is written down."""
    building.let_go()
    removed = [found for found in prunable(days) if pruning.remove(found.folder)]
    _forget(removed)
    if removed and by_person:
        names = [found.folder.name for found in removed]
        with transaction.atomic():
            freed = {"host": socket.gethostname(), "removed": names, "bytes": sum(f.own for f in removed)}
            audit.write(None, "environment.prune", None, freed, team=None, name=socket.gethostname())
    return removed


def _forget(removed: Iterable[pruning.Found]) -> None:
    gone = {str(found.folder / "bin" / "python") for found in removed}
    host = socket.gethostname()
    for row in Environment.objects.filter(paths__has_key=host).only("lock_sha256", "wanted", "paths"):
        if row.paths[host] in gone:
            Row(row.lock_sha256, row.wanted).gone()


def carry_out_prune(chore: Chore) -> None:
    """Once a day: remove what is not needed, and say how much room that made."""
    removed = prune()
    if removed:
        log.info("unused environments were removed", count=len(removed), bytes=sum(f.own for f in removed))


def ask_daily() -> None:
    """Have unused environments removed once a day; for the sweep."""
    global _next_look
    if time.monotonic() < _next_look:
        return
    _next_look = time.monotonic() + LOOK_EVERY
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT NOT EXISTS (SELECT FROM chore WHERE kind = 'prune' "
            "AND (state IN ('waiting', 'running') OR finished_at > engine_now() - interval '1 day'))"
        )
        if cursor.fetchone()[0]:
            chores.ask("prune", "environments")
