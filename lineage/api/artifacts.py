"""Artifacts: what they are, their bytes, a look into them, and what is one step away."""

from __future__ import annotations

import io
import re
from typing import Any

from django.conf import settings
from django.http import FileResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from lineage import previews, queries, recorder
from lineage.api import shapes, shown
from lineage.models import READ, WROTE, Artifact, ModelVersion, Use
from pipelines.api.base import ApiView, not_found, paged, uuid_or_404
from pipelines.errors import NotFound
from pipelines.store import Store, StoreError
from runs.models import AttemptOutput

EXTENSIONS = {"table": "parquet", "array": "npy", "json": "json"}


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
    def get(self, request: Request, artifact_id: str) -> Response | FileResponse:
        """One artifact, with the record that wrote it."""
        row = self.artifact(artifact_id)
        producer = Use.objects.filter(artifact=row, direction=WROTE).select_related("record__run").first()
        versions = list(ModelVersion.objects.filter(artifact=row).select_related("model"))
        return Response(shown.artifact_detail(row, producer, versions))


class ContentView(ArtifactView):
    @extend_schema(
        operation_id="artifacts_content",
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, artifact_id: str) -> FileResponse:
        """The bytes, always as a download; of a folder its manifest."""
        row = self.artifact(artifact_id)
        response = FileResponse(
            _bytes_of(row),
            as_attachment=True,
            filename=file_name(row),
            content_type="application/octet-stream",
        )
        response["Content-Length"] = str(_length(row))
        response["X-Content-Type-Options"] = "nosniff"
        response["Content-Security-Policy"] = "default-src 'none'; sandbox"
        response["ETag"] = f'"{row.content.sha256}"'
        return response


def _bytes_of(row: Artifact) -> Any:
    if row.content.inline is not None:
        return io.BytesIO(row.content.inline.encode())
    try:
        return store().open(row.content.sha256)
    except StoreError as problem:
        raise _gone(row, problem) from problem


def _length(row: Artifact) -> int:
    """Bytes that are sent: a folder's size is that of its files, and its manifest is what is sent."""
    if row.kind == "folder" and row.content.inline is None:
        return store().local_path(row.content.sha256).stat().st_size
    return row.content.size


def _gone(row: Artifact, problem: Exception) -> NotFound:
    return NotFound(f"The bytes of {row.name} are not in the store any more: {problem}.", code="bytes-gone")


def store() -> Store:
    return Store(settings.ORCHESTRATOR["STORE"])


def file_name(row: Artifact) -> str:
    """A name for a download: the artifact's, with what is odd in a file's name replaced."""
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", row.name).strip("-.") or "artifact"
    kind = "json" if row.content.inline is not None or row.kind == "folder" else row.kind
    extension = EXTENSIONS.get(kind, "bin")
    return f"{stem}.{extension}"


class PreviewView(ArtifactView):
    @extend_schema(operation_id="artifacts_preview", responses=shapes.ArtifactPreview)
    def get(self, request: Request, artifact_id: str) -> Response:
        """The first rows, the text or the list of files; models are never opened here."""
        row = self.artifact(artifact_id)
        try:
            return Response(previews.preview(row, store()))
        except StoreError as problem:
            raise _gone(row, problem) from problem


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
