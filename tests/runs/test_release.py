"""Secrets in a worker's hands: given to the attempt that names them, kept out of its report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from pipelines import secrets
from runs import protocol
from runs.protocol import Refused
from runs.worker.release import Released, release
from runs.worker.requests import CannotRun
from tests.factories import Cast, make_cast, make_secret
from tests.runs.making import make_version, start, task

VALUE = "open-sesame-42"
NAMING: dict[str, Any] = {"with": {"token": {"ref": "secrets.token"}, "who": {"ref": "params.who"}}}


@pytest.fixture
def cast(db: None) -> Cast:
    return make_cast()


@pytest.fixture
def released(cast: Cast) -> Released:
    make_secret(cast.team, value=VALUE)
    return release(cast.team.pk, {"key": "token"})


def test_a_value_goes_into_the_request_alone(released: Released) -> None:
    request: dict[str, Any] = {"inputs": {"x": {"type": "integer", "value": 1}}}
    released.put_into(request)
    assert request["inputs"]["key"] == {"type": "string", "value": VALUE}
    assert released.versions == {"token": 1}


def test_one_query_opens_what_an_attempt_names(
    cast: Cast, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    make_secret(cast.team, "one", "first-value")
    make_secret(cast.team, "two", "second-value")
    with django_assert_num_queries(1):
        release(cast.team.pk, {"a": "one", "b": "two", "c": "one"})


def test_what_cannot_be_given_says_why_and_whether_another_machine_may_have_it(cast: Cast) -> None:
    with pytest.raises(CannotRun, match="no secret 'absent'") as refused:
        release(cast.team.pk, {"a": "absent"})
    assert refused.value.reason == "validation"
    secrets.create(cast.team, "outside", source="environment", address="TASK_SECRET_NOWHERE", actor=None)
    with pytest.raises(CannotRun, match="TASK_SECRET_NOWHERE") as elsewhere:
        release(cast.team.pk, {"a": "outside"})
    assert elsewhere.value.reason == "infrastructure"


def test_more_than_can_be_hidden_is_not_given(cast: Cast) -> None:
    names = [f"key-{number}" for number in range(5)]
    for name in names:
        make_secret(cast.team, name, f"{name} " * 9000)
    four = release(cast.team.pk, {name: name for name in names[:4]})
    assert four.mask.text("key-1 key-1 " * 100) != "key-1 key-1 " * 100
    with pytest.raises(CannotRun, match="more than 256 KiB of secrets") as refused:
        release(cast.team.pk, {name: name for name in names})
    assert refused.value.reason == "validation"


def test_a_value_outside_has_no_known_version(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASK_SECRET_SHOP", VALUE)
    secrets.create(cast.team, "outside", source="environment", address="TASK_SECRET_SHOP", actor=None)
    assert release(cast.team.pk, {"a": "outside"}).versions == {"outside": None}


def test_words_and_names_in_a_report_are_hidden(released: Released) -> None:
    error = {
        "reason": "error",
        "type": f"Odd{VALUE}",
        "message": f"no {VALUE}",
        "traceback": VALUE,
        "line": 3,
    }
    said = {"metrics": {f"loss {VALUE}": 1.5}, "seeds": {"random": 7}, "progress": {"message": VALUE}}
    cleared = released.cleared({"error": error, **said, "provenance": {"fingerprint": "f"}})
    assert VALUE not in str(cleared)
    assert cleared["error"]["message"] == "no ***"
    assert cleared["metrics"] == {"loss ***": 1.5}
    assert cleared["seeds"] == {"random": 7}
    assert cleared["provenance"] == {"fingerprint": "f"}


def test_outputs_without_a_secret_pass_unchanged(released: Released, tmp_path: Path) -> None:
    (tmp_path / "model").write_bytes(b"weights")
    outputs = [
        {"name": "a", "type": "json", "value": {"x": [1, "open"]}},
        {"name": "m", "type": "model", "path": str(tmp_path / "model"), "meta": {"filename": "model"}},
    ]
    assert released.cleared({"outputs": outputs})["outputs"] == outputs


@pytest.mark.parametrize(
    "output",
    [
        {"value": f"Bearer {VALUE}"},
        {"value": {VALUE: 1}},
        {"value": 1, "meta": {"filename": VALUE}},
        {"value": VALUE.encode().hex()},
    ],
)
def test_an_output_with_a_secret_is_refused(released: Released, output: dict[str, Any]) -> None:
    cleared = released.cleared({"outputs": [{"name": "a", "type": "json", **output}], "metrics": {"x": 1}})
    assert "outputs" not in cleared
    assert cleared["error"]["reason"] == "validation"
    assert "output a contains the secret 'token'" in cleared["error"]["message"]
    assert cleared["metrics"] == {"x": 1}
    assert VALUE not in str(cleared)


def test_a_file_with_a_secret_is_refused(released: Released, tmp_path: Path) -> None:
    (tmp_path / "out").write_text(f"password={VALUE}")
    output = {"name": "f", "type": "file", "path": str(tmp_path / "out")}
    assert "contains the secret" in released.cleared({"outputs": [output]})["error"]["message"]


# --- the start of a run -----------------------------------------------------------------------------------


def test_a_run_does_not_begin_without_its_secrets(cast: Cast) -> None:
    version = make_version(cast.team, cast.alice, [task("use", **NAMING), task("other")])
    with pytest.raises(Refused, match="no secret 'token': it was archived, or never stored"):
        start(version, cast.alice, parameters={"who": "x"})
    assert start(version, cast.alice, parameters={"who": "x"}, only=["other"])
    make_secret(cast.team)
    assert start(version, cast.alice, parameters={"who": "x"})


def test_a_run_that_names_no_secret_asks_nothing(
    cast: Cast, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    version = make_version(cast.team, cast.alice, [task("plain")])
    assert version.pipeline.team_id
    with django_assert_num_queries(0):
        protocol._refuse_missing_secrets(version, None)
