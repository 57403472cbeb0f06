"""Code locations: where blocks come from."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from pipelines import code, repositories
from pipelines.access import Rights
from pipelines.api import code_shapes, code_shown
from pipelines.api.base import USABLE_BY, ApiView, paged, pick_team, usable, uuid_or_404
from pipelines.errors import Conflict, Forbidden, Invalid
from pipelines.git import address
from pipelines.models import CodeKind, CodeLocation


class LocationsView(ApiView):
    asks_again = frozenset({"POST"})
    ordering = ("name", "id")

    @extend_schema(
        operation_id="code_locations_list",
        parameters=[OpenApiParameter("team", OpenApiTypes.STR), USABLE_BY],
        responses=paged(code_shapes.Location),
    )
    def get(self, request: Request) -> Response:
        """The code locations a person sees."""
        rows = self.rights.only(CodeLocation.objects.filter(archived_at=None))
        rows = usable(self.rights, rows, request.query_params)
        rows = rows.select_related("team", "last_snapshot").defer("last_snapshot__blocks")
        return self.page(rows, lambda found: code_shown.locations(self.rights, found))

    @extend_schema(
        operation_id="code_locations_create",
        request=code_shapes.RegisterLocation,
        responses={201: code_shapes.Location},
    )
    def post(self, request: Request) -> Response:
        """Register a folder of the server, which is read at once, or a Git repository, which is synced soon.

        What reads the server's disk takes a site admin; a repository elsewhere an admin of the team.
        """
        body = self.read(code_shapes.RegisterLocation)
        kind = body.pop("kind")
        location = self._repository(body) if kind == CodeKind.GIT else self._folder(body)
        return Response(code_shown.location(self.rights, location), status=201)

    def _folder(self, body: dict[str, Any]) -> CodeLocation:
        refuse_disk(self.rights, "a folder")
        team = pick_team(self.rights, body.pop("team", None), "view")
        if odd := body.keys() - {"name", "address", "lock_file", "preload"}:
            raise Invalid(
                "A folder has no such fields.", errors=[(name, "Of git only.") for name in sorted(odd)]
            )
        return code.register(team, **body, actor=self.user, token=self.token)

    def _repository(self, body: dict[str, Any]) -> CodeLocation:
        if address.understood(body["address"].strip()).local:
            refuse_disk(self.rights, "a repository on the server's disk")
        team = pick_team(self.rights, body.pop("team", None), "manage")
        where = body.pop("address")
        return repositories.register(team, body.pop("name"), where, **body, actor=self.user, token=self.token)


def refuse_disk(rights: Rights, what: str) -> None:
    """Raise Forbidden for anybody but a site admin."""
    if not rights.can("register", None):
        raise Forbidden(f"Only a site admin registers {what}, as it reads the server's disk.")


class LocationView(ApiView):
    asks_again = frozenset({"PATCH", "DELETE"})

    def location(self, location_id: str, verb: str = "view") -> CodeLocation:
        rows = CodeLocation.objects.filter(archived_at=None).select_related("team", "last_snapshot")
        return self.find(rows, verb, uuid=uuid_or_404(location_id, CodeLocation))

    def show(self, location: CodeLocation, status: int = 200) -> Response:
        return Response(code_shown.location(self.rights, location), status=status)

    @extend_schema(operation_id="code_locations_read", responses=code_shapes.Location)
    def get(self, request: Request, location_id: str) -> Response:
        """One code location."""
        return self.show(self.location(location_id))

    @extend_schema(
        operation_id="code_locations_change",
        request=code_shapes.ChangeLocation,
        responses=code_shapes.Location,
    )
    def patch(self, request: Request, location_id: str) -> Response:
        """Change where a repository is read from, and have it synced when that matters."""
        location = self.location(location_id, "manage")
        body = self.read(code_shapes.ChangeLocation)
        if location.kind != CodeKind.GIT:
            raise Conflict("A folder is not changed: archive this location and register another one.")
        if "address" in body and address.understood(body["address"].strip()).local:
            refuse_disk(self.rights, "a repository on the server's disk")
        repositories.change(location, body, actor=self.user, token=self.token)
        return self.show(location)

    @extend_schema(operation_id="code_locations_archive", responses={204: None})
    def delete(self, request: Request, location_id: str) -> Response:
        """Offer its blocks no more. Published versions keep the code they were published with."""
        code.archive(self.location(location_id, "manage"), actor=self.user, token=self.token)
        return Response(status=204)


class SyncView(LocationView):
    http_method_names = ["post", "options"]
    expensive = frozenset({"POST"})

    @extend_schema(
        operation_id="code_locations_sync",
        request=None,
        responses={200: code_shapes.Location, 202: code_shapes.Location},
    )
    def post(self, request: Request, location_id: str) -> Response:
        """A folder is read now: 200. A repository is synced soon: 202, and `syncing` tells how far it is."""
        location = self.location(location_id, "sync")
        if location.kind == CodeKind.GIT:
            repositories.ask(location, actor=self.user, token=self.token)
            return self.show(location, 202)
        code.sync(location, actor=self.user, token=self.token)
        return self.show(location)


class SnapshotsView(LocationView):
    http_method_names = ["get", "options"]

    @extend_schema(operation_id="code_locations_snapshots", responses=paged(code_shapes.Snapshot))
    def get(self, request: Request, location_id: str) -> Response:
        """All that was ever synced, the newest first."""
        rows = self.location(location_id).snapshots.defer("blocks")
        return self.page(rows, lambda found: [code_shown.snapshot(row) for row in found])


class BlocksView(LocationView):
    http_method_names = ["get", "options"]

    @extend_schema(operation_id="code_locations_blocks", responses=code_shapes.Blocks)
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


class PipelineCodeView(ApiView):
    @extend_schema(operation_id="pipelines_code", responses={200: code_shapes.PipelineCode, 204: None})
    def get(self, request: Request, name: str) -> Response:
        """Which code the active version uses, and whether there is newer; 204 when it uses none."""
        pipeline = self.find_pipeline(name)
        version = pipeline.active_version
        standing = code.standing(version) if version else None
        if standing is None:
            return Response(status=204)
        return Response(code_shown.pipeline_code(self.rights, standing))
