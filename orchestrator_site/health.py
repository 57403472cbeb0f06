"""Two open addresses: /healthz says that the process answers, /readyz whether what it needs does."""

from __future__ import annotations

from collections.abc import Callable

import redis
import structlog
from django.conf import settings
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

log = structlog.get_logger(__name__)
PATIENCE = 2.0  # seconds that Redis may take to answer


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """200 when everything needed answers, else 503; each need is named with `ok` or `unavailable`."""
    needs = {name: _state(name, check) for name, check in CHECKS.items()}
    ready = all(state == "ok" for state in needs.values())
    return JsonResponse({"status": "ok" if ready else "unavailable", **needs}, status=200 if ready else 503)


def _state(name: str, check: Callable[[], None]) -> str:
    try:
        check()
    except (Error, redis.RedisError, OSError) as error:
        log.warning("not ready", need=name, error=str(error))
        return "unavailable"
    return "ok"


def _ask_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _ask_redis() -> None:
    client = redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE
    )
    with client:
        client.ping()


CHECKS: dict[str, Callable[[], None]] = {"database": _ask_database, "redis": _ask_redis}
