"""The task kinds as one chooses among them."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from rest_framework.test import APIClient

from pipelines.context import Context
from pipelines.palette import palette, starter
from pipelines.schema import task_judge
from pipelines.task_kinds import KINDS
from pipelines.task_kinds.base import CATEGORIES, Kind
from pipelines.validation import validate
from tests.factories import client, make_user

# What a new task may have: inputs that are still to be given, and what this installation does not run.
TO_BE_GIVEN = {"missing-input", "kind-not-available"}


def by_name() -> dict[str, dict[str, Any]]:
    return {kind["name"]: kind for kind in palette()["kinds"]}


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_a_new_task_of_each_kind_only_lacks_what_is_to_be_given(kind: Kind) -> None:
    document = {"schema": "orchestrator/v1", "name": "new", "tasks": {"one": starter(kind)}}
    problems = validate(yaml.safe_dump(document, sort_keys=False), Context.empty()).problems
    assert {problem.code for problem in problems} <= TO_BE_GIVEN, [p.message for p in problems]


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_each_kind_says_what_it_is(kind: Kind) -> None:
    assert kind.title
    assert kind.description.endswith(".")
    assert kind.category in CATEGORIES
    assert task_judge(kind.name).accepts(starter(kind))


def test_kinds_of_a_category_stand_together() -> None:
    seen = list(dict.fromkeys(kind["category"] for kind in palette()["kinds"]))
    assert seen == [category for category in CATEGORIES if category in seen]
    assert set(by_name()) == set(KINDS)


def test_ports_are_those_before_any_key_is_written() -> None:
    deploy = by_name()["deploy"]["ports"]
    assert deploy["inputs"][0] == {"name": "model", "type": "model", "required": True, "accepts": ["json"]}
    assert deploy["outputs"] == [{"name": "address", "type": "string"}]
    assert not deploy["open_inputs"]
    assert by_name()["python"]["ports"] == {
        "inputs": [],
        "outputs": [],
        "open_inputs": True,
        "open_outputs": True,
    }
    assert by_name()["group"]["ports"]["open_inputs"]


def test_what_does_not_run_yet_is_described_and_told() -> None:
    kinds = by_name()
    assert kinds["map"]["available"] is False
    assert kinds["map"]["keys"]["limit"]["minimum"] == 1
    assert kinds["python"]["available"] is True


def test_shared_keys_are_given_once() -> None:
    assert set(palette()["common"]) == {"kind", "title", "description", "needs", "when"}
    assert set(palette()["work"]) == {"queue", "timeout", "retries", "resources", "start"}
    assert "queue" not in by_name()["python"]["keys"]


@pytest.mark.django_db
def test_the_api_gives_it_to_everybody_who_is_signed_in(django_assert_max_num_queries: Any) -> None:
    signed_in = client(make_user("ana"))
    signed_in.get("/api/v1/kinds/")
    with django_assert_max_num_queries(3):
        answer = signed_in.get("/api/v1/kinds/")
    assert answer.status_code == 200
    assert answer.json()["kinds"][0]["name"] == "python"
    assert APIClient().get("/api/v1/kinds/").status_code == 401
