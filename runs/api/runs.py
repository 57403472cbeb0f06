"""Runs: start, list, look at, cancel, resume."""

from __future__ import annotations

from collections import Counter
from typing import ClassVar

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from pipelines.api.base import find_named, idempotency_key, paged, whole_number
from pipelines.errors import Conflict, Invalid, NotFound
from pipelines.models import Pipeline
from runs import protocol, queries, reruns, retention, triggers
from runs.api import bodies
from runs.api.base import RunsView, answered
from runs.api.serializers import (
    EventsShape,
    Rerun,
    RerunPlanShape,
    ResumePlanShape,
    RunShape,
    StartRun,
    TaskRunShape,
)
from runs.models import Run
from runs.states import RunState

MAX_EVENTS = 1000  # of one answer

SINCE = OpenApiParameter("since", OpenApiTypes.INT, description="Number of the last event already known.")


class StartView(RunsView):
    """``POST /pipelines/{name}/runs/``"""

    # The parameters, and room for a list of tasks.
    max_body = 4 * triggers.MAX_PARAMETERS

    @extend_schema(
        request=StartRun,
        responses={201: RunShape},
        parameters=[OpenApiParameter("Idempotency-Key", str, OpenApiParameter.HEADER)],
    )
    def post(self, request: Request, name: str) -> Response:
        """Start a run of the active version, or of the one named."""
        pipeline = self.find_pipeline(name, "run")
        body = self.read(StartRun)
        with answered():
            run = triggers.by_person(
                pipeline,
                user=self.user,
                token=self.token,
                parameters=body.get("parameters", {}),
                version=body.get("version"),
                only=body.get("only"),
                key=idempotency_key(request),
            )
        shown = bodies.run(self.rights, queries.runs(Run.objects.filter(pk=run.pk)).get())
        return Response(shown, status=status.HTTP_201_CREATED)


class RunListView(RunsView):
    """``GET /runs/``"""

    ordering = ("-id",)

    @extend_schema(
        operation_id="runs_list",
        responses=paged(RunShape),
        parameters=[
            OpenApiParameter("pipeline", str, description="A name, or team:name."),
            OpenApiParameter("state", str, enum=RunState.values, many=True),
            OpenApiParameter("team", str),
        ],
    )
    def get(self, request: Request) -> Response:
        """The runs you may see, newest first."""
        rows = self._filtered(queries.listed(self.rights.only(Run.objects.all())))
        return self.page(rows, lambda page: bodies.runs(self.rights, page))

    def _filtered(self, rows: QuerySet[Run]) -> QuerySet[Run]:
        query = self.request.query_params
        if pipeline := query.get("pipeline"):
            rows = rows.filter(pipeline=find_named(self.rights, Pipeline.objects.all(), pipeline))
        if team := query.get("team"):
            rows = rows.filter(team__slug=team)
        states = [word for text in query.getlist("state") for word in text.split(",") if word]
        unknown = sorted(set(states) - set(RunState.values))
        if unknown:
            message = f"No run is ever {', '.join(unknown)}: it is one of {', '.join(RunState.values)}."
            raise Invalid(message, errors=[("state", message)])
        return rows.filter(state__in=states) if states else rows


class RunView(RunsView):
    """``GET /runs/{id}/``"""

    @extend_schema(responses=RunShape)
    def get(self, request: Request, run_id: str) -> Response:
        """One run."""
        return Response(bodies.run(self.rights, self.find_run(run_id)))


class RunTasksView(RunsView):
    """``GET /runs/{id}/tasks/``"""

    ordering = ("id",)

    @extend_schema(responses=paged(TaskRunShape), parameters=[SINCE])
    def get(self, request: Request, run_id: str) -> Response:
        """The tasks of a run in the order of its document; ``since`` leaves those that moved after it."""
        run = self.find_run(run_id)
        since = whole_number(request, "since", 0)
        rows = queries.changed_since(run, since) if since else queries.task_runs(run)
        return self.page(rows, lambda page: bodies.task_runs(self.rights, run, page))


class RunEventsView(RunsView):
    """``GET /runs/{id}/events/``"""

    @extend_schema(responses=EventsShape, parameters=[SINCE])
    def get(self, request: Request, run_id: str) -> Response:
        """What happened in a run after event ``since``, in order and without gaps; at most 1,000 at once."""
        run = self.find_run(run_id)
        since = whole_number(request, "since", 0)
        rows = queries.events_since(run, since, MAX_EVENTS)
        if not rows and since < run.last_seq:
            self._refuse_if_gone(run)
        return Response({"last_seq": run.last_seq, "results": bodies.events(rows)})

    def _refuse_if_gone(self, run: Run) -> None:
        """Raises NotFound for a run whose events retention has removed."""
        if gone := retention.events_dropped(run.pk):
            day = f"{gone.dropped_at:%Y-%m-%d}"
            words = f"The events of this run were removed on {day}, as it ended long before."
            raise NotFound(words, code="events-removed")


class ResumePlanView(RunsView):
    """``GET /runs/{id}/resume-plan/``"""

    @extend_schema(responses=ResumePlanShape)
    def get(self, request: Request, run_id: str) -> Response:
        """What a resume would run again and what it would keep, and why."""
        run = self.find_run(run_id)
        why_not = queries.why_not_resumable(run)
        tasks = [
            {"key": planned.key, "action": planned.action, "code": planned.code, "reason": planned.reason}
            for planned in queries.resume_plan(run)
        ]
        return Response({"allowed": why_not is None, "why_not": why_not, "tasks": tasks})


class RerunPlanView(RunsView):
    """``POST /runs/{id}/rerun-plan/``"""

    expensive: ClassVar = frozenset({"POST"})
    max_body = 4 * triggers.MAX_PARAMETERS

    @extend_schema(request=Rerun, responses=RerunPlanShape)
    def post(self, request: Request, run_id: str) -> Response:
        """What a rerun would do with each task: run it, take its result over, or decide on the way."""
        asked = wished(self, self.find_run(run_id, "run"))
        tasks = [bodies.foreseen(task) for task in reruns.plan(asked)]
        counts = Counter(task["action"] for task in tasks if task["kind"] not in queries.SCOPES)
        return Response(
            {
                "version": asked.version.number,
                "parameters": asked.parameters,
                "counts": counts,
                "tasks": tasks,
            }
        )


class RerunView(RunsView):
    """``POST /runs/{id}/rerun/``"""

    expensive: ClassVar = frozenset({"POST"})
    max_body = 4 * triggers.MAX_PARAMETERS

    @extend_schema(
        request=Rerun,
        responses={201: RunShape},
        parameters=[OpenApiParameter("Idempotency-Key", str, OpenApiParameter.HEADER)],
    )
    def post(self, request: Request, run_id: str) -> Response:
        """Start a new run from this one: any version, other parameters, from a task, or of a selection."""
        asked = wished(self, self.find_run(run_id, "run"))
        with answered():
            run = reruns.start(asked, user=self.user, token=self.token, key=idempotency_key(request))
        return Response(bodies.run(self.rights, self.find_run(str(run.uuid))), status=status.HTTP_201_CREATED)


def wished(view: RunsView, run: Run) -> reruns.Wish:
    """The rerun that the body of a request asks for."""
    body = view.read(Rerun)
    return reruns.wish(
        run,
        parameters=body.get("parameters"),
        version=body.get("version"),
        from_task=body.get("from") or "",
        only=body.get("only"),
        reuse=body["reuse"],
    )


class ResumeView(RunsView):
    """``POST /runs/{id}/resume/``"""

    @extend_schema(request=None, responses=RunShape)
    def post(self, request: Request, run_id: str) -> Response:
        """Go on with a failed or cancelled run: same version, parameters and code."""
        run = self.find_run(run_id, "resume")
        with answered():
            protocol.resume_run(run.pk, actor=self.user, token=self.token)
        return Response(bodies.run(self.rights, self.find_run(run_id)))


class CancelView(RunsView):
    """``POST /runs/{id}/cancel/``"""

    @extend_schema(request=None, responses=RunShape)
    def post(self, request: Request, run_id: str) -> Response:
        """Stop a run: what has not begun ends now, what runs is stopped."""
        run = self.find_run(run_id, "cancel")
        with answered():
            cancelled = protocol.cancel_run(run.pk, actor=self.user, token=self.token)
        after = self.find_run(run_id)
        if not cancelled:
            raise Conflict(f"Run {run.number} is {after.state}: there is nothing to cancel.", code="not-open")
        return Response(bodies.run(self.rights, after))
