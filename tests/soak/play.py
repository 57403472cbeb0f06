"""One soak from its first worker to its judgement."""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from tests.benchmarks.machine import Meter
from tests.soak.chaos import Chaos
from tests.soak.findings import Found, judge, look
from tests.soak.load import Load
from tests.soak.machines import Machine, may_stand_apart
from tests.soak.quiet import Watchdog
from tests.soak.scene import Scene
from tests.walks.product import Product

QUEUE: Final = "soak"
WORKERS: Final = 4  # of each machine
LOOK_EVERY: Final = 15.0  # seconds between two looks at the invariants
LAST_RUNS: Final = 150.0  # seconds for all runs to end when nobody does harm any more
WRONG_CLOCK: Final = 300.0  # seconds by which the second machine's clock is ahead


def perform(product: Product, folder: Path, seconds: float, seed: int) -> tuple[Scene, Found]:
    """The scene at its end, and what it has shown."""
    chance = random.Random(seed)
    product.manage(
        "shell", "--no-imports", "-c", f"from runs import queues; queues.make('{QUEUE}', '', actor=None)"
    )
    ledger = folder / "ledger"
    ledger.touch()
    ledger.chmod(0o666)
    load = Load(product, QUEUE, str(ledger), chance.randrange(2**32))
    meter, watchdog = Meter(), Watchdog()
    scene = Scene(product, load, machines(product, folder), QUEUE, ledger, chance)
    try:
        for machine in scene.machines:
            machine.start()
        watchdog.start()
        load.start()
        disturb(scene, seconds)
        scene.say("no more harm is done")
        load.end()
        wait_for_ends(scene)
        scene.say("every run has ended")
        watchdog.end()
        return scene, judge(scene, logs(product, folder), meter.others(), watchdog.stalls)
    finally:
        with ThreadPoolExecutor() as everybody:
            list(everybody.map(Machine.stop, scene.machines))


def machines(product: Product, folder: Path) -> list[Machine]:
    """Two, the second with a clock that is wrong."""
    environment = {**product.environment, "ORCHESTRATOR_KILL_GRACE": "0", "ORCHESTRATOR_DRAIN_TIMEOUT": "8"}
    return [
        Machine("soak-a", QUEUE, WORKERS, environment, folder / "soak-a.log"),
        Machine(
            "soak-b", QUEUE, WORKERS, environment, folder / "soak-b.log", WRONG_CLOCK, apart=may_stand_apart()
        ),
    ]


def disturb(scene: Scene, seconds: float) -> None:
    """Faults until the time is over and the last of them has been put right."""
    wait_until_busy(scene)
    chaos, looked = Chaos(scene, seconds), time.monotonic()
    while not chaos.over:
        chaos.tick()
        if time.monotonic() - looked > LOOK_EVERY:
            look(scene)
            looked = time.monotonic()
        time.sleep(0.05)


def wait_until_busy(scene: Scene) -> None:
    deadline = time.monotonic() + 60
    while not scene.busy():
        if time.monotonic() > deadline:
            raise TimeoutError("no worker has begun anything within a minute")
        time.sleep(0.1)


OPEN = """
    SELECT p.name, r.uuid::text, string_agg(t.key || ' ' || t.state, ', ') FROM run r
    JOIN pipeline p ON p.id = r.pipeline_id JOIN task_run t ON t.run_id = r.id
    WHERE r.finished_at IS NULL GROUP BY 1, 2
"""


def wait_for_ends(scene: Scene) -> None:
    """Nobody does harm any more: every run must end."""
    scene.thaw(*list(scene.frozen))
    deadline = time.monotonic() + LAST_RUNS
    while left := scene.rows(OPEN):
        if time.monotonic() > deadline:
            scene.violations += [f"run {run} of {name} does not end: {tasks}" for name, run, tasks in left]
            return
        time.sleep(0.2)


def logs(product: Product, folder: Path) -> str:
    """What all processes of the product have said."""
    files = [*folder.glob("soak-*.log"), *(folder / "home" / "logs").glob("*.log*")]
    return "\n".join(file.read_text(errors="replace") for file in files)
