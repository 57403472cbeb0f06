"""What is in an artifact: its bytes, a look into them, a profile, its picture, its files.

All of it is known by a digest, so a browser may keep an answer and asks only whether it still holds; it asks
each time, because whether somebody may see it can change.
"""

from __future__ import annotations

import io
import re
from pathlib import PurePosixPath
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from lineage import previews, tables
from lineage.api import shapes
from lineage.api.artifacts import ArtifactView, store
from lineage.api.downloads import BINARY, HARMLESS, download
from lineage.models import Artifact
from lineage.previews import Part
from pipelines.api.base import paged, whole_number
from pipelines.errors import NotFound, Refusal
from pipelines.store import Damaged, StoreAway, StoreError, StoreFull

PATH = OpenApiParameter("path", OpenApiTypes.STR, description="a file in a folder; all of it when left out")
EXTENSIONS = {"table": "parquet", "array": "npy", "json": "json"}


class PartView(ArtifactView):
    """A view of an artifact or, with ``?path=``, of one file in a folder."""

    form: ClassVar[str] = ""  # goes into the ETag, beside the digest

    def get(self, request: Request, artifact_id: str) -> HttpResponseBase:
        row = self.artifact(artifact_id)
        try:
            part = self.part(row)
            mark = f'"{self.form}{part.sha256}"'
            answer = get_conditional_response(request, etag=mark) or self.answer(row, part)
        except StoreError as problem:
            raise _refused(row, problem) from problem
        except tables.Unreadable as problem:
            raise NotFound(str(problem), code="folder-unreadable") from problem
        return kept(answer, mark)

    def part(self, row: Artifact) -> Part:
        path = self.request.query_params.get("path")
        if path is None:
            return previews.whole(row)
        found = previews.file_in(row, path, store())
        if found is None:
            raise NotFound(f"There is no file {path} in {row.name}.", code="no-such-file")
        return found

    def answer(self, row: Artifact, part: Part) -> HttpResponseBase:
        raise NotImplementedError


def kept(answer: HttpResponseBase, mark: str) -> HttpResponseBase:
    """Lets the browser keep an answer, unless it is one of a moment: that it took too long, say."""
    momentary = isinstance(answer, Response) and answer.data.get("kind") == "none"
    answer["Cache-Control"] = "no-store" if momentary else "private, no-cache"
    if not momentary:
        answer["ETag"] = mark
    return answer


class StoreUnusable(Refusal):
    """The store is away, or has no room for a copy; soon it may be there again."""

    status = 503
    default_code = "store-away"


def _refused(row: Artifact, problem: StoreError) -> Refusal:
    if isinstance(problem, StoreAway | StoreFull):
        return StoreUnusable(f"The bytes of {row.name} cannot be fetched now: {problem}.")
    if isinstance(problem, Damaged):
        return NotFound(f"The bytes of {row.name} are damaged: {problem}.", code="bytes-damaged")
    return NotFound(f"The bytes of {row.name} are not in the store any more: {problem}.", code="bytes-gone")


class ContentView(PartView):
    @extend_schema(
        operation_id="artifacts_content",
        parameters=[PATH],
        responses={(200, BINARY): OpenApiTypes.BINARY, (206, BINARY): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, artifact_id: str) -> HttpResponseBase:
        """The bytes, or a range of them, always as a download; of a folder its manifest."""
        return super().get(request, artifact_id)

    def answer(self, row: Artifact, part: Part) -> HttpResponseBase:
        inline = row.content.inline
        here = store()
        file = here.open(part.sha256) if inline is None else io.BytesIO(inline.encode())
        size = here.size(part.sha256) if inline is None else part.size
        return download(self.request, file, part.sha256, size, file_name(row, part))


def file_name(row: Artifact, part: Part) -> str:
    """A name for a download: the file's own, else the artifact's; what is odd in a name is replaced."""
    in_folder = part.kind == "file" and row.kind != "file"
    path = PurePosixPath(part.name)
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", path.stem if in_folder else row.name).strip("-.") or "artifact"
    kind = "json" if row.content.inline is not None or part.is_folder else part.kind
    own = path.suffix if re.fullmatch(r"\.[A-Za-z0-9]{1,12}", path.suffix) and not part.is_folder else ""
    return stem + (own or f".{EXTENSIONS.get(kind, 'bin')}")


class PreviewView(PartView):
    expensive = frozenset({"GET"})

    form = f"preview-{tables.FORM}-"

    @extend_schema(operation_id="artifacts_preview", parameters=[PATH], responses=shapes.ArtifactPreview)
    def get(self, request: Request, artifact_id: str) -> HttpResponseBase:
        """The first rows, the text, the size of the picture or the list of files; models are never opened."""
        return super().get(request, artifact_id)

    def answer(self, row: Artifact, part: Part) -> HttpResponseBase:
        if row.content.inline is not None:
            return Response(previews.value(row.content.inline))
        with store() as here:
            return Response(previews.preview(part, here))


class ProfileView(PartView):
    expensive = frozenset({"GET"})

    form = f"profile-{tables.FORM}-"

    @extend_schema(operation_id="artifacts_profile", parameters=[PATH], responses=shapes.TableProfile)
    def get(self, request: Request, artifact_id: str) -> HttpResponseBase:
        """What is in each column of a table, or of its first rows when it is long."""
        return super().get(request, artifact_id)

    def answer(self, row: Artifact, part: Part) -> HttpResponseBase:
        if row.content.inline is not None:
            return Response(previews.NO_PROFILE)
        with store() as here:
            return Response(previews.profile(part, here))


class ImageView(PartView):
    form = "image-"

    @extend_schema(
        operation_id="artifacts_image", parameters=[PATH], responses={(200, "image/*"): OpenApiTypes.BINARY}
    )
    def get(self, request: Request, artifact_id: str) -> HttpResponseBase:
        """A picture to show: PNG, JPEG, GIF or WebP by its bytes, and nothing else."""
        return super().get(request, artifact_id)

    def answer(self, row: Artifact, part: Part) -> HttpResponseBase:
        found = previews.picture_of(part, store()) if row.content.inline is None else None
        if found is None:
            raise NotFound("This is no picture that can be shown. Download it.", code="no-picture")
        return HttpResponse(store().read(part.sha256), content_type=found.media_type, headers=HARMLESS)


class EntriesView(ArtifactView):
    @extend_schema(
        operation_id="artifacts_entries",
        parameters=[
            OpenApiParameter("q", OpenApiTypes.STR, description="part of the path"),
            OpenApiParameter("cursor", OpenApiTypes.STR, description="the path after which to go on"),
            OpenApiParameter("page_size", OpenApiTypes.INT),
        ],
        responses=paged(shapes.PreviewEntry),
    )
    def get(self, request: Request, artifact_id: str) -> Response:
        """The files of a folder, by path."""
        row = self.artifact(artifact_id)
        folder = previews.whole(row)
        if not folder.is_folder:
            raise NotFound(f"{row.name} is no folder.", code="no-folder")
        size = whole_number(request, "page_size", previews.ENTRIES, least=1, most=500)
        q = request.query_params.get("q", "").lower()
        after = request.query_params.get("cursor", "")
        try:
            found = previews.entries(folder, store())
        except StoreError as problem:
            raise _refused(row, problem) from problem
        except tables.Unreadable as problem:
            raise NotFound(str(problem), code="folder-unreadable") from problem
        left = [entry for entry in found if entry.path > after and q in entry.path.lower()]
        shown = [previews.entry_body(entry) for entry in left[:size]]
        return Response({"next": self.further(left, size), "previous": None, "results": shown})

    def further(self, left: list[Any], size: int) -> str | None:
        """The address of the next page."""
        if len(left) <= size:
            return None
        query = self.request.query_params.dict() | {"cursor": left[size - 1].path}
        return self.request.build_absolute_uri(f"{self.request.path}?{urlencode(query)}")
