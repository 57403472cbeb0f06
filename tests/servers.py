"""One PostgreSQL and one Redis for the whole session, and how their contents are made and emptied.

Tests run in the role of the application. The owner makes the database, flushes it and counts its rows for the
planner, nothing else.
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import redis
from django.conf import settings
from psycopg import sql

from orchestrator_site.embedded.home import OWNER_ROLE, Home, HomeError
from orchestrator_site.embedded.postgres import Postgres
from orchestrator_site.embedded.redis import Redis
from tests.settings import HOME_PREFIX

# Nothing of a test session has to survive a power cut.
CARELESS = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "max_connections": "100"}
# Filled by migrations and never changed by tests.
LASTING = ("django_migrations", "django_content_type", "auth_permission")


class Servers:
    """The servers of this session; `start` and `stop` are called once."""

    def __init__(self) -> None:
        self.home: Home = settings.HOME
        remove_left_homes(self.home.path)
        self.lock = self.home.enter()
        self.home.keep_secrets(settings.SECRETS)
        self.postgres = Postgres(self.home, settings.SECRETS, CARELESS)
        self.redis = Redis(self.home, settings.SECRETS)
        self.pids: dict[str, int] = {}

    def start(self) -> None:
        self.postgres.prepare()
        self.pids = {"postgres": self.postgres.start(), "redis": self.redis.start()}
        wait_until(lambda: self.postgres.ready(self.pids["postgres"]), "PostgreSQL")
        wait_until(lambda: self.redis.ready(self.pids["redis"]), "Redis")
        self.postgres.make_roles()
        with self.superuser() as connection:
            # Lets a flush pass by the triggers that keep rows from being changed.
            connection.execute(
                sql.SQL("GRANT SET ON PARAMETER session_replication_role TO {}").format(
                    sql.Identifier(OWNER_ROLE)
                )
            )

    def restart_postgres(self) -> None:
        """Stop and start PostgreSQL, as an operator would."""
        os.kill(self.pids["postgres"], signal.SIGINT)
        os.waitpid(self.pids["postgres"], 0)
        self.pids["postgres"] = self.postgres.start()
        wait_until(lambda: self.postgres.ready(self.pids["postgres"]), "PostgreSQL")

    def stop(self) -> None:
        for name, number in (("redis", signal.SIGTERM), ("postgres", signal.SIGQUIT)):
            if pid := self.pids.get(name):
                os.kill(pid, number)
                os.waitpid(pid, 0)
        shutil.rmtree(self.home.path, ignore_errors=True)
        os.close(self.lock)

    def superuser(self) -> psycopg.Connection:
        return self.postgres.connect()

    def owner(self) -> psycopg.Connection:
        return owner_connection()

    def redis_client(self) -> redis.Redis:
        return redis.Redis.from_url(settings.REDIS_URL)


def owner_connection() -> psycopg.Connection:
    """A connection of the owner of the tables; each statement is a transaction."""
    database = settings.DATABASES["owner"]
    return psycopg.connect(
        host=database["HOST"],
        port=database["PORT"],
        user=database["USER"],
        password=database["PASSWORD"],
        dbname=database["NAME"],
        autocommit=True,
    )


def wait_until(condition: Callable[[], bool], what: str, patience: float = 20.0) -> None:
    """Poll every 10 ms; fails with the name of what was waited for after `patience` seconds."""
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {patience:g} s")
        time.sleep(0.01)


def remove_left_homes(own: Path) -> None:
    """Homes of sessions that were killed; one that is in use has its lock held."""
    for path in Path(tempfile.gettempdir()).glob(f"{HOME_PREFIX}*"):
        if path == own or path.owner() != own.owner() or not (path / "VERSION").exists():
            continue
        try:
            lock = Home(path).enter()
        except HomeError:
            continue
        shutil.rmtree(path, ignore_errors=True)
        os.close(lock)


def remember_seeds(owner: psycopg.Connection) -> None:
    """Keep a copy of the rows that migrations made, and install `flush()`, which returns to just them.

    `analyze()` comes with it: the application owns no table, and who asks to analyze a table of another
    gets a warning and no statistics.
    """
    owner.execute("CREATE SCHEMA seed")
    for (table,) in owner.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
        " AND NOT relispartition AND relname <> ALL (%s)",
        [list(LASTING)],
    ).fetchall():
        public, seed = sql.Identifier("public", table), sql.Identifier("seed", table)
        if owner.execute(sql.SQL("SELECT EXISTS (SELECT 1 FROM {})").format(public)).fetchone() == (True,):
            owner.execute(sql.SQL("CREATE TABLE {} AS TABLE {}").format(seed, public))
    owner.execute(FLUSH)
    owner.execute(ANALYZE)
    owner.execute(
        sql.SQL("GRANT USAGE ON SCHEMA seed TO {}").format(
            sql.Identifier(settings.DATABASES["default"]["USER"])
        )
    )


# Deleting the rows of the few tables that have any is ten times quicker than truncating all of them.
FLUSH = """
CREATE FUNCTION seed.flush() RETURNS void LANGUAGE plpgsql SET session_replication_role = replica AS $$
DECLARE
    target record;
    found boolean;
BEGIN
    FOR target IN
        SELECT c.oid, c.relname, to_regclass(format('seed.%I', c.relname)) AS seed,
               (SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute
                WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = '') AS columns
        FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
          AND c.relname NOT IN ('django_migrations', 'django_content_type', 'auth_permission')
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT 1 FROM public.%I)', target.relname) INTO found;
        IF found THEN
            EXECUTE format('DELETE FROM public.%I', target.relname);
        END IF;
        IF target.seed IS NOT NULL THEN
            EXECUTE format('INSERT INTO public.%I (%s) OVERRIDING SYSTEM VALUE SELECT %s FROM seed.%I',
                           target.relname, target.columns, target.columns, target.relname);
        END IF;
    END LOOP;
END
$$
"""

ANALYZE = """
CREATE FUNCTION seed.analyze(target regclass) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    EXECUTE format('ANALYZE %s', target);
END
$$
"""
