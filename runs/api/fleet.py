"""Queues and workers, and how a worker is taken out of service."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from pipelines.api.base import paged, uuid_or_404
from runs import draining, queries
from runs.api import bodies
from runs.api.base import RunsView
from runs.api.serializers import QueueShape, WorkerShape
from runs.models import WorkerLease


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


class DrainView(RunsView):
    """``POST /workers/{id}/drain/``"""

    @extend_schema(request=None, responses=WorkerShape)
    def post(self, request: Request, worker_id: str) -> Response:
        """Have a worker take nothing more, end what it has and leave: a site admin's to say."""
        lease = self.find(queries.open_leases(), "manage", uuid=uuid_or_404(worker_id, WorkerLease))
        draining.drain([lease], actor=self.user, token=self.token)
        lease.refresh_from_db()
        return Response(bodies.workers(self.rights, [lease])[0])
