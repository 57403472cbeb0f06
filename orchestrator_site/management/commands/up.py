"""`manage.py up`: the whole product on this machine, from one loaded parent."""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.urls import get_resolver
from django.utils.module_loading import import_string

from orchestrator_site import starting
from orchestrator_site.embedded.home import Home, HomeError
from orchestrator_site.embedded.postgres import START_PATIENCE, Postgres
from orchestrator_site.embedded.redis import Redis
from orchestrator_site.ports import listen
from orchestrator_site.processes import hide_memory, last_lines
from orchestrator_site.supervisor import Child, ChildFailed, Forked, Gate, Message, Stopped, Supervisor

# name, function by dotted path, its arguments
PROGRAMS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("sweep", "runs.sweeps.main", ()),
    ("worker-cpu-1", "runs.worker.worker.main", ("cpu",)),
    ("worker-cpu-2", "runs.worker.worker.main", ("cpu",)),
    ("worker-gpu-1", "runs.worker.worker.main", ("gpu",)),
    ("worker-system-1", "runs.worker.worker.main", ("system",)),
)

# Of an `up` that stops: seconds between TERM and KILL of a task, and that workers wait for their attempts.
STOP_KILL_GRACE = 5.0
STOP_DRAIN_TIMEOUT = 0.0
WEB_PATIENCE = 30.0
MOST_DEATHS = 2  # of a server before it has answered once


class Command(BaseCommand):
    help = "Start PostgreSQL, Redis, web, sweep and workers; Ctrl-C takes everything down."
    # Checks may touch the database, and nothing is there yet.
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
        parser.add_argument("--port", type=int, default=8000, help="port to listen on (default 8000)")
        parser.add_argument("--no-demo", action="store_true", help="do not load the demo pipelines")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            Up(self.say, options["host"], options["port"], demo=not options["no_demo"]).run()
        except (HomeError, ChildFailed) as error:
            raise SystemExit(str(error)) from None

    def say(self, sentence: str) -> None:
        try:
            self.stdout.write(sentence)
            self.stdout.flush()
        except OSError:
            # The terminal is gone, which is no reason to take the product down.
            return


class Up:
    """One performance of `up`."""

    def __init__(self, say: Callable[[str], None], host: str, port: int, *, demo: bool) -> None:
        self.say = say
        self.host = host
        self.port = port
        self.demo = demo
        self.home: Home = settings.HOME

    def run(self) -> None:
        """Start everything and watch it until a signal. Raises HomeError or ChildFailed."""
        hide_memory()  # its children, forked from it, have the same secrets in memory
        check_pages()
        lock = self.home.enter()
        listener = listen(self.host, self.port)
        self._settle_address(listener)
        try:
            with Supervisor(self.say) as supervisor:
                try:
                    self._start(supervisor, listener)
                    supervisor.watch()
                except Stopped:
                    self.say("Stopping.")
        finally:
            listener.close()
            os.close(lock)
            with contextlib.suppress(OSError):  # it was not needed, or somebody still has something there
                self.home.short_folder.rmdir()
        self.say("Stopped.")

    def _settle_address(self, listener: socket.socket) -> None:
        self.port = listener.getsockname()[1]
        shown = "localhost" if self.host in {"127.0.0.1", "::1", "0.0.0.0", "::"} else self.host  # noqa: S104
        self.address = f"http://{shown}:{self.port}"
        if not os.environ.get("ORCHESTRATOR_URL"):
            settings.ORCHESTRATOR["URL"] = self.address
        settings.ORCHESTRATOR["KILL_GRACE"] = STOP_KILL_GRACE
        settings.ORCHESTRATOR["DRAIN_TIMEOUT"] = STOP_DRAIN_TIMEOUT

    def _start(self, supervisor: Supervisor, listener: socket.socket) -> None:
        if settings.EMBEDDED:
            self._prepare_servers()
        load_everything()
        # Whatever is loaded by now stays; the collector must not write into pages that the children share.
        gc.collect()
        gc.freeze()
        if settings.EMBEDDED:
            self._start_servers(supervisor)
        migrated = Gate()
        self._start_web(supervisor, listener, migrated)
        outcome = self._first_steps(supervisor)
        migrated.open()
        for name, path, arguments in PROGRAMS:
            supervisor.start(Forked(name, body_of(path, arguments), self._log(name)))
        self._wait_for_web(supervisor)
        self._announce(outcome)

    def _prepare_servers(self) -> None:
        self.home.keep_secrets(settings.SECRETS)
        self.postgres = Postgres(self.home, settings.SECRETS)
        self.redis = Redis(self.home, settings.SECRETS)
        for sentence in self.postgres.begin():
            self.say(sentence)

    def _start_servers(self, supervisor: Supervisor) -> None:
        self.postgres.finish()
        self.servers = [supervisor.start(server, is_server=True) for server in (self.postgres, self.redis)]

    def _first_steps(self, supervisor: Supervisor) -> dict[str, Any]:
        """Migrate, make the first admin and the demo, in a child that ends; returns what it has to say."""
        if settings.EMBEDDED:
            postgres, redis = self.servers
            supervisor.wait_until(
                f"PostgreSQL (its log is {self.postgres.log})",
                lambda: answers("PostgreSQL", self.postgres, postgres),
                START_PATIENCE,
            )
            supervisor.wait_until(
                f"Redis (its log is {self.redis.log})", lambda: answers("Redis", self.redis, redis), 10.0
            )
        message, log = Message(), self._log("first-steps")
        program = Forked("first-steps", lambda: message.send(self._take_first_steps()), log)
        try:
            supervisor.run_to_end(program)
        except ChildFailed:
            why = last_lines(log, 1)
            raise ChildFailed(f"The first steps failed: {why} (all of it in {log}).") from None
        outcome: dict[str, Any] = message.receive()
        if outcome["trouble"]:
            raise ChildFailed(outcome["trouble"])
        return outcome

    def _take_first_steps(self) -> dict[str, Any]:
        # This process ends soon, and looking for garbage would double the time that migrations take.
        gc.disable()
        if settings.EMBEDDED:
            self.postgres.make_roles()
        trouble = starting.first_of(starting.check_servers, starting.migrate, starting.check_store)
        if trouble:
            return {"trouble": trouble}
        password = import_string(settings.ORCHESTRATOR_FIRST_ADMIN)()
        steps = settings.ORCHESTRATOR_FIRST_STEPS + (settings.ORCHESTRATOR_DEMO_STEPS if self.demo else [])
        sentences = [import_string(step)() for step in steps]
        return {
            "trouble": "",
            "password": password,
            "sentences": [sentence for sentence in sentences if sentence],
        }

    def _start_web(self, supervisor: Supervisor, listener: socket.socket, migrated: Gate) -> None:
        """Web loads daphne while the first steps are taken, and answers after them."""
        self.web_is_ready = Message()

        def body() -> None:
            from orchestrator_site.web import load, serve_socket

            load()
            migrated.wait()
            serve_socket(listener.fileno(), lambda: self.web_is_ready.send("ready"))

        supervisor.start(Forked("web", body, self._log("web")))

    def _wait_for_web(self, supervisor: Supervisor) -> None:
        supervisor.wait_until(
            f"web (its log is {self._log('web')})", self.web_is_ready.has_come, WEB_PATIENCE
        )

    def _announce(self, outcome: dict[str, Any]) -> None:
        for sentence in outcome["sentences"]:
            self.say(sentence)
        if outcome["password"]:
            self.say(f"The first admin is `admin` with the password {outcome['password']} (shown this once).")
        else:
            self.say("A forgotten password is set anew with `manage.py changepassword admin`.")
        self.say(f"Ready: {self.address} (Ctrl-C stops everything; logs are in {self.home.logs}).")

    def _log(self, name: str) -> Path:
        return self.home.logs / f"{name}.log"


def check_pages() -> None:
    """Raises HomeError when the frontend was never built."""
    page = settings.FRONTEND_DIST / "index.html"
    if not page.is_file():
        raise HomeError(
            f"The pages are not built ({page} is missing): run `make setup`, or `npm ci` and `npm run build` "
            f"in {settings.FRONTEND_DIST.parent}."
        )


def answers(what: str, server: Postgres | Redis, child: Child) -> bool:
    """Whether an embedded server is ready. Raises ChildFailed, with its last words, when it keeps dying."""
    if child.deaths >= MOST_DEATHS:
        said = last_lines(server.log) or "it said nothing"
        raise ChildFailed(f"{what} does not start: {said} (all of it in {server.log}).")
    return child.pid is not None and server.ready(child.pid)


def load_everything() -> None:
    """Import what the children need; opens no connection and starts no thread."""
    importlib.import_module("orchestrator_site.asgi")
    _ = get_resolver().url_patterns
    for _, path, _ in PROGRAMS:
        import_string(path)


def body_of(path: str, arguments: tuple[str, ...]) -> Callable[[], None]:
    def body() -> None:
        sys.argv = [sys.argv[0], path.split(".")[-2], *arguments]
        import_string(path)(*arguments)

    return body
