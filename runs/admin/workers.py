"""The admin console's pages of workers: what each does, and how it is taken out of service."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from pipelines.admin.base import Act, ConsoleAdmin, Values, actor_of, named
from runs import draining, pages, queries
from runs.models import Attempt, WorkerLease


def _drain(request: HttpRequest, rows: list[WorkerLease], values: Values) -> str:
    draining.drain(rows, actor=actor_of(request))
    said = f"{named(rows)}: takes nothing more, ends what it has, and leaves."
    if older := [row for row in rows if draining.has_to_be_stopped(row)]:
        said += f" Of an older version, and to be stopped by hand then: {named(older)}."
    return said


def doing(attempt: Attempt | None) -> str:
    """What an attempt carries out, with a link to its page; a dash for none."""
    if attempt is None:
        return "—"
    key = attempt.task_run.key
    return format_html('<a href="{}">{}: {}</a>', pages.of_task(attempt.run.uuid, key), attempt.run, key)


@admin.register(WorkerLease)
class WorkerAdmin(ConsoleAdmin):
    group = "Machines"
    explain = "The workers that are there. A lease is a worker's right to take tasks; it renews it every 5 s."
    fields = (
        "worker",
        "host",
        "pid",
        "queue",
        "state",
        "work",
        "gpus",
        "trouble",
        "started_at",
        "expires_at",
    )
    readonly_fields = fields
    acts = (
        Act(
            "drain",
            "Drain",
            "It takes nothing more, ends what it has, however long that takes, and leaves. It does not come "
            "back by itself: start it again when it is wanted.",
            _drain,
            applies=lambda lease: lease.state == "live",
            danger=True,
        ),
    )
    list_display = ("worker", "host", "queue", "state", "work", "trouble", "started_at")
    list_filter = ("queue", "state", "host")
    search_fields = ("worker", "host")

    def get_queryset(self, request: HttpRequest) -> QuerySet[WorkerLease]:
        return super().get_queryset(request).filter(pk__in=queries.open_leases().values("pk"))

    def prepare_rows(self, rows: list[Any]) -> None:
        held = queries.current_attempts([row.pk for row in rows])
        for row in rows:
            row.held = held.get(row.pk)

    @admin.display(description="carries out")
    def work(self, lease: WorkerLease) -> str:
        if not hasattr(lease, "held"):
            self.prepare_rows([lease])
        return doing(lease.held)  # type: ignore[attr-defined]

    @admin.display(description="GPUs it may give")
    def gpus(self, lease: WorkerLease) -> int:
        return len(lease.labels.get("devices") or [])

    @admin.display(description="why it takes no tasks")
    def trouble(self, lease: WorkerLease) -> str:
        return lease.labels.get("trouble") or "—"
