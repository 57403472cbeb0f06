"""Graphs to carry out, the same for every subject."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from tests.benchmarks.stamps import Stamps


@dataclass(frozen=True)
class Step:
    name: str
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Shape:
    """Steps in an order in which each comes after what it needs; all do the same `kind` of work."""

    name: str
    steps: tuple[Step, ...]
    kind: str = "nothing"


def chain(length: int, kind: str = "nothing") -> Shape:
    steps = [Step(f"t{number}", (f"t{number - 1}",) if number else ()) for number in range(length)]
    return Shape(f"chain-{length}-{kind.replace(':', '-')}", tuple(steps), kind)


def fan(width: int) -> Shape:
    """One step, then `width` of them, then one."""
    middle = tuple(f"f{number}" for number in range(width))
    steps = (Step("root"), *(Step(name, ("root",)) for name in middle), Step("join", middle))
    return Shape(f"fan-{width}", steps)


def single(kind: str = "nothing") -> Shape:
    return Shape(f"single-{kind.replace(':', '-')}", (Step("only"),), kind)


@dataclass(frozen=True)
class Performance:
    """One shape carried out: when it was asked for, when the subject said it had ended, what was stamped."""

    called: float
    finished: float
    stamps: Stamps
    run: str = ""
    notes: str = ""

    @property
    def wall(self) -> float:
        return self.finished - self.called


class Engine(Protocol):
    """What can carry out shapes."""

    def carry_out(self, shape: Shape) -> Performance:
        """Returns when the whole shape has ended well, each attempt in its own process; else raises Wrong."""
        ...
