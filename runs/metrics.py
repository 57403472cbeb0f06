"""``/metrics``: what an operator's monitoring asks for, in Prometheus' text format.

Counted in the database at each request, so every web process answers the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.db import connection
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

RUNS = """
    SELECT s.state, count(r.id) FROM (VALUES ('queued'), ('running'), ('cancelling')) s (state)
    LEFT JOIN run r ON r.state = s.state AND r.state IN ('queued', 'running', 'cancelling') GROUP BY 1
"""
RUNNABLE = """
    SELECT q.slug, count(t.id), coalesce(extract(epoch FROM engine_now() - min(t.ready_at)), 0) FROM queue q
    LEFT JOIN task_run t
    ON t.queue = q.slug AND t.state IN ('ready', 'retry_wait') AND t.ready_at <= engine_now()
    WHERE q.archived_at IS NULL GROUP BY 1
"""
WORKERS = """
    SELECT q.slug, count(l.id), count(a.id) FROM queue q
    LEFT JOIN worker_lease l
    ON l.queue = q.slug AND l.state IN ('live', 'draining') AND l.expires_at > engine_now()
    LEFT JOIN attempt a ON a.lease_id = l.id AND a.state = 'running'
    WHERE q.archived_at IS NULL GROUP BY 1
"""
SLOTS = """
    SELECT s.kind, count(*) FILTER (WHERE s.holder_id IS NULL AND s.withdrawn_at IS NULL),
        count(*) FILTER (WHERE s.holder_id IS NOT NULL),
        count(*) FILTER (WHERE s.holder_id IS NULL AND s.withdrawn_at IS NOT NULL)
    FROM slot s GROUP BY 1
"""
APPROVALS = "SELECT count(*) FROM task_run WHERE state = 'awaiting_approval'"
CHORES = """
    SELECT s.state, count(c.id) FROM (VALUES ('waiting'), ('running'), ('dead')) s (state)
    LEFT JOIN chore c ON c.state = s.state GROUP BY 1
"""

Gauge = tuple[str, str, Callable[[], float]]
_gauges: list[Gauge] = []


def register(name: str, help_text: str, value: Callable[[], float]) -> None:
    """A room above adds a gauge of its own; ``value()`` is asked at each request."""
    _gauges.append((name, help_text, value))


def text() -> bytes:
    """All metrics now."""
    registry = CollectorRegistry()
    registry.register(_Engine())
    return generate_latest(registry)


class _Engine(Collector):
    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield _labelled("orchestrator_runs", "Open runs by state.", "state", RUNS)
        yield from _columns(
            RUNNABLE,
            ("orchestrator_tasks_runnable", "Tasks that wait for a worker, by queue."),
            (
                "orchestrator_tasks_oldest_seconds",
                "Age of the oldest task that waits for a worker, by queue.",
            ),
        )
        yield from _columns(
            WORKERS,
            ("orchestrator_workers", "Workers that are there, by queue."),
            ("orchestrator_workers_busy", "Workers that hold an attempt, by queue."),
        )
        yield from _columns(
            SLOTS,
            ("orchestrator_slots_free", "Slots that may be given out, by kind."),
            ("orchestrator_slots_held", "Slots that an attempt holds, by kind."),
            ("orchestrator_slots_withdrawn", "Slots that nobody offers now, by kind."),
            label="kind",
        )
        yield _labelled("orchestrator_chores", "Chores by state.", "state", CHORES)
        waiting = GaugeMetricFamily("orchestrator_approvals_waiting", "Tasks that wait for a person.")
        waiting.add_metric([], _rows(APPROVALS)[0][0])
        yield waiting
        for name, help_text, value in _gauges:
            gauge = GaugeMetricFamily(name, help_text)
            gauge.add_metric([], value())
            yield gauge


def _labelled(name: str, help_text: str, label: str, sql: str) -> GaugeMetricFamily:
    gauge = GaugeMetricFamily(name, help_text, labels=[label])
    for word, count in _rows(sql):
        gauge.add_metric([word], count)
    return gauge


def _columns(sql: str, *described: tuple[str, str], label: str = "queue") -> list[GaugeMetricFamily]:
    """One gauge per column after the first, which is the label."""
    gauges = [GaugeMetricFamily(name, help_text, labels=[label]) for name, help_text in described]
    for word, *values in _rows(sql):
        for gauge, value in zip(gauges, values, strict=True):
            gauge.add_metric([word], float(value))
    return gauges


def _rows(sql: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()
