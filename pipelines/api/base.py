"""What every view of the API shares: rights, look-ups by name and uuid, ETags, idempotency keys, pages.

The views of all three apps build on ``ApiView``. Errors leave it as exceptions; the front door turns them
into RFC 9457 problems (``orchestrator_site/api.py``).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, ClassVar, Final, NoReturn, TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import APIView

from pipelines import grants
from pipelines.access import Rights, roles_that_allow
from pipelines.errors import Conflict, Forbidden, Invalid, NotFound, Stale, TooLarge
from pipelines.models import ApiToken, Pipeline, Team, User
from pipelines.recent import require_recent
from pipelines.storable import is_json, is_text

M = TypeVar("M", bound=Model)

# Bytes of a request's body: a document of 2 MiB as a JSON string, with its layout.
MAX_BODY: Final = 6 * 1024 * 1024
LONGEST_KEY: Final = 200
MOST_NAMED: Final = 10  # unknown fields that an answer names
_RIGHTS: Final = "_rights"  # where a request keeps them
NAME: Final = re.compile(r"(?:(?P<team>[a-z0-9-]+):)?(?P<name>[a-z0-9-]+)")


def rights_of(request: Request) -> Rights:
    """The rights of whoever makes this request; read from the database once per request."""
    found = getattr(request, _RIGHTS, None)
    if found is None:
        found = Rights(request.user, token_of(request))
        setattr(request, _RIGHTS, found)
    return found


def token_of(request: Request) -> ApiToken | None:
    """The token a program signed in with; None for a browser's session."""
    return request.auth if isinstance(request.auth, ApiToken) else None


class ApiView(APIView):
    """A view whose reader is signed in. Ask ``self.require`` before touching a thing.

    ``ordering`` and ``page_size`` steer ``self.page``. ``asks_again`` names the methods before which a person
    in a browser must have said lately who they are (``pipelines/recent.py``).
    """

    ordering: tuple[str, ...] = ("-id",)
    max_body: int = MAX_BODY
    asks_again: ClassVar[frozenset[str]] = frozenset()
    # Methods whose answers take long to make, of which one may therefore ask fewer in a minute.
    expensive: ClassVar[frozenset[str]] = frozenset()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.method in self.asks_again and self.token is None:
            require_recent(request._request)
        refuse_large(request, self.max_body)
        refuse_unreadable(request, kwargs)

    @property
    def rights(self) -> Rights:
        return rights_of(self.request)

    @property
    def user(self) -> User:
        """The person who asks; the permission classes have refused anybody else."""
        assert isinstance(self.request.user, User)  # noqa: S101
        return self.request.user

    @property
    def token(self) -> ApiToken | None:
        return token_of(self.request)

    def require(self, verb: str, obj: M) -> M:
        """The thing itself when the verb may be done with it. 404 when it may not be seen, else 403."""
        require(self.rights, verb, obj)
        return obj

    def find(self, queryset: QuerySet[M], verb: str = "view", **lookup: Any) -> M:
        """The one visible row of a look-up, with which the verb may be done; 404 or 403 otherwise."""
        obj = queryset.filter(**lookup).first()
        if obj is None:
            raise not_found(queryset.model)
        return self.require(verb, obj)

    def find_pipeline(self, name: str, verb: str = "view") -> Pipeline:
        """The pipeline that ``name`` or ``team:name`` means to this person."""
        pipelines = Pipeline.objects.filter(archived_at=None).select_related("team", "active_version")
        return self.require(verb, find_named(self.rights, pipelines, name))

    def read(self, serializer_class: Callable[..., serializers.Serializer[Any]]) -> dict[str, Any]:
        """The checked body of the request; 422 with the fields otherwise."""
        serializer = serializer_class(data=self.request.data, context={"request": self.request, "view": self})
        serializer.is_valid(raise_exception=True)
        refuse_unknown(serializer)
        body = dict(serializer.validated_data)
        if wrong := [(name, "Characters that are no text.") for name in body if not is_json(body[name])]:
            raise Invalid("The body holds what cannot be stored.", errors=wrong)
        return body

    def page(self, queryset: QuerySet[Any], show: Callable[[list[Any]], Sequence[Any]]) -> Response:
        """One page of a list. ``show`` turns the rows of the page into plain JSON, all at once."""
        make_pages: Any = api_settings.DEFAULT_PAGINATION_CLASS
        paginator = make_pages()
        rows = paginator.paginate_queryset(queryset, self.request, view=self)
        return paginator.get_paginated_response(show(list(rows or [])))


def refuse_unknown(serializer: serializers.Serializer[Any]) -> None:
    """A field that nobody reads is most likely a slip in its name: what was meant would not be done."""
    known = [name for name, field in serializer.fields.items() if not field.read_only]
    unknown = sorted(_printable(str(name)) for name in set(serializer.initial_data) - set(known))
    if unknown:
        errors = [(name, _no_such_field(name, known)) for name in unknown[:MOST_NAMED]]
        raise Invalid("The body has fields that are not known here.", errors=errors)


def _printable(name: str) -> str:
    return name[:LONGEST_KEY].encode("utf-8", "replace").decode()


def _no_such_field(name: str, known: list[str]) -> str:
    if near := difflib.get_close_matches(name, known, n=1):
        return f"There is no such field; {near[0]} is one."
    return f"There is no such field; there are {', '.join(known)}." if known else "No field is wanted here."


def require(rights: Rights, verb: str, obj: Model) -> None:
    """Raise 404 when the thing may not be seen, 403 with the way out when the verb may not be done."""
    if rights.can(verb, obj):
        return
    if not rights.can("view", obj):
        raise not_found(type(obj))
    refuse(rights, verb)


def refuse(rights: Rights, verb: str) -> NoReturn:
    """403, saying what is missing: a scope of the token or a role in the team."""
    if not rights.scope_allows(verb):
        raise Forbidden(rights.scope_missing(verb), code="scope-missing")
    roles = roles_that_allow(verb)
    needed = f" It takes the role {' or '.join(roles)} in the team." if roles else " It takes a site admin."
    raise Forbidden(f"You may see this but not {verb} it.{needed}")


def not_found(model: type[Model]) -> NotFound:
    return NotFound(f"There is no such {model._meta.verbose_name}, or you may not see it.")


def find_named(rights: Rights, queryset: QuerySet[M], name: str) -> M:
    """The row of a model with ``team`` and ``name`` that a name means to this person.

    ``team:name`` means just that. A bare name means the team of the token, or else the only visible one;
    409 with the candidates when there are several, 404 when there is none.
    """
    match = NAME.fullmatch(name)
    if match is None:
        raise not_found(queryset.model)
    seen = rights.only(queryset).filter(name=match["name"])
    if match["team"]:
        seen = seen.filter(team__slug=match["team"])
    found = list(seen.select_related("team").order_by("team__slug")[:50])
    if len(found) > 1:
        raise ambiguous(name, [f"{row.team.slug}:{row.name}" for row in found])  # type: ignore[attr-defined]
    if not found:
        raise not_found(queryset.model)
    return found[0]


def ambiguous(name: str, candidates: list[str]) -> Conflict:
    return Conflict(
        f"Several teams have a '{name}': write {' or '.join(candidates)}.",
        code="name-ambiguous",
        candidates=candidates,
    )


def pick_team(rights: Rights, slug: str | None, verb: str) -> Team:
    """The team something new belongs to: the one named, else the token's, else the only one possible."""
    teams = Team.objects.filter(archived_at=None)
    if slug:
        team = rights.only(teams).filter(slug=slug).first()
        if team is None:
            raise Invalid(f"There is no team '{slug}', or you may not see it.", errors=[("team", "Unknown.")])
        if not rights.can(verb, team):
            refuse(rights, verb)
        return team
    found = list(rights.only(teams, verb).order_by("slug")[:20])
    if len(found) == 1:
        return found[0]
    if not found:
        refuse(rights, verb)
    names = ", ".join(team.slug for team in found)
    raise Invalid(f"Say which team: {names}.", errors=[("team", f"One of {names}.")], code="team-missing")


# For lists of what documents may name: a team's own things, and those that others have lent to it.
USABLE_BY: Final = OpenApiParameter(
    "usable_by", OpenApiTypes.STR, description="what documents of this team may name"
)


def usable(rights: Rights, rows: QuerySet[M], query: Mapping[str, str]) -> QuerySet[M]:
    """The rows of the `team` and `usable_by` that a query names; the model has ``team`` and ``uuid``."""
    if slug := query.get("team"):
        rows = rows.filter(team__slug=slug)
    if slug := query.get("usable_by"):
        rows = grants.usable(rows, pick_team(rights, slug, "view").pk)
    return rows


def refuse_large(request: Request, limit: int) -> None:
    """413 when the body is announced to be larger than ``limit`` bytes."""
    try:
        length = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        length = 0
    if length > limit:
        raise TooLarge(f"The body has {length} bytes; at most {limit} are taken.")


def refuse_unreadable(request: Request, names: Mapping[str, Any]) -> None:
    """Nothing is called by, or found with, what is no text: 404 in an address, 422 in a query."""
    if not all(is_text(str(name)) for name in names.values()):
        raise NotFound("There is nothing at this address.")
    wrong = [name for name, text in request.query_params.items() if not is_text(str(text))]
    if wrong:
        raise Invalid("The query holds what is no text.", errors=[(name, "No text.") for name in wrong])


def idempotency_key(request: Request) -> str | None:
    """The Idempotency-Key of a request, or None; 422 when it is too long or not printable ASCII."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not 0 < len(key) <= LONGEST_KEY or not key.isascii() or not key.isprintable():
        raise Invalid(
            f"An Idempotency-Key is 1 to {LONGEST_KEY} printable ASCII characters.",
            errors=[("Idempotency-Key", "Too long, empty or not printable.")],
        )
    return key


def etag(revision: int) -> str:
    """A strong ETag of a counter."""
    return f'"{revision}"'


def if_match(request: Request, current: int) -> None:
    """412 when the request names an ETag, and it is not the current one."""
    wanted = request.headers.get("If-Match")
    if wanted is None or wanted.strip() == "*":
        return
    if etag(current) not in [part.strip() for part in wanted.split(",")]:
        raise Stale("Somebody saved in between: read the draft again, then save yours.", etag=etag(current))


def whole_number(request: Request, name: str, default: int, least: int = 0, most: int = 2**31 - 1) -> int:
    """A number of the query; 422 when it is none or out of ``least`` to ``most``."""
    text = request.query_params.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or not least <= int(text[:20]) <= most:
        message = f"A whole number from {least} to {most}."
        raise Invalid(f"{name}: {message}", errors=[(name, message)])
    return int(text)


def yes_or_no(request: Request, name: str, *, default: bool) -> bool:
    """`true` or `false` in the query; 422 when it is neither."""
    text = request.query_params.get(name)
    if text is None:
        return default
    if text not in ("true", "false"):
        raise Invalid(f"{name}: true or false.", errors=[(name, "true or false.")])
    return text == "true"


@cache
def paged(shape: type[serializers.Serializer[Any]]) -> type[serializers.Serializer[Any]]:
    """The schema of one page of a list."""
    fields = {
        "next": serializers.URLField(allow_null=True),
        "previous": serializers.URLField(allow_null=True),
        "results": shape(many=True),
    }
    return type(f"{shape.__name__}Page", (serializers.Serializer,), fields)


def uuid_or_404(text: str, model: type[Model]) -> UUID:
    """The uuid of a text; a text that is none names nothing."""
    try:
        return UUID(text)
    except ValueError:
        raise not_found(model) from None


def person(user: User | None) -> dict[str, str] | None:
    """PERSON: how somebody is shown."""
    return None if user is None else {"username": user.username, "name": user.shown_name}


def paused(row: Any) -> dict[str, Any]:
    """Since when a thing is paused, by whom, until when and why. The row comes with ``paused_by``."""
    return {
        "paused_at": row.paused_at,
        "paused_by": person(row.paused_by),
        "paused_until": row.paused_until,
        "paused_reason": row.paused_reason,
    }


@extend_schema_serializer(component_name="Person")
class PersonField(serializers.Serializer[Any]):
    """The shape of PERSON, for the schema."""

    username = serializers.CharField()
    name = serializers.CharField()
