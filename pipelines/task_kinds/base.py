"""What a task kind says about itself: its keys, its ports, its checks, what of it a version keeps. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from pipelines.context import Context
from pipelines.document import Node
from pipelines.ports import PORT_TYPES, Port
from pipelines.problems import At, Place, Problems
from pipelines.references import NAME_PATTERN
from pipelines.signatures import Signature
from pipelines.units import DURATION_PATTERN, SIZE_PATTERN

JsonSchema = dict[str, Any]

# How kinds are sorted where one chooses among them, in this order.
CATEGORIES: Final = ("Code", "Data", "Flow", "People", "Models", "Imported")

# `x-problem` is the code of the problem when a value does not match, `x-says` the end of its sentence.
# For forms: `title` and `description`, `default` (what an absent value means; nothing fills it in here),
# `x-one-of` (of these properties just one is given), `x-lines` (a text of so many lines).
TASK_NAME: Final[JsonSchema] = {
    "type": "string",
    "pattern": r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}(?!\n)$",
    "x-problem": "bad-name",
    "x-says": "a name of at most 64 letters, digits, '-' and '_', such as train-all",
}
NAME: Final[JsonSchema] = {
    "type": "string",
    "pattern": r"^[a-z0-9][a-z0-9-]{0,63}(?!\n)$",
    "x-problem": "bad-name",
    "x-says": "a name of at most 64 small letters, digits and '-', such as digits-training",
}
# A thing of the team by its name, or one that another team has lent to it.
LENT_NAME: Final[JsonSchema] = {
    "type": "string",
    "pattern": r"^([a-z0-9][a-z0-9-]{0,63}:)?[a-z0-9][a-z0-9-]{0,63}(?!\n)$",
    "x-problem": "bad-name",
    "x-says": "a name of at most 64 small letters, digits and '-', or owner:name for one of another team",
}
PORT_NAME: Final[JsonSchema] = {
    "type": "string",
    "pattern": rf"^(?=.{{1,64}}(?!\n)$){NAME_PATTERN}(?!\n)$",
    "x-problem": "bad-name",
    "x-says": "a name of at most 64 letters, digits and '_', such as learning_rate",
}
DURATION: Final[JsonSchema] = {
    "type": "string",
    "pattern": DURATION_PATTERN,
    "x-problem": "bad-duration",
    "x-says": "a duration: a number and ms, s, m, h or d, such as 30s or 1h",
}
SIZE: Final[JsonSchema] = {
    "type": "string",
    "pattern": SIZE_PATTERN,
    "x-problem": "bad-size",
    "x-says": "a size: a number and Ki, Mi, Gi or Ti, such as 512Mi or 2Gi",
}
PORT_TYPE: Final[JsonSchema] = {
    "enum": list(PORT_TYPES),
    "x-problem": "unknown-type",
    "x-says": "a port type",
}
VALUES: Final[JsonSchema] = {"type": "object", "propertyNames": PORT_NAME}
DECLARED_OUTPUTS: Final[JsonSchema] = {
    "type": "object",
    "propertyNames": PORT_NAME,
    "additionalProperties": PORT_TYPE,
}
INNER_TASKS: Final[JsonSchema] = {"type": "object", "minProperties": 1, "x-tasks": True}


@dataclass(slots=True)
class Ports:
    """open_inputs: takes further inputs. open_outputs: what it gives is not known, so any name will do."""

    inputs: dict[str, Port] = field(default_factory=dict)
    outputs: dict[str, Port] = field(default_factory=dict)
    open_inputs: bool = False
    open_outputs: bool = False

    @classmethod
    def unknown(cls) -> Ports:
        return cls(open_inputs=True, open_outputs=True)


class Draft:
    """A task as read from the document. `raw` holds only keys whose shape is right.

    key: its path in the graph (`train-all/fit`); path: its place in the document
    (`tasks.train-all.tasks.fit`); at: where its name stands; broken: keys that were left out.
    """

    __slots__ = ("at", "broken", "key", "kind", "name", "node", "path", "ports", "raw")

    def __init__(self, name: str, key: str, path: str, at: At, node: Node, kind: Kind) -> None:
        self.name = name
        self.key = key
        self.path = path
        self.at = at
        self.node = node
        self.kind = kind
        self.raw: dict[str, Any] = {}
        self.broken: set[str] = set()
        self.ports = Ports()

    def place(self, *keys: str | int) -> Place:
        """Where a value below the task stands; as near as there is one."""
        return place(self.node, keys, self.at)

    def literal(self, name: str) -> Any:
        """The value given to an input in `with` when it is written out; None when absent or a reference."""
        value = self.raw.get("with", {}).get(name)
        return None if isinstance(value, str) and "${{" in value else value


def place(node: Node, keys: tuple[str | int, ...], otherwise: Place) -> Place:
    """Where the value under these keys stands: scalars themselves, mappings and lists at their key."""
    found: Place = otherwise
    current: Node | None = node
    for key in keys:
        if current is None:
            break
        if isinstance(current.value, dict) and key in current.value:
            child = current.value[key]
            found = child if child.value is None and child.raw is not None else current.keys[str(key)]
            current = child
        elif isinstance(current.value, list) and isinstance(key, int) and key < len(current.value):
            current = current.value[key]
            found = current
        else:
            break
    return found


@dataclass(slots=True)
class Desk:
    """What the checks of all kinds share.

    location: name of the code location, None when the document has no `code`. blocks: its signatures,
    None when they are not known here. conditions: the different ones seen so far.
    """

    context: Context
    problems: Problems
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    location: str | None = None
    blocks: Mapping[str, Signature] | None = None
    purpose: str = ""
    conditions: set[str] = field(default_factory=set)


class Kind:
    """One kind of task. Instances hold no state."""

    name: ClassVar[str]
    label: ClassVar[str]  # "a python task", for sentences
    title: ClassVar[str]
    description: ClassVar[str]  # one sentence
    category: ClassVar[str]  # one of CATEGORIES
    starter: ClassVar[Mapping[str, Any]] = {}  # a new task, without `kind`
    available: ClassVar[bool] = True
    worked: ClassVar[bool] = True  # carried out by a worker: has queue, timeout, retries, resources, start
    scope: ClassVar[bool] = False  # holds tasks of its own
    takes_secrets: ClassVar[bool] = False
    keys: ClassVar[dict[str, JsonSchema]] = {}
    required: ClassVar[tuple[str, ...]] = ()
    open_keys: ClassVar[bool] = False  # its keys are not settled yet, any are taken

    def ports(self, task: Draft, desk: Desk) -> Ports:
        """Inputs and outputs; problems with what they are read from are noted."""
        return Ports.unknown()

    def check(self, task: Draft, desk: Desk) -> None:
        """Notes what is wrong with the kind's own keys, beyond their shape."""

    def config(self, task: Draft) -> dict[str, Any]:
        """The kind's own keys as a version keeps them, defaults applied."""
        return {key: task.raw[key] for key in self.keys if key in task.raw and key != "with"}


def named(ports: tuple[Port, ...]) -> dict[str, Port]:
    """Ports by name."""
    return {port.name: port for port in ports}


def declared(outputs: Mapping[str, str]) -> dict[str, Port]:
    """`outputs: {name: type}` as ports."""
    return {name: Port(name, kind) for name, kind in outputs.items()}
