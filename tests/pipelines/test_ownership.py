"""Whose a pipeline is: owner and deputy are active people of its team, and who has none is found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from pipelines import ownership, people
from pipelines.errors import Invalid
from pipelines.models import AuditEvent, Membership, Pipeline, Role, User
from tests.factories import PASSWORD, Cast, client, join, make_cast, make_pipeline, make_user

pytestmark = pytest.mark.django_db
API = "/api/v1/"
SMALL_PIPELINE = f"{API}pipelines/small/"


@pytest.fixture
def cast() -> Cast:
    return make_cast()


@pytest.fixture
def alice(cast: Cast) -> APIClient:
    return client(cast.alice)


@pytest.fixture
def pipeline(cast: Cast) -> Pipeline:
    return make_pipeline(team=cast.team, owner=cast.alice)


def names(answer: Any) -> set[str]:
    assert answer.status_code == 200, answer.content
    return {row["name"] for row in answer.json()["results"]}


def leaves_the_product(person: User) -> None:
    User.objects.filter(pk=person.pk).update(is_active=False)


def leaves_the_team(person: User) -> None:
    Membership.objects.filter(user=person).update(ended_at="2026-01-01T00:00:00Z")


def becomes_a_program(person: User) -> None:
    User.objects.filter(pk=person.pk).update(service_of=person.memberships.get().team)


LEAVING = [leaves_the_product, leaves_the_team, becomes_a_program]


def test_an_editor_names_a_deputy_and_says_what_a_pipeline_is_for(
    pipeline: Pipeline, alice: APIClient
) -> None:
    wanted = {"deputy": "bob", "purpose": "Reads digits.", "runbook": "Run it again.", "tags": ["a"]}
    changed = alice.patch(SMALL_PIPELINE, wanted).json()
    assert changed["owner"] == {"username": "alice", "name": "Alice", "active": True}
    assert changed["deputy"] == {"username": "bob", "name": "Bob", "active": True}
    assert {name: changed[name] for name in ("purpose", "runbook", "tags")} == {
        name: wanted[name] for name in ("purpose", "runbook", "tags")
    }
    assert alice.patch(SMALL_PIPELINE, {"deputy": None}).json()["deputy"] is None
    told = AuditEvent.objects.filter(verb="pipeline.describe").order_by("seq")
    assert [(row.actor_name, row.team) for row in told] == [("alice", pipeline.team)] * 2


@pytest.mark.parametrize("keeper", ownership.KEEPERS)
@pytest.mark.parametrize("leave", LEAVING)
def test_who_is_no_active_person_of_the_team_is_refused_at_the_field(
    cast: Cast, pipeline: Pipeline, alice: APIClient, keeper: str, leave: Callable[[User], None]
) -> None:
    leave(cast.bob)
    for username in ("bob", "charlie", "nobody-at-all"):
        answer = alice.patch(SMALL_PIPELINE, {keeper: username})
        assert answer.status_code == 422
        assert answer.json()["errors"] == [{"field": keeper, "message": "Not an active member of the team."}]
    pipeline.refresh_from_db()
    assert (pipeline.owner, pipeline.deputy) == (cast.alice, None)


@pytest.mark.parametrize("leave", LEAVING)
def test_a_pipeline_whose_owner_left_is_listed_as_without_one_and_still_names_them(
    cast: Cast, pipeline: Pipeline, alice: APIClient, leave: Callable[[User], None]
) -> None:
    mine = make_pipeline("", team=cast.team, owner=cast.alice, name="mine")
    ownership.describe(pipeline, {"owner": cast.bob}, actor=cast.alice)
    assert names(alice.get(f"{API}pipelines/?owner=none")) == set()
    leave(cast.bob)
    assert names(alice.get(f"{API}pipelines/?owner=none")) == {"small"}
    assert alice.get(SMALL_PIPELINE).json()["owner"] == {"username": "bob", "name": "Bob", "active": False}
    assert names(alice.get(f"{API}pipelines/?owner=bob")) == {"small"}
    assert names(alice.get(f"{API}pipelines/?owner=me")) == {mine.name}
    assert alice.patch(SMALL_PIPELINE, {"purpose": "goes on"}).status_code == 200


def test_a_pipeline_that_names_nobody_is_without_an_owner(pipeline: Pipeline, alice: APIClient) -> None:
    assert alice.patch(SMALL_PIPELINE, {"owner": None}).json()["owner"] is None
    assert names(alice.get(f"{API}pipelines/?owner=none")) == {"small"}


@pytest.mark.parametrize("query", ["owner=none", "owner=me", "owner=bob", ""])
def test_the_list_costs_the_same_however_many_owners_there_are(
    cast: Cast, alice: APIClient, query: str
) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as seen:
            names(alice.get(f"{API}pipelines/?{query}"))
        return len(seen)

    make_pipeline("", team=cast.team, owner=cast.alice, name="p")
    few = cost()
    for number in range(6):
        person = join(cast.team, make_user(is_active=number % 2 == 0), Role.VIEWER)
        make_pipeline("", team=cast.team, owner=person, name=f"p-{number}")
    assert cost() == few


def test_members_can_be_searched_and_narrowed_to_who_may_own(cast: Cast, alice: APIClient) -> None:
    join(cast.team, make_user("robot", service_of=cast.team), Role.EDITOR)
    join(cast.team, make_user("gone", is_active=False), Role.EDITOR, Role.VIEWER)
    rows = alice.get(f"{API}members/?team=alpha").json()["results"]
    told = {row["username"]: (row["active"], row["service"]) for row in rows}
    assert told == {
        "alice": (True, False),
        "bob": (True, False),
        "gone": (False, False),
        "robot": (True, True),
    }
    owners = alice.get(f"{API}members/?team=alpha&can_own=true").json()["results"]
    assert [row["username"] for row in owners] == ["alice", "bob"]
    found = alice.get(f"{API}members/?team=alpha&can_own=true&q=LIC").json()["results"]
    assert [row["username"] for row in found] == ["alice"]


# --- many at once ---------------------------------------------------------------------------------------


def test_many_pipelines_get_an_owner_at_once_each_with_its_audit_row(cast: Cast) -> None:
    rows = [make_pipeline("", team=cast.team, owner=cast.alice, name=f"p-{n}") for n in range(3)]
    ownership.describe(rows[0], {"owner": cast.bob}, actor=cast.alice)
    before = AuditEvent.objects.count()
    assert ownership.assign(rows, "owner", cast.bob, actor=cast.alice) == 2
    assert set(Pipeline.objects.values_list("owner__username", flat=True)) == {"bob"}
    assert AuditEvent.objects.count() == before + 2


def test_one_stranger_refuses_them_all(cast: Cast) -> None:
    rows = [
        make_pipeline("", team=cast.team, owner=cast.alice, name="ours"),
        make_pipeline("", team=cast.others, owner=cast.charlie, name="theirs"),
    ]
    with pytest.raises(Invalid, match="'bob' is not an active member of others"):
        ownership.assign(rows, "deputy", cast.bob, actor=cast.alice)
    assert not Pipeline.objects.exclude(deputy=None).exists()


@pytest.mark.parametrize("name", ["me", "None", "system"])
def test_nobody_is_called_as_a_word_of_the_product(name: str) -> None:
    with pytest.raises(Invalid, match="word of the product"):
        people.make_person(name, "x@example.org", PASSWORD, actor=None)
