"""Rows of results: how they are made, printed, compared and kept."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

RESULTS = Path(__file__).with_name("results.json")
OURS = "orchestrator"
# Of ours -> of RQ's, beside equal names: what it does when somebody else keeps the graph.
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
        return f"{self.peer:15} {self.workload:46} n={self.n:<4} {figures} {self.unit}  {self.notes}"


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
    """A table of the medians of all subjects, and below each how many times faster ours is."""
    subjects = list(dict.fromkeys(row.peer for row in rows))
    found = {(row.peer, row.workload): row for row in rows}
    others = [subject for subject in subjects if subject != OURS]
    lines = [
        f"{'median (times faster than it)':42} {'unit':>5} {OURS:>13}"
        + "".join(f"{name:>22}" for name in others)
    ]
    for name in dict.fromkeys(row.workload for row in rows):
        mine = found.get((OURS, name))
        unit = next(row.unit for row in rows if row.workload == name)
        cells = [cell(mine, found.get((other, name))) for other in others]
        lines.append(f"{name:42} {unit:>5} {shown(mine.median if mine else None):>13}" + "".join(cells))
        for other in others:
            if mine and (also := found.get((other, ALSO.get(name, "")))):
                lines.append(f"  against its {also.workload}: {cell(mine, also).strip()}")
    return lines


def cell(mine: Row | None, other: Row | None) -> str:
    """The other's median and the ratio, above 1 where ours is better."""
    there, here = other.median if other else None, mine.median if mine else None
    if other is None or there is None:
        return f"{'-':>22}"
    ratio = ""
    if here:
        ratio = f" ({here / there if other.unit == '1/s' else there / here:.2f})"
    return f"{shown(there) + ratio:>22}"


def keep(rows: Sequence[Row], path: Path = RESULTS) -> None:
    """Write rows into the file; a row of the same subject and workload is replaced."""
    known = json.loads(path.read_text()) if path.exists() else []
    merged = {(one["peer"], one["workload"]): one for one in known}
    merged |= {(one.peer, one.workload): asdict(one) for one in rows}
    text = ",\n".join(json.dumps(one, ensure_ascii=False) for one in merged.values())
    beside = path.with_suffix(".tmp")
    beside.write_text(f"[\n{text}\n]\n")
    beside.replace(path)
