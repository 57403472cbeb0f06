"""The whole product, started by its own command, and a program that talks to it with nothing but a token."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.orchestrator_site.running import ROOT, Up, environment_for, name_of, up

PASSWORD = "walks-through-it-all"
Json = dict[str, Any]


class Product:
    """A running installation. ``api`` is a client with a token of the first admin."""

    def __init__(self, running: Up) -> None:
        self.up = running
        self.environment = environment_for(running.home)
        self.api = httpx.Client(
            base_url=f"{running.address}/api/v1/",
            headers={"Authorization": f"Bearer {self.token()}"},
            timeout=30,
        )

    def manage(self, *words: str) -> str:
        """What a management command prints."""
        done = subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def token(self) -> str:
        return self.manage("token", "admin").strip()

    def get(self, path: str, **query: Any) -> Any:
        answer = self.api.get(path, params=query)
        assert answer.is_success, answer.text
        return answer.json()

    def post(self, path: str, body: Json | None = None, **headers: str) -> Any:
        answer = self.api.post(path, json=body or {}, headers=headers)
        assert answer.is_success, answer.text
        return answer.json()

    def publish(self, tasks: str, *, name: str = "", head: str = "") -> str:
        """Publish a document with these tasks (YAML, indented by two) in the team ``demo``; its name."""
        name = name or f"walk-{uuid.uuid4().hex[:8]}"
        document = f"schema: orchestrator/v1\nname: {name}\n{head}tasks:\n{tasks}"
        self.post("pipelines/", {"name": name, "team": "demo", "document": document})
        self.post(f"pipelines/{name}/versions/", {"message": "first"})
        return name

    def start(self, name: str, **parameters: Any) -> str:
        run = self.post(f"pipelines/{name}/runs/", {"parameters": parameters})
        return str(run["id"])

    def tasks(self, run: str) -> dict[str, Json]:
        """Task runs by key."""
        found = self.get(f"runs/{run}/tasks/", page_size=200)
        return {task["key"]: task for task in found["results"]}

    def details(self, run: str, key: str) -> Json:
        found: Json = self.get(f"task-runs/{self.tasks(run)[key]['id']}/")
        return found

    def log(self, attempt: str) -> str:
        return "\n".join(self.get(f"attempts/{attempt}/log/")["lines"])

    def wait(self, run: str, *states: str, patience: float = 60.0) -> Json:
        """Until the run is in one of ``states`` (default: has ended)."""
        wanted = states or ("succeeded", "failed", "cancelled")
        self.until(lambda: self.get(f"runs/{run}/")["state"] in wanted, f"run {wanted}", patience, run)
        found: Json = self.get(f"runs/{run}/")
        return found

    def wait_task(self, run: str, key: str, state: str, patience: float = 60.0) -> Json:
        self.until(lambda: self.tasks(run)[key]["state"] == state, f"{key} {state}", patience, run)
        return self.tasks(run)[key]

    def until(self, condition: Callable[[], bool], what: str, patience: float, run: str = "") -> None:
        deadline = time.monotonic() + patience
        while not self._holds(condition):
            if time.monotonic() > deadline:
                state = (
                    {key: (task["state"], task["reason"]) for key, task in self.tasks(run).items()}
                    if run
                    else ""
                )
                pytest.fail(f"{what}: not within {patience:g} s; {state}\n{self.up.logs()}")
            time.sleep(0.05)

    @staticmethod
    def _holds(condition: Callable[[], bool]) -> bool:
        """An answer that does not come, because a server is being restarted, is no yes."""
        try:
            return condition()
        except (httpx.HTTPError, AssertionError):
            return False

    def worker_of(self, attempt: str, key: str, run: str) -> psutil.Process:
        """The worker process that carries out an attempt."""
        found = next(a for a in self.details(run, key)["attempts"] if a["id"] == attempt)
        return psutil.Process(int(found["worker"].rsplit(":", 1)[1]))

    def server(self, name: str) -> psutil.Process:
        return next(child for child in self.up.everybody() if name_of(child) == name)


@contextmanager
def product(home: Path, *options: str, **environment: str) -> Iterator[Product]:
    """An installation with the demo, answering. ``environment``: settings beside the usual ones."""
    cache = os.environ.get("ORCHESTRATOR_CACHE")
    extra: dict[str, Any] = {**environment, **({"ORCHESTRATOR_CACHE": cache} if cache else {})}
    with up(home, *options, ORCHESTRATOR_ADMIN_PASSWORD=PASSWORD, **extra) as running:
        shop = Product(running)
        shop.environment |= environment
        yield shop
