"""One `manage.py up` in a temporary home, and a client of its API."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx

from tests.benchmarks.machine import Started, free_port, plain_environment
from tests.benchmarks.stamps import Wrong

ROOT = Path(__file__).resolve().parents[2]
READY = re.compile(r"^Ready: ", re.MULTILINE)
ENDED = ("succeeded", "failed", "cancelled")
Json = dict[str, Any]
PASSWORD = "measured-from-outside"


class Installation:
    """The product in `home`; `limit` is how long it may take to start, in seconds."""

    def __init__(self, home: Path, limit: float, isolation: str = "shared user") -> None:
        self.limit = limit
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.environment = plain_environment(
            ORCHESTRATOR_HOME=str(home),
            ORCHESTRATOR_ADMIN_PASSWORD=PASSWORD,
            ORCHESTRATOR_ISOLATION=isolation,
        )
        self.log = home.with_suffix(".log")
        self.log.write_bytes(b"")
        command = (sys.executable, "manage.py", "up", "--port", str(self.port))
        self.started = Started(command, self.log, self.environment, ROOT)

    def first_answer(self, path: str) -> float:
        """Seconds from the start to the first 200 at this address."""
        deadline = time.monotonic() + self.limit
        with httpx.Client(timeout=self.limit, trust_env=False) as client:
            while time.monotonic() < deadline:
                self.started.check_alive()
                try:
                    if client.get(f"{self.address}{path}").status_code == 200:
                        return time.time() - self.started.at
                except httpx.TransportError:
                    time.sleep(0.005)
        raise Wrong(f"{path} did not answer 200 within {self.limit:g} s")

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + self.limit
        while not READY.search(self.log.read_text(errors="replace")):
            self.started.check_alive()
            if time.monotonic() > deadline:
                raise Wrong(f"not ready within {self.limit:g} s: {self.log.read_text()[-2000:]}")
            time.sleep(0.05)

    def client(self) -> httpx.Client:
        """With a fresh token of the first admin."""
        command = (sys.executable, "manage.py", "token", "admin")
        token = subprocess.run(
            command, cwd=ROOT, env=self.environment, check=True, capture_output=True, text=True, timeout=60
        ).stdout.strip()
        return httpx.Client(
            base_url=f"{self.address}/api/v1/",
            headers={"Authorization": f"Bearer {token}"},
            timeout=60,
            trust_env=False,
        )

    def stop(self) -> None:
        self.started.stop()


def answer(response: httpx.Response) -> Any:
    """The JSON of an answer. Raises Wrong when it is no success."""
    if not response.is_success:
        raise Wrong(f"{response.request.method} {response.request.url.path}: {response.text[:2000]}")
    return response.json()
