"""What a task may say about itself. Standard library only; importable in every task, and harmless outside.

from orchestrator_task import Transient, checkpoint_dir, log_metric, progress, seed
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # importing `typing` would cost every fork of the zygote its pages
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

NAMES_LIMIT = 1_000  # metrics of one attempt
NAME_LENGTH = 200
POINTS_LIMIT = 10_000  # of one series
ALL_POINTS_LIMIT = 100_000  # of all series together
MESSAGE_LENGTH = 200

_metrics: dict[str, float | str] = {}
_series: dict[str, list[list[float]]] = {}
_seeds: dict[str, Any] = {}
_progress: dict[str, Any] = {}
_refused: list[str] = []


class Invalid(Exception):
    """Raise this when the data is not as it must be: trying again would find the same."""


class Transient(Exception):
    """Raise this (or a subclass) for a fault that may be gone at the next try, such as a busy service."""


def log_metric(name: str, value: float, step: float | None = None) -> None:
    """Record a number under a name; the last value of each name is kept, and with `step` the series too.

    An attempt has at most 1,000 names; what comes under more is not kept, and the log says so once.
    """
    name, number = str(name)[:NAME_LENGTH], float(value)
    if name not in _metrics and len(_metrics) >= NAMES_LIMIT:
        if not _refused:
            _refused.append(name)
            print(f"log_metric: there are {NAMES_LIMIT:,} names already; {name!r} and others are not kept")
        return
    finite = number - number == 0
    _metrics[name] = number if finite else str(number)  # JSON has no word for them
    if step is not None and finite:
        points = _series.setdefault(name, [])
        points.append([float(step), number])
        if len(points) > POINTS_LIMIT:
            del points[::2]


def progress(done: float, total: float | None = None, message: str = "") -> None:
    """Say how far the task is: `progress(3, 10, "fold")` or `progress(0.3)`. Appears in the log at once."""
    share = float(done / total if total else done)
    message = str(message)[:MESSAGE_LENGTH]
    if share - share == 0:
        _progress.update(share=share, message=message)
    print(f"progress {share:.0%} {message}".rstrip(), flush=True)


def checkpoint_dir() -> Path:
    """A folder for half-finished work; it outlives a failed or lost attempt of the same task run."""
    from pathlib import Path

    path = Path(os.environ.get("ORCHESTRATOR_CHECKPOINT_DIR") or "checkpoint").absolute()
    path.mkdir(parents=True, exist_ok=True)
    return path


def seed(number: int) -> None:
    """Seed the random generators (random, numpy, torch if imported) and put the seed on record."""
    import random  # here, because importing it makes every fork of the zygote slower

    number = int(number)
    random.seed(number)
    _seeds["random"] = number
    try:
        import numpy
    except ImportError:
        pass
    else:
        numpy.random.seed(number % 2**32)
        _seeds["numpy"] = number % 2**32
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.manual_seed(number)
        _seeds["torch"] = number


def said() -> dict[str, Any]:
    """Everything said so far, for the runner's report."""
    seeds = dict(_seeds)
    if "PYTHONHASHSEED" in os.environ:
        seeds["PYTHONHASHSEED"] = os.environ["PYTHONHASHSEED"]
    report: dict[str, Any] = {"metrics": dict(_metrics), "seeds": seeds}
    if _series:
        most = max(2, ALL_POINTS_LIMIT // len(_series))
        report["series"] = {name: thinned(points, most) for name, points in _series.items()}
    if _progress:
        report["progress"] = dict(_progress)
    return report


def thinned(points: list[list[float]], most: int) -> list[list[float]]:
    """At most so many points, evenly chosen."""
    return points[:: -(-len(points) // most)] if len(points) > most else points
