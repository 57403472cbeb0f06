"""The load of a soak: runs of a few shapes are started through the API, some again, some are cancelled."""

from __future__ import annotations

import random
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import httpx

from tests.walks.product import Product

WIDTH: Final = 6  # runs that are open at a time
COPIES: Final = 3  # pipelines of each shape: runs of one pipeline may have to wait for each other
REPEATED: Final = 0.1  # share of the starts that are asked for a second time, as by a client that gave up
OPEN_STATES: Final = ("queued", "running", "cancelling")

# What each task does: says in the ledger that it lives, and who it is, for some seconds.
SOURCE: Final = """\
import os, time
def main(ledger: str, seconds: float, fails: bool = False) -> int:
    token, until = os.environ["ORCHESTRATOR_ATTEMPT"], time.monotonic() + seconds
    book = os.open(ledger, os.O_WRONLY | os.O_APPEND)
    def say(word):
        os.write(book, f"{token} {word} {time.monotonic():.3f}\\n".encode())
    say("begin")
    while time.monotonic() < until:
        time.sleep(0.05)
        say("lives")
    if fails:
        raise ValueError("as it should")
    say("end")
    print("done")
    return 1
"""


@dataclass(frozen=True)
class Shape:
    """A pipeline: its tasks (key, seconds, needs, whether it fails, retries), and how a run of it ends."""

    name: str
    tasks: tuple[tuple[str, float, str, bool, int], ...]
    ends: str = "succeeded"

    def document(self, queue: str, ledger: str) -> str:
        return "".join(self._task(queue, ledger, *task) for task in self.tasks)

    @staticmethod
    def _task(
        queue: str, ledger: str, key: str, seconds: float, needs: str, fails: bool, retries: int
    ) -> str:
        source = "".join(f"      {line}\n" for line in SOURCE.splitlines())
        with_ = f"{{ledger: {ledger!r}, seconds: {seconds}, fails: {str(fails).lower()}}}"
        return (
            f"  {key}:\n    kind: python\n    queue: {queue}\n    needs: [{needs}]\n    with: {with_}\n"
            f"    retries: {{limit: {retries}, base: 300ms, jitter: none}}\n    source: |\n{source}"
        )


CHAIN = Shape("chain", tuple((f"c{n}", 0.3, f"c{n - 1}" if n else "", False, 0) for n in range(4)))
FAN = Shape(
    "fan",
    (
        ("first", 0.1, "", False, 0),
        *((f"w{n}", 0.2, "first", False, 0) for n in range(6)),
        ("last", 0.1, ", ".join(f"w{n}" for n in range(6)), False, 0),
    ),
)
EDGES = Shape(
    "edges",
    (
        ("breaks", 0.1, "", True, 0),
        ("never", 0.1, "breaks", False, 0),
        ("mends", 0.1, "{task: breaks, on: failure}", False, 0),
        ("anyhow", 0.1, "{task: breaks, on: always}, {task: mends, on: always}", False, 0),
    ),
    ends="failed",
)
STUBBORN = Shape("stubborn", (("again", 0.1, "", True, 2), ("never", 0.1, "again", False, 0)), ends="failed")
SLOW = Shape("slow", (("only", 6.0, "", False, 0),))
SHAPES: Final = (CHAIN, FAN, EDGES, STUBBORN, SLOW)
CHANCES: Final = (4, 3, 2, 2, 1)


@dataclass
class Started:
    """A run that was asked for; ``id`` is empty until the API has said that it is there."""

    shape: Shape
    pipeline: str
    key: str
    id: str = ""
    spared: bool = False  # from storms
    cancelled_at: float | None = None


class Load(threading.Thread):
    """Keeps some runs open until `end`; whatever does not answer is asked again with the same key."""

    def __init__(self, product: Product, queue: str, ledger: str, seed: int) -> None:
        super().__init__(name="load", daemon=True)
        self.random = random.Random(seed)
        self.product = product
        self.pipelines = {
            shape.name: [
                product.publish(shape.document(queue, ledger), name=f"{shape.name}-{number}")
                for number in range(COPIES)
            ]
            for shape in SHAPES
        }
        self.runs: list[Started] = []
        self.problems: list[str] = []
        self.refused = 0
        self.quarantined = 0
        self._ended = threading.Event()
        self._client = httpx.Client(base_url=product.api.base_url, headers=product.api.headers, timeout=10)

    def run(self) -> None:
        while not self._ended.wait(0.3):
            try:
                self._keep_open()
            except httpx.HTTPError:
                continue  # a server is being restarted
        self._client.close()

    def end(self) -> None:
        """Start nothing any more, but what was begun to be asked for is asked for until it is there."""
        self._ended.set()
        self.join(60)
        for started in [each for each in self.runs if not each.id]:
            deadline = time.monotonic() + 60
            while not started.id and started in self.runs and time.monotonic() < deadline:
                self.ask(started)
                time.sleep(0.0 if started.id else 0.5)
            if not started.id and started in self.runs:
                self.problems.append(f"a run of {started.pipeline} was never accepted")

    def _keep_open(self) -> None:
        open_runs = sum(self._count(state) for state in OPEN_STATES)
        for _ in range(WIDTH - open_runs):
            (shape,) = self.random.choices(SHAPES, CHANCES)
            if not self.start_one(shape).id:
                return

    def _count(self, state: str) -> int:
        answer = self._client.get("runs/", params={"state": state, "page_size": WIDTH})
        answer.raise_for_status()
        return len(answer.json()["results"])

    def start_one(self, shape: Shape, *, spared: bool = False) -> Started:
        """Ask for one run; it is kept whether or not it is there already."""
        pipeline = self.random.choice(self.pipelines[shape.name])
        started = Started(shape, pipeline, uuid.uuid4().hex, spared=spared)
        self.runs.append(started)
        self.ask(started)
        if started.id and self.random.random() < REPEATED:
            first = started.id
            self.ask(started)
            if started.id != first:
                self.problems.append(f"one key gave two runs: {first} and {started.id}")
        return started

    def ask(self, started: Started) -> None:
        """One request; nothing is known when it is not answered."""
        with_key = {**self.product.api.headers, "Idempotency-Key": started.key}
        try:
            answer = httpx.post(
                f"{self.product.api.base_url}pipelines/{started.pipeline}/runs/",
                json={"parameters": {}},
                headers=with_key,
                timeout=10,
            )
        except httpx.HTTPError:
            self.refused += 1
            return
        if answer.is_success:
            started.id = str(answer.json()["id"])
        elif "quarantine" in answer.text:
            self.quarantined += 1
            self.runs.remove(started)
        elif answer.status_code < 500:
            self.problems.append(f"a start was refused: {answer.status_code} {answer.text[:200]}")
        else:
            self.refused += 1

    def storm(self, many: int) -> int:
        """Cancel so many of the newest runs at once; returns how many answers said yes."""
        victims = [each for each in self.runs if each.id and not each.spared][-many:]
        with ThreadPoolExecutor(many) as everybody:
            return sum(everybody.map(self.cancel, victims))

    def cancel(self, started: Started) -> bool:
        """False when the run had ended, or nobody answered: then it may be cancelled or not."""
        started.cancelled_at = time.time()
        try:
            answer = httpx.post(
                f"{self.product.api.base_url}runs/{started.id}/cancel/",
                headers=dict(self.product.api.headers),
                timeout=10,
            )
        except httpx.HTTPError:
            return False
        return answer.is_success


def by_id(runs: list[Started]) -> dict[str, Any]:
    return {started.id: started for started in runs if started.id}
