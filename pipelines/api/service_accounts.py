"""Service accounts: the accounts of a team's programs, which have tokens and roles and cannot sign in."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import transaction
from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from pipelines import accounts, people, queries, tokens
from pipelines.api import shapes, shown
from pipelines.api.base import ApiView, PersonField, not_found, paged, person, pick_team, uuid_or_404
from pipelines.api.people import new_token
from pipelines.api.shapes import NameField, Shape
from pipelines.models import ApiToken, Role, Team, User

Body = dict[str, Any]
# Choosing approver is refused in words: a decision is a person's.
ROLES = Role.choices


class ServiceAccount(Shape):
    username = serializers.CharField()
    name = serializers.CharField()
    team = serializers.CharField(help_text="the team it belongs to, and the only one it can work in")
    roles = serializers.ListField(child=serializers.CharField())
    active = serializers.BooleanField(help_text="false once it was disabled: its tokens are revoked")
    tokens = serializers.IntegerField(help_text="how many can be used now")
    last_used_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    created_by = PersonField(allow_null=True)


class MakeServiceAccount(Shape):
    team = NameField(required=False)
    username = serializers.CharField(max_length=150)
    name = serializers.CharField(max_length=150, required=False, allow_blank=True, default="")
    roles = serializers.ListField(child=serializers.ChoiceField(ROLES), required=False, default=list)


class ChangeServiceAccount(Shape):
    name = serializers.CharField(max_length=150, required=False, allow_blank=True)
    roles = serializers.ListField(child=serializers.ChoiceField(ROLES), required=False)
    active = serializers.BooleanField(required=False)


class ServiceAccountsView(ApiView):
    ordering = ("username",)
    asks_again: ClassVar[frozenset[str]] = frozenset({"POST"})

    @extend_schema(
        operation_id="service_accounts_list",
        parameters=[OpenApiParameter("team", OpenApiTypes.STR)],
        responses=paged(ServiceAccount),
    )
    def get(self, request: Request) -> Response:
        """The service accounts of the teams a person sees, disabled ones too."""
        rows = self.rights.only(User.objects.filter(service_of__archived_at=None).exclude(service_of=None))
        if team := request.query_params.get("team"):
            rows = rows.filter(service_of__slug=team)
        return self.page(queries.service_accounts(rows), _shown)

    @extend_schema(
        operation_id="service_accounts_create",
        request=MakeServiceAccount,
        responses={201: ServiceAccount},
    )
    def post(self, request: Request) -> Response:
        """A new service account of a team that one manages."""
        body = self.read(MakeServiceAccount)
        team = pick_team(self.rights, body.get("team"), "manage")
        account = people.make_service_account(
            team,
            body["username"],
            name=body["name"],
            roles=body["roles"],
            actor=self.user,
            token=self.token,
        )
        return Response(_one(account), status=201)


def _one(account: User) -> Body:
    return _shown(list(queries.service_accounts(User.objects.filter(pk=account.pk))))[0]


def _shown(found: list[User]) -> list[Body]:
    return [
        {
            "username": row.username,
            "name": row.first_name,
            "team": _team_of(row).slug,
            "roles": sorted(row.roles),  # type: ignore[attr-defined]
            "active": row.is_active,
            "tokens": row.live_tokens,  # type: ignore[attr-defined]
            "last_used_at": row.last_used_at,  # type: ignore[attr-defined]
            "created_at": row.date_joined,
            "created_by": person(row.created_by),
        }
        for row in found
    ]


def _team_of(account: User) -> Team:
    assert account.service_of is not None  # noqa: S101 - `find` gives accounts of teams alone
    return account.service_of


class AccountView(ApiView):
    """A view on one service account."""

    def account(self, username: str, verb: str) -> User:
        rows = User.objects.filter(service_of__archived_at=None).exclude(service_of=None)
        return self.find(rows.select_related("service_of"), verb, username=username)


class ServiceAccountView(AccountView):
    asks_again: ClassVar[frozenset[str]] = frozenset({"PATCH"})

    @extend_schema(operation_id="service_accounts_read", responses=ServiceAccount)
    def get(self, request: Request, username: str) -> Response:
        """One service account."""
        return Response(_one(self.account(username, "view")))

    @extend_schema(
        operation_id="service_accounts_change", request=ChangeServiceAccount, responses=ServiceAccount
    )
    def patch(self, request: Request, username: str) -> Response:
        """Its name and its roles; `active: false` disables it and revokes its tokens for good."""
        account = self.account(username, "manage")
        body = self.read(ChangeServiceAccount)
        by: Body = {"actor": self.user, "token": self.token}
        with transaction.atomic():
            if "name" in body:
                accounts.change(account, {"first_name": body["name"]}, **by)
            if "roles" in body:
                people.set_roles(_team_of(account), account, body["roles"], **by)
            if "active" in body:
                (accounts.reactivate if body["active"] else accounts.deactivate)(account, **by)
        return Response(_one(account))


class ServiceTokensView(AccountView):
    asks_again: ClassVar[frozenset[str]] = frozenset({"POST"})

    @extend_schema(operation_id="service_tokens_list", responses=paged(shapes.Token))
    def get(self, request: Request, username: str) -> Response:
        """The tokens of a service account, without their text, for those who manage its team."""
        return self.page(_tokens(self.account(username, "manage")), _tokens_shown)

    @extend_schema(
        operation_id="service_tokens_create", request=shapes.MakeToken, responses={201: shapes.NewToken}
    )
    def post(self, request: Request, username: str) -> Response:
        """A new token of a service account, bound to its team; its text is in this answer alone."""
        account = self.account(username, "manage")
        return new_token(self, account, _team_of(account), self.read(shapes.MakeToken))


def _tokens(account: User) -> QuerySet[ApiToken]:
    return tokens.with_state(ApiToken.objects.filter(user=account))


def _tokens_shown(found: list[ApiToken]) -> list[Body]:
    return [shown.token(row) for row in found]


class ServiceTokenView(AccountView):
    asks_again: ClassVar[frozenset[str]] = frozenset({"DELETE"})

    @extend_schema(operation_id="service_tokens_revoke", responses={204: None})
    def delete(self, request: Request, username: str, token_id: str) -> Response:
        """Revoke a token of a service account."""
        account = self.account(username, "manage")
        row = _tokens(account).filter(uuid=uuid_or_404(token_id, ApiToken)).first()
        if row is None:
            raise not_found(ApiToken)
        tokens.revoke(row, actor=self.user, by_token=self.token)
        return Response(status=204)
