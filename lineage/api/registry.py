"""Models, endpoints, and what is live where with all that is behind it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.utils.dateparse import parse_datetime
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from lineage import queries, registry
from lineage.api import shapes, shown
from lineage.models import Endpoint, Model, ModelVersion
from lineage.trace import trace
from pipelines.api.base import USABLE_BY, ApiView, find_named, not_found, paged, pick_team, usable
from pipelines.errors import Forbidden, Invalid, NotFound

TEAM = OpenApiParameter("team", OpenApiTypes.STR)
AT = OpenApiParameter("at", OpenApiTypes.DATETIME, description="ISO 8601; now when left out")


class ModelsView(ApiView):
    ordering = ("name", "id")

    @extend_schema(operation_id="models_list", parameters=[TEAM], responses=paged(shapes.ModelItem))
    def get(self, request: Request) -> Response:
        """The models a person sees, by name, each with its newest version."""
        rows = queries.models(_of_team(request, self.rights.only(Model.objects.all())))

        def show(found: list[Model]) -> list[Any]:
            latest = queries.latest_versions([row.pk for row in found])
            return [shown.model(row, latest.get(row.pk)) for row in found]

        return self.page(rows, show)


class ModelVersionsView(ApiView):
    ordering = ("-number",)

    def model(self, name: str) -> Model:
        return self.require("view", find_named(self.rights, Model.objects.all(), name))

    @extend_schema(operation_id="model_versions_list", responses=paged(shapes.ModelVersionItem))
    def get(self, request: Request, name: str) -> Response:
        """The versions of a model, newest first."""
        rows = queries.model_versions(ModelVersion.objects.filter(model=self.model(name)))
        return self.page(rows, lambda found: [shown.model_version(row) for row in found])


class ModelVersionView(ModelVersionsView):
    @extend_schema(operation_id="model_versions_read", responses=shapes.ModelVersionDetail)
    def get(self, request: Request, name: str, number: int) -> Response:
        """One version: its bytes, metrics and record, what it was made from, where it serves."""
        rows = queries.model_versions(ModelVersion.objects.filter(model=self.model(name)))
        row = rows.filter(number=number).first()
        if row is None:
            raise not_found(ModelVersion)
        return Response(
            shown.model_version_detail(
                row,
                queries.made_from(row),
                [deployment.endpoint.name for deployment in queries.live_deployments(row)],
            )
        )


class EndpointsView(ApiView):
    ordering = ("name", "id")
    asks_again = frozenset({"POST"})

    @extend_schema(
        operation_id="endpoints_list", parameters=[TEAM, USABLE_BY], responses=paged(shapes.EndpointItem)
    )
    def get(self, request: Request) -> Response:
        """The endpoints a person sees."""
        rows = queries.endpoints(
            usable(self.rights, self.rights.only(Endpoint.objects.all()), request.query_params)
        )
        return self.page(rows, lambda found: [shown.endpoint(row) for row in found])

    @extend_schema(
        operation_id="endpoints_create",
        request=shapes.CreateEndpoint,
        responses={201: shapes.EndpointItem},
    )
    def post(self, request: Request) -> Response:
        """A new endpoint. A folder outside the home is the server's disk, so only a site admin names one."""
        body = self.read(shapes.CreateEndpoint)
        team = pick_team(self.rights, body.pop("team", None), "manage")
        if "address" in body and not self.rights.can("register", None):
            raise Forbidden(
                "Only a site admin names a folder of the server: leave `address` out to have one in the home."
            )
        endpoint = registry.make_endpoint(team, **body, actor=self.user, token=self.token)
        return Response(shown.endpoint(endpoint), status=201)


class DeploymentsView(ApiView):
    ordering = ("name", "id")

    @extend_schema(operation_id="deployments_list", parameters=[TEAM], responses=paged(shapes.DeploymentItem))
    def get(self, request: Request) -> Response:
        """Each endpoint with what is live there now."""
        rows = queries.endpoints(_of_team(request, self.rights.only(Endpoint.objects.all())))

        def show(found: list[Endpoint]) -> list[Any]:
            live = queries.current([row.pk for row in found])
            return [shown.deployment(row, live.get(row.pk)) for row in found]

        return self.page(rows, show)


class DeploymentView(ApiView):
    def find_endpoint(self, name: str) -> Endpoint:
        rows = Endpoint.objects.filter(archived_at=None)
        return self.require("view", find_named(self.rights, rows, name))

    @extend_schema(operation_id="deployments_read", parameters=[AT], responses=shapes.DeploymentDetail)
    def get(self, request: Request, endpoint: str) -> Response:
        """What is live on an endpoint, now or at a time, and what was live before; newest first."""
        row = self.find_endpoint(endpoint)
        body = shown.deployment(row, queries.live_at(row, moment_of(request)))
        return Response({**body, "history": [shown.move(move) for move in queries.history(row)]})


class TraceView(DeploymentView):
    expensive = frozenset({"GET"})

    @extend_schema(operation_id="deployments_trace", parameters=[AT], responses=shapes.Trace)
    def get(self, request: Request, endpoint: str) -> Response:
        """Everything behind what is live: data, code, packages, parameters, metrics, approval."""
        row, at = self.find_endpoint(endpoint), moment_of(request)
        found = trace(row, at)
        if found is None:
            when = "now" if at is None else f"at {at.isoformat()}"
            raise NotFound(f"Nothing is live on {row.name} {when}.", code="nothing-live")
        return Response(found)


def moment_of(request: Request) -> datetime | None:
    """The time that ``?at=`` names; a zone left out means UTC. :class:`Invalid` when it is no time."""
    text = request.query_params.get("at")
    if not text:
        return None
    try:
        # A plus sign that was not escaped arrives as a space.
        at = parse_datetime(text.strip().replace(" ", "+") if "T" in text else text.strip())
        if at is not None:
            # The database knows no zones beyond 16 hours.
            return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        pass
    message = "Write a time like 2026-03-01T12:00:00Z."
    raise Invalid(f"at: {message}", errors=[("at", message)])


def _of_team(request: Request, rows: Any) -> Any:
    team = request.query_params.get("team")
    return rows.filter(team__slug=team) if team else rows
