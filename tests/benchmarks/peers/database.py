"""A PostgreSQL for a subject that is not ours: the same server with the same settings as `up` starts."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from urllib.parse import quote

from orchestrator_site.embedded.home import POSTGRES_PORT, SUPERUSER_ROLE, Home, Secrets
from orchestrator_site.embedded.postgres import Postgres
from tests.benchmarks.stamps import Wrong


class Database:
    """In `folder`, which every user must be able to pass; `limit`: seconds that it may take to start."""

    def __init__(self, folder: Path, limit: float) -> None:
        self.home = Home(folder)
        self.known = Secrets.fresh()
        self.limit = limit
        self.server = 0

    def start(self) -> None:
        os.close(self.home.enter())
        self.known = self.home.read_secrets() or self.known
        self.home.keep_secrets(self.known)
        postgres = Postgres(self.home, self.known)
        postgres.prepare()
        self.server = postgres.start()
        deadline = time.monotonic() + self.limit
        while not postgres.ready(self.server):
            if time.monotonic() > deadline:
                raise Wrong(f"PostgreSQL was not ready within {self.limit:g} s")
            time.sleep(0.02)

    def stop(self) -> None:
        if self.server:
            os.kill(self.server, signal.SIGINT)
            os.waitpid(self.server, 0)
            self.server = 0

    @property
    def variables(self) -> dict[str, str]:
        """What libpq's programs read."""
        return {
            "PGHOST": str(self.home.postgres_socket_folder),
            "PGPORT": str(POSTGRES_PORT),
            "PGUSER": SUPERUSER_ROLE,
            "PGPASSWORD": self.known.superuser,
            "PGDATABASE": "postgres",
        }

    def address(self, scheme: str) -> str:
        """The URL that SQLAlchemy reads."""
        host = quote(str(self.home.postgres_socket_folder), safe="")
        known = f"{SUPERUSER_ROLE}:{quote(self.known.superuser, safe='')}"
        return f"{scheme}://{known}@/postgres?host={host}&port={POSTGRES_PORT}"
