"""Lending by the API: who may, what is told, and what the other team then sees."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines import grants
from pipelines.models import Role, Secret
from runs.models import Queue
from tests.factories import Cast, client, join, make_cast, make_published, make_secret, make_user
from tests.runs.making import make_version, start, task

ADDRESS = "/api/v1/grants/"


@pytest.fixture
def cast(db: None) -> Cast:
    Queue.objects.get_or_create(slug="cpu")
    made = make_cast()
    join(made.team, make_user("dora"), Role.ADMIN)
    return made


@pytest.fixture
def secret(cast: Cast) -> Secret:
    return make_secret(cast.team)


def lending(thing: Any, verb: str = "use", team: str = "others") -> dict[str, str]:
    return {"kind": type(thing)._meta.model_name, "object": str(thing.uuid), "team": team, "verb": verb}


def as_(cast: Cast, username: str) -> Any:
    return client(type(cast.alice).objects.get(username=username))


def test_an_admin_lends_a_secret_and_takes_it_back(cast: Cast, secret: Secret) -> None:
    dora, charlie = as_(cast, "dora"), as_(cast, "charlie")
    assert charlie.get("/api/v1/secrets/").json()["results"] == []
    made = dora.post(ADDRESS, lending(secret))
    assert made.status_code == 201, made.content
    assert made.json() | {"name": "alpha:token", "owner": "alpha", "team": "others"} == made.json()
    assert made.json()["can_end"]
    seen = charlie.get(ADDRESS, {"team": "others", "way": "received"}).json()["results"]
    assert [(row["name"], row["can_end"]) for row in seen] == [("alpha:token", False)]
    assert [row["name"] for row in charlie.get("/api/v1/secrets/").json()["results"]] == ["token"]
    assert charlie.delete(f"{ADDRESS}{seen[0]['id']}/").status_code in (403, 404)
    assert dora.delete(f"{ADDRESS}{seen[0]['id']}/").status_code == 204
    assert charlie.get("/api/v1/secrets/").json()["results"] == []
    assert dora.delete(f"{ADDRESS}{seen[0]['id']}/").status_code == 404


def test_only_who_manages_the_owning_team_lends(cast: Cast, secret: Secret) -> None:
    assert as_(cast, "alice").post(ADDRESS, lending(secret)).status_code == 403
    assert as_(cast, "charlie").post(ADDRESS, lending(secret)).status_code == 404


@pytest.mark.parametrize(
    "change, field",
    [
        ({"team": "nowhere"}, "team"),
        ({"team": "alpha"}, "team"),
        ({"verb": "edit"}, "verb"),
        ({"kind": "x"}, "kind"),
    ],
)
def test_what_cannot_be_lent_names_the_field(
    cast: Cast, secret: Secret, change: dict[str, str], field: str
) -> None:
    answer = as_(cast, "dora").post(ADDRESS, {**lending(secret), **change})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


def test_whoever_is_lent_a_pipeline_starts_it_and_follows_its_runs(cast: Cast) -> None:
    pipeline = make_published(team=cast.team, owner=cast.alice).pipeline
    grants.lend(pipeline, cast.others, "run", actor=cast.alice)
    charlie = as_(cast, "charlie")
    run = charlie.post("/api/v1/pipelines/alpha:small/runs/", {})
    assert run.status_code == 201, run.content
    address = f"/api/v1/runs/{run.json()['id']}/"
    may = charlie.get(address).json()["can"]
    assert not any(may[verb] for verb in ("cancel", "resume", "approve"))
    tasks = charlie.get(f"{address}tasks/").json()["results"]
    assert charlie.get(f"/api/v1/task-runs/{tasks[0]['id']}/").status_code == 200
    assert [row["id"] for row in charlie.get("/api/v1/runs/").json()["results"]] == [run.json()["id"]]
    assert charlie.post(f"{address}cancel/").status_code == 403
    assert charlie.get("/api/v1/pipelines/alpha:small/").json()["can"] == {
        "run": True,
        "edit": False,
        "pause": False,
    }


def test_other_pipelines_of_the_lender_and_their_runs_stay_unseen(cast: Cast) -> None:
    lent = make_published(team=cast.team, owner=cast.alice).pipeline
    grants.lend(lent, cast.others, "view", actor=cast.alice)
    other = start(make_version(cast.team, cast.alice, [task("a")]), cast.alice)
    charlie = as_(cast, "charlie")
    assert charlie.get(f"/api/v1/runs/{other.uuid}/").status_code == 404
    assert charlie.post("/api/v1/pipelines/alpha:small/runs/", {}).status_code == 403


def test_lists_offer_what_documents_of_a_team_may_name(cast: Cast, secret: Secret) -> None:
    grants.lend(secret, cast.others, "use", actor=cast.alice)
    make_secret(cast.others, "own")
    rows = as_(cast, "charlie").get("/api/v1/secrets/", {"usable_by": "others"}).json()["results"]
    assert [(row["team"], row["name"]) for row in rows] == [("others", "own"), ("alpha", "token")]
