"""The subject `airflow`: LocalExecutor with two slots on PostgreSQL, triggered over its REST API.

A new process for each attempt; its states are durable. Everything is as it comes but the parallelism and the
examples, which are off.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from tests.benchmarks import common
from tests.benchmarks.figures import Figure
from tests.benchmarks.machine import Started, free_port, plain_environment
from tests.benchmarks.peers.database import Database
from tests.benchmarks.peers.driver import PROGRAMS, TASK_CODE
from tests.benchmarks.peers.environment import programs, version
from tests.benchmarks.shapes import Performance, Shape, chain, fan, single
from tests.benchmarks.sizes import Sizes
from tests.benchmarks.stamps import Stamps, Wrong

PACKAGES = ("apache-airflow==3.3.2", "apache-airflow-providers-standard", "asyncpg", "psycopg2-binary")
COMPONENTS = ("api-server", "scheduler", "dag-processor", "triggerer")
NOTES = "REST trigger -> run succeeded; a new process per task; durable in PostgreSQL"
ENDED = ("success", "failed")


class Airflow:
    """Started at the first workload that needs it; `folder` is its own, and passable for every user."""

    name = "airflow"

    def __init__(self, folder: Path, sizes: Sizes) -> None:
        self.folder = folder
        self.sizes = sizes
        self.version = ""
        self.database = Database(folder / "postgres", sizes.start_limit)
        self.components: list[Started] = []
        self.api: httpx.Client

    @property
    def workloads(self) -> dict[str, Callable[[], list[Figure]]]:
        sizes = self.sizes
        return {
            "W1": lambda: common.a_chain(self, sizes),
            "W2": lambda: common.wide(self, sizes, "W2", sizes.fan)[0],
            "W4": lambda: common.trigger(self, sizes),
        }

    def prepare(self, workload: str) -> None:
        """Started and warm. Raises Wrong when it cannot be installed."""
        if not self.components:
            folder = programs("airflow", *PACKAGES)
            self.version = version(folder, "apache-airflow")
            self._start(folder)
            common.warm_up(self)

    def close(self) -> None:
        for component in reversed(self.components):
            component.stop()
        self.components = []
        self.database.stop()

    def carry_out(self, shape: Shape) -> Performance:
        stamps = Stamps.new(self.folder, shape.name)
        called = time.time()
        body = {"conf": {"stamps": str(stamps.path)}, "logical_date": None}
        run = self._ask("POST", f"dags/{shape.name}/dagRuns", body)["dag_run_id"]
        stamps.wait("end", len(shape.steps), self.sizes.run_limit)
        while (state := self._ask("GET", f"dags/{shape.name}/dagRuns/{run}")["state"]) not in ENDED:
            time.sleep(0.05)
        finished = time.time()
        if state != "success":
            raise Wrong(f"a run of {shape.name} ended as {state}")
        stamps.check_isolation(len(shape.steps))
        return Performance(called, finished, stamps, notes=NOTES)

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        response = self.api.request(method, f"/api/v2/{path}", json=body)
        if not response.is_success:
            raise Wrong(f"{method} {path}: {response.text[:1000]}")
        return response.json()

    def _start(self, folder: Path) -> None:
        self.database.start()
        port = free_port()
        environment = self._environment(port)
        made = subprocess.run(
            [folder / "airflow", "db", "migrate"],
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
        if made.returncode:
            raise Wrong(f"airflow db migrate: {made.stderr[-1000:]}")
        for component in COMPONENTS:
            command = (folder / "airflow", component)
            log = self.folder / f"{component}.log"
            self.components.append(Started(command, log, environment, self.folder))
        self.api = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False)
        self._wait_for_dags()

    def _wait_for_dags(self) -> None:
        """Until its answers can be asked for and every DAG is known."""
        wanted = {shape.name for shape in self._shapes()}
        deadline = time.monotonic() + self.sizes.start_limit
        while time.monotonic() < deadline:
            for component in self.components:
                component.check_alive()
            try:
                token = self.api.get("/auth/token").json()["access_token"]
                self.api.headers["Authorization"] = f"Bearer {token}"
                if wanted <= {dag["dag_id"] for dag in self._ask("GET", "dags?limit=50")["dags"]}:
                    return
            except (httpx.TransportError, KeyError, ValueError, Wrong):
                pass
            time.sleep(0.3)
        raise Wrong(f"its DAGs were not known within {self.sizes.start_limit:g} s")

    def _shapes(self) -> list[Shape]:
        return [chain(self.sizes.chain), fan(self.sizes.fan), fan(4), single()]

    def _environment(self, port: int) -> dict[str, str]:
        dags = self.folder / "dags"
        dags.mkdir(exist_ok=True)
        (dags / "shapes.py").write_text((PROGRAMS / "airflow_dags.py").read_text())
        shapes = [
            {"name": one.name, "steps": [[step.name, step.needs] for step in one.steps], "kind": one.kind}
            for one in self._shapes()
        ]
        return plain_environment(
            AIRFLOW_HOME=str(self.folder / "home"),
            AIRFLOW__API__PORT=str(port),
            AIRFLOW__API__HOST="127.0.0.1",
            AIRFLOW__API__BASE_URL=f"http://127.0.0.1:{port}",
            AIRFLOW__API_AUTH__JWT_SECRET="only-for-this-measurement",
            AIRFLOW__API__SECRET_KEY="only-for-this-measurement",
            AIRFLOW__CORE__EXECUTION_API_SERVER_URL=f"http://127.0.0.1:{port}/execution/",
            AIRFLOW__CORE__EXECUTOR="LocalExecutor",
            AIRFLOW__CORE__PARALLELISM="2",
            AIRFLOW__CORE__DAGS_FOLDER=str(dags),
            AIRFLOW__CORE__LOAD_EXAMPLES="false",
            AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION="false",
            AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS="true",
            AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=self.database.address("postgresql+psycopg2"),
            PYTHONPATH=str(TASK_CODE),
            SHAPES=json.dumps(shapes),
            NO_PROXY="127.0.0.1",
        )
