"""What a task may use of a machine: its own limits, those of its queue, and ours. Pure.

The limits of a queue are kept as people write them: {"memory": "4Gi", "disk": "100Gi", "processes": 200,
"open_files": 8192, "timeout": "12h"}, each of them optional. The document of a task goes before its queue's
``memory`` and ``timeout``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from pipelines.errors import Invalid
from pipelines.units import duration_seconds, size_bytes
from runs.reasons import duration_words, memory_words

N = TypeVar("N", int, float)

GIB: Final = 1024**3
DEFAULT_MEMORY: Final = 2 * GIB  # or half the machine when that is less
DEFAULT_DISK: Final = 50 * GIB
DEFAULT_PROCESSES: Final = 1_000
DEFAULT_OPEN_FILES: Final = 4_096
DEFAULT_TIMEOUT: Final = 7 * 86_400.0  # seconds


@dataclass(frozen=True)
class Limits:
    """memory, disk: bytes. processes: of the whole tree. open_files: of each process. timeout: seconds."""

    memory: int
    disk: int
    processes: int
    open_files: int
    timeout: float


def _memory(value: Any) -> int:
    return _between(size_bytes(str(value)), 16 * 1024**2, 1024**5, "16Mi")


def _disk(value: Any) -> int:
    return _between(size_bytes(str(value)), 1024**2, 1024**5, "1Mi")


def _processes(value: Any) -> int:
    return _between(_whole(value), 1, 1_000_000, "1")


def _open_files(value: Any) -> int:
    return _between(_whole(value), 64, 1_000_000, "64")


def _timeout(value: Any) -> float:
    return _between(duration_seconds(str(value)), 1.0, 10_000 * 86_400.0, "1s")


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError(f"{value!r} is not a whole number")
    try:
        return int(value)
    except ValueError:
        raise ValueError(f"{value!r} is not a whole number") from None


def _between(number: N, least: float, most: float, least_words: str) -> N:
    if not least <= number <= most:
        raise ValueError(f"it must be at least {least_words} and not beyond all machines")
    return number


READERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "memory": _memory,
    "disk": _disk,
    "processes": _processes,
    "open_files": _open_files,
    "timeout": _timeout,
}


def check(limits: Mapping[str, Any]) -> dict[str, Any]:
    """The limits of a queue without those that say nothing. Raises Invalid, naming each that is wrong."""
    kept = {name: value for name, value in limits.items() if value not in (None, "")}
    errors = [(name, words) for name, value in kept.items() if (words := _problem(name, value))]
    if errors:
        raise Invalid("; ".join(f"{name}: {words}" for name, words in errors), errors=errors)
    return kept


def _problem(name: str, value: Any) -> str:
    if name not in READERS:
        return f"there is no such limit: there are {', '.join(READERS)}"
    try:
        READERS[name](value)
    except ValueError as problem:
        return str(problem)
    return ""


def of_task(queue: Mapping[str, Any], *, memory: int | None = None) -> Limits:
    """The limits of a task: its own, its queue's, ours. ``memory``: bytes, from the document."""
    read = {name: READERS[name](value) for name, value in check(queue).items()}
    return Limits(
        memory=memory or read.get("memory") or default_memory(),
        disk=read.get("disk", DEFAULT_DISK),
        processes=read.get("processes", DEFAULT_PROCESSES),
        open_files=read.get("open_files", DEFAULT_OPEN_FILES),
        timeout=read.get("timeout", DEFAULT_TIMEOUT),
    )


def in_words(queue: Mapping[str, Any]) -> list[str]:
    """Each limit with its value: ``memory 4 GiB``; what the queue does not name is marked as default."""
    found = of_task(queue)
    words = {
        "memory": memory_words(found.memory),
        "disk": memory_words(found.disk),
        "processes": f"{found.processes:,}",
        "open_files": f"{found.open_files:,}",
        "timeout": duration_words(found.timeout),
    }
    own = check(queue)
    return [
        f"{name.replace('_', ' ')} {value}{'' if name in own else ' (default)'}"
        for name, value in words.items()
    ]


def default_memory() -> int:
    """Bytes for a task that names no limit: 2 GiB, or half of a machine that has less than 4."""
    return min(DEFAULT_MEMORY, os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2)
