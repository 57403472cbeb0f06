"""The audit chain, read."""

from __future__ import annotations

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from pipelines import queries
from pipelines.api import shapes, shown
from pipelines.api.base import ApiView, paged, pick_team, refuse, uuid_or_404
from pipelines.models import AuditEvent

SITE = "site"


class AuditView(ApiView):
    @extend_schema(
        operation_id="audit_list",
        parameters=[OpenApiParameter(name, OpenApiTypes.STR) for name in ("team", "verb", "object")],
        responses=paged(shapes.AuditRow),
    )
    def get(self, request: Request) -> Response:
        """Who did what, the newest first: of `team`, of the `site`, or of every team one may audit."""
        wanted = {name: request.query_params.get(name, "") for name in ("verb", "object")}
        if wanted["object"]:
            wanted["object"] = str(uuid_or_404(wanted["object"], AuditEvent))
        rows = self.rights.only(AuditEvent.objects.all(), "audit")
        rows = self._of_team(rows, request.query_params.get("team"))
        return self.page(
            queries.audit_events(rows, wanted), lambda found: [shown.event(row) for row in found]
        )

    def _of_team(self, rows: QuerySet[AuditEvent], slug: str | None) -> QuerySet[AuditEvent]:
        if slug == SITE:
            if not self.rights.can("audit", None):
                refuse(self.rights, "audit")
            return rows.filter(team=None)
        if slug:
            return rows.filter(team=pick_team(self.rights, slug, "audit"))
        if not (self.rights.can("audit", None) or self.rights.teams("audit")):
            refuse(self.rights, "audit")
        return rows
