from __future__ import annotations

import os
import shutil
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from orchestrator_site.embedded import home as homes
from orchestrator_site.embedded.home import FORMAT, Home, HomeError, Secrets
from orchestrator_site.embedded.postgres import Postgres, passable
from orchestrator_site.embedded.redis import Redis
from orchestrator_site.processes import Account, ending, own_account, server_account
from tests.orchestrator_site.running import folder_for_all
from tests.servers import Servers


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    one = Home(tmp_path / "home")
    lock = one.enter()
    yield one
    os.close(lock)


# The home


def test_a_new_home_has_a_version_and_is_closed_to_others(home: Home) -> None:
    assert home.version_file.read_text() == f"{FORMAT}\n"
    assert stat.S_IMODE(home.path.stat().st_mode) == 0o700


def test_only_one_may_be_in_a_home(home: Home) -> None:
    with pytest.raises(HomeError, match=rf"is in use by another `up` \(process {os.getpid()}\)"):
        Home(home.path).enter()


def test_a_version_that_is_no_number_is_named(home: Home, tmp_path: Path) -> None:
    other = Home(tmp_path / "other")
    other.path.mkdir()
    other.version_file.write_text("two")
    with pytest.raises(HomeError, match="says 'two'; it must be a whole number"):
        other.enter()


def test_a_database_without_a_version_is_not_taken_for_a_new_home(tmp_path: Path) -> None:
    other = Home(tmp_path / "other")
    other.data.mkdir(parents=True)
    (other.data / "PG_VERSION").write_text("18")
    with pytest.raises(HomeError, match="has a database but no VERSION file"):
        other.enter()


def test_secrets_are_kept_once_and_only_their_owner_reads_them(home: Home) -> None:
    assert home.read_secrets() is None
    known = Secrets.fresh()
    home.keep_secrets(known)
    assert home.read_secrets() == known
    assert stat.S_IMODE(home.secrets_file.stat().st_mode) == 0o600
    home.keep_secrets(known)
    with pytest.raises(HomeError, match="was just initialised by another process"):
        home.keep_secrets(Secrets.fresh())


def test_no_two_homes_have_the_same_secrets() -> None:
    assert Secrets.fresh() != Secrets.fresh()


@pytest.mark.parametrize("length", [10, 60, 120, 200])
def test_sockets_fit_whatever_the_length_of_the_path(length: int) -> None:
    one = Home(Path("/" + "x" * length))
    for path in (one.postgres_socket_folder / ".s.PGSQL.5432.lock", one.redis_socket):
        assert len(os.fsencode(path)) <= homes.LONGEST_SOCKET_PATH


def test_a_socket_folder_that_somebody_else_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(HomeError, match="belongs to somebody else"):
        homes.make_private_folder(tmp_path / "link", os.geteuid(), os.getegid())


# PostgreSQL


def test_the_server_speaks_with_passwords_only(servers: Servers) -> None:
    folder = str(servers.home.postgres_socket_folder)
    for wrong in ("", "wrong"):
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(host=folder, user="orchestrator", password=wrong, dbname="orchestrator")


def test_the_server_is_the_version_we_stand_on_and_keeps_checksums(servers: Servers) -> None:
    with servers.superuser() as connection:
        shown = {
            name: connection.execute(f"SHOW {name}").fetchone()
            for name in ("server_version_num", "data_checksums", "listen_addresses", "jit", "TimeZone")
        }
    assert shown["server_version_num"] is not None
    assert shown["server_version_num"][0].startswith("18")
    assert shown["data_checksums"] == ("on",)
    assert shown["listen_addresses"] == ("",)
    assert shown["jit"] == ("off",)
    assert shown["TimeZone"] == ("UTC",)


def test_neither_role_is_a_superuser_and_the_owner_owns_the_database(servers: Servers) -> None:
    with servers.superuser() as connection:
        roles = connection.execute(
            "SELECT rolname, rolsuper, rolcreatedb, rolcreaterole FROM pg_roles"
            " WHERE rolname LIKE 'orchestrator%' ORDER BY rolname"
        ).fetchall()
        owner = connection.execute(
            "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'orchestrator'"
        ).fetchone()
    assert roles == [("orchestrator", False, False, False), ("orchestrator_owner", False, False, False)]
    assert owner == ("orchestrator_owner",)


def test_a_database_of_another_major_version_is_named(home: Home) -> None:
    postgres = Postgres(home, Secrets.fresh())
    (home.data / "global").mkdir(parents=True)
    (home.data / "global" / "pg_control").write_text("")
    (home.data / "PG_VERSION").write_text("16\n")
    with pytest.raises(HomeError, match="was made by PostgreSQL 16 and this product brings 18"):
        postgres.prepare()


def test_when_initdb_fails_its_last_words_are_said(home: Home) -> None:
    postgres = Postgres(home, Secrets.fresh())
    postgres.bin = home.path / "bin"
    postgres.bin.mkdir()
    (postgres.bin / "initdb").write_text("#!/bin/sh\necho no space left >&2\nexit 1\n")
    (postgres.bin / "initdb").chmod(0o755)
    postgres.bin.chmod(0o755)
    with pytest.raises(HomeError, match="initdb failed: no space left"):
        postgres.prepare()
    assert home.initialising.exists()


# Accounts


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to give up its rights")
def test_as_root_only_search_bits_of_parents_are_widened_and_named(home: Home) -> None:
    with folder_for_all() as folder:
        closed = folder / "closed"
        inner = Home(closed / "home")
        closed.mkdir(mode=0o700)
        lock = inner.enter()
        said = Postgres(inner, Secrets.fresh()).prepare()
        os.close(lock)
        assert stat.S_IMODE(closed.stat().st_mode) == 0o701
        assert any(sentence.startswith(f"{closed} may now be passed through") for sentence in said)
        assert stat.S_IMODE(inner.data.stat().st_mode) == 0o700
        assert server_account(inner.data).uid == inner.data.stat().st_uid != 0


def test_who_may_pass_a_folder_depends_on_whose_it_is(tmp_path: Path) -> None:
    stranger = Account("stranger", 54321, 54321)
    tmp_path.chmod(0o700)
    assert passable(tmp_path, own_account())
    assert not passable(tmp_path, stranger)
    tmp_path.chmod(0o701)
    assert passable(tmp_path, stranger)


def test_ends_are_told_in_words() -> None:
    assert ending(0) == "exit code 0"
    assert ending(256) == "exit code 1"
    assert ending(9) == "killed by SIGKILL"


# Redis


def test_redis_wants_its_password_and_keeps_nothing(servers: Servers, redis_connection: redis.Redis) -> None:
    with socket.socket(socket.AF_UNIX) as plain:
        plain.connect(str(servers.home.redis_socket))
        plain.sendall(b"PING\r\n")
        assert plain.recv(100).startswith(b"-NOAUTH")
    assert redis_connection.config_get("save") == {"save": ""}
    assert redis_connection.config_get("port") == {"port": "0"}


def test_a_stale_redis_socket_is_no_obstacle(home: Home) -> None:
    home.redis_socket.touch()
    shutil.chown(home.redis, own_account().uid)
    known = Secrets.fresh()
    server = Redis(home, known)
    if os.geteuid() == 0:
        for folder in (home.path, *home.path.parents[:3]):
            folder.chmod(folder.stat().st_mode | stat.S_IXOTH)
    pid = server.start()
    try:
        from tests.servers import wait_until

        wait_until(lambda: server.ready(pid), "Redis")
        server.ping()
    finally:
        os.kill(pid, 15)
        os.waitpid(pid, 0)
