"""Who may see and do what. The one decision point: every app asks here, and the default is no.

A person has roles in teams, a role allows verbs, a thing belongs to a team. A token narrows what its
person may do: to its scopes, and to its team when it has one. A Grant lends one thing of a team to
another team for one verb. What a person may not see does not exist for them.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, cached_property
from typing import Any, Final, TypeVar

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model, Q, QuerySet

from pipelines.models import ApiToken, Grant, Membership, Role, Team, User

M = TypeVar("M", bound=Model)
AnyUser = User | AnonymousUser

# Verbs on things of a team. `view` comes with every role. `use` is what documents do with what they name, and
# an editor writes documents; `edit` and `publish` therefore mean to have code executed on the team's queues.
VERBS_OF_ROLE: Final[dict[str, frozenset[str]]] = {
    Role.VIEWER: frozenset({"view"}),
    Role.EDITOR: frozenset({"view", "edit", "use", "publish", "sync", "run", "cancel", "resume", "retry"}),
    Role.OPERATOR: frozenset({"view", "run", "cancel", "resume", "retry", "pause"}),
    Role.APPROVER: frozenset({"view", "approve"}),
    Role.AUDITOR: frozenset({"view", "audit"}),
    Role.ADMIN: frozenset({"view", "manage", "sync"}),
}
# `register` reads the server's own disk and is left to the site admin; so is everything of the site.
VERBS: Final = frozenset().union(*VERBS_OF_ROLE.values()) | {"register"}
# A decision about a task is a person's in their role, so being site admin does not give it.
NOT_BY_SITE_ADMIN: Final = frozenset({"approve"})

# What a token may be limited to.
SCOPE_OF_VERB: Final[dict[str, str]] = {
    "view": "read",
    "audit": "read",
    "edit": "edit",
    "use": "edit",
    "publish": "edit",
    "sync": "edit",
    "run": "run",
    "cancel": "run",
    "resume": "run",
    "retry": "run",
    "pause": "run",
    "approve": "approve",
    "manage": "manage",
    "register": "manage",
}
SCOPES: Final = ("read", "edit", "run", "approve", "manage")

# Where a row's team is found, first fit; a model of a higher app may name its own with `team_is_at`.
_PATHS: Final = (
    "team",
    "pipeline__team",
    "version__pipeline__team",
    "location__team",
    "run__team",
    "task_run__run__team",
    "attempt__team",
    "endpoint__team",
    "model__team",
    "record__team",
)
# Whoever manages the owner of a grant may end it. A service account is a thing of its team; a person is not.
_own_paths: dict[type[Model], str | None] = {Team: "", Grant: "owner", User: "service_of"}
_open_models: set[type[Model]] = set()
_parts: dict[type[Model], str] = {}


def team_is_at(model: type[Model], path: str | None) -> None:
    """Say where rows of ``model`` have their team: a path of fields like ``run__team``."""
    _own_paths[model] = path
    team_path.cache_clear()


def open_to_everyone(model: type[Model]) -> None:
    """Rows of ``model`` belong to the site, and everybody who is signed in may view them."""
    _open_models.add(model)


def part_of(model: type[Model], path: str) -> None:
    """Rows of ``model`` are lent with the thing at the end of ``path``: a run with its pipeline."""
    _parts[model] = path


@cache
def team_path(model: type[Model]) -> str | None:
    """The path of fields from a model to its team; "" for Team itself, None for things of the site."""
    if model in _own_paths:
        return _own_paths[model]
    return next((path for path in _PATHS if _has_path(model, path)), None)


def _has_path(model: type[Model], path: str) -> bool:
    current: Any = model
    for name in path.split("__"):
        try:
            current = current._meta.get_field(name).related_model
        except FieldDoesNotExist:
            return False
        if current is None:
            return False
    return current is Team


def team_id_of(obj: Model) -> int | None:
    """The id of the team a thing belongs to; None when it belongs to the site."""
    path = team_path(type(obj))
    if path is None:
        return None
    if path == "":
        return int(obj.pk)
    *steps, last = path.split("__")
    holder: Any = obj
    for step in steps:
        holder = getattr(holder, step)
    return getattr(holder, f"{last}_id", None)


def kind_of(obj: Model | type[Model]) -> str:
    """How a thing is called in grants and in the audit chain: its model's name."""
    return str(obj._meta.model_name)


def _whole_of(model: type[Model]) -> tuple[str, str]:
    """What is lent when rows of a model are: its kind, and the path to its uuid."""
    if model not in _parts:
        return kind_of(model), "uuid"
    current: Any = model
    for step in _parts[model].split("__"):
        current = current._meta.get_field(step).related_model
    return kind_of(current), f"{_parts[model]}__uuid"


class Rights:
    """What one person, with one token, may do: asks the database at most twice, however much is judged."""

    def __init__(self, user: AnyUser, token: ApiToken | None = None) -> None:
        self.user = user
        self.token = token

    @cached_property
    def roles(self) -> dict[int, frozenset[str]]:
        """Team id -> roles held there, as far as the token reaches."""
        if not self.active:
            return {}
        held = Membership.objects.filter(ended_at=None, team__archived_at=None)
        rows = held.filter(user_id=int(self.user.pk or 0))
        if self.token is not None and self.token.team_id is not None:
            rows = rows.filter(team_id=self.token.team_id)
        found: dict[int, set[str]] = {}
        for team_id, role in rows.values_list("team_id", "role"):
            found.setdefault(team_id, set()).add(role)
        return {team_id: frozenset(roles) for team_id, roles in found.items()}

    @property
    def active(self) -> bool:
        return self.user.is_authenticated and self.user.is_active and self._token_alive

    @property
    def _token_alive(self) -> bool:
        token = self.token
        return token is None or (token.revoked_at is None and token.user_id == self.user.pk)

    @property
    def site_admin(self) -> bool:
        """Whether these rights are the site's own; a token bound to a team never gives them."""
        unbound = self.token is None or self.token.team_id is None
        return self.active and bool(getattr(self.user, "is_superuser", False)) and unbound

    def scope_allows(self, verb: str) -> bool:
        if self.token is None:
            return True
        return SCOPE_OF_VERB.get(verb) in self.token.scopes

    def scope_missing(self, verb: str) -> str:
        """That the token's scopes do not allow a verb, with those it has and the one it takes."""
        held = " and ".join(self.token.scopes) if self.token is not None else ""
        wanted = SCOPE_OF_VERB[verb]
        return f"This token may {held} only; to {verb} takes the scope '{wanted}': use a token that has it."

    def teams(self, verb: str) -> set[int]:
        """Ids of the teams in which a role of this person allows the verb (nothing said of site admins)."""
        if not self.scope_allows(verb):
            return set()
        return {
            team_id
            for team_id, roles in self.roles.items()
            if any(verb in VERBS_OF_ROLE.get(role, ()) for role in roles)
        }

    def can(self, verb: str, obj: Model | type[Model] | None) -> bool:
        """May the verb be done with this thing? ``None`` asks about the site itself."""
        if verb not in VERBS or not self.active or not self.scope_allows(verb):
            return False
        if self.site_admin and verb not in NOT_BY_SITE_ADMIN:
            return True
        if obj is None or isinstance(obj, type):
            return False
        team_id = team_id_of(obj)
        if team_id is None:
            return verb == "view" and type(obj) in _open_models
        if verb == "register":
            return False
        return team_id in self.teams(verb) or self._granted(verb, obj)

    def _granted(self, verb: str, obj: Model) -> bool:
        whole: Any = obj
        for step in filter(None, _parts.get(type(obj), "").split("__")):
            whole = getattr(whole, step)
        return getattr(whole, "uuid", None) in self._grants(verb, kind_of(whole))

    def _grants(self, verb: str, kind: str) -> set[Any]:
        if not hasattr(self, "_grants_read"):
            rows = Grant.objects.filter(team_id__in=self.roles, owner__archived_at=None, ended_at=None)
            self._grants_read = list(rows.values_list("team_id", "verb", "object_kind", "object_uuid"))
        teams = self.teams(verb)
        return {
            uuid
            for team_id, granted, of_kind, uuid in self._grants_read
            if of_kind == kind and team_id in teams and (granted == verb or verb == "view")
        }

    def only(self, queryset: QuerySet[M], verb: str = "view") -> QuerySet[M]:
        """The rows of a queryset with which the verb may be done."""
        if not self.active or not self.scope_allows(verb):
            return queryset.none()
        if self.site_admin and verb not in NOT_BY_SITE_ADMIN:
            return queryset
        path = team_path(queryset.model)
        if path is None:
            return queryset if verb == "view" and queryset.model in _open_models else queryset.none()
        allowed = Q(**{f"{path}__in" if path else "pk__in": self.teams(verb)})
        kind, uuid = _whole_of(queryset.model)
        granted = self._grants(verb, kind)
        return queryset.filter(allowed | Q(**{f"{uuid}__in": granted}) if granted else allowed)

    def roles_in(self, team_id: int) -> frozenset[str]:
        return self.roles.get(team_id, frozenset())


def can(user: AnyUser, verb: str, obj: Model | type[Model] | None, token: ApiToken | None = None) -> bool:
    """May this person do this with that thing? Anonymous, inactive and unknown always get no."""
    return Rights(user, token).can(verb, obj)


def for_user(
    queryset: QuerySet[M], user: AnyUser, verb: str = "view", token: ApiToken | None = None
) -> QuerySet[M]:
    """The rows with which this person may do the verb."""
    return Rights(user, token).only(queryset, verb)


def roles_that_allow(verb: str) -> list[str]:
    """The roles that allow a verb, for sentences."""
    return [str(role) for role, verbs in VERBS_OF_ROLE.items() if verb in verbs]


def scopes_known(scopes: Iterable[str]) -> bool:
    return set(scopes) <= set(SCOPES)
