"""The API of secrets: what it takes in, and that it never gives it back."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from pipelines import secrets
from pipelines.models import Role, Secret
from runs.models import Queue
from tests.factories import SMALL, Cast, client, join, make_cast, make_published, make_secret, make_user

pytestmark = pytest.mark.django_db
VALUE = "open-sesame-42"


@pytest.fixture
def cast() -> Cast:
    Queue.objects.get_or_create(slug="cpu")
    made = make_cast()
    join(made.team, made.alice, Role.ADMIN)
    make_secret(made.others, "of-others")
    return made


@pytest.fixture
def alice(cast: Cast) -> APIClient:
    return client(cast.alice)


def test_an_admin_stores_a_secret_and_nobody_reads_it_again(cast: Cast, alice: APIClient) -> None:
    body = {"name": "shop-token", "value": VALUE, "description": "of the shop"}
    made = alice.post("/api/v1/secrets/", body)
    assert made.status_code == 201, made.content
    assert made.json() | {"name": "shop-token", "version": 1, "description": "of the shop"} == made.json()
    assert made.json()["created_by"]["username"] == "alice"
    place = f"/api/v1/secrets/{made.json()['id']}/"
    for answer in (made, alice.get(place), alice.get("/api/v1/secrets/"), alice.get("/api/v1/audit/")):
        assert VALUE not in answer.content.decode()
    assert secrets.release(cast.team.pk, ["shop-token"])["shop-token"].value == VALUE


def test_spaces_at_the_ends_belong_to_the_value(cast: Cast, alice: APIClient) -> None:
    alice.post("/api/v1/secrets/", {"name": "padded", "value": "  two spaces  "})
    assert secrets.release(cast.team.pk, ["padded"])["padded"].value == "  two spaces  "


def test_a_new_value_is_the_next_version(cast: Cast, alice: APIClient) -> None:
    place = f"/api/v1/secrets/{make_secret(cast.team).uuid}/"
    answer = alice.patch(place, {"value": "another value"})
    assert (answer.status_code, answer.json()["version"]) == (200, 2)
    assert "another value" not in answer.content.decode()
    assert alice.patch(place, {"description": "new words"}).json()["version"] == 2


def test_a_refused_value_is_not_repeated(alice: APIClient) -> None:
    answer = alice.post("/api/v1/secrets/", {"name": "long", "value": "hunter2" * 20_000})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "value"
    assert "hunter2" not in answer.content.decode()


@pytest.mark.parametrize("body", [{"name": "x"}, {"value": VALUE}, {"name": "Big", "value": VALUE}])
def test_half_a_secret_is_refused(alice: APIClient, body: dict[str, str]) -> None:
    assert alice.post("/api/v1/secrets/", body).status_code == 422


def test_a_name_that_is_taken_is_a_conflict(cast: Cast, alice: APIClient) -> None:
    make_secret(cast.team)
    answer = alice.post("/api/v1/secrets/", {"name": "token", "value": VALUE})
    assert (answer.status_code, answer.json()["code"]) == (409, "name-taken")


def test_an_archived_secret_is_gone_from_the_list(cast: Cast, alice: APIClient) -> None:
    place = f"/api/v1/secrets/{make_secret(cast.team).uuid}/"
    assert alice.delete(place).status_code == 204
    assert alice.get(place).status_code == 404
    assert alice.get("/api/v1/secrets/").json()["results"] == []
    assert Secret.objects.filter(name="token").exists(), "the past stays"


def test_viewers_see_names_and_change_nothing(cast: Cast) -> None:
    place = f"/api/v1/secrets/{make_secret(cast.team).uuid}/"
    bob = client(cast.bob)
    assert [row["name"] for row in bob.get("/api/v1/secrets/").json()["results"]] == ["token"]
    assert bob.get("/api/v1/secrets/?team=others").json()["results"] == []
    assert bob.patch(place, {"value": VALUE}).status_code == 403
    assert bob.delete(place).status_code == 403


def test_only_a_site_admin_refers_to_the_workers_machine(cast: Cast, alice: APIClient) -> None:
    body = {"name": "env", "source": "environment", "address": "TASK_SECRET_SHOP", "team": "alpha"}
    assert alice.post("/api/v1/secrets/", body).status_code == 403
    root = client(make_user("root", is_superuser=True))
    made = root.post("/api/v1/secrets/", body)
    assert made.status_code == 201, made.content
    place = f"/api/v1/secrets/{made.json()['id']}/"
    assert alice.patch(place, {"address": "TASK_SECRET_OTHER"}).status_code == 403
    assert root.patch(place, {"address": "TASK_SECRET_OTHER"}).json()["version"] == 2
    wrong = root.post("/api/v1/secrets/", body | {"name": "db", "address": "DATABASE_URL"})
    assert wrong.status_code == 422


def test_the_pipelines_that_name_it_are_listed_with_it(cast: Cast, alice: APIClient) -> None:
    secret = make_secret(cast.team)
    make_published(SMALL.replace("params.who }}", "secrets.token }}"), team=cast.team, owner=cast.alice)
    used = alice.get(f"/api/v1/secrets/{secret.uuid}/").json()["used_by"]
    assert used == [{"name": "small", "title": "A small pipeline", "draft": True, "active": True}]
