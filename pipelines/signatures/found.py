"""What is found in code: blocks with what they take and give, and modules that cannot be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.ports import Port


@dataclass(frozen=True, slots=True)
class Signature:
    """What a block takes and gives.

    open: it has **kwargs, so it takes further inputs. problem: why it cannot be used as a block, or "".
    doc: the first line of its docstring. line: of its `def`, from 1.
    """

    name: str
    inputs: tuple[Port, ...] = ()
    outputs: tuple[Port, ...] = ()
    open: bool = False
    doc: str = ""
    line: int = 1
    problem: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "inputs": [port.to_json() for port in self.inputs],
            "outputs": [{"name": port.name, "type": port.type} for port in self.outputs],
            "open": self.open,
            "doc": self.doc,
            "line": self.line,
            "problem": self.problem,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Signature:
        """The inverse of `to_json`. KeyError when name, inputs or outputs are absent."""
        return cls(
            name=data["name"],
            inputs=tuple(Port.from_json(port) for port in data["inputs"]),
            outputs=tuple(Port.from_json(port) for port in data["outputs"]),
            open=data.get("open", False),
            doc=data.get("doc", ""),
            line=data.get("line", 1),
            problem=data.get("problem", ""),
        )


@dataclass(frozen=True, slots=True)
class CodeProblem:
    """A module that cannot be read: line and column from 1."""

    module: str
    line: int
    column: int
    message: str


@dataclass(frozen=True, slots=True)
class Blocks:
    """All blocks of a folder by "module:function", and the modules that could not be read."""

    blocks: dict[str, Signature]
    problems: list[CodeProblem]
