"""What lies upstream and downstream of a thing, and how far. Pure: uses in, sets and depths out."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

Node = TypeVar("Node", bound=Hashable)


@dataclass(frozen=True)
class UseEdge:
    """One edge of a record, between the ids of its record and its artifact."""

    record: int
    artifact: int
    wrote: bool
    slot: str
    position: int = 0


def neighbours(edges: Iterable[tuple[Node, Node]]) -> dict[Node, list[Node]]:
    """For each start of an edge its ends, in the order given."""
    found: dict[Node, list[Node]] = {}
    for start, end in edges:
        found.setdefault(start, []).append(end)
    return found


def depths(starts: Iterable[Node], following: Mapping[Node, Iterable[Node]]) -> dict[Node, int]:
    """Everything that can be reached from ``starts`` with its shortest distance, nearest first."""
    found = dict.fromkeys(starts, 0)
    waiting = deque(found)
    while waiting:
        node = waiting.popleft()
        for after in following.get(node, ()):
            if after not in found:
                found[after] = found[node] + 1
                waiting.append(after)
    return found


def upstream_of(artifact: int, uses: Iterable[UseEdge]) -> dict[int, int]:
    """Artifacts that ``artifact`` was made from, with the number of records between; itself at 0."""
    return depths([artifact], neighbours(_steps(uses, towards_sources=True)))


def downstream_of(artifact: int, uses: Iterable[UseEdge]) -> dict[int, int]:
    """Artifacts made from ``artifact``, with the number of records between; itself at 0."""
    return depths([artifact], neighbours(_steps(uses, towards_sources=False)))


def sources(uses: Iterable[UseEdge]) -> set[int]:
    """Artifacts whose producing record read nothing: where the data came in."""
    uses = list(uses)
    readers = {use.record for use in uses if not use.wrote}
    return {use.artifact for use in uses if use.wrote and use.record not in readers}


def without_producer(uses: Iterable[UseEdge]) -> set[int]:
    """Artifacts that were read and that no known record wrote."""
    uses = list(uses)
    return {use.artifact for use in uses} - {use.artifact for use in uses if use.wrote}


def _steps(uses: Iterable[UseEdge], *, towards_sources: bool) -> Iterable[tuple[int, int]]:
    """Artifact to artifact through each record, so that a record costs one step."""
    read: dict[int, list[int]] = {}
    wrote: dict[int, list[int]] = {}
    for use in uses:
        (wrote if use.wrote else read).setdefault(use.record, []).append(use.artifact)
    for record, written in wrote.items():
        for made in written:
            for source in read.get(record, ()):
                yield (made, source) if towards_sources else (source, made)
