"""The JSON Schema of a pipeline document, made from the task kinds.

`schema.json` beside this file is the same for the browser: `python -m pipelines.schema` writes it anew,
and a test says when it is out of date. Shape only; meaning is judged by validation.py. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from pipelines.graph import DEFAULT_RETRIES, RETRY_REASONS, RULES, SCHEMA
from pipelines.limits import MAX_CONDITION_LENGTH, MAX_DESCRIPTION_LENGTH, MAX_TITLE_LENGTH
from pipelines.ports import PARAMETER_TYPES
from pipelines.task_kinds import KINDS
from pipelines.task_kinds.base import DURATION, LENT_NAME, NAME, PORT_NAME, SIZE, TASK_NAME, JsonSchema

SCHEMA_FILE: Final = Path(__file__).with_name("schema.json")

_TITLE: Final[JsonSchema] = {"type": "string", "maxLength": MAX_TITLE_LENGTH}
_DESCRIPTION: Final[JsonSchema] = {"type": "string", "maxLength": MAX_DESCRIPTION_LENGTH, "x-lines": 3}


def _closed(properties: dict[str, JsonSchema], *required: str) -> JsonSchema:
    schema: JsonSchema = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**schema, "required": list(required)} if required else schema


RETRIES: Final = _closed(
    {
        "limit": {
            "type": "integer",
            "minimum": 0,
            "maximum": 100,
            "default": DEFAULT_RETRIES["limit"],
            "description": "Further attempts after the first one.",
        },
        "base": {**DURATION, "default": "5s", "description": "Delay before the first retry."},
        "factor": {
            "type": "number",
            "minimum": 1,
            "maximum": 100,
            "default": DEFAULT_RETRIES["factor"],
            "description": "Each delay is so many times the one before.",
        },
        "cap": {**DURATION, "default": "5m", "description": "The longest delay."},
        "jitter": {
            "enum": ["full", "none"],
            "default": DEFAULT_RETRIES["jitter"],
            "description": "full: each delay is drawn by chance, up to its length.",
        },
        "on": {
            "type": "array",
            "items": {"enum": list(RETRY_REASONS)},
            "default": DEFAULT_RETRIES["on"],
            "description": "Retried after these.",
        },
    }
)
POOL_NAME: Final[JsonSchema] = {
    "type": "string",
    "pattern": r"^(?!gpu$)[a-z0-9][a-z0-9-]{0,62}(?!\n)$",
    "x-problem": "bad-name",
    "x-says": "the name of a pool, such as licence; GPUs are asked for by `gpu`",
}
RESOURCES: Final = _closed(
    {
        "memory": SIZE,
        "gpu": {
            "type": "integer",
            "minimum": 0,
            "maximum": 64,
            "default": 0,
            "title": "GPUs",
            "description": "So many of one machine; the task sees these and no others.",
        },
        "slots": {
            "type": "object",
            "propertyNames": POOL_NAME,
            "additionalProperties": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 1},
            "title": "Slots",
            "description": "So many units of each pool of the site, such as seats of a licence.",
        },
    }
)
NEED: Final[JsonSchema] = {
    "anyOf": [TASK_NAME, _closed({"task": TASK_NAME, "on": {"enum": list(RULES)}}, "task")],
    "x-says": "the name of a task, or {task: NAME, on: failure}",
}
# Keys of every task, and those of tasks that a worker carries out (which `defaults` may hold too).
COMMON_KEYS: Final[dict[str, JsonSchema]] = {
    "kind": {"enum": list(KINDS), "x-problem": "unknown-kind", "x-says": "a kind of task"},
    "title": _TITLE,
    "description": _DESCRIPTION,
    "needs": {"type": "array", "items": NEED},
    "when": {"type": "string", "minLength": 1, "maxLength": MAX_CONDITION_LENGTH},
}
WORK_KEYS: Final[dict[str, JsonSchema]] = {
    "queue": NAME,
    "timeout": DURATION,
    "retries": RETRIES,
    "resources": RESOURCES,
    "start": {
        "enum": ["warm", "cold"],
        "default": "warm",
        "description": "cold: a fresh interpreter for each attempt.",
    },
}
PARAMETER: Final = _closed(
    {
        "type": {"enum": list(PARAMETER_TYPES), "x-problem": "unknown-type", "x-says": "a type of parameter"},
        "default": {},
        "enum": {"type": "array", "minItems": 1},
        "minimum": {"type": "number"},
        "maximum": {"type": "number"},
        "min_length": {"type": "integer", "minimum": 0},
        "max_length": {"type": "integer", "minimum": 0},
        "title": _TITLE,
        "description": _DESCRIPTION,
    },
    "type",
)
TRIGGER: Final = _closed(
    {
        "schedule": {"type": "string", "minLength": 1},
        "every": DURATION,
        "artifact": {
            "type": "string",
            "pattern": r"^[A-Za-z0-9_-]+([./][A-Za-z0-9_-]+){1,2}(?!\n)$",
            "x-problem": "bad-artifact",
            "x-says": "a dataset such as raw/digits, or pipeline.task.output",
        },
        "webhook": {"enum": [True]},
        "timezone": {"type": "string", "minLength": 1},
        "catchup": {"enum": ["last", "all", "none"]},
        "exclude": {
            "type": "array",
            "items": {
                "type": "string",
                "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(?!\n)$",
                "x-problem": "bad-date",
                "x-says": 'a date in quotes, such as "2026-12-25"',
            },
        },
    }
)
CODE: Final = _closed(
    {"location": LENT_NAME, "follow": {"enum": ["published", "latest"], "default": "published"}}, "location"
)
DOCUMENT_KEYS: Final[dict[str, JsonSchema]] = {
    "schema": {"enum": [SCHEMA], "x-problem": "unknown-schema", "x-says": f"'{SCHEMA}'"},
    "name": NAME,
    "title": _TITLE,
    "description": _DESCRIPTION,
    "purpose": _DESCRIPTION,
    "parameters": {"type": "object", "propertyNames": PORT_NAME, "additionalProperties": PARAMETER},
    "triggers": {"type": "object", "propertyNames": TASK_NAME, "additionalProperties": TRIGGER},
    "overlap": {
        "enum": ["queue", "skip", "cancel_previous"],
        "description": "What a run does while another of the pipeline is under way: wait for it, not begin "
        "at all, or have it cancelled and then begin. Left out: runs go side by side.",
    },
    "priority": {"enum": ["low", "normal", "high", "critical"], "default": "normal"},
    "defaults": _closed(WORK_KEYS),
    "code": CODE,
    "tasks": {"type": "object", "minProperties": 1, "x-tasks": True},
}


def task_keys(kind: str) -> dict[str, JsonSchema]:
    """Every key that a task of this kind may have."""
    work = WORK_KEYS if KINDS[kind].worked else {}
    return {**COMMON_KEYS, **work, **KINDS[kind].keys}


def task_schema(kind: str) -> JsonSchema:
    """The schema of one task; what is inside `tasks` of a scope is judged task by task."""
    schema = _closed(task_keys(kind), "kind", *KINDS[kind].required)
    return {**schema, "additionalProperties": True} if KINDS[kind].open_keys else schema


def head_schema() -> JsonSchema:
    """The schema of a document; what is inside `tasks` is judged task by task."""
    return _closed(DOCUMENT_KEYS, "schema", "name", "tasks")


def document_schema() -> JsonSchema:
    """The whole schema, as in schema.json."""
    definitions: dict[str, JsonSchema] = {"tasks": _tasks_definition(), "task": _task_definition()}
    for kind in KINDS:
        definitions[f"task-{kind}"] = task_schema(kind)
    schema = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": f"Pipeline document, {SCHEMA}",
        **head_schema(),
        "definitions": definitions,
    }
    linked: JsonSchema = _link_tasks(schema)
    return linked


def _tasks_definition() -> JsonSchema:
    return {
        "type": "object",
        "minProperties": 1,
        "propertyNames": TASK_NAME,
        "additionalProperties": {"$ref": "#/definitions/task"},
    }


def _task_definition() -> JsonSchema:
    choices = [
        {
            "if": {"properties": {"kind": {"const": kind}}},
            "then": {"$ref": f"#/definitions/task-{kind}"},
        }
        for kind in KINDS
    ]
    kinds = {"kind": {"enum": list(KINDS)}}
    return {"type": "object", "required": ["kind"], "properties": kinds, "allOf": choices}


def _link_tasks(schema: Any) -> Any:
    """Replaces the places marked `x-tasks` by a reference to the tasks inside."""
    if isinstance(schema, dict):
        if schema.get("x-tasks"):
            return {"$ref": "#/definitions/tasks"}
        return {key: _link_tasks(value) for key, value in schema.items()}
    return [_link_tasks(item) for item in schema] if isinstance(schema, list) else schema


# --- judging ----------------------------------------------------------------------------------------


class Judge:
    """Says whether a value has the shape of a schema, quickly, and what is wrong with it when it has not."""

    def __init__(self, schema: JsonSchema) -> None:
        import fastjsonschema

        self._schema = schema
        self._check: Callable[[Any], Any] = fastjsonschema.compile(
            {"$schema": "http://json-schema.org/draft-07/schema#", **schema}, use_default=False
        )
        self._refused: type[Exception] = fastjsonschema.JsonSchemaException

    def accepts(self, value: Any) -> bool:
        try:
            self._check(value)
        except self._refused:
            return False
        return True

    def errors(self, value: Any) -> Iterator[Any]:
        """Every `jsonschema.ValidationError`; slower by far, so only for what is not accepted."""
        from jsonschema import Draft7Validator

        yield from Draft7Validator(self._schema).iter_errors(value)


@lru_cache(maxsize=32)
def task_judge(kind: str) -> Judge:
    return Judge(task_schema(kind))


@lru_cache(maxsize=1)
def head_judge() -> Judge:
    return Judge(head_schema())


def schema_text() -> str:
    """What schema.json holds."""
    return json.dumps(document_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    SCHEMA_FILE.write_text(schema_text(), encoding="utf-8")
