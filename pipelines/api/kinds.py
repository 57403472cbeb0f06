"""The task kinds, for whoever draws a pipeline."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from pipelines.api import shapes
from pipelines.api.base import ApiView
from pipelines.palette import palette


class KindsView(ApiView):
    @extend_schema(operation_id="kinds_list", responses=shapes.Kinds)
    def get(self, request: Request) -> Response:
        """Every kind of task with the JSON Schema of its keys; the same for everybody."""
        return Response(palette())
