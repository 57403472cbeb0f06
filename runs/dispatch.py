"""The doorbell: wakes idle workers, best effort. PostgreSQL knows what there is to do; Redis says hurry."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

import django_rq
import structlog
from django.conf import settings
from django.db import connection
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from rq.serializers import JSONSerializer

from runs.jobs import AllowedJob

log = structlog.get_logger()

MOST_RINGS = 16
RING_TTL = 30  # seconds a ring waits for a worker; the sweep rings again
SYSTEM_QUEUE = "system"
SILENCE = 2.0  # seconds in which a Redis that did not answer is not asked again
NUDGE_CHANNEL = "orchestrator:worker:"

IDLE_WORKERS = """
    SELECT count(*) FROM worker_lease l
    WHERE l.queue = %s AND l.state = 'live' AND l.expires_at > engine_now()
      AND NOT EXISTS (SELECT 1 FROM attempt a WHERE a.lease_id = l.id AND a.state = 'running')
"""


def redis() -> Redis:
    """The connection of workers, which wait on it for long."""
    found: Redis = django_rq.get_connection("default")
    found.connection_pool.connection_kwargs.update(settings.REDIS_CARE)
    return found


@lru_cache(maxsize=1)
def _ringer(pid: int) -> Redis:
    """A connection of this process for ringing: a Redis that hangs may cost a moment, no more."""
    return Redis.from_url(settings.REDIS_URL, socket_timeout=1.0, socket_connect_timeout=1.0)


def rq_queue(slug: str, connection: Redis | None = None) -> Queue:
    """The RQ queue of one of our queues: JSON only, and jobs that may name our entry points alone."""
    return Queue(slug, connection=connection or redis(), serializer=JSONSerializer, job_class=AllowedJob)


_silent_until = 0.0


@contextmanager
def _best_effort(what: str) -> Iterator[Redis | None]:
    """A Redis to ring with, or None while it is known to be away. Its errors end here."""
    global _silent_until
    if time.monotonic() < _silent_until:
        yield None
        return
    try:
        yield _ringer(os.getpid())
    except RedisError as error:
        _silent_until = time.monotonic() + SILENCE
        log.warning("Redis does not answer; the sweep will see to it", what=what, error=str(error))


def ring(queue: str, count: int) -> int:
    """Wake at most ``count`` idle workers of ``queue``; returns how many rings were sent."""
    if count <= 0:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(IDLE_WORKERS, [queue])
        (idle,) = cursor.fetchone()
    rings = 0
    with _best_effort(queue) as redis:
        if redis is not None and idle:
            line = rq_queue(queue, redis)
            rings = max(0, min(count, idle - line.connection.llen(line.key), MOST_RINGS))
            for _ in range(rings):
                _send(line, "runs.jobs.wake", queue)
    return rings


def ring_system(entry: str, *arguments: str) -> None:
    """Ask the system worker for ``entry`` of ``runs.jobs`` unless it has plenty to do already."""
    with _best_effort(SYSTEM_QUEUE) as redis:
        if redis is not None:
            line = rq_queue(SYSTEM_QUEUE, redis)
            if line.connection.llen(line.key) < MOST_RINGS:
                _send(line, f"runs.jobs.{entry}", *arguments)


def _send(line: Queue, entry: str, *arguments: str) -> None:
    line.enqueue_call(
        entry,
        args=arguments,
        timeout=-1,
        result_ttl=0,
        failure_ttl=60,
        ttl=RING_TTL,
        job_id=uuid.uuid4().hex,
    )


def nudge_worker(lease: str) -> None:
    """Tell the worker of a lease to ask at once what it must stop (it would ask anyway within 5 s)."""
    with _best_effort(lease) as redis:
        if redis is not None:
            redis.publish(NUDGE_CHANNEL + lease, "beat")
