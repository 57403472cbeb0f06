"""Slots: GPUs of hosts and units of pools, who holds each, and how large a pool is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from pipelines.access import Rights
from pipelines.api.base import paged, refuse
from pipelines.api.shapes import Shape
from runs import slots
from runs.api import bodies
from runs.api.base import RunsView
from runs.api.serializers import SlotBriefShape, WorkShape
from runs.models import Slot, TaskRun

Body = dict[str, Any]


class ReservedForShape(Shape):
    task_run = serializers.UUIDField()
    task = serializers.CharField()
    run = serializers.UUIDField()
    number = serializers.IntegerField()
    pipeline = serializers.CharField()


class SlotShape(SlotBriefShape):
    position = serializers.IntegerField(help_text="Its number on its host, or within its pool.")
    memory_mib = serializers.IntegerField(allow_null=True)
    state = serializers.ChoiceField(slots.STATES, help_text="withdrawn: nobody offers it now.")
    withdrawn_at = serializers.DateTimeField(allow_null=True)
    holder = WorkShape(allow_null=True, help_text="Null when free, or when its run is not yours to see.")
    reserved_for = ReservedForShape(
        allow_null=True, help_text="The wide task that waits for it; null when that is not yours to see."
    )


class PoolBody(serializers.Serializer[Any]):
    units = serializers.IntegerField(min_value=0, max_value=slots.MOST_UNITS)


class PoolShape(Shape):
    kind = serializers.CharField()
    units = serializers.IntegerField(help_text="Given out; more may be held until their tasks have ended.")


class SlotsView(RunsView):
    """``GET /slots/``"""

    ordering = ("kind", "host", "position", "id")

    @extend_schema(
        responses=paged(SlotShape), parameters=[OpenApiParameter("kind", str), OpenApiParameter("host", str)]
    )
    def get(self, request: Request) -> Response:
        """The units of all kinds, and who holds each as far as you may see it."""
        asked = {
            name: request.query_params[name] for name in ("kind", "host") if name in request.query_params
        }
        rows = self.rights.only(slots.shown()).filter(**asked)
        return self.page(rows, lambda page: _shown(self.rights, page))


class PoolView(RunsView):
    """``PUT /slots/pools/{kind}/``"""

    @extend_schema(request=PoolBody, responses=PoolShape)
    def put(self, request: Request, kind: str) -> Response:
        """Have so many units of a kind, for workers of every host: a site admin's to say."""
        if not self.rights.can("manage", Slot):
            refuse(self.rights, "manage")
        units = int(self.read(PoolBody)["units"])
        slots.set_pool(kind, units, actor=self.user, token=self.token)
        return Response({"kind": kind, "units": units})


def _shown(rights: Rights, rows: Sequence[Slot]) -> list[Body]:
    return [
        {
            **bodies.slot(row),
            "position": row.position,
            "memory_mib": row.memory_mib,
            "state": slots.state_of(row),
            "withdrawn_at": row.withdrawn_at,
            "holder": bodies.work(row.holder)
            if row.holder is not None and rights.can("view", row.holder.run)
            else None,
            "reserved_for": _reserved_for(row.reserved_for)
            if row.reserved_for is not None and rights.can("view", row.reserved_for.run)
            else None,
        }
        for row in rows
    ]


def _reserved_for(task_run: TaskRun) -> Body:
    run = task_run.run
    return {
        "task_run": task_run.uuid,
        "task": task_run.key,
        "run": run.uuid,
        "number": run.number,
        "pipeline": bodies.pipeline_name(run.pipeline, run.pipeline.team.slug),
    }
