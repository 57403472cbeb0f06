from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from lineage import recorder
from lineage.models import Artifact, Endpoint
from pipelines.models import AuditEvent, Role
from pipelines.store import Store
from runs.models import AttemptOutput
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


def stored(cast: Cast, kind: str, data: bytes, media_type: str = "application/octet-stream") -> str:
    """The id of an artifact whose bytes lie in the store."""
    kept = Store(settings.ORCHESTRATOR["STORE"]).put_bytes(data)
    attempt = make_attempt(make_run(make_version(cast.team), cast.alice), "ingest")
    output = AttemptOutput.objects.create(
        attempt=attempt,
        name="result",
        type=kind,
        sha256=kept.sha256,
        size=kept.size,
        address=kept.address,
        media_type=media_type,
    )
    recorder.record_pending()
    return str(output.uuid)


def parquet(tmp_path: Path, rows: int) -> bytes:
    path = tmp_path / "table.parquet"
    pq.write_table(pa.table({"label": list(range(rows)), "name": [f"row {n}" for n in range(rows)]}), path)
    return path.read_bytes()


def test_an_artifact_names_its_bytes_and_the_record_that_wrote_it(alice: APIClient, made: Trained) -> None:
    body = get(alice, f"/artifacts/{made.model.uuid}/")
    assert (body["sha256"], body["kind"], body["slot"]) == (made.model.sha256, "model", "model")
    assert body["produced_by"]["id"] == str(made.train.uuid)
    assert [(one["model"], one["version"]) for one in body["model_versions"]] == [("digits", 1)]


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


def test_content_is_always_a_download(cast: Cast, alice: APIClient) -> None:
    uuid = stored(cast, "file", b"<script>alert(1)</script>", "text/html")
    answer = alice.get(f"{API}/artifacts/{uuid}/content/")
    assert answer.status_code == 200
    assert downloaded(answer) == b"<script>alert(1)</script>"
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"].startswith("attachment;")
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_a_small_value_is_downloaded_as_its_canonical_json(alice: APIClient, made: Trained) -> None:
    metrics = output_of(made.evaluate, "metrics")
    answer = alice.get(f"{API}/artifacts/{metrics.uuid}/content/")
    assert downloaded(answer) == b'{"accuracy":0.97}'


def test_bytes_that_are_gone_are_said_to_be_gone(alice: APIClient, made: Trained) -> None:
    body = get(alice, f"/artifacts/{made.model.uuid}/content/", 404)
    assert body["code"] == "bytes-gone"


def test_a_table_is_previewed_by_schema_and_first_rows(cast: Cast, alice: APIClient, tmp_path: Path) -> None:
    uuid = stored(cast, "table", parquet(tmp_path, 60))
    body = get(alice, f"/artifacts/{uuid}/preview/")
    assert body["kind"] == "table"
    assert [column["name"] for column in body["columns"]] == ["label", "name"]
    assert (len(body["rows"]), body["row_count"], body["truncated"]) == (50, 60, True)
    assert body["rows"][3] == [3, "row 3"]


@pytest.mark.parametrize(
    "kind,data,expected",
    [
        ("file", b"hello\n", {"kind": "text", "text": "hello\n", "truncated": False}),
        ("file", "é".encode() * 40_000, {"kind": "text", "truncated": True}),
        ("file", b"\xff\xfe\x00", {"kind": "none"}),
        ("table", b"no parquet", {"kind": "none", "reason": "It is no Parquet file that can be read."}),
        ("array", b"no array", {"kind": "none", "reason": "It is no .npy file."}),
        ("model", b"cos\nsystem\n", {"kind": "none"}),
        (
            "array",
            b"\x93NUMPY\x01\x00\x46\x00"
            + b"{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }".ljust(69)
            + b"\n",
            {"kind": "array", "shape": [3, 4], "dtype": "<f8"},
        ),
    ],
)
def test_previews_show_what_is_safe_to_look_into(
    cast: Cast, alice: APIClient, kind: str, data: bytes, expected: dict[str, Any]
) -> None:
    body = get(alice, f"/artifacts/{stored(cast, kind, data)}/preview/")
    assert {key: body[key] for key in expected} == expected


def test_a_folder_is_previewed_by_its_files(cast: Cast, alice: APIClient, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.txt").write_text("a")
    kept = Store(settings.ORCHESTRATOR["STORE"]).put_folder(tmp_path)
    attempt = make_attempt(make_run(make_version(cast.team), cast.alice), "ingest")
    output = AttemptOutput.objects.create(
        attempt=attempt, name="out", type="folder", sha256=kept.sha256, size=kept.size, address=kept.address
    )
    body = get(alice, f"/artifacts/{output.uuid}/preview/")
    assert [entry["path"] for entry in body["entries"]] == ["sub/a.txt"]
    answer = alice.get(f"{API}/artifacts/{output.uuid}/content/")
    assert json.loads(downloaded(answer))


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
