"""Code locations: where blocks come from."""

from __future__ import annotations

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from pipelines import code
from pipelines.api import shapes, shown
from pipelines.api.base import USABLE_BY, ApiView, paged, pick_team, usable, uuid_or_404
from pipelines.errors import Forbidden
from pipelines.models import CodeLocation


class LocationsView(ApiView):
    ordering = ("name", "id")

    @extend_schema(
        operation_id="code_locations_list",
        parameters=[OpenApiParameter("team", OpenApiTypes.STR), USABLE_BY],
        responses=paged(shapes.Location),
    )
    def get(self, request: Request) -> Response:
        """The code locations a person sees."""
        rows = self.rights.only(CodeLocation.objects.filter(archived_at=None))
        rows = usable(self.rights, rows, request.query_params)
        rows = rows.select_related("team", "last_snapshot").defer("last_snapshot__blocks")
        return self.page(rows, shown.locations)

    @extend_schema(
        operation_id="code_locations_create",
        request=shapes.RegisterLocation,
        responses={201: shapes.Location},
    )
    def post(self, request: Request) -> Response:
        """Register a folder of the server and read it once. It reads the server's disk: site admins only."""
        if not self.rights.can("register", None):
            raise Forbidden("Only a site admin registers a folder, as it reads the server's disk.")
        body = self.read(shapes.RegisterLocation)
        team = pick_team(self.rights, body.pop("team", None), "view")
        location = code.register(team, **body, actor=self.user, token=self.token)
        return Response(shown.location(location), status=201)


class LocationView(ApiView):
    def location(self, location_id: str, verb: str = "view") -> CodeLocation:
        rows = CodeLocation.objects.filter(archived_at=None).select_related("team", "last_snapshot")
        return self.find(rows, verb, uuid=uuid_or_404(location_id, CodeLocation))

    @extend_schema(operation_id="code_locations_read", responses=shapes.Location)
    def get(self, request: Request, location_id: str) -> Response:
        """One code location."""
        return Response(shown.location(self.location(location_id)))


class SyncView(LocationView):
    http_method_names = ["post", "options"]

    @extend_schema(operation_id="code_locations_sync", request=None, responses=shapes.Location)
    def post(self, request: Request, location_id: str) -> Response:
        """Take a snapshot of the folder as it is now, and read its blocks."""
        location = self.location(location_id, "sync")
        code.sync(location, actor=self.user, token=self.token)
        return Response(shown.location(location))


class BlocksView(LocationView):
    @extend_schema(operation_id="code_locations_blocks", responses=shapes.Blocks)
    def get(self, request: Request, location_id: str) -> Response:
        """The blocks of the last snapshot, by name."""
        snapshot = self.location(location_id).last_snapshot
        blocks = sorted((snapshot.blocks if snapshot else {}).items())
        return Response(
            {
                "snapshot": snapshot.tree_sha256 if snapshot else None,
                "blocks": [{"id": name, **block} for name, block in blocks],
            }
        )
