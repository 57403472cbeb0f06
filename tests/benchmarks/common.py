"""The workloads that every subject has, measured in the same way."""

from __future__ import annotations

import random
import time

from tests.benchmarks.figures import Figure
from tests.benchmarks.shapes import Engine, Performance, chain, fan, single
from tests.benchmarks.sizes import Sizes

LONG = 30.0  # seconds; what takes longer is done once


def warm_up(engine: Engine) -> None:
    """Every worker has done something, and has been left alone for a moment."""
    engine.carry_out(fan(4))
    time.sleep(1.0)


def a_chain(engine: Engine, sizes: Sizes) -> list[Figure]:
    """W1"""
    done = [engine.carry_out(chain(sizes.chain)) for _ in range(sizes.repeats)]
    gaps = [1000 * gap for one in done for gap in one.stamps.gaps()]
    notes = f"{sizes.chain} tasks"
    return [
        Figure("W1 chain: wall", "s", [one.wall for one in done], f"{notes}; {done[0].notes}"),
        Figure("W1 chain: gap end->start", "ms", gaps, f"{notes}; over {sizes.repeats} runs"),
    ]


def wide(engine: Engine, sizes: Sizes, tag: str, width: int) -> tuple[list[Figure], list[Performance]]:
    """W2 and W7: walls and rates, and the performances they come from."""
    shape, done = fan(width), list[Performance]()
    while len(done) < sizes.repeats and not (done and done[-1].wall > LONG):
        done.append(engine.carry_out(shape))
    rates = [width / (one.stamps.at("join", "start") - one.stamps.at("root", "end")) for one in done]
    notes = f"{width} tasks wide, 2 workers; {done[0].notes}"
    figures = [
        Figure(f"{tag} fan-out: wall", "s", [one.wall for one in done], notes),
        Figure(f"{tag} fan-out: tasks/s", "1/s", rates, f"{width} wide; root's end -> join's start"),
    ]
    return figures, done


def computing(engine: Engine, sizes: Sizes) -> list[Figure]:
    """W3"""
    found = []
    for size, count, n in (
        ("small", sizes.small_fibs, sizes.small_fib),
        ("large", sizes.big_fibs, sizes.big_fib),
    ):
        walls = [engine.carry_out(chain(count, f"fib:{n}")).wall for _ in range(sizes.repeats)]
        found.append(Figure(f"W3 {size} fib chain: wall", "s", walls, f"{count} x fib({n})"))
    return found


def trigger(engine: Engine, sizes: Sizes) -> list[Figure]:
    """W4"""
    shape, delays = single(), list[float]()
    for _ in range(sizes.triggers):
        # Not always at the same point of anybody's polling interval.
        time.sleep(random.uniform(0.3, 0.8))
        done = engine.carry_out(shape)
        delays.append(1000 * (done.stamps.first() - done.called))
    return [Figure("W4 trigger latency", "ms", delays, f"{done.notes} -> first line of user code, all idle")]
