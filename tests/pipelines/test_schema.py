"""The JSON Schema that the browser reads, and its two judges here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft7Validator

from pipelines.document import parse
from pipelines.graph import DEFAULT_RETRIES
from pipelines.ports import PORT_TYPES
from pipelines.schema import RETRIES, SCHEMA_FILE, document_schema, schema_text, task_judge, task_schema
from pipelines.task_kinds import KINDS
from pipelines.units import duration_seconds
from tests.pipelines.digits import DOCUMENT, HERE

VALIDATOR = Draft7Validator(document_schema())


def test_the_committed_schema_is_up_to_date() -> None:
    assert SCHEMA_FILE.read_text(encoding="utf-8") == schema_text(), "run: python -m pipelines.schema"


def test_it_is_a_schema_itself() -> None:
    Draft7Validator.check_schema(document_schema())


def test_it_names_the_port_types() -> None:
    assert list(PORT_TYPES) == task_schema("shell")["properties"]["outputs"]["additionalProperties"]["enum"]


def test_every_kind_of_the_language_has_a_file_and_a_definition() -> None:
    ready = ["python", "shell", "check", "approval", "register", "deploy", "group"]
    later = ["http", "sql", "notebook", "container", "map", "pipeline", "wait", "manual", "placeholder"]
    assert [name for name, kind in KINDS.items() if kind.available] == ready
    assert set(KINDS) == {*ready, *later}
    for name in KINDS:
        assert f"task-{name}" in document_schema()["definitions"]
        assert (SCHEMA_FILE.parent / "task_kinds" / f"{name}.py").is_file()


def test_the_digits_document_has_the_right_shape() -> None:
    root = parse(DOCUMENT).root
    assert root is not None
    assert list(VALIDATOR.iter_errors(root.raw)) == []


@pytest.mark.parametrize("path", sorted((HERE / "bad_documents").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_quick_and_the_thorough_judge_agree(path: Path) -> None:
    root = parse(path.read_bytes()).root
    tasks = root.raw.get("tasks") if root is not None and isinstance(root.raw, dict) else None
    for task in tasks.values() if isinstance(tasks, dict) else []:
        if isinstance(task, dict) and task.get("kind") in KINDS:
            judge = task_judge(task["kind"])
            assert judge.accepts(task) is (not list(judge.errors(task))), json.dumps(task)


def test_what_the_schema_says_of_absent_retries_is_what_they_are() -> None:
    said = {name: schema["default"] for name, schema in RETRIES["properties"].items()}
    meant = {name: duration_seconds(said[name]) for name in ("base", "cap")}
    assert {**said, **meant} == DEFAULT_RETRIES
