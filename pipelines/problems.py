"""A problem of a document, and the collector that finds the nearest known name. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any, Final, Literal, Protocol

from pipelines.limits import MAX_NAME_EFFORT, MAX_NAME_LENGTH, MAX_PROBLEMS

Severity = Literal["error", "warning"]

# Below this similarity (0..1) a suggestion confuses more than it helps.
_SIMILAR: Final = 0.6
# What it costs to look at a candidate whose length cannot do, to compare roughly, to compare well.
_LOOK, _ROUGHLY, _WELL = 1, 10, 100


class Place(Protocol):
    """Anything with a line and a column, both from 1: nodes, mostly."""

    @property
    def line(self) -> int: ...
    @property
    def column(self) -> int: ...


@dataclass(frozen=True, slots=True)
class At:
    """A bare place in a text, both numbers from 1; 0, 0 where there is no text."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, where, and how to fix it.

    severity "error" keeps a document from being published, "warning" does not. `code` is kebab-case and
    stable, `path` names the place in the document ("tasks.train.with.x"), line and column count from 1
    (0 where there is no text), `params` holds the values named in the sentence.
    """

    severity: Severity
    code: str
    path: str
    line: int
    column: int
    message: str
    params: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {
            "severity": self.severity,
            "code": self.code,
            "path": self.path,
            "line": self.line,
            "column": self.column,
            "message": self.message,
            "params": self.params,
        }


class Problems:
    """Collects problems; holds at most MAX_PROBLEMS, whatever a document does."""

    def __init__(self) -> None:
        self._found: list[Problem] = []
        self._dropped = 0
        self._effort_left = MAX_NAME_EFFORT

    def error(self, code: str, at: Place, path: str, message: str, **params: Any) -> None:
        self.add(Problem("error", code, path, at.line, at.column, message, params))

    def warning(self, code: str, at: Place, path: str, message: str, **params: Any) -> None:
        self.add(Problem("warning", code, path, at.line, at.column, message, params))

    def add(self, problem: Problem) -> None:
        if len(self._found) < MAX_PROBLEMS:
            self._found.append(problem)
        elif problem.severity == "error":
            self._dropped += 1

    @property
    def full(self) -> bool:
        """Are further problems only counted? Their sentences are then not worth the effort."""
        return len(self._found) >= MAX_PROBLEMS

    @property
    def has_errors(self) -> bool:
        return self._dropped > 0 or any(problem.severity == "error" for problem in self._found)

    def sorted(self) -> list[Problem]:
        """By line, then column; equal ones once; the last one says how many more there are, if any."""
        ordered = sorted(self._found, key=lambda p: (p.line, p.column, p.severity, p.code))
        unique = list({(p.line, p.column, p.code, p.message): p for p in ordered}.values())
        if self._dropped:
            last = unique[-1]
            message = f"And {self._dropped} more problems: fix those above first."
            unique.append(
                Problem("error", "too-many-problems", "", last.line, 1, message, {"more": self._dropped})
            )
        return unique

    def nearest(self, name: str, known: Iterable[str]) -> str | None:
        """The known name most like `name`, or None.

        A hostile document has thousands of unknown names times thousands of known ones: once
        MAX_NAME_EFFORT is spent, no more suggestions are made.
        """
        if len(name) > MAX_NAME_LENGTH or self.full:
            return None
        best, best_ratio = None, _SIMILAR
        wanted = name.lower()
        matcher = SequenceMatcher(autojunk=False)
        matcher.set_seq2(wanted)
        for candidate in known:
            if self._effort_left <= 0:
                break
            self._effort_left -= _LOOK
            if not _lengths_allow(len(candidate), len(wanted)):
                continue
            self._effort_left -= _ROUGHLY
            matcher.set_seq1(candidate.lower())
            if matcher.quick_ratio() <= best_ratio:
                continue
            self._effort_left -= _WELL
            if (ratio := matcher.ratio()) > best_ratio:
                best, best_ratio = candidate, ratio
        return best

    def hint(self, name: str, known: Iterable[str], otherwise: str = "") -> tuple[str, dict[str, Any]]:
        """The end of a sentence about an unknown name, and its params: ` Did you mean 'x'?`"""
        near = self.nearest(name, known)
        if near is None:
            return (f" {otherwise}" if otherwise else ""), {"name": shorten(name)}
        return f" Did you mean '{near}'?", {"name": shorten(name), "nearest": near}


def _lengths_allow(one: int, other: int) -> bool:
    return 2 * min(one, other) > _SIMILAR * (one + other)


def shorten(text: str, limit: int = 80) -> str:
    """At most `limit` characters on one line, for quoting what was written."""
    flat = " ".join(text.split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"


def listed(names: Iterable[str], limit: int = 8) -> str:
    """`a, b and c`; beyond `limit` names `a, b, … (12 in all)`."""
    found = list(names)
    if len(found) > limit:
        return f"{', '.join(found[:limit])}, … ({len(found)} in all)"
    if len(found) < 2:
        return "".join(found)
    return f"{', '.join(found[:-1])} and {found[-1]}"
