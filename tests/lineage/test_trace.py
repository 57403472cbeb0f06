from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from lineage import queries, recorder
from lineage.models import Endpoint
from lineage.trace import trace
from tests.factories import Cast, make_cast
from tests.lineage.factories import (
    COMMIT,
    DIGITS,
    PROVENANCE,
    SNAPSHOT,
    Trained,
    make_attempt,
    make_deployed,
    make_endpoint,
    make_trained,
    make_version,
    output_of,
    task,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast() -> Cast:
    return make_cast()


@pytest.fixture
def endpoint(cast: Cast) -> Endpoint:
    return make_endpoint(cast.team)


@pytest.fixture
def made(cast: Cast, endpoint: Endpoint) -> Trained:
    made = make_trained(make_version(cast.team), cast.alice)
    make_deployed(made)
    return made


def traced(endpoint: Endpoint) -> dict[str, Any]:
    found = trace(endpoint)
    assert found is not None
    return found


def test_nothing_is_traced_where_nothing_is_live(endpoint: Endpoint) -> None:
    assert trace(endpoint) is None


def test_a_trace_is_incomplete_until_the_last_record_is_sealed(endpoint: Endpoint, made: Trained) -> None:
    found = traced(endpoint)
    assert not found["complete"]
    assert found["missing"] == ["The record of the deployment is not sealed yet."]
    recorder.record_pending()
    found = traced(endpoint)
    assert found["complete"], found["missing"]
    assert found["missing"] == []


def test_a_trace_names_digest_code_packages_parameters_metrics_approver_and_data(
    endpoint: Endpoint, made: Trained, cast: Cast
) -> None:
    recorder.record_pending()
    found = traced(endpoint)
    table = output_of(made.ingest, "table")
    assert found["model"]["sha256"] == made.model.sha256
    assert found["model"]["metrics"] == {"accuracy": 0.97}
    commit = {"sha": COMMIT, "subject": "Train longer", "dirty": False}
    where = {"kind": "snapshot", "location": "demo", "snapshot": SNAPSHOT, "commit": commit}
    assert {**where, "entry": "digits:train"} in found["code"]
    assert found["environment"][0]["packages"] == PROVENANCE["packages"]
    assert found["parameters"] == {"rate": 0.1}
    assert found["approval"]["by"] == {"username": "alice", "name": "Alice"}
    assert [(data["sha256"], data["rows"]) for data in found["data"]] == [(table.sha256, 1797)]
    assert found["deployment"]["endpoint"] == "digits-prod"


def test_the_picture_leads_from_the_data_to_the_deployment(endpoint: Endpoint, made: Trained) -> None:
    recorder.record_pending()
    found = traced(endpoint)
    following: dict[str, list[str]] = {}
    for edge in found["edges"]:
        following.setdefault(edge["from"], []).append(edge["to"])
    reached, waiting = set(), [f"record:{made.ingest.uuid}"]
    while waiting:
        node = waiting.pop()
        reached.add(node)
        waiting += [after for after in following.get(node, ()) if after not in reached]
    assert reached == {node["id"] for node in found["nodes"]}
    records = {node["label"].rpartition(".")[2] for node in found["nodes"] if node["type"] == "record"}
    assert records == {"ingest", "train", "evaluate", "register", "deploy"}


def test_gaps_say_in_words_what_is_missing_where(cast: Cast, endpoint: Endpoint) -> None:
    made = make_trained(make_version(cast.team), cast.alice)
    said = {key: value for key, value in PROVENANCE.items() if key != "packages"}
    table = output_of(made.ingest, "table")
    made.train = make_attempt(
        made.run, "train", outputs={"model": b"m"}, inputs={"table": table}, provenance=said
    )
    make_deployed(made)
    recorder.record_pending()
    (gap,) = traced(endpoint)["gaps"]
    assert (gap["record"], gap["code"]) == (str(made.train.uuid), "packages-not-captured")
    assert gap["message"].startswith("train: The packages")


def test_a_trace_of_an_earlier_time_is_that_of_the_version_live_then(
    cast: Cast, endpoint: Endpoint, made: Trained
) -> None:
    newer = make_trained(make_version(cast.team), cast.alice)
    make_deployed(newer)
    recorder.record_pending()
    first = queries.history(endpoint)[1]
    found = trace(endpoint, first.during.lower + timedelta(microseconds=1))
    assert found is not None
    assert found["model"]["sha256"] == made.model.sha256
    assert traced(endpoint)["model"]["sha256"] == newer.model.sha256


def test_the_number_of_queries_does_not_grow_with_the_graph(cast: Cast, endpoint: Endpoint) -> None:
    def queries_for(steps: int) -> int:
        names = [f"step-{number}" for number in range(steps)]
        tasks = [task(name) for name in names]
        version = make_version(cast.team, tasks + DIGITS)
        made = make_trained(version, cast.alice)
        source = make_attempt(made.run, "step-0", outputs={"table": b"0"})
        for number, name in enumerate(names[1:], 1):
            read = {"table": output_of(source, "table")}
            source = make_attempt(made.run, name, outputs={"table": bytes([number])}, inputs=read)
        retrained = make_attempt(
            made.run,
            "train",
            outputs={"model": b"retrained"},
            inputs={"table": output_of(source, "table")},
        )
        made.train = retrained
        make_deployed(made)
        recorder.record_pending()
        with CaptureQueriesContext(connection) as captured:
            found = traced(endpoint)
        assert sum(node["type"] == "record" for node in found["nodes"]) >= steps
        return len(captured)

    assert queries_for(2) == queries_for(30) <= 12


def test_a_model_of_another_run_shows_the_parameters_it_was_trained_with(
    cast: Cast, endpoint: Endpoint
) -> None:
    made = make_trained(make_version(cast.team), cast.alice)
    make_deployed(made)
    recorder.record_pending()
    assert traced(endpoint)["parameters"] == made.run.params
