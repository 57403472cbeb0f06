"""The subjects `orchestrator` and `own-user`: our own `up`, driven over its API with a token."""

from __future__ import annotations

import json
import os
import time
import tomllib
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from tests.benchmarks import browser, common, faults, idle, latency, volume
from tests.benchmarks.figures import OURS, Figure
from tests.benchmarks.installation import ENDED, ROOT, Installation, Json, answer
from tests.benchmarks.shapes import Performance, Shape
from tests.benchmarks.sizes import Sizes
from tests.benchmarks.stamps import Stamps, Wrong

CODE = Path(__file__).with_name("task_code")
LOCATION = "benchmark"
CALL = "POST …/runs/"


class Orchestrator:
    """Started at the first workload that needs it; `folder` is its own, and passable for every user."""

    name = OURS
    isolation = "shared user"  # as RQ's tasks have it

    def __init__(self, folder: Path, sizes: Sizes) -> None:
        self.folder = folder
        self.sizes = sizes
        self.version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
        self.home = folder / "home"
        self.stamps = folder / "stamps"
        self.stamps.mkdir()
        self.stamps.chmod(0o777)  # tasks write there, whoever they run as
        self.installation: Installation | None = None
        self.api: httpx.Client
        self.published: dict[str, str] = {}
        self.last_wide: Performance | None = None

    @property
    def workloads(self) -> dict[str, Callable[[], list[Figure]]]:
        return {
            "W1": lambda: common.a_chain(self, self.sizes),
            "W2": self._wide,
            "W3": lambda: common.computing(self, self.sizes),
            "W4": lambda: common.trigger(self, self.sizes),
            "W5": lambda: idle.cost(self.root, self.sizes),
            "W6": lambda: latency.starts(self.folder, self.sizes),
            "W7": lambda: common.wide(self, self.sizes, "W7", self.sizes.big)[0],
            "W8": self._reading,
            "W9": lambda: faults.killed_worker(self, self.sizes),
            "10K": lambda: volume.very_wide(self, self.sizes),
            "FULL": lambda: volume.full(self, self.sizes),
            "U1": lambda: browser.editor(self, self.sizes),
        }

    def close(self) -> None:
        if self.installation is not None:
            self.api.close()
            self.installation.stop()
            self.installation = None

    # --- what the workloads use

    def carry_out(self, shape: Shape) -> Performance:
        stamps, called, run = self.start(shape)
        stamps.wait("end", len(shape.steps), self.sizes.run_limit)
        state = self.wait_for_end(run)
        finished = time.time()
        if state != "succeeded":
            raise Wrong(f"a run of {shape.name} ended as {state}")
        stamps.check_isolation(len(shape.steps))
        return Performance(
            called, finished, stamps, run, f"{CALL}; {self.isolation}, a process per task; durable"
        )

    def start(self, shape: Shape) -> tuple[Stamps, float, str]:
        """The stamps to come, when it was asked for, and the id of the run."""
        pipeline = self.published.get(shape.name) or self._publish(shape)
        stamps = Stamps.new(self.stamps, shape.name)
        called = time.time()
        run = answer(
            self.api.post(f"pipelines/{pipeline}/runs/", json={"parameters": {"stamps": str(stamps.path)}})
        )
        return stamps, called, run["id"]

    def wait_for_end(self, run: str) -> str:
        """The last state of a run that is about to end."""
        deadline = time.monotonic() + self.sizes.run_limit
        while (state := str(answer(self.api.get(f"runs/{run}/"))["state"])) not in ENDED:
            if time.monotonic() > deadline:
                raise Wrong(f"a run was still {state} after {self.sizes.run_limit:g} s")
            time.sleep(0.005)
        return state

    def details(self, run: str, key: str) -> Json:
        """A task run with all its attempts."""
        tasks = answer(self.api.get(f"runs/{run}/tasks/", params={"page_size": 500}))["results"]
        found = next(task["id"] for task in tasks if task["key"] == key)
        details: Json = answer(self.api.get(f"task-runs/{found}/"))
        return details

    @property
    def address(self) -> str:
        assert self.installation is not None
        return self.installation.address

    # --- the product

    def prepare(self, workload: str) -> None:
        """Started, with every worker warm; but nothing runs beside the starts of W6."""
        if workload == "W6":
            self.close()
        elif self.installation is None:
            self._start()
            self._register_code()
            common.warm_up(self)

    def _start(self) -> None:
        installation = Installation(self.home, self.sizes.start_limit, self.isolation)
        try:
            installation.wait_until_ready()
            self.api = installation.client()
        except BaseException:
            installation.stop()
            raise
        self.installation = installation

    @property
    def root(self) -> int:
        """The process id of `up`."""
        assert self.installation is not None
        return self.installation.started.pid

    def _register_code(self) -> None:
        known = answer(self.api.get("code-locations/"))["results"]
        if LOCATION not in [location["name"] for location in known]:
            body = {"team": "demo", "name": LOCATION, "address": str(CODE)}
            answer(self.api.post("code-locations/", json=body))

    def _publish(self, shape: Shape) -> str:
        name = f"{shape.name}-{uuid.uuid4().hex[:6]}"
        body = {"name": name, "team": "demo", "document": json.dumps(document(name, shape))}
        answer(self.api.post("pipelines/", json=body))
        answer(self.api.post(f"pipelines/{name}/versions/", json={"message": "to be measured"}))
        self.published[shape.name] = name
        return name

    # --- workloads of its own

    def _wide(self) -> list[Figure]:
        """W2, and how long after a run's end the last of its records was sealed."""
        figures, done = common.wide(self, self.sizes, "W2", self.sizes.fan)
        self.last_wide = done[-1]
        sealed = latency.sealed_after(self.home, done[-1], self.sizes)
        return [*figures, sealed]

    def _reading(self) -> list[Figure]:
        if self.last_wide is None:
            self.last_wide = common.wide(self, self.sizes, "W2", self.sizes.fan)[1][-1]
        return latency.reading(self, self.last_wide.run, self.sizes)


class OwnUser(Orchestrator):
    """The same with tasks out of reach of the product and of other teams, as it comes for root."""

    name = "own-user"
    isolation = "own user"

    @property
    def workloads(self) -> dict[str, Callable[[], list[Figure]]]:
        return {name: work for name, work in super().workloads.items() if name in ("W1", "W2", "W3", "W4")}

    def prepare(self, workload: str) -> None:
        if os.geteuid() != 0:
            raise Wrong("only root can run tasks as another user")
        super().prepare(workload)


def document(name: str, shape: Shape) -> dict[str, Any]:
    """A pipeline of this shape; JSON is YAML too."""

    def task(step: str, needs: tuple[str, ...]) -> dict[str, Any]:
        given = {"stamps": "${{ params.stamps }}", "task": step, "kind": shape.kind}
        return {"kind": "python", "run": "stamping:work", "with": given, "needs": list(needs)}

    return {
        "schema": "orchestrator/v1",
        "name": name,
        "parameters": {"stamps": {"type": "string"}},
        "code": {"location": LOCATION},
        "tasks": {step.name: task(step.name, step.needs) for step in shape.steps},
    }
