"""Two open addresses: /healthz says that the process answers, /readyz which part of the product does not.

Anybody may ask, so the sentences name no address, path or password; the log of web has the details.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import redis
import structlog
from django.conf import settings
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from pipelines.clock import EngineNow
from pipelines.problems import listed
from pipelines.store import StoreError, configured
from runs import queries, sweeps
from runs.models import Queue, WorkerLease
from runs.worker import fitness

log = structlog.get_logger(__name__)
PATIENCE = 2.0  # seconds that Redis may take to answer
REMEMBERED = 5.0  # seconds for which an answer about the store and the disk is good

LEADERS = """
    SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND (classid::bigint << 32) + objid::bigint = %s
"""
Check = Callable[[], str]


@dataclass(frozen=True)
class Part:
    """A part of the product: ``check`` returns "" or a sentence, ``failing`` is said when it raises.

    ``needed``: without it pages cannot be served. ``working``: what is said when it works.
    """

    check: Check
    needed: bool
    failing: str
    working: Check = lambda: "It works."


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """Each part with `ok` or `trouble` and a sentence. 503 when a needed one fails, else 200.

    status: `ready`, `degraded` (pages are served, and something does not work) or `not ready`.
    """
    parts = {name: _state(name, part) for name, part in PARTS.items()}
    broken = [name for name, part in parts.items() if part["state"] != "ok"]
    ready = not any(PARTS[name].needed for name in broken)
    status = "not ready" if not ready else "degraded" if broken else "ready"
    return JsonResponse({"status": status, "parts": parts}, status=200 if ready else 503)


def _state(name: str, part: Part) -> dict[str, Any]:
    try:
        words = part.check()
        working = "" if words else part.working()
    except (Error, redis.RedisError, OSError, StoreError) as error:
        log.warning("not ready", part=name, error=str(error).strip())
        words = part.failing
    return {"state": "trouble" if words else "ok", "needed": part.needed, "words": words or working}


# --- checks ---------------------------------------------------------------------------------------------


def _ask_database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return ""


def _ask_redis() -> str:
    client = redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE
    )
    with client:
        client.ping()
    return ""


_migrated = False


def _ask_migrations() -> str:
    """Once all are there they stay: a process is never older than the tables it has found."""
    global _migrated
    if not _migrated:
        executor = MigrationExecutor(connection)
        missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
        if missing:
            return (
                f"The tables are older than this version: {missing} migrations wait for `manage.py migrate`."
            )
        _migrated = True
    return ""


def _ask_sweep() -> str:
    with connection.cursor() as cursor:
        cursor.execute(LEADERS, [sweeps.LEADER_LOCK])
        row = cursor.fetchone()
    if row and row[0]:
        return ""
    return "No sweep runs: lost tasks are not found and schedules do not fire. Start `manage.py sweep`."


def _ask_workers() -> str:
    """Every queue that hands out tasks has somebody who takes them."""
    served = set(_live_workers().values_list("queue", flat=True))
    asking = set(Queue.objects.filter(archived_at=None, paused_at=None).values_list("slug", flat=True))
    if not served:
        return "No worker runs: tasks wait. Start `manage.py worker --queue NAME`."
    idle = sorted(asking - served)
    if idle:
        return f"Nobody serves the queues {', '.join(idle[:5])}: their tasks wait. Start a worker for each."
    return ""


def _count_workers() -> str:
    counted = _live_workers().order_by().values_list("queue").annotate(count=Count("pk"))
    (first, count), *others = sorted(counted, key=lambda pair: (-pair[1], pair[0]))
    told = [
        f"{count} worker{'' if count == 1 else 's'} of {first}",
        *(f"{n} of {queue}" for queue, n in others),
    ]
    return f"Tasks are taken by {listed(told, 9)}."


def _live_workers() -> QuerySet[WorkerLease]:
    return queries.open_leases().filter(expires_at__gt=EngineNow())


class Remembered:
    """A check that costs more, asked at most every few seconds, however often somebody wants to know."""

    def __init__(self, check: Check) -> None:
        self.check = check
        self.asked = -REMEMBERED
        self.words = ""

    def __call__(self) -> str:
        if time.monotonic() - self.asked >= REMEMBERED:
            self.words = self.check()
            self.asked = time.monotonic()
        return self.words


def _ask_store() -> str:
    trouble = configured.trouble()
    if trouble:
        log.warning("not ready", part="store", error=trouble)
        return "The artifact store cannot be used: tasks that give files fail. The log of web says why."
    return ""


def _ask_disk() -> str:
    least = settings.ORCHESTRATOR["FREE_DISK_MIB"] * fitness.MIB
    trouble = fitness.low_disk(fitness.watched(configured.store()), least)
    if trouble:
        log.warning("not ready", part="disk", error=trouble)
        return "A disk is almost full: workers take no tasks until there is room. The log of web says which."
    return ""


PARTS: dict[str, Part] = {
    "database": Part(
        _ask_database, True, "PostgreSQL does not answer, or refuses us. The log of web says why."
    ),
    "redis": Part(_ask_redis, True, "Redis does not answer, or refuses us. The log of web says why."),
    "migrations": Part(
        _ask_migrations, True, "Which tables there are cannot be found out without PostgreSQL."
    ),
    "sweep": Part(_ask_sweep, False, "Whether a sweep runs cannot be found out without PostgreSQL."),
    "workers": Part(
        _ask_workers, False, "Which workers run cannot be found out without PostgreSQL.", _count_workers
    ),
    "store": Part(
        Remembered(_ask_store), False, "The artifact store cannot be used. The log of web says why."
    ),
    "disk": Part(Remembered(_ask_disk), False, "The disks cannot be looked at. The log of web says why."),
}
