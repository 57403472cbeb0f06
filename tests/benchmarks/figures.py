"""Rows of results: how they are made, printed, compared and kept."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

RESULTS = Path(__file__).with_name("results.json")
OURS, OTHER = "orchestrator", "rq-fork"
# Of ours -> of the other's, beside equal names: what RQ does when somebody else keeps the graph.
ALSO = {"W2 fan-out: tasks/s": "FLAT jobs without dependencies: tasks/s"}


@dataclass(frozen=True)
class Figure:
    """The values of one measured thing."""

    workload: str
    unit: str
    values: Sequence[float]
    notes: str = ""


@dataclass(frozen=True)
class Row:
    """One line of results.json; `n` 0 and null figures: it could not be measured, and `notes` says why."""

    peer: str
    version: str
    workload: str
    n: int
    unit: str
    min: float | None
    median: float | None
    max: float | None
    notes: str

    @property
    def text(self) -> str:
        figures = " / ".join(shown(value) for value in (self.min, self.median, self.max))
        return f"{self.peer:13} {self.workload:46} n={self.n:<4} {figures} {self.unit}  {self.notes}"


def row(peer: str, version: str, figure: Figure, load: str) -> Row:
    values = [float(value) for value in figure.values]
    least, middle, most = (
        (round(min(values), 5), round(statistics.median(values), 5), round(max(values), 5))
        if values
        else (None, None, None)
    )
    notes = "; ".join(filter(None, (figure.notes, load)))
    return Row(peer, version, figure.workload, len(values), figure.unit, least, middle, most, notes)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` percent of them do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share / 100 * (len(ordered) - 1)))]


def shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}" if abs(value) < 1000 else f"{value:.0f}"


def comparison(rows: Sequence[Row]) -> list[str]:
    """A table of both subjects' medians, and how many times faster ours is."""
    ours = {row.workload: row for row in rows if row.peer == OURS}
    others = {row.workload: row for row in rows if row.peer == OTHER}
    lines = [f"{'median of':46} {OURS:>13} {OTHER:>10} {'unit':>14} {'times faster':>13}"]
    for name, mine in ours.items():
        lines += [line(name, mine, others.get(name))]
        if (also := ALSO.get(name)) in others:
            lines += [line(f"  against its {also}", mine, others[also])]
    lines += [line(name, None, other) for name, other in others.items() if name not in ours]
    return lines


def line(name: str, mine: Row | None, other: Row | None) -> str:
    here, there = (one.median if one else None for one in (mine, other))
    one = mine or other
    assert one is not None
    ratio = "-"
    if here and there:
        ratio = f"{here / there if one.unit == '1/s' else there / here:.2f}"
    return f"{name:46} {shown(here):>13} {shown(there):>10} {one.unit:>14} {ratio:>13}"


def keep(rows: Sequence[Row], path: Path = RESULTS) -> None:
    """Write rows into the file; a row of the same subject and workload is replaced."""
    known = json.loads(path.read_text()) if path.exists() else []
    merged = {(one["peer"], one["workload"]): one for one in known}
    merged |= {(one.peer, one.workload): asdict(one) for one in rows}
    text = ",\n".join(json.dumps(one, ensure_ascii=False) for one in merged.values())
    beside = path.with_suffix(".tmp")
    beside.write_text(f"[\n{text}\n]\n")
    beside.replace(path)
