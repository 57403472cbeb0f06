"""Tasks of a run and their attempts: look at, decide, retry, read the log."""

from __future__ import annotations

from collections.abc import AsyncIterator

from asgiref.sync import sync_to_async
from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from pipelines.api.base import refuse, whole_number
from pipelines.errors import Conflict, Forbidden
from runs import approvals, explaining, logs, protocol
from runs.api import bodies
from runs.api.base import RunsView, answered
from runs.api.serializers import Decide, ExplanationShape, LogShape, ReuseShape, TaskRunDetailShape
from runs.models import Attempt, TaskRun
from runs.reuse import words
from runs.states import TaskState


class TaskRunView(RunsView):
    """``GET /task-runs/{id}/``"""

    @extend_schema(responses=TaskRunDetailShape)
    def get(self, request: Request, task_run_id: str) -> Response:
        """One task with its attempts, inputs and outputs."""
        return Response(bodies.task_run_detail(self.rights, self.find_task_run(task_run_id)))


class DecideView(RunsView):
    """``POST /task-runs/{id}/approve/`` and ``…/reject/``"""

    decision = "approved"

    @extend_schema(request=Decide, responses=TaskRunDetailShape)
    def post(self, request: Request, task_run_id: str) -> Response:
        """Decide on a task that waits for a person. What is written as comment stays with the record."""
        task_run = self.find_task_run(task_run_id)
        role = self._role(task_run)
        body = self.read(Decide)
        with answered():
            protocol.decide(
                task_run.pk,
                self.decision,
                actor=self.user,
                role=role,
                comment=body["comment"],
                token=self.token,
            )
        return Response(bodies.task_run_detail(self.rights, self.find_task_run(task_run_id)))

    def _role(self, task_run: TaskRun) -> str:
        """The role in which the person decides; 403 without one, 409 when nothing is to be decided."""
        if not self.rights.scope_allows("approve"):
            refuse(self.rights, "approve")
        standing = approvals.standing(self.rights, task_run.run, task_run)
        if standing.role is not None:
            return standing.role
        assert standing.why_not is not None  # noqa: S101
        if task_run.kind != "approval":
            raise Conflict(standing.why_not, code="no-approval")
        if task_run.state != TaskState.AWAITING_APPROVAL and self._may_ever(task_run):
            raise Conflict(standing.why_not, code="not-waiting")
        raise Forbidden(standing.why_not, code="may-not-decide")

    def _may_ever(self, task_run: TaskRun) -> bool:
        by = approvals.config_of(task_run)["by"]
        roles = self.rights.roles_in(task_run.run.team_id)
        return approvals.deciding_role(by, self.user.username, roles) is not None


class RetryView(RunsView):
    """``POST /task-runs/{id}/retry/``"""

    @extend_schema(request=None, responses=TaskRunDetailShape)
    def post(self, request: Request, task_run_id: str) -> Response:
        """Start a retry that waits for its time now."""
        task_run = self.find_task_run(task_run_id, "retry")
        with answered():
            started = protocol.retry_now(task_run.pk, actor=self.user, token=self.token)
        after = self.find_task_run(task_run_id)
        if not started:
            raise Conflict(f"No retry of {after.key} is waiting; it is {after.state}.", code="not-waiting")
        return Response(bodies.task_run_detail(self.rights, after))


class ReuseView(RunsView):
    """``GET /task-runs/{id}/reuse/``"""

    @extend_schema(responses=ReuseShape)
    def get(self, request: Request, task_run_id: str) -> Response:
        """Why its result was taken over from an earlier run, or why not: part by part."""
        task_run = self.find_task_run(task_run_id)
        return Response(bodies.reuse(task_run, words.explain(task_run)))


class ExplainView(RunsView):
    """``GET /task-runs/{id}/explain/``"""

    @extend_schema(responses=ExplanationShape)
    def get(self, request: Request, task_run_id: str) -> Response:
        """Why it is not running: each thing in its way, in words, with where to look and what to do."""
        task_run = self.find_task_run(task_run_id)
        return Response(bodies.explanation(explaining.explain(task_run.pk, self.rights)))


class LogView(RunsView):
    """``GET /attempts/{id}/log/``"""

    @extend_schema(
        responses=LogShape,
        parameters=[
            OpenApiParameter(
                "offset", OpenApiTypes.INT, description="Number of the first line wanted, from 0."
            ),
            OpenApiParameter("limit", OpenApiTypes.INT, description=f"Lines, at most {logs.MAX_LIMIT}."),
        ],
    )
    def get(self, request: Request, attempt_id: str) -> Response:
        """What an attempt said, in lines. Ask again from ``next`` until complete and ``next == total``."""
        attempt = self.find_attempt(attempt_id)
        offset = whole_number(request, "offset", 0)
        limit = whole_number(request, "limit", logs.DEFAULT_LIMIT, 1, logs.MAX_LIMIT)
        page = logs.read(attempt, offset, limit)
        return Response(
            {
                "offset": page.offset,
                "lines": page.lines,
                "next": page.next,
                "total": page.total,
                "complete": page.complete,
                "dropped_bytes": page.dropped_bytes,
            }
        )


class LogDownloadView(RunsView):
    """``GET /attempts/{id}/log/download``"""

    @extend_schema(responses={(200, "text/plain"): OpenApiResponse(OpenApiTypes.STR)})
    def get(self, request: Request, attempt_id: str) -> StreamingHttpResponse:
        """The whole log as a text file."""
        attempt = self.find_attempt(attempt_id)
        response = StreamingHttpResponse(_streamed(attempt), content_type="text/plain; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="{attempt.uuid}.log"'
        response["X-Content-Type-Options"] = "nosniff"
        return response


async def _streamed(attempt: Attempt) -> AsyncIterator[bytes]:
    """The log part by part: never more than one part is in memory."""
    part = 0
    while (body := await sync_to_async(logs.part)(attempt, part)) is not None:
        part, data = body
        yield data
