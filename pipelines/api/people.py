"""Who asks, teams, members and tokens."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from pipelines import people, queries, tokens
from pipelines.access import SCOPES
from pipelines.api import shapes, shown
from pipelines.api.base import ApiView, not_found, paged, pick_team, refuse, uuid_or_404
from pipelines.errors import Forbidden, Invalid
from pipelines.models import ApiToken, Membership, Team, User

Body = dict[str, Any]
TEAM = OpenApiParameter("team", OpenApiTypes.STR)


class MeView(ApiView):
    @extend_schema(operation_id="me", responses=shapes.Me)
    def get(self, request: Request) -> Response:
        """Who asks, with teams and roles as far as the token reaches."""
        return Response(shown.me(self.user, self.rights))


class TeamsView(ApiView):
    ordering = ("slug",)
    asks_again = frozenset({"POST"})

    @extend_schema(operation_id="teams_list", responses=paged(shapes.TeamRoles))
    def get(self, request: Request) -> Response:
        """The teams a person sees, with their own roles there."""
        rows = self.rights.only(Team.objects.filter(archived_at=None))
        return self.page(rows, lambda found: [shown.team(row, self.rights) for row in found])

    @extend_schema(operation_id="teams_create", request=shapes.MakeTeam, responses={201: shapes.TeamRoles})
    def post(self, request: Request) -> Response:
        """A new team, made by a site admin."""
        if not self.rights.can("manage", None):
            raise Forbidden("Only a site admin makes teams.")
        body = self.read(shapes.MakeTeam)
        team = people.make_team(body["slug"], body["name"], actor=self.user, token=self.token)
        return Response(shown.team(team, self.rights), status=201)


class MembersView(ApiView):
    ordering = ("username",)
    asks_again = frozenset({"POST"})

    @extend_schema(
        operation_id="members_list",
        parameters=[
            TEAM,
            OpenApiParameter("q", OpenApiTypes.STR, description="part of a name or user name"),
            OpenApiParameter("can_own", OpenApiTypes.BOOL, description="only who can own pipelines"),
        ],
        responses=paged(shapes.Member),
    )
    def get(self, request: Request) -> Response:
        """The people of a team with their roles."""
        team = pick_team(self.rights, request.query_params.get("team"), "view")
        rows = queries.members(team, request.query_params)
        return self.page(rows, lambda found: _members(team, found))

    @extend_schema(operation_id="members_set", request=shapes.SetMember, responses=shapes.Member)
    def post(self, request: Request) -> Response:
        """Set the roles of a person in a team; an empty list takes them out.

        A site admin makes a new person by giving e-mail and password as well.
        """
        body = self.read(shapes.SetMember)
        team = pick_team(self.rights, body["team"], "manage")
        person = User.objects.filter(username=body["username"]).first() or self._new(body)
        people.set_roles(team, person, body["roles"], actor=self.user, token=self.token)
        return Response(_members(team, [person])[0])

    def _new(self, body: Body) -> User:
        unknown = [
            ("username", "Nobody has this user name. A site admin makes accounts in the admin console.")
        ]
        if not self.rights.site_admin:
            raise Invalid(
                f"There is no '{body['username']}': ask a site admin to make the account.", errors=unknown
            )
        if "email" not in body or "password" not in body:
            raise Invalid(
                f"There is no '{body['username']}': give e-mail and password to make the account.",
                errors=unknown,
            )
        return people.make_person(
            body["username"],
            body["email"],
            body["password"],
            name=body.get("name", ""),
            actor=self.user,
            token=self.token,
        )


def _members(team: Team, found: list[User]) -> list[Body]:
    roles: dict[int, list[str]] = {person.pk: [] for person in found}
    held = Membership.objects.filter(team=team, user__in=found, ended_at=None).order_by("role")
    for user_id, role in held.values_list("user_id", "role"):
        roles[user_id].append(role)
    return [
        {
            "team": team.slug,
            "username": person.username,
            "name": person.shown_name,
            "email": person.email,
            "roles": roles[person.pk],
            "active": person.is_active,
            "service": person.service_of_id is not None,
        }
        for person in found
    ]


class TokensView(ApiView):
    asks_again = frozenset({"POST"})

    @extend_schema(operation_id="tokens_list", responses=paged(shapes.Token))
    def get(self, request: Request) -> Response:
        """A person's own tokens, without their text."""
        if not self.rights.scope_allows("view"):
            refuse(self.rights, "view")
        rows = tokens.with_state(ApiToken.objects.filter(user=self.user))
        if self.token is not None and self.token.team_id is not None:
            rows = rows.filter(team_id=self.token.team_id)
        return self.page(rows, lambda found: [shown.token(row) for row in found])

    @extend_schema(operation_id="tokens_create", request=shapes.MakeToken, responses={201: shapes.NewToken})
    def post(self, request: Request) -> Response:
        """A new token for oneself; its text is in this answer and nowhere else."""
        if not self.rights.scope_allows("manage"):
            refuse(self.rights, "manage")
        body = self.read(shapes.MakeToken)
        return new_token(self, self.user, self._team(body.get("team")), body)

    def _team(self, slug: str | None) -> Team | None:
        if slug:
            return pick_team(self.rights, slug, "view")
        return self.token.team if self.token else None


def new_token(view: ApiView, user: User, team: Team | None, body: Body) -> Response:
    """The answer that holds a new token's text, as MakeToken asks for it.

    A token makes only tokens that may do no more than itself.
    """
    own = view.token
    scopes = list(body.get("scopes") or (own.scopes if own else SCOPES))
    if own is not None and not set(scopes) <= set(own.scopes):
        raise Forbidden("A token cannot make one with scopes it lacks.", code="scope-missing")
    row, text = tokens.issue(
        user,
        name=body["name"],
        team=team,
        scopes=scopes,
        life=timedelta(days=body["days"]),
        actor=view.user,
        by_token=own,
    )
    made = tokens.with_state(ApiToken.objects.filter(pk=row.pk)).get()
    return Response({**shown.token(made), "token": text}, status=201)


class TokenView(ApiView):
    asks_again = frozenset({"DELETE"})

    @extend_schema(operation_id="tokens_revoke", responses={204: None})
    def delete(self, request: Request, token_id: str) -> Response:
        """Revoke a token of one's own."""
        row = ApiToken.objects.filter(user=self.user, uuid=uuid_or_404(token_id, ApiToken)).first()
        if row is None or not self._reaches(row):
            raise not_found(ApiToken)
        if not self.rights.scope_allows("manage") and self.token != row:
            refuse(self.rights, "manage")
        tokens.revoke(row, actor=self.user, by_token=self.token)
        return Response(status=204)

    def _reaches(self, row: ApiToken) -> bool:
        return self.token is None or self.token.team_id is None or self.token.team_id == row.team_id
