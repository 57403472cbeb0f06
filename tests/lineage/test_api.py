from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from lineage import recorder
from lineage.models import Artifact, Endpoint
from pipelines.models import AuditEvent, Role
from tests.factories import Cast, client, join, make_cast, make_user
from tests.lineage.factories import (
    Trained,
    make_attempt,
    make_deployed,
    make_endpoint,
    make_output,
    make_run,
    make_trained,
    make_version,
    output_of,
)

pytestmark = pytest.mark.django_db
API = "/api/v1"


@pytest.fixture
def cast() -> Cast:
    return make_cast()


@pytest.fixture
def alice(cast: Cast) -> APIClient:
    return client(cast.alice)


@pytest.fixture
def made(cast: Cast) -> Trained:
    make_endpoint(cast.team)
    made = make_trained(make_version(cast.team), cast.alice)
    make_deployed(made)
    recorder.record_pending()
    return made


def get(who: APIClient, path: str, status: int = 200) -> Any:
    answer = who.get(f"{API}{path}")
    assert answer.status_code == status, answer.content
    return answer.json()


def downloaded(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


def test_an_artifact_names_its_bytes_and_the_record_that_wrote_it(alice: APIClient, made: Trained) -> None:
    body = get(alice, f"/artifacts/{made.model.uuid}/")
    assert (body["sha256"], body["kind"], body["slot"]) == (made.model.sha256, "model", "model")
    producer = body["produced_by"]
    assert (producer["id"], producer["version"]) == (str(made.train.uuid), 1)
    assert producer["pipeline"]["team"] == "alpha"
    assert producer["requested_by"] == {"username": "alice", "name": "Alice"}


def test_a_model_names_its_versions_their_metrics_and_where_they_serve(
    alice: APIClient, made: Trained
) -> None:
    (version,) = get(alice, f"/artifacts/{made.model.uuid}/")["model_versions"]
    assert (version["model"], version["version"], version["metrics"]) == ("digits", 1, {"accuracy": 0.97})
    assert version["deployed_to"] == [{"team": "alpha", "name": "digits-prod", "stage": "demo"}]


def test_an_artifact_costs_the_same_number_of_queries_whatever_came_of_it(
    cast: Cast, alice: APIClient, made: Trained
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            get(alice, f"/artifacts/{made.model.uuid}/")
        return len(captured)

    few = queries()
    for _ in range(3):
        make_deployed(made)
    recorder.record_pending()
    assert len(get(alice, f"/artifacts/{made.model.uuid}/")["model_versions"]) == 4
    assert queries() == few <= 10


def test_a_small_value_is_shown_with_its_artifact(alice: APIClient, made: Trained) -> None:
    metrics = output_of(made.evaluate, "metrics")
    assert get(alice, f"/artifacts/{metrics.uuid}/")["value"] == {"accuracy": 0.97}


def test_an_artifact_of_a_moment_ago_is_recorded_when_it_is_asked_for(cast: Cast, alice: APIClient) -> None:
    made = make_trained(make_version(cast.team), cast.alice)
    assert Artifact.objects.count() == 0
    assert get(alice, f"/artifacts/{made.model.uuid}/")["sha256"] == made.model.sha256


def test_one_step_up_and_one_step_down(alice: APIClient, made: Trained) -> None:
    (up,) = get(alice, f"/artifacts/{made.model.uuid}/upstream/")["results"]
    assert up["record"]["task"] == "train"
    assert [use["slot"] for use in up["artifacts"]] == ["table"]
    down = get(alice, f"/artifacts/{made.model.uuid}/downstream/")["results"]
    assert [one["record"]["task"] for one in down] == ["register", "evaluate"]
    assert {use["slot"] for use in down[1]["artifacts"]} == {"metrics", "accuracy"}


def test_downstream_comes_in_pages_at_a_constant_number_of_queries(cast: Cast, alice: APIClient) -> None:
    run = make_run(make_version(cast.team), cast.alice)
    source = make_attempt(run, "ingest", outputs={"table": b"x"})
    table = output_of(source, "table")

    def queries(readers: int) -> int:
        for _ in range(readers):
            reading = make_attempt(run, "train", "failed", inputs={"table": table})
            make_output(reading, "note", {"n": 1})
        recorder.record_pending()
        with CaptureQueriesContext(connection) as captured:
            page = get(alice, f"/artifacts/{table.uuid}/downstream/?page_size=10")
        assert len(page["results"]) == min(10, run.attempts.count() - 1)
        return len(captured)

    assert queries(2) == queries(20)
    page = get(alice, f"/artifacts/{table.uuid}/downstream/?page_size=10")
    ids = [one["record"]["id"] for one in page["results"]]
    while page["next"]:
        page = alice.get(page["next"]).json()
        ids += [one["record"]["id"] for one in page["results"]]
    assert len(ids) == len(set(ids)) == 22
    assert page["results"][0]["slot"] == "table"


def test_a_small_value_is_downloaded_as_its_canonical_json(alice: APIClient, made: Trained) -> None:
    metrics = output_of(made.evaluate, "metrics")
    answer = alice.get(f"{API}/artifacts/{metrics.uuid}/content/")
    assert downloaded(answer) == b'{"accuracy":0.97}'


def test_bytes_that_are_gone_are_said_to_be_gone(alice: APIClient, made: Trained) -> None:
    body = get(alice, f"/artifacts/{made.model.uuid}/content/", 404)
    assert body["code"] == "bytes-gone"


def test_models_are_listed_with_their_newest_version(alice: APIClient, made: Trained) -> None:
    (model,) = get(alice, "/models/")["results"]
    assert (model["name"], model["latest"]["version"]) == ("digits", 1)
    (version,) = get(alice, "/models/digits/versions/")["results"]
    assert version["metrics"] == {"accuracy": 0.97}


def test_a_model_version_tells_what_it_was_made_from_and_where_it_serves(
    alice: APIClient, made: Trained
) -> None:
    body = get(alice, "/models/digits/versions/1/")
    assert [one["id"] for one in body["made_from"]] == [str(output_of(made.ingest, "table").uuid)]
    assert body["deployed_to"] == ["digits-prod"]
    assert body["record"]["task"] == "train"
    get(alice, "/models/digits/versions/2/", 404)


def test_deployments_show_what_is_live_and_what_was(alice: APIClient, cast: Cast, made: Trained) -> None:
    (item,) = get(alice, "/deployments/")["results"]
    assert (item["endpoint"]["name"], item["current"]["model"]) == ("digits-prod", "digits")
    make_deployed(make_trained(make_version(cast.team), cast.alice))
    body = get(alice, "/deployments/alpha:digits-prod/")
    assert body["current"]["version"] == 2
    assert [move["version"] for move in body["history"]] == [2, 1]
    then = body["history"][1]["since"]
    assert get(alice, f"/deployments/digits-prod/?at={then}")["current"]["version"] == 1


def test_the_trace_is_answered_whole(alice: APIClient, made: Trained) -> None:
    body = get(alice, "/deployments/digits-prod/trace/")
    assert body["complete"] is True
    assert body["model"]["sha256"] == made.model.sha256
    assert {node["type"] for node in body["nodes"]} == {"deployment", "model_version", "artifact", "record"}


def test_a_trace_of_nothing_is_not_found_and_a_time_that_is_none_is_refused(
    alice: APIClient, cast: Cast
) -> None:
    make_endpoint(cast.team)
    assert get(alice, "/deployments/digits-prod/trace/", 404)["code"] == "nothing-live"
    assert get(alice, "/deployments/digits-prod/trace/?at=yesterday", 422)["errors"][0]["field"] == "at"


def test_only_an_admin_of_the_team_makes_an_endpoint(cast: Cast, alice: APIClient) -> None:
    body = {"name": "shop", "stage": "staging"}
    assert alice.post(f"{API}/endpoints/", body, format="json").status_code == 403
    dora = join(cast.team, make_user("dora"), Role.ADMIN)
    answer = client(dora, minutes_ago=16).post(f"{API}/endpoints/", body, format="json")
    assert (answer.status_code, answer.json()["code"]) == (403, "reauthentication-required")
    answer = client(dora).post(f"{API}/endpoints/", body, format="json")
    assert answer.status_code == 201, answer.content
    endpoint = Endpoint.objects.get(name="shop")
    assert endpoint.address.endswith("endpoints/alpha/shop")
    assert AuditEvent.objects.filter(verb="endpoint.create", actor=dora).count() == 1
    again = client(dora).post(f"{API}/endpoints/", body, format="json")
    assert again.status_code == 409


def test_only_a_site_admin_names_a_folder_of_the_server(cast: Cast) -> None:
    body = {"name": "shop", "stage": "staging", "address": "/etc"}
    dora = join(cast.team, make_user("dora"), Role.ADMIN)
    assert client(dora).post(f"{API}/endpoints/", body, format="json").status_code == 403
    root = make_user("root", is_superuser=True)
    answer = client(root).post(f"{API}/endpoints/", {**body, "team": "alpha"}, format="json")
    assert answer.status_code == 201, answer.content


def test_strangers_find_nothing_of_it(cast: Cast, made: Trained) -> None:
    charlie = client(cast.charlie)
    for path in (
        f"/artifacts/{made.model.uuid}/",
        f"/artifacts/{made.model.uuid}/content/",
        f"/artifacts/{made.model.uuid}/preview/",
        f"/artifacts/{made.model.uuid}/profile/",
        f"/artifacts/{made.model.uuid}/image/",
        f"/artifacts/{made.model.uuid}/entries/",
        f"/artifacts/{made.model.uuid}/upstream/",
        f"/artifacts/{made.model.uuid}/downstream/",
        "/models/digits/versions/",
        "/models/digits/versions/1/",
        "/deployments/alpha:digits-prod/",
        "/deployments/digits-prod/trace/",
        "/artifacts/nonsense/",
    ):
        get(charlie, path, 404)
    for path in ("/models/", "/endpoints/", "/deployments/"):
        assert get(charlie, path)["results"] == []


def test_an_artifact_not_yet_recorded_is_hidden_from_strangers_too(cast: Cast) -> None:
    made = make_trained(make_version(cast.team), cast.alice)
    get(client(cast.charlie), f"/artifacts/{made.model.uuid}/", 404)
    assert Artifact.objects.count() == 0
