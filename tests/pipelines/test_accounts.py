"""The life of accounts and teams: each verb, what it refuses, and its row on the audit chain."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import authenticate

from pipelines import accounts, people, tokens, versions
from pipelines.errors import Conflict, Invalid
from pipelines.models import ApiToken, AuditEvent, Role, Team, User
from tests.factories import PASSWORD, Cast, client, make_cast, make_pipeline, make_token, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast() -> Cast:
    return make_cast()


@pytest.fixture
def root() -> User:
    return make_user("root", is_superuser=True)


def told(verb: str) -> dict[str, Any]:
    """The payload of the one row of a verb."""
    row = AuditEvent.objects.select_related("payload").get(verb=verb)
    assert row.payload is not None
    assert row.payload.body is not None
    return {key: value for key, value in row.payload.body.items() if key != "~"}


# --- accounts -------------------------------------------------------------------------------------------


def test_a_person_without_a_password_signs_in_once_they_are_given_one(root: User) -> None:
    person = people.make_person("new", "new@example.org", None, actor=root)
    assert not person.has_usable_password()
    accounts.set_password(person, PASSWORD, actor=root)
    assert authenticate(username="new", password=PASSWORD) == person
    assert told("person.password") == {}
    with pytest.raises(Invalid, match="too short"):
        accounts.set_password(person, "short", actor=root)


def test_details_are_changed_once_and_told_once(cast: Cast, root: User) -> None:
    wanted = {"first_name": "Robert", "email": "bob@example.org", "time_zone": "Europe/Paris", "locale": "fr"}
    assert accounts.change(cast.bob, wanted, actor=root)
    assert not accounts.change(cast.bob, wanted, actor=root)
    assert told("person.change") == {"first_name": "Robert", "time_zone": "Europe/Paris", "locale": "fr"}


@pytest.mark.parametrize(
    "field, value",
    [("email", "nonsense"), ("email", ""), ("time_zone", "Mars/Olympus"), ("locale", "tlh-xx")],
)
def test_a_detail_that_cannot_be_is_refused_at_its_field(
    cast: Cast, root: User, field: str, value: str
) -> None:
    with pytest.raises(Invalid) as refused:
        accounts.change(cast.bob, {field: value}, actor=root)
    assert [name for name, _ in refused.value.errors] == [field]


def test_an_address_belongs_to_one_person(cast: Cast, root: User) -> None:
    with pytest.raises(Conflict, match="Somebody else has"):
        accounts.change(cast.bob, {"email": cast.alice.email}, actor=root)


def test_who_leaves_is_signed_out_and_their_tokens_stay_revoked_when_they_come_back(
    cast: Cast, root: User
) -> None:
    make_pipeline(team=cast.team, owner=cast.alice)
    text, browser = make_token(cast.alice), client(cast.alice)
    assert accounts.deactivate(cast.alice, actor=root)
    assert not accounts.deactivate(cast.alice, actor=root)
    assert browser.get("/api/v1/me/").status_code == 401
    assert told("person.deactivate") == {"tokens_revoked": 1, "pipelines_owned": 1}
    assert accounts.reactivate(cast.alice, actor=root)
    assert not accounts.reactivate(cast.alice, actor=root)
    assert tokens.find(text) is None
    assert ApiToken.objects.get().revoked_at is not None
    assert told("token.revoke")["for"] == "alice"


def test_nobody_deactivates_themselves_and_the_last_site_admin_stays(cast: Cast, root: User) -> None:
    with pytest.raises(Conflict, match="yourself"):
        accounts.deactivate(root, actor=root)
    for act in (
        lambda: accounts.deactivate(root, actor=cast.alice),
        lambda: accounts.set_site_admin(root, False, actor=root),
    ):
        with pytest.raises(Conflict, match="last site admin"):
            act()
    assert accounts.set_site_admin(cast.alice, True, actor=root)
    assert accounts.set_site_admin(root, False, actor=cast.alice)
    assert not accounts.set_site_admin(root, False, actor=cast.alice)
    assert not User.objects.get(pk=root.pk).is_superuser


def test_a_service_account_has_tokens_alone_and_roles_in_its_own_team_alone(cast: Cast, root: User) -> None:
    robot = people.make_service_account(cast.team, "robot", actor=root)
    assert (robot.email, robot.has_usable_password()) == (None, False)
    people.set_roles(cast.team, robot, [Role.OPERATOR], actor=root)
    with pytest.raises(Invalid, match="another team"):
        people.set_roles(cast.others, robot, [Role.OPERATOR], actor=root)
    with pytest.raises(Conflict, match="tokens alone"):
        accounts.set_password(robot, PASSWORD, actor=root)
    with pytest.raises(Conflict, match="is a person"):
        accounts.set_site_admin(robot, True, actor=root)
    with pytest.raises(Conflict, match="already"):
        people.make_service_account(cast.others, "robot", actor=root)
    assert accounts.change(robot, {"first_name": "Robot", "email": ""}, actor=root)
    assert tokens.find(tokens.issue(robot, name="ci", actor=root)[1])


def test_who_may_not_sign_in_gets_no_token(cast: Cast, root: User) -> None:
    accounts.deactivate(cast.bob, actor=root)
    cast.bob.refresh_from_db()
    with pytest.raises(Invalid) as refused:
        tokens.issue(cast.bob, name="x", actor=root)
    assert [field for field, _ in refused.value.errors] == ["user"]


# --- teams ----------------------------------------------------------------------------------------------


def test_a_team_gets_another_title_and_keeps_its_slug(cast: Cast, root: User) -> None:
    assert people.rename_team(cast.team, "The first", actor=root)
    assert not people.rename_team(cast.team, "The first", actor=root)
    assert told("team.rename") == {"name": "The first", "before": "Alpha"}
    assert Team.objects.get(pk=cast.team.pk).slug == "alpha"


def test_a_team_with_pipelines_is_not_archived_and_one_without_comes_back_whole(
    cast: Cast, root: User
) -> None:
    pipeline = make_pipeline(team=cast.team, owner=cast.alice)
    with pytest.raises(Conflict, match="alpha still has small"):
        people.archive_team(cast.team, actor=root)
    versions.archive(pipeline, actor=root)
    assert people.archive_team(cast.team, actor=root)
    assert not people.archive_team(cast.team, actor=root)
    assert client(cast.alice).get("/api/v1/teams/").json()["results"] == []
    assert people.restore_team(cast.team, actor=root)
    assert not people.restore_team(cast.team, actor=root)
    assert [team["slug"] for team in client(cast.alice).get("/api/v1/teams/").json()["results"]] == ["alpha"]


def test_an_archived_pipeline_comes_back(cast: Cast, root: User) -> None:
    pipeline = make_pipeline(team=cast.team, owner=cast.alice)
    versions.archive(pipeline, actor=root)
    versions.restore(pipeline, actor=root)
    versions.restore(pipeline, actor=root)
    assert client(cast.alice).get("/api/v1/pipelines/small/").status_code == 200
    assert told("pipeline.restore") == {}


def test_a_service_account_gets_no_address_as_nobody_signs_in_as_it(cast: Cast, root: User) -> None:
    account = people.make_service_account(cast.team, "nightly", actor=root)
    with pytest.raises(Invalid, match="service account"):
        accounts.change(account, {"email": "nightly@example.org"}, actor=root)
    assert accounts.change(account, {"first_name": "Nightly", "email": ""}, actor=root)


def test_tokens_that_end_with_an_account_are_told_with_the_token_that_ended_them(
    cast: Cast, root: User
) -> None:
    account = people.make_service_account(cast.team, "nightly", actor=root)
    tokens.issue(account, name="cron", team=cast.team, actor=root)
    by, _ = tokens.issue(root, name="housekeeping")
    accounts.deactivate(account, actor=root, token=by)
    assert AuditEvent.objects.get(verb="token.revoke").token == by
