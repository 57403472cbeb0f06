"""How much of everything, from the environment."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any


def whole(name: str, default: int) -> Any:
    return field(default_factory=lambda: int(os.environ.get(name, default)))


def seconds(name: str, default: float) -> Any:
    return field(default_factory=lambda: float(os.environ.get(name, default)))


@dataclass(frozen=True)
class Sizes:
    """Counts of tasks and repetitions, and times in seconds."""

    chain: int = whole("N_CHAIN", 50)
    fan: int = whole("N_FAN", 200)
    big: int = whole("N_BIG", 1000)
    small_fibs: int = whole("N_FIB_SMALL", 40)
    small_fib: int = whole("FIB_SMALL", 10)
    big_fibs: int = whole("N_FIB_BIG", 10)
    big_fib: int = whole("FIB_BIG", 33)
    widest: int = whole("N_WIDEST", 10_000)
    # Finished task runs that the tables are filled with.
    full: int = whole("N_FULL", 1_000_000)
    repeats: int = whole("REPEATS", 3)
    drawn: int = whole("N_DRAWN", 1000)
    triggers: int = whole("TRIGGERS", 10)
    requests: int = whole("REQUESTS", 200)
    # Sleep of the task whose worker is killed, and how long to wait for its next attempt.
    crash_sleep: float = seconds("CRASH_SLEEP", 20)
    crash_limit: float = seconds("CRASH_LIMIT", 120)
    # Zygotes end after five idle minutes; then things settle; then a window is measured.
    zygote_limit: float = seconds("ZYGOTE_LIMIT", 330)
    idle_settle: float = seconds("IDLE_SETTLE", 60)
    idle_window: float = seconds("IDLE_WINDOW", 30)
    run_limit: float = seconds("RUN_LIMIT", 600)
    start_limit: float = seconds("START_LIMIT", 120)
    # Before each workload: wait so long for other processes to use less than so many cores.
    quiet_wait: float = seconds("QUIET_WAIT", 60)
    quiet_cores: float = seconds("QUIET_CORES", 0.15)
