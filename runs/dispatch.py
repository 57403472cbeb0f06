"""The doorbell: wakes idle workers, best effort. PostgreSQL knows what there is to do; Redis says hurry."""

from __future__ import annotations

import uuid

import django_rq
import structlog
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
NUDGE_CHANNEL = "orchestrator:worker:"

IDLE_WORKERS = """
    SELECT count(*) FROM worker_lease l
    WHERE l.queue = %s AND l.state = 'live' AND l.expires_at > engine_now()
      AND NOT EXISTS (SELECT 1 FROM attempt a WHERE a.lease_id = l.id AND a.state = 'running')
"""


def redis() -> Redis:
    """The connection of every RQ queue."""
    found: Redis = django_rq.get_connection("default")
    return found


def rq_queue(slug: str) -> Queue:
    """The RQ queue of one of our queues: JSON only, and jobs that may name our entry points alone."""
    return Queue(slug, connection=redis(), serializer=JSONSerializer, job_class=AllowedJob)


def ring(queue: str, count: int) -> int:
    """Wake at most ``count`` idle workers of ``queue``; returns how many rings were sent."""
    if count <= 0:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(IDLE_WORKERS, [queue])
        (idle,) = cursor.fetchone()
    if not idle:
        return 0
    try:
        line = rq_queue(queue)
        rings = min(count, idle - line.connection.llen(line.key), MOST_RINGS)
        for _ in range(rings):
            _send(line, "runs.jobs.wake", queue)
    except RedisError as error:
        log.warning("the doorbell is silent; the sweep will ring", queue=queue, error=str(error))
        return 0
    return max(rings, 0)


def ring_system(entry: str, *arguments: str) -> None:
    """Ask the system worker for ``entry`` of ``runs.jobs`` unless it has plenty to do already."""
    try:
        line = rq_queue(SYSTEM_QUEUE)
        if line.connection.llen(line.key) < MOST_RINGS:
            _send(line, f"runs.jobs.{entry}", *arguments)
    except RedisError as error:
        log.warning("the doorbell is silent; the sweep will ring", queue=SYSTEM_QUEUE, error=str(error))


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
    try:
        redis().publish(NUDGE_CHANNEL + lease, "beat")
    except RedisError as error:
        log.warning("the worker will hear of it with its next heartbeat", lease=lease, error=str(error))
