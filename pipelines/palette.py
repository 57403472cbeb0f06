"""The task kinds as one chooses among them: words, keys, ports, a first entry. Pure."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from pipelines.context import Context
from pipelines.document import Node
from pipelines.ports import Port
from pipelines.problems import At, Problems
from pipelines.schema import COMMON_KEYS, WORK_KEYS
from pipelines.task_kinds import KINDS
from pipelines.task_kinds.base import CATEGORIES, Desk, Draft, Kind, Ports

_NOWHERE: Final = At(0, 0)


@lru_cache(maxsize=1)
def palette() -> dict[str, Any]:
    """Every kind by category, and the schemas of the keys that they share.

    common: keys of every task. work: further ones of tasks that a worker carries out.
    """
    kinds = sorted(KINDS.values(), key=lambda kind: CATEGORIES.index(kind.category))
    return {"common": COMMON_KEYS, "work": WORK_KEYS, "kinds": [describe(kind) for kind in kinds]}


def describe(kind: Kind) -> dict[str, Any]:
    """One kind. `keys` are the schemas of its own keys, `ports` what is known before any key is written."""
    return {
        "name": kind.name,
        "title": kind.title,
        "description": kind.description,
        "category": kind.category,
        "available": kind.available,
        "worked": kind.worked,
        "scope": kind.scope,
        "takes_secrets": kind.takes_secrets,
        "required": list(kind.required),
        "keys": kind.keys,
        "ports": _ports(kind.ports(_bare(kind), Desk(Context.empty(), Problems()))),
        "starter": starter(kind),
    }


def starter(kind: Kind) -> dict[str, Any]:
    """The entry of a new task. It has no problem but inputs that are still to be given."""
    return {"kind": kind.name, **kind.starter}


def _bare(kind: Kind) -> Draft:
    node = Node(0, 0, {"kind": kind.name}, {})
    return Draft(kind.name, kind.name, f"tasks.{kind.name}", _NOWHERE, node, kind)


def _ports(ports: Ports) -> dict[str, Any]:
    return {
        "inputs": [_input(port) for port in ports.inputs.values()],
        "outputs": [{"name": port.name, "type": port.type} for port in ports.outputs.values()],
        "open_inputs": ports.open_inputs,
        "open_outputs": ports.open_outputs,
    }


def _input(port: Port) -> dict[str, Any]:
    return {**port.to_json(), "accepts": list(port.accepts)}
