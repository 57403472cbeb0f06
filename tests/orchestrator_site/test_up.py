from __future__ import annotations

import os
import pwd
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg
import pytest

from orchestrator_site.embedded.home import FORMAT, Home
from tests.orchestrator_site.running import ORDINARY, ROOT, Up, environment_for, folder_for_all, name_of, up

pytestmark = pytest.mark.slow

LONGEST_STOP = 10.0  # seconds
OURS = ("web", "sweep", "worker-")  # names of the processes that are the product itself


@pytest.fixture(scope="module")
def running() -> Iterator[Up]:
    with folder_for_all() as folder, up(folder / "home", "--no-demo") as one:
        yield one


def ask_database(home: Path, question: str) -> list[tuple[object, ...]]:
    """Ask as the application would, with what lies in the home."""
    here = Home(home)
    known = here.read_secrets()
    assert known
    with psycopg.connect(
        host=str(here.postgres_socket_folder),
        user="orchestrator",
        password=known.application,
        dbname="orchestrator",
    ) as connection:
        return connection.execute(question).fetchall()


# What is running


def test_it_answers_and_names_what_it_needs(running: Up) -> None:
    assert running.get("/healthz").json() == {"status": "ok"}
    running.wait_for(lambda: running.get("/readyz").json()["status"] == "ready", "every part")
    parts = running.get("/readyz").json()["parts"]
    assert list(parts) == ["database", "redis", "migrations", "sweep", "workers", "store", "disk"]
    words = {name: part["words"] for name, part in parts.items()}
    assert re.fullmatch(r"Tasks are taken by \d+ workers? of cpu and \d+ of gpu\.", words.pop("workers"))
    assert set(words.values()) == {"It works."}


def test_it_names_the_admin_and_the_password_at_the_first_start_only(running: Up) -> None:
    assert "`admin` with the password" in running.said


def connections(process: psutil.Process, kind: str = "inet") -> list[Any]:
    """Of the processes that let nobody of their user look into them only root can tell."""
    try:
        return process.net_connections(kind=kind)
    except psutil.NoSuchProcess:
        return []
    except psutil.AccessDenied:
        assert os.geteuid() != 0
        return []


def test_the_parent_has_one_thread_and_no_connection(running: Up) -> None:
    parent = psutil.Process(running.process.pid)
    assert parent.num_threads() == 1
    assert [found for found in connections(parent, "all") if found.status != psutil.CONN_LISTEN] == []


def test_every_process_of_the_product_is_a_child_of_the_one_parent(running: Up) -> None:
    names = sorted(name_of(child) for child in psutil.Process(running.process.pid).children())
    workers = ["worker-cpu-1", "worker-cpu-2", "worker-gpu-1", "worker-system-1"]
    assert names == ["postgres", "redis-server", "sweep", "web", *workers]


def test_nothing_but_the_web_listens_on_the_network(running: Up) -> None:
    listening = {
        found.laddr.port
        for process in running.everybody()
        for found in connections(process)
        if found.status == psutil.CONN_LISTEN
    }
    port = int(running.address.rpartition(":")[2])
    assert listening == {port} if os.geteuid() == 0 else listening <= {port}


def test_secrets_and_data_are_closed_to_others(running: Up) -> None:
    def mode(path: Path) -> int:
        return stat.S_IMODE(path.stat().st_mode)

    home = Home(running.home)
    assert mode(home.secrets_file) == 0o600
    assert mode(home.secret_keys_file) == 0o600
    assert mode(home.data) == 0o700
    assert mode(home.redis) == 0o700
    assert all(mode(log) == 0o600 for log in home.logs.iterdir())


def test_no_password_stands_on_a_command_line_or_in_an_environment(running: Up) -> None:
    known = Home(running.home).read_secrets()
    assert known
    for process in running.everybody():
        try:
            seen = " ".join(process.cmdline()) + str(process.environ() if os.geteuid() == 0 else "")
        except psutil.NoSuchProcess:
            continue  # workers try out at their start what isolation they can give
        for secret in (known.superuser, known.owner, known.application, known.redis, known.site_key):
            assert secret not in seen


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to give up its rights")
def test_as_root_the_servers_run_as_somebody_else(running: Up) -> None:
    assert running.child("postgres").uids().real != 0
    assert running.child("redis-server").uids().real != 0


# Supervision


@pytest.mark.parametrize("name", ["web", "worker-cpu-1", "sweep", "redis-server", "postgres"])
def test_a_dead_child_is_named_and_comes_back(running: Up, name: str) -> None:
    before = running.child(name).pid
    os.kill(before, signal.SIGKILL)
    said_as = name.removesuffix("-server")
    sentence = f"{said_as} died (killed by SIGKILL) and is started again in 0.5 s"
    running.wait_for(lambda: sentence in running.said, "the sentence that names it")
    running.wait_for(lambda: running.has_child(name, other_than=before), f"a new {name}")
    running.wait_for(lambda: running.get("/readyz").status_code == 200, "ready again", patience=30)


def test_a_web_that_died_misses_no_request(running: Up) -> None:
    os.kill(running.child("web").pid, signal.SIGKILL)
    assert running.get("/healthz").status_code == 200


# The same processes one by one


@contextmanager
def command(running: Up, *words: str) -> Iterator[psutil.Popen]:
    process = psutil.Popen(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env=environment_for(running.home),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        if process.is_running():
            process.kill()
            process.wait()


def test_more_workers_can_be_started_and_drain_on_term(running: Up) -> None:
    with command(running, "worker", "--queue", "cpu", "--processes", "2") as workers:
        running.wait_for(lambda: len(workers.children()) == 2, "two workers")
        children = workers.children()
        running.wait_for(lambda: all(child.num_threads() > 1 for child in children), "their hearts")
        workers.terminate()
        assert workers.wait(30) == 0
        assert not any(child.is_running() for child in children)


def test_one_more_web_can_be_started(running: Up) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with command(running, "web", "--port", str(port)) as web:

        def answers() -> bool:
            try:
                return httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200
            except httpx.TransportError:
                return False

        running.wait_for(answers, "an answer")
        web.terminate()
        web.wait(20)


def test_one_more_sweep_follows_the_one_that_leads(running: Up) -> None:
    leaders = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted"
    sessions = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'orchestrator'"
    before = ask_database(running.home, sessions)[0][0]
    with command(running, "sweep"):
        running.wait_for(lambda: ask_database(running.home, sessions)[0][0] != before, "its connection")
        assert ask_database(running.home, leaders) == [(1,)]


# Stopping and starting again


@pytest.mark.parametrize(
    "number, as_from_terminal", [(signal.SIGINT, True), (signal.SIGTERM, False)], ids=["Ctrl-C", "TERM"]
)
def test_it_stops_cleanly_and_its_data_are_there_again(
    number: signal.Signals, as_from_terminal: bool
) -> None:
    with folder_for_all() as folder:
        with up(folder / "home", "--no-demo") as first:
            people = ask_database(first.home, "SELECT username, date_joined FROM pipelines_user")
            assert first.stop(number, as_from_terminal=as_from_terminal) < LONGEST_STOP
            assert first.process.returncode == 0
            assert first.lines[-1] == "Stopped."
        with up(folder / "home", "--no-demo") as second:
            assert ask_database(second.home, "SELECT username, date_joined FROM pipelines_user") == people
            assert "with the password" not in second.said


def test_nothing_survives_when_the_parent_is_killed_and_the_next_start_works() -> None:
    with folder_for_all() as folder:
        with up(folder / "home", "--no-demo") as first:
            everybody = first.everybody()
            first.process.kill()
            first.process.wait()
            _, alive = psutil.wait_procs(everybody, timeout=5)
            assert not [f"{process.pid} {name_of(process)}" for process in alive]
        with up(folder / "home", "--no-demo"):
            pass


def test_it_can_be_stopped_while_it_starts() -> None:
    with folder_for_all() as folder:
        starting = Up(folder / "home", "--no-demo")
        log = folder / "home" / "logs" / "postgres.log"
        starting.wait_for(lambda: log.exists() and "ready to accept" in log.read_text(), "PostgreSQL's start")
        assert starting.stop(signal.SIGINT) < LONGEST_STOP
        with up(folder / "home", "--no-demo"):
            pass


@pytest.mark.skipif(os.geteuid() != 0, reason="the other tests have run as an ordinary user already")
@pytest.mark.skipif(shutil.which("setpriv") is None, reason="there is no setpriv to become an ordinary user")
def test_an_ordinary_user_can_run_it() -> None:
    uid = pwd.getpwnam(ORDINARY).pw_uid
    with folder_for_all(ORDINARY) as folder, up(folder / "home", "--no-demo", ordinary=True) as one:
        assert one.get("/readyz").status_code == 200
        assert {process.uids().real for process in one.everybody()} == {uid}
        # The kernel gives what is said of a process with hidden memory to root.
        children = [child.pid for child in one.everybody() if name_of(child).startswith(OURS)]
        assert len(children) == 6
        ours = [one.process.pid, *children]
        assert {os.stat(f"/proc/{pid}/environ").st_uid for pid in ours} == {0}
        assert one.stop() < LONGEST_STOP


def test_a_home_whose_path_is_too_long_for_a_socket_works() -> None:
    with folder_for_all() as folder, up(folder / ("long-" * 20) / "home", "--no-demo") as one:
        assert one.get("/readyz").status_code == 200
        sockets = Home(one.home).postgres_socket_folder
        assert not sockets.is_relative_to(one.home)
        assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
        one.stop()
        assert not sockets.exists()


# One clear sentence for what stands in the way


def refused(home: Path, *options: str, ordinary: bool = False) -> str:
    code, said = Up(home, "--no-demo", *options, ordinary=ordinary).end()
    assert code == 1, said
    assert "Traceback" not in said
    assert len(said.splitlines()) == 1, said
    return said


def test_a_port_that_is_taken() -> None:
    with folder_for_all() as folder, socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = refused(folder / "home", "--port", str(port))
        assert f"Port {port} of 127.0.0.1 cannot be used (Address already in use)" in said
        assert "--port" in said


def test_a_home_in_use_by_another_up(running: Up) -> None:
    said = refused(running.home)
    assert f"{running.home} is in use by another `up` (process {running.process.pid})" in said


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("setpriv") is None, reason="needs root and setpriv")
def test_a_home_that_is_not_writable() -> None:
    with folder_for_all() as folder:
        said = refused(folder / "home", ordinary=True)
        assert f"{folder / 'home'} is not writable (Permission denied)" in said
        assert "ORCHESTRATOR_HOME" in said


def test_a_home_below_something_that_is_no_folder() -> None:
    with folder_for_all() as folder:
        (folder / "file").write_text("")
        assert "is not writable (Not a directory)" in refused(folder / "file" / "home")


def test_a_home_of_a_newer_version() -> None:
    with folder_for_all() as folder:
        (folder / "VERSION").write_text(f"{FORMAT + 1}\n")
        assert f"was made by a newer version of this product (home format {FORMAT + 1}," in refused(folder)


def test_a_database_that_is_only_half_there() -> None:
    with folder_for_all() as folder:
        data = Home(folder).data
        data.mkdir(parents=True)
        (data / "postgresql.conf").write_text("")
        (folder / "VERSION").write_text(f"{FORMAT}\n")
        said = refused(folder)
        assert f"{data} is only half a database" in said
        assert "restore it from a backup" in said


def test_a_first_start_that_was_interrupted_is_made_again() -> None:
    with folder_for_all() as folder:
        home = Home(folder)
        home.data.mkdir(parents=True)
        (home.data / "PG_VERSION").write_text("18\n")
        home.initialising.write_text("")
        with up(folder, "--no-demo") as one:
            assert "was interrupted before the database held anything; it is made again" in one.said
            assert one.get("/readyz").status_code == 200


def test_secrets_that_are_damaged() -> None:
    with folder_for_all() as folder:
        (folder / "secrets.json").write_text("{")
        assert "secrets.json is damaged" in refused(folder)
