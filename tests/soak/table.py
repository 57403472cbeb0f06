"""The table with which a soak ends."""

from __future__ import annotations

from tests.soak.findings import Found, percentile
from tests.soak.quiet import CROWDED
from tests.soak.scene import Scene


def lines(scene: Scene, found: Found, seconds: float, seed: int) -> list[str]:
    """What was done, what came of it, and what was wrong."""
    injected = sorted(scene.done.items())
    counted = [
        ("faults in all", str(sum(scene.done.values()))),
        ("runs", words(found.runs)),
        ("starts asked for again, as nobody answered", str(scene.load.refused)),
        ("attempts", words(found.attempts)),
        ("attempts that a crash of PostgreSQL forgot", str(found.forgotten)),
        ("tasks given up after three lost workers", str(found.given_up)),
        ("starts refused, as such a task is in quarantine", str(scene.load.quarantined)),
        ("late finishes sent, fenced", f"{scene.late}, {scene.late_fenced}"),
        ("late finishes of thawed or cut-off workers, fenced", str(found.fenced)),
        ("workers that left as their lease was lost", str(found.left)),
        ("recovery of a lost worker's task, s", times(found.recoveries)),
        ("… that had to wait for a server too", str(found.delayed)),
        ("cancel until all is dead, s", times(found.cancels)),
        ("cores that other processes used", crowd(found.others)),
        ("times at which the machine stood still", str(len(found.stalls))),
        ("not judged: the machine not quiet, or no database", str(len(found.not_judged))),
        ("violations", str(len(found.violations))),
    ]
    return [
        f"soak of {seconds:g} s, seed {seed}",
        "",
        *table("fault", injected),
        "",
        *table("figure", counted),
        *(f"NOT JUDGED: {sentence}" for sentence in found.not_judged),
        *(f"VIOLATION: {sentence}" for sentence in found.violations),
    ]


def table(
    head: str, rows: list[tuple[str, object]] | list[tuple[str, int]] | list[tuple[str, str]]
) -> list[str]:
    width = max([len(head), *(len(name) for name, _ in rows)])
    return [
        f"| {head:{width}} | |",
        f"|-{'-' * width}-|-|",
        *(f"| {name:{width}} | {value} |" for name, value in rows),
    ]


def crowd(others: float) -> str:
    return f"{others:.2f}" + (": the times above are not judged" if others >= CROWDED else "")


def words(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {state}" for state, count in sorted(counts.items())) or "none"


def times(found: list[float]) -> str:
    if not found:
        return "none measured"
    return (
        f"p50 {percentile(found, 0.5):.2f}, p99 {percentile(found, 0.99):.2f}, "
        f"worst {max(found):.2f} (of {len(found)})"
    )
