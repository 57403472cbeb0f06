"""What a line of the table says, and the world in which it is tried.

An app's module here has ``LINES: dict[(route, method), Line]`` and may have ``prepare(world)``, which makes
what its addresses name and puts it into ``world.names``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from django.db.models import Model, Value
from rest_framework.test import APIClient

from pipelines import grants
from pipelines import people as accounts_of_teams
from pipelines.access import SCOPES
from pipelines.clock import EngineNow
from pipelines.models import ApiToken, Membership, Role, Team, User
from runs.models import Queue
from tests.factories import client, join, make_pipeline, make_team, make_token, make_user

ROLES: Final = tuple(str(role) for role in Role)
EVERYBODY: Final = frozenset(ROLES)
EDITOR: Final = frozenset({"editor"})
RUNNERS: Final = frozenset({"editor", "operator"})
NOBODY: Final[frozenset[str]] = frozenset()
# Found nowhere but in things of the team alpha: an answer to a stranger that holds it has leaked.
MARK: Final = "mark-of-alpha"

# Beside one person for each role.
OTHERS: Final = (
    "anonymous",
    "stranger",
    "suspended",
    "expired token",
    "revoked token",
    "wrong scope",
    "other team's token",
    "borrower",
    "service account",
    "site admin",
)
ACTORS: Final = (*ROLES, *OTHERS)
# A service account may have every role but that of an approver.
SERVICE_ROLES: Final = EVERYBODY - {"approver"}


@dataclass(frozen=True)
class Line:
    """What one method of one address answers to whom.

    path: filled from ``world.names``. roles: who gets ``ok``; other members get ``denied``. scope: what the
    token of an all-rounder lacks for ``wrong_scope``. stranger, borrower, wrong_scope, site_admin, denied:
    statuses. A stranger, and a token bound to another team, see nothing of the team; a borrower is in
    all roles of a team to which it lends one thing of each kind, and is a stranger unless said otherwise.
    any_token: status for every token that can read, whosever it is.
    """

    path: str
    roles: frozenset[str] = EVERYBODY
    ok: int = 200
    scope: str = "read"
    body: Callable[[World], Any] | Mapping[str, Any] | None = None
    denied: int = 403
    stranger: int = 404
    wrong_scope: int = 403
    site_admin: int | None = None
    borrower: int | None = None
    any_token: int | None = None

    def expected(self, actor: str) -> int:
        """The status that an actor gets."""
        if actor in ROLES:
            return self.ok if actor in self.roles else self.denied
        if actor == "site admin":
            return self.ok if self.site_admin is None else self.site_admin
        if actor in ("service account", "other team's token") and self.any_token is not None:
            return self.any_token
        if actor == "service account":
            return self.ok if self.roles & SERVICE_ROLES else self.denied
        statuses = {
            "stranger": self.stranger,
            "other team's token": self.stranger,
            "borrower": self.stranger if self.borrower is None else self.borrower,
            "wrong scope": self.wrong_scope,
        }
        return statuses.get(actor, 401)


def seen(path: str, **options: Any) -> Line:
    """A thing of the team that every member sees; without the scope it does not exist."""
    return Line(path, **{"wrong_scope": 404, **options})


def lent(path: str, **options: Any) -> Line:
    """A thing that the borrower sees as well."""
    return seen(path, **{"borrower": 200, **options})


def listed(path: str, **options: Any) -> Line:
    """A list: everybody gets their own, so a stranger and a token without the scope get none of ours."""
    return Line(path, **{"stranger": 200, "wrong_scope": 200, **options})


def open_to_all(path: str, ok: int = 200) -> frozenset[int]:
    """An address that asks nobody who they are."""
    return frozenset({ok})


@dataclass
class World:
    """The team alpha with one person for each role, all that addresses name, and others."""

    team: Team
    people: dict[str, User]
    names: dict[str, str] = field(default_factory=dict)
    clients: dict[str, APIClient] = field(default_factory=dict)

    @property
    def editor(self) -> User:
        return self.people["editor"]

    def lend(self, thing: Model, *verbs: str) -> None:
        """Lend a thing of the team to the team of the borrower."""
        for verb in verbs or ("use",):
            grants.lend(thing, Team.objects.get(slug="borrowers"), verb, actor=self.people["admin"])

    def client(self, actor: str, scope: str) -> APIClient:
        """A client of the API for an actor; ``scope`` is the one that a wrong token lacks."""
        return self.clients[f"without {scope}" if actor == "wrong scope" else actor]

    def sign_in(self) -> None:
        """Make the clients of all actors, once: what one of them changes is taken back, they stay."""
        self.clients = {name: client(person) for name, person in self.people.items()}
        self.clients |= {f"without {scope}": self._without(scope) for scope in SCOPES}
        self.clients |= {
            "anonymous": client(),
            "suspended": self._suspended(),
            "expired token": self._ended(expiry=EngineNow() - Value(timedelta(seconds=1))),
            "revoked token": self._ended(revoked_at=EngineNow()),
            "service account": client(token=self._service_account()),
            "other team's token": client(token=self._bound_elsewhere()),
        }

    def _all_rounder(self) -> User:
        return join(self.team, make_user(), *ROLES)

    def _without(self, scope: str) -> APIClient:
        return client(token=make_token(self._all_rounder(), scopes=sorted(set(SCOPES) - {scope})))

    def _ended(self, **fields: Any) -> APIClient:
        person = self._all_rounder()
        made = client(token=make_token(person))
        ApiToken.objects.filter(user=person).update(**fields)
        return made

    def _bound_elsewhere(self) -> str:
        """Of somebody who is in all roles of both teams."""
        elsewhere = Team.objects.get(slug="others")
        return make_token(join(elsewhere, self._all_rounder(), *ROLES), team=elsewhere)

    def _service_account(self) -> str:
        account = accounts_of_teams.make_service_account(
            self.team, "program", roles=sorted(SERVICE_ROLES), actor=self.people["admin"]
        )
        return make_token(account, team=self.team)

    def _suspended(self) -> APIClient:
        person = self._all_rounder()
        signed_in = client(person)
        User.objects.filter(pk=person.pk).update(is_active=False)
        return signed_in


def make_world() -> World:
    """Everything that addresses of all apps name."""
    for slug in ("cpu", "gpu"):
        Queue.objects.get_or_create(slug=slug)
    team, others = make_team("alpha"), make_team("others")
    Team.objects.filter(pk=team.pk).update(name=MARK)
    team.refresh_from_db()
    people = {role: join(team, make_user(f"{role}-{MARK}"), role) for role in ROLES}
    people["stranger"] = join(others, make_user("stranger"), *ROLES)
    people["site admin"] = make_user("root", is_superuser=True)
    people["borrower"] = join(make_team("borrowers"), make_user("borrower"), *ROLES)
    make_pipeline(team=others, owner=people["stranger"], name="theirs")
    Membership.objects.get(team=team, role="editor")
    world = World(team, people)
    world.sign_in()
    return world
