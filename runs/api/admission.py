"""What teams may have at a time, and tasks in quarantine."""

from __future__ import annotations

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from pipelines.api.base import find_named, paged, uuid_or_404, yes_or_no
from pipelines.errors import Conflict, Forbidden
from pipelines.models import Pipeline, Team
from runs import quarantine, team_limits
from runs.api import bodies
from runs.api.base import RunsView
from runs.api.serializers import LiftQuarantine, QuarantineShape, SetTeamLimits, TeamLimitsShape
from runs.models import Quarantine


class TeamLimitsView(RunsView):
    """``/teams/{slug}/limits/``"""

    @extend_schema(operation_id="team_limits", responses=TeamLimitsShape)
    def get(self, request: Request, slug: str) -> Response:
        """What the team may have at a time, and what it has now."""
        return Response(bodies.team_limits(self.rights, self._team(slug)))

    @extend_schema(operation_id="team_limits_set", request=SetTeamLimits, responses=TeamLimitsShape)
    def put(self, request: Request, slug: str) -> Response:
        """Say what the team may have at a time: a site admin's to do. What is left out has no limit."""
        team = self._team(slug)
        if not self.rights.can("manage", None):
            raise Forbidden("Only a site admin says what a team may have.")
        body = self.read(SetTeamLimits)
        wanted = {row.pop("queue"): team_limits.Limits(**row) for row in map(dict, body.pop("queues", []))}
        wanted[team_limits.EVERYWHERE] = team_limits.Limits(**body)
        team_limits.set_for(team, wanted, actor=self.user, token=self.token)
        return Response(bodies.team_limits(self.rights, team))

    def _team(self, slug: str) -> Team:
        return self.find(Team.objects.filter(archived_at=None), slug=slug)


class QuarantinesView(RunsView):
    """``GET /quarantines/``"""

    ordering = ("-id",)

    @extend_schema(
        operation_id="quarantines_list",
        responses=paged(QuarantineShape),
        parameters=[
            OpenApiParameter("pipeline", str, description="A name, or team:name."),
            OpenApiParameter("open", bool, description="true: those in quarantine now; false: those lifted."),
        ],
    )
    def get(self, request: Request) -> Response:
        """The tasks that took their workers with them, the last one first."""
        rows = self.rights.only(_shown(Quarantine.objects.all()))
        if pipeline := request.query_params.get("pipeline"):
            of = find_named(self.rights, Pipeline.objects.all(), pipeline)
            rows = rows.filter(version__pipeline=of)
        if "open" in request.query_params:
            rows = rows.filter(lifted_at__isnull=yes_or_no(request, "open", default=True))
        return self.page(rows, lambda page: [bodies.quarantine(self.rights, row) for row in page])


class LiftView(RunsView):
    """``POST /quarantines/{id}/lift/``"""

    @extend_schema(request=LiftQuarantine, responses=QuarantineShape)
    def post(self, request: Request, quarantine_id: str) -> Response:
        """Let runs begin the task again: an operator's to say."""
        rows = _shown(Quarantine.objects.all())
        uuid = uuid_or_404(quarantine_id, Quarantine)
        row = self.find(rows, "pause", uuid=uuid)
        comment = self.read(LiftQuarantine)["comment"]
        if not quarantine.lift(row, comment, actor=self.user, token=self.token):
            raise Conflict("Somebody has lifted this quarantine already.", code="not-open")
        return Response(bodies.quarantine(self.rights, rows.get(uuid=uuid)))


def _shown(rows: QuerySet[Quarantine]) -> QuerySet[Quarantine]:
    """With all that is shown of them, without the large columns."""
    found = rows.select_related("team", "version__pipeline__team", "task_run__run", "lifted_by")
    heavy = ("text", "spec", "layout", "pipeline__draft_text", "pipeline__draft_layout")
    return found.defer(*(f"version__{name}" for name in heavy), "task_run__run__params")
