"""Accounts of programs: made and ended by the admins of a team, with tokens and roles and nothing else."""

from __future__ import annotations

import pytest
from django.contrib.auth import authenticate
from rest_framework.test import APIClient

from pipelines import people, tokens
from pipelines.access import Rights
from pipelines.errors import Conflict, Invalid
from pipelines.models import ApiToken, AuditEvent, Role, User
from runs import approvals
from runs.models import Queue, TaskRun
from tests.factories import PASSWORD, Cast, client, join, make_cast, make_published, make_user
from tests.runs.making import make_version, start, task

ADDRESS = "/api/v1/service-accounts/"


@pytest.fixture
def cast(db: None) -> Cast:
    Queue.objects.get_or_create(slug="cpu")
    made = make_cast()
    join(made.team, make_user("dora"), Role.ADMIN)
    return made


@pytest.fixture
def dora(cast: Cast) -> APIClient:
    return client(User.objects.get(username="dora"))


def make(dora: APIClient, roles: list[str]) -> User:
    answer = dora.post(
        ADDRESS, {"team": "alpha", "username": "nightly", "name": "Nightly job", "roles": roles}
    )
    assert answer.status_code == 201, answer.content
    assert answer.json()["created_by"]["username"] == "dora"
    return User.objects.get(username="nightly")


def make_text(dora: APIClient, **wanted: object) -> str:
    answer = dora.post(f"{ADDRESS}nightly/tokens/", {"name": "cron", **wanted})
    assert answer.status_code == 201, answer.content
    return str(answer.json()["token"])


def test_a_team_admin_makes_one_gives_it_a_token_and_it_works_in_its_roles(
    cast: Cast, dora: APIClient
) -> None:
    make_published(team=cast.team, owner=cast.alice)
    make(dora, ["viewer", "operator"])
    program = client(token=make_text(dora))
    assert program.post("/api/v1/pipelines/alpha:small/runs/", {}).status_code == 201
    assert program.put("/api/v1/pipelines/alpha:small/draft/", {"document": ""}).status_code == 403
    listed = dora.get(ADDRESS).json()["results"]
    assert [(row["username"], row["roles"], row["tokens"]) for row in listed] == [
        ("nightly", ["operator", "viewer"], 1)
    ]
    assert listed[0]["last_used_at"] is not None


def test_the_audit_chain_says_which_token_did_what(cast: Cast, dora: APIClient) -> None:
    make(dora, ["editor"])
    program = client(token=make_text(dora))
    assert program.post("/api/v1/pipelines/", {"name": "fresh", "team": "alpha"}).status_code == 201
    row = AuditEvent.objects.select_related("token").get(verb="pipeline.create")
    assert (row.actor_name, row.token and row.token.name) == ("nightly", "cron")
    made = AuditEvent.objects.get(verb="person.create", object_name="nightly")
    assert (made.actor_name, made.team) == ("dora", cast.team)


def test_it_cannot_sign_in_and_is_never_given_a_password(cast: Cast, dora: APIClient) -> None:
    from pipelines import accounts

    bot = make(dora, ["viewer"])
    assert authenticate(username="nightly", password=PASSWORD) is None
    assert authenticate(username="nightly", password="") is None
    with pytest.raises(Conflict, match="signs in with tokens alone"):
        accounts.set_password(bot, PASSWORD, actor=cast.alice)
    with pytest.raises(Conflict, match="a site admin is a person"):
        accounts.set_site_admin(bot, True, actor=cast.alice)


def test_its_tokens_are_bound_to_its_team(dora: APIClient) -> None:
    bot = make(dora, ["viewer"])
    make_text(dora, team="others")
    assert ApiToken.objects.get(user=bot).team == bot.service_of


def test_disabling_it_revokes_its_tokens_for_good(dora: APIClient) -> None:
    make(dora, ["viewer"])
    text = make_text(dora)
    assert client(token=text).get("/api/v1/me/").status_code == 200
    assert dora.patch(f"{ADDRESS}nightly/", {"active": False}).json()["active"] is False
    assert client(token=text).get("/api/v1/me/").status_code == 401
    assert dora.post(f"{ADDRESS}nightly/tokens/", {"name": "again"}).status_code == 422
    assert dora.patch(f"{ADDRESS}nightly/", {"active": True}).json()["tokens"] == 0
    assert client(token=text).get("/api/v1/me/").status_code == 401


def test_one_token_of_it_is_revoked_by_an_admin(dora: APIClient) -> None:
    make(dora, ["viewer"])
    text = make_text(dora)
    row = dora.get(f"{ADDRESS}nightly/tokens/").json()["results"][0]
    assert dora.delete(f"{ADDRESS}nightly/tokens/{row['id']}/").status_code == 204
    assert client(token=text).get("/api/v1/me/").status_code == 401
    assert dora.get(f"{ADDRESS}nightly/tokens/").json()["results"][0]["state"] == "revoked"


def test_a_decision_is_a_persons(cast: Cast, dora: APIClient) -> None:
    assert dora.post(ADDRESS, {"team": "alpha", "username": "x", "roles": ["approver"]}).status_code == 422
    bot = make(dora, ["viewer"])
    with pytest.raises(Invalid, match="a decision is a person's"):
        people.set_roles(cast.team, bot, ["approver"], actor=cast.alice)
    asking = task("ask", "approval", config={"by": ["nightly"], "deadline": None})
    run = start(make_version(cast.team, cast.alice, [asking]), cast.alice)
    standing = approvals.standing(Rights(bot), run, TaskRun.objects.select_related("task").get(run=run))
    assert standing.why_not == "A service account decides on nothing: a decision is a person's."


def test_a_token_makes_no_stronger_one_for_a_service_account(cast: Cast, dora: APIClient) -> None:
    make(dora, ["viewer"])
    admin = User.objects.get(username="dora")
    _, text = tokens.issue(admin, name="narrow", scopes=["read", "manage"])
    answer = client(token=text).post(f"{ADDRESS}nightly/tokens/", {"name": "wide", "scopes": ["run"]})
    assert (answer.status_code, answer.json()["code"]) == (403, "scope-missing")


def test_a_change_that_is_refused_in_part_is_not_made_at_all(cast: Cast, dora: APIClient) -> None:
    make(dora, ["viewer"])
    answer = dora.patch(f"{ADDRESS}nightly/", {"name": "Renamed", "roles": ["approver"]})
    assert answer.status_code == 422
    assert User.objects.get(username="nightly").first_name == "Nightly job"
