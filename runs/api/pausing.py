"""Pauses of runs, pipelines and queues: nothing more is handed out of what is paused."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from pipelines import queries as pipeline_queries
from pipelines.api import shapes, shown
from pipelines.errors import Conflict
from pipelines.models import Pipeline
from runs import pausing, queries, queues
from runs.api import bodies
from runs.api.base import RunsView
from runs.api.serializers import PauseThing, QueueShape, RunShape
from runs.models import Queue, Run


class PausingView(RunsView):
    """What the six addresses share."""

    def pause(self) -> pausing.Pause:
        return pausing.Pause(**self.read(PauseThing))

    def refuse_unpaused(self, changed: bool, name: str) -> None:
        if not changed:
            raise Conflict(f"{name} is not paused: there is nothing to let go on.", code="not-paused")


class PauseRunView(PausingView):
    """``POST /runs/{id}/pause/``"""

    @extend_schema(request=PauseThing, responses=RunShape)
    def post(self, request: Request, run_id: str) -> Response:
        """Begin no further task of a run, or change why and until when; what runs goes on to its end."""
        run = self.find_run(run_id, "pause")
        pausing.pause_run(run.pk, self.pause(), actor=self.user, token=self.token)
        return Response(bodies.run(self.rights, self.find_run(run_id)))


class UnpauseRunView(PausingView):
    """``POST /runs/{id}/unpause/``"""

    @extend_schema(request=None, responses=RunShape)
    def post(self, request: Request, run_id: str) -> Response:
        """Let a run go on."""
        run: Run = self.find_run(run_id, "pause")
        changed = pausing.unpause_run(run.pk, actor=self.user, token=self.token)
        self.refuse_unpaused(changed, f"Run {run.number}")
        return Response(bodies.run(self.rights, self.find_run(run_id)))


class PausePipelineView(PausingView):
    """``POST /pipelines/{name}/pause/``"""

    @extend_schema(request=PauseThing, responses=shapes.Pipeline)
    def post(self, request: Request, name: str) -> Response:
        """Begin no further task of any run of a pipeline; programs and triggers start no run of it either."""
        pipeline = self.find_pipeline(name, "pause")
        pausing.pause_pipeline(pipeline, self.pause(), actor=self.user, token=self.token)
        return Response(_pipeline(self, pipeline))


class UnpausePipelineView(PausingView):
    """``POST /pipelines/{name}/unpause/``"""

    @extend_schema(request=None, responses=shapes.Pipeline)
    def post(self, request: Request, name: str) -> Response:
        """Let a pipeline go on."""
        pipeline = self.find_pipeline(name, "pause")
        changed = pausing.unpause_pipeline(pipeline, actor=self.user, token=self.token)
        self.refuse_unpaused(changed, f"The pipeline {pipeline.name}")
        return Response(_pipeline(self, pipeline))


def _pipeline(view: RunsView, pipeline: Pipeline) -> dict[str, Any]:
    row = pipeline_queries.listed(Pipeline.objects.filter(pk=pipeline.pk)).get()
    return shown.pipelines(view.rights, [row])[0]


class PauseQueueView(PausingView):
    """``POST /queues/{slug}/pause/``"""

    @extend_schema(request=PauseThing, responses=QueueShape)
    def post(self, request: Request, slug: str) -> Response:
        """Hand out no further task of a queue: a site admin's to say."""
        queue = self.find(queries.queues(), "manage", slug=slug)
        pause = self.pause()
        queues.pause(queue, reason=pause.reason, until=pause.until, actor=self.user, token=self.token)
        return Response(_queue(slug))


class UnpauseQueueView(PausingView):
    """``POST /queues/{slug}/unpause/``"""

    @extend_schema(request=None, responses=QueueShape)
    def post(self, request: Request, slug: str) -> Response:
        """Let a queue go on: a site admin's to say."""
        queue: Queue = self.find(queries.queues(), "manage", slug=slug)
        changed = queues.unpause(queue, actor=self.user, token=self.token)
        self.refuse_unpaused(changed, f"The queue {slug}")
        return Response(_queue(slug))


def _queue(slug: str) -> dict[str, Any]:
    return bodies.queues([queries.queues().get(slug=slug)])[0]
