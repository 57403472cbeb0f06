"""Queues and workers."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from pipelines.api.base import paged
from runs import queries
from runs.api import bodies
from runs.api.base import RunsView
from runs.api.serializers import QueueShape, WorkerShape


class QueuesView(RunsView):
    """``GET /queues/``"""

    ordering = ("slug",)

    @extend_schema(responses=paged(QueueShape))
    def get(self, request: Request) -> Response:
        """The queues, how much waits in each and how many workers serve it."""
        return self.page(self.rights.only(queries.queues()), bodies.queues)


class WorkersView(RunsView):
    """``GET /workers/``"""

    ordering = ("-id",)

    @extend_schema(responses=paged(WorkerShape), parameters=[OpenApiParameter("queue", str)])
    def get(self, request: Request) -> Response:
        """The workers that are there, and what each carries out as far as you may see it."""
        rows = self.rights.only(queries.open_leases())
        if queue := request.query_params.get("queue"):
            rows = rows.filter(queue=queue)
        return self.page(rows, lambda page: bodies.workers(self.rights, page))
