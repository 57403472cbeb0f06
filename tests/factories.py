"""Things that tests begin with, each made the way the product makes it.

The cast: Alice edits, runs and approves in the team `alpha`; Bob is a viewer there; Charlie is a stranger,
who has a team of his own.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any

from django.test import Client
from rest_framework.test import APIClient

from pipelines import checking, drafts, sealing, secrets, tokens, versions
from pipelines.access import SCOPES
from pipelines.models import Membership, Pipeline, PipelineVersion, Role, Secret, Team, User

_numbers = count(1)
PASSWORD = "correct horse battery"

SMALL = """\
schema: orchestrator/v1
name: small
title: A small pipeline
parameters:
  who: {type: string, default: world}
tasks:
  greet:
    kind: shell
    run: echo "hello $IN_WHO" > "$OUT/words"
    with: {who: "${{ params.who }}"}
    outputs: {words: string}
  shout:
    kind: shell
    run: tr a-z A-Z <<< "$IN_WORDS"
    with: {words: "${{ tasks.greet.outputs.words }}"}
"""


def make_user(username: str = "", **fields: Any) -> User:
    """A person who can sign in with PASSWORD."""
    username = username or f"person-{next(_numbers)}"
    fields.setdefault("email", f"{username}@example.org")
    return User.objects.create_user(username, password=PASSWORD, **fields)


def make_team(slug: str = "", **members: Iterable[str]) -> Team:
    """A team; ``members`` names people that exist, with their roles: `make_team("x", bob=["viewer"])`."""
    slug = slug or f"team-{next(_numbers)}"
    team = Team.objects.create(slug=slug, name=slug.title())
    for username, roles in members.items():
        join(team, User.objects.get(username=username), *roles)
    return team


def join(team: Team, user: User, *roles: str) -> User:
    """Give a person roles in a team."""
    for role in roles:
        Membership.objects.create(team=team, user=user, role=role)
    return user


@dataclass(frozen=True)
class Cast:
    team: Team
    others: Team
    alice: User
    bob: User
    charlie: User


def make_cast() -> Cast:
    """Alice, Bob and Charlie with their teams ``alpha`` and ``others``."""
    team, others = make_team("alpha"), make_team("others")
    alice = join(team, make_user("alice", first_name="Alice"), Role.EDITOR, Role.OPERATOR, Role.APPROVER)
    bob = join(team, make_user("bob", first_name="Bob"), Role.VIEWER)
    charlie = join(others, make_user("charlie", first_name="Charlie"), *Role.values)
    return Cast(team, others, alice, bob, charlie)


def make_token(user: User, team: Team | None = None, scopes: Iterable[str] = SCOPES, days: int = 1) -> str:
    """The text of a fresh token."""
    _, text = tokens.issue(user, name="test", team=team, scopes=list(scopes), life=timedelta(days=days))
    return text


def client(user: User | None = None, token: str = "", *, minutes_ago: float = 0) -> APIClient:
    """A client of the API: signed in as a person (by password, just now or so long ago), or carrying a
    token, or neither.
    """
    made = APIClient()
    if user is not None:
        made.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        say_who(made, user, minutes_ago)
    if token:
        made.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return made


def say_who(browser: Client, user: User, minutes_ago: float = 0) -> None:
    """Note in a browser's session that its person gave their password."""
    session = browser.session
    session["account_authentication_methods"] = [
        {"method": "password", "at": time.time() - 60 * minutes_ago, "username": user.username}
    ]
    session["account_authentication_methods_user"] = str(user.pk)
    session.save()


def make_pipeline(text: str = SMALL, *, team: Team, owner: User | None = None, name: str = "") -> Pipeline:
    """A pipeline with a draft, named as its document is."""
    actor = owner or team.memberships.order_by("id")[0].user
    return drafts.create(team, name or checking.name_in(text) or "small", actor=actor, text=text)


def make_published(
    text: str = SMALL, *, team: Team, owner: User | None = None, activate: bool = True
) -> PipelineVersion:
    """A published version of a new pipeline, or of the one of that name."""
    actor = owner or team.memberships.order_by("id")[0].user
    name = checking.name_in(text) or "small"
    pipeline = Pipeline.objects.filter(team=team, name=name).first()
    if pipeline is None:
        pipeline = make_pipeline(text, team=team, owner=owner)
    else:
        drafts.save_draft(pipeline, text, actor=actor)
    return versions.publish(pipeline, actor=actor, message="made by a test", activate=activate).version


def make_secret(team: Team, name: str = "token", value: str = "open-sesame-42", **fields: Any) -> Secret:
    """A stored secret of a team; the first one makes the key of this test session."""
    sealing.first_key()
    return secrets.create(team, name, value, actor=None, **fields)
