"""``/metrics`` for Prometheus: with a token, or for a site admin in the browser."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from pipelines.api.base import ApiView, refuse
from pipelines.errors import Forbidden
from runs import metrics


class OneFormat(BaseContentNegotiation):
    """There is one format, whatever is asked for; problems are JSON as everywhere."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        return next(iter(parsers), None)

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, str(renderer.media_type)


class MetricsView(ApiView):
    content_negotiation_class = OneFormat

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any) -> HttpResponse:
        if self.token is not None and not self.rights.scope_allows("view"):
            refuse(self.rights, "view")
        if self.token is None and not self.rights.site_admin:
            raise Forbidden("Metrics are for a token or a site admin.")
        return HttpResponse(metrics.text(), content_type=metrics.CONTENT_TYPE)
