"""W5: what everything costs that only waits."""

from __future__ import annotations

import time

import psutil

from tests.benchmarks.figures import Figure
from tests.benchmarks.machine import cpu_seconds, memory, tree
from tests.benchmarks.sizes import Sizes
from tests.benchmarks.stamps import Wrong

WINDOWS = 3


def cost(root: int, sizes: Sizes) -> list[Figure]:
    """Memory and CPU of a process and its descendants, after the last zygote ended and things settled."""
    wait_for_zygotes(root, sizes.zygote_limit)
    time.sleep(sizes.idle_settle)
    resident, shared_out = memory(tree(root))
    shares = [cpu_share(root, sizes.idle_window / WINDOWS) for _ in range(WINDOWS)]
    return [
        Figure("W5 idle RSS sum", "MiB", [resident], f"{len(tree(root))} processes"),
        Figure("W5 idle PSS sum", "MiB", [shared_out], f"shared pages counted once; {by_process(root)}"),
        Figure("W5 idle CPU", "% of one core", shares, f"{sizes.idle_window:g} s in {WINDOWS} windows"),
    ]


def wait_for_zygotes(root: int, limit: float) -> None:
    """Until no warm interpreter is left. Raises Wrong after `limit` seconds."""
    deadline = time.monotonic() + limit
    while any("zygote.py" in command(process) for process in tree(root)):
        if time.monotonic() > deadline:
            raise Wrong(f"a zygote was still there after {limit:g} idle seconds")
        time.sleep(1.0)


def command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def cpu_share(root: int, window: float) -> float:
    """Percent of one core over `window` seconds."""
    before, began = cpu_seconds(tree(root)), time.monotonic()
    time.sleep(window)
    return 100 * (cpu_seconds(tree(root)) - before) / (time.monotonic() - began)


def by_process(root: int) -> str:
    """PSS in MiB of each direct child with its descendants, by name."""
    parts = [f"parent {memory([psutil.Process(root)])[1]:.0f}"]
    for child in psutil.Process(root).children():
        parts.append(f"{child.name()} {memory(tree(child.pid))[1]:.0f}")
    return ", ".join(parts)
