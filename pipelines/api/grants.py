"""What teams lend to each other."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import Q, QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from pipelines import grants
from pipelines.api.base import ApiView, PersonField, not_found, paged, person, pick_team, require, uuid_or_404
from pipelines.api.shapes import NameField, Shape
from pipelines.errors import Invalid
from pipelines.models import Grant, Team

Body = dict[str, Any]
WAYS = ("given", "received")


class GrantShape(Shape):
    id = serializers.UUIDField()
    kind = serializers.CharField(help_text="pipeline, codelocation, secret, endpoint or model")
    object = serializers.UUIDField()
    name = serializers.CharField(help_text="how documents of the other team name it: owner:name")
    owner = serializers.CharField(help_text="the team it belongs to")
    team = serializers.CharField(help_text="the team it is lent to")
    verb = serializers.CharField(help_text="view, run, or use: documents may name it")
    created_at = serializers.DateTimeField()
    created_by = PersonField()
    can_end = serializers.BooleanField()


class Lend(Shape):
    kind = serializers.CharField(max_length=32)
    object = serializers.UUIDField()
    team = NameField()
    verb = serializers.CharField(max_length=32)


class GrantsView(ApiView):
    asks_again: ClassVar[frozenset[str]] = frozenset({"POST"})

    @extend_schema(
        operation_id="grants_list",
        parameters=[
            OpenApiParameter("team", OpenApiTypes.STR, description="given or received by this team"),
            OpenApiParameter("way", OpenApiTypes.STR, enum=WAYS, description="seen from that team"),
            OpenApiParameter("object", OpenApiTypes.UUID, description="of this one thing"),
        ],
        responses=paged(GrantShape),
    )
    def get(self, request: Request) -> Response:
        """What is lent now by and to the teams a person sees, the newest first."""
        rows = self._wanted(self._visible(), request)
        rows = rows.select_related("owner", "team", "created_by")
        return self.page(rows, lambda found: [self._shown(row) for row in found])

    def _visible(self) -> QuerySet[Grant]:
        rows = Grant.objects.filter(ended_at=None)
        teams = self.rights.only(Team.objects.filter(archived_at=None))
        return rows.filter(Q(owner__in=teams) | Q(team__in=teams))

    def _wanted(self, rows: QuerySet[Grant], request: Request) -> QuerySet[Grant]:
        query = request.query_params
        if thing := query.get("object"):
            rows = rows.filter(object_uuid=uuid_or_404(thing, Grant))
        way = query.get("way")
        if way is not None and way not in WAYS:
            raise Invalid("way: given or received.", errors=[("way", "given or received.")])
        if way is not None or query.get("team"):
            team = pick_team(self.rights, query.get("team"), "view")
            given, received = Q(owner=team), Q(team=team)
            rows = rows.filter({"given": given, "received": received}.get(way or "", given | received))
        return rows

    def _shown(self, row: Grant) -> Body:
        return {
            "id": row.uuid,
            "kind": row.object_kind,
            "object": row.object_uuid,
            "name": row.object_name,
            "owner": row.owner.slug,
            "team": row.team.slug,
            "verb": row.verb,
            "created_at": row.created_at,
            "created_by": person(row.created_by),
            "can_end": self.rights.can("manage", row),
        }

    @extend_schema(operation_id="grants_create", request=Lend, responses={201: GrantShape})
    def post(self, request: Request) -> Response:
        """Lend a thing of a team that one manages to another team, for one verb."""
        body = self.read(Lend)
        rows = grants.things(body["kind"])
        thing = rows.filter(uuid=body["object"]).first()
        if thing is None:
            raise not_found(rows.model)
        require(self.rights, "manage", thing)
        row = grants.lend(thing, _team(body["team"]), body["verb"], actor=self.user, token=self.token)
        return Response(self._shown(row), status=201)


def _team(slug: str) -> Team:
    """Any team by its name: who lends need not see the other team."""
    team = Team.objects.filter(slug=slug, archived_at=None).first()
    if team is None:
        raise Invalid(
            f"There is no team '{slug}': ask the other team for its name.",
            errors=[("team", "No team has this name.")],
        )
    return team


class GrantView(ApiView):
    asks_again: ClassVar[frozenset[str]] = frozenset({"DELETE"})

    @extend_schema(operation_id="grants_end", responses={204: None})
    def delete(self, request: Request, grant_id: str) -> Response:
        """Take a thing back. Documents that name it have a problem from now on; their runs are refused."""
        rows = Grant.objects.filter(ended_at=None).select_related("owner", "team")
        row = self.find(rows, "manage", uuid=uuid_or_404(grant_id, Grant))
        grants.end(row, actor=self.user, token=self.token)
        return Response(status=204)
