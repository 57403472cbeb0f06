"""Secrets of teams: names and versions for every member, values for nobody."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from pipelines import secrets
from pipelines.access import Rights
from pipelines.api.base import (
    USABLE_BY,
    ApiView,
    PersonField,
    paged,
    person,
    pick_team,
    usable,
    uuid_or_404,
)
from pipelines.api.shapes import NameField, Shape
from pipelines.errors import Forbidden
from pipelines.models import Secret, SecretSource

Body = dict[str, Any]


class SecretShape(Shape):
    id = serializers.UUIDField()
    team = serializers.CharField()
    name = serializers.CharField(help_text="documents write ${{ secrets.NAME }}")
    description = serializers.CharField()
    source = serializers.ChoiceField(SecretSource.choices)  # type: ignore[assignment] # a field of this name
    address = serializers.CharField(help_text="the variable or file of the worker; empty for a stored value")
    version = serializers.IntegerField(help_text="counts the values that this name has had")
    created_at = serializers.DateTimeField()
    created_by = PersonField(allow_null=True)
    changed_at = serializers.DateTimeField()
    changed_by = PersonField(allow_null=True)


class SecretUse(Shape):
    name = serializers.CharField()
    title = serializers.CharField()
    draft = serializers.BooleanField()
    active = serializers.BooleanField(help_text="whether the active version names the secret")


class SecretDetail(SecretShape):
    used_by = SecretUse(many=True, help_text="pipelines of the team, at most 100")


class ValueField(serializers.CharField):
    """A value as it was typed; it is never given back."""

    def __init__(self, **options: Any) -> None:
        super().__init__(trim_whitespace=False, write_only=True, required=False, **options)


class MakeSecret(Shape):
    team = NameField(required=False)
    name = serializers.CharField(max_length=63)
    description = serializers.CharField(required=False, allow_blank=True)
    value = ValueField()
    source = serializers.ChoiceField(SecretSource.choices, required=False)  # type: ignore[assignment]
    address = serializers.CharField(required=False, allow_blank=True, max_length=255)


class ChangeSecret(Shape):
    description = serializers.CharField(required=False, allow_blank=True)
    value = ValueField()
    address = serializers.CharField(required=False, max_length=255)


class SecretsView(ApiView):
    ordering = ("name", "id")
    asks_again = frozenset({"POST"})

    @extend_schema(
        operation_id="secrets_list",
        parameters=[OpenApiParameter("team", OpenApiTypes.STR), USABLE_BY],
        responses=paged(SecretShape),
    )
    def get(self, request: Request) -> Response:
        """The secrets a person may name in documents, without their values."""
        rows = self.rights.only(Secret.objects.filter(archived_at=None))
        rows = usable(self.rights, rows, request.query_params)
        rows = rows.select_related("team", "created_by", "changed_by").defer("ciphertext")
        return self.page(rows, lambda found: [shown(row) for row in found])

    @extend_schema(operation_id="secrets_create", request=MakeSecret, responses={201: SecretShape})
    def post(self, request: Request) -> Response:
        """Store a secret. Only a site admin may refer to a variable or file of the workers' machines."""
        body = self.read(MakeSecret)
        team = pick_team(self.rights, body.pop("team", None), "manage")
        if body.get("source", SecretSource.VALUE) != SecretSource.VALUE:
            refuse_reference(self.rights)
        row = secrets.create(team, body.pop("name"), actor=self.user, token=self.token, **body)
        return Response(shown(row), status=201)


class SecretView(ApiView):
    asks_again = frozenset({"PATCH", "DELETE"})

    def secret(self, secret_id: str, verb: str) -> Secret:
        rows = Secret.objects.filter(archived_at=None).select_related("team", "created_by", "changed_by")
        return self.find(rows, verb, uuid=uuid_or_404(secret_id, Secret))

    @extend_schema(operation_id="secrets_read", responses=SecretDetail)
    def get(self, request: Request, secret_id: str) -> Response:
        """One secret without its value, and the pipelines that name it."""
        row = self.secret(secret_id, "view")
        # Being lent a secret shows nothing else of its team.
        uses = secrets.uses(row) if self.rights.can("view", row.team) else []
        return Response({**shown(row), "used_by": [_use(use) for use in uses]})

    @extend_schema(operation_id="secrets_change", request=ChangeSecret, responses=SecretShape)
    def patch(self, request: Request, secret_id: str) -> Response:
        """A new value, which makes the next version, or a new description."""
        row = self.secret(secret_id, "manage")
        body = self.read(ChangeSecret)
        if "address" in body:
            refuse_reference(self.rights)
        return Response(shown(secrets.change(row, **body, actor=self.user, token=self.token)))

    @extend_schema(operation_id="secrets_archive", responses={204: None})
    def delete(self, request: Request, secret_id: str) -> Response:
        """Take a secret out of use and forget its value. Tasks that name it fail from then on."""
        secrets.archive(self.secret(secret_id, "manage"), actor=self.user, token=self.token)
        return Response(status=204)


def refuse_reference(rights: Rights) -> None:
    if not rights.can("register", None):
        raise Forbidden("Only a site admin lets secrets refer to the workers' own variables and files.")


def shown(row: Secret) -> Body:
    return {
        "id": row.uuid,
        "team": row.team.slug,
        "name": row.name,
        "description": row.description,
        "source": row.source,
        "address": row.address,
        "version": row.version,
        "created_at": row.created_at,
        "created_by": person(row.created_by),
        "changed_at": row.changed_at,
        "changed_by": person(row.changed_by),
    }


def _use(use: secrets.Use) -> Body:
    return {
        "name": use.pipeline.name,
        "title": use.pipeline.title,
        "draft": use.draft,
        "active": use.active,
    }
