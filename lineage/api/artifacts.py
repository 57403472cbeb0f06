"""Artifacts: what they are, who made them, and what is one step away."""

from __future__ import annotations

from typing import Any

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from lineage import queries, recorder
from lineage.api import shapes, shown
from lineage.models import READ, WROTE, Artifact, Use
from pipelines.api.base import ApiView, not_found, paged, uuid_or_404
from pipelines.store import Store, StoreAway, configured
from runs.models import AttemptOutput


class ArtifactView(ApiView):
    def artifact(self, artifact_id: str) -> Artifact:
        """The artifact a person may see; one that was produced a moment ago is recorded now."""
        uuid = uuid_or_404(artifact_id, Artifact)
        rows = Artifact.objects.select_related("content", "team")
        found = rows.filter(uuid=uuid).first()
        if found is None:
            output = AttemptOutput.objects.select_related("attempt__team").filter(uuid=uuid).first()
            if output is None or not self.rights.can("view", output.attempt):
                raise not_found(Artifact)
            recorder.record([output.attempt_id])
            found = rows.filter(uuid=uuid).first()
        if found is None:
            raise not_found(Artifact)
        return self.require("view", found)

    @extend_schema(operation_id="artifacts_read", responses=shapes.ArtifactDetail)
    def get(self, request: Request, artifact_id: str) -> HttpResponseBase:
        """One artifact: who made it, and what models it was registered as."""
        row = self.artifact(artifact_id)
        versions = queries.versions_of(row)
        return Response(
            shown.artifact_detail(
                row,
                queries.producer_of(row),
                versions,
                queries.endpoints_of([version.pk for version in versions]),
                present=self.present(row),
            )
        )

    def present(self, row: Artifact) -> bool:
        """Whether the bytes can be looked at; a small value is in the catalogue itself.

        While the store is away nobody knows: whoever looks at them is told so.
        """
        try:
            return row.content.inline is not None or store().has(row.content.sha256)
        except StoreAway:
            return True


def store() -> Store:
    return configured.store()


LIMITS = [OpenApiParameter("cursor", OpenApiTypes.STR), OpenApiParameter("page_size", OpenApiTypes.INT)]


class UpstreamView(ArtifactView):
    ordering = ("-record_id", "-id")

    @extend_schema(operation_id="artifacts_upstream", parameters=LIMITS, responses=paged(shapes.Neighbour))
    def get(self, request: Request, artifact_id: str) -> Response:
        """The record that wrote the artifact, and what it read."""
        return self.neighbours(self.artifact(artifact_id), WROTE, READ)

    def neighbours(self, row: Artifact, through: int, beyond: int) -> Response:
        def show(found: list[Use]) -> list[Any]:
            further = queries.uses_by_record({use.record_id for use in found}, beyond)
            return [shown.neighbour(use, further[use.record_id]) for use in found]

        return self.page(self.rights.only(queries.uses_of(row, through)), show)


class DownstreamView(UpstreamView):
    @extend_schema(operation_id="artifacts_downstream", parameters=LIMITS, responses=paged(shapes.Neighbour))
    def get(self, request: Request, artifact_id: str) -> Response:
        """The records that read the artifact, newest first, and what they wrote."""
        return self.neighbours(self.artifact(artifact_id), READ, WROTE)
