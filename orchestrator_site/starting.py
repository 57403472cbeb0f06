"""What must hold before the product starts: each trouble is one sentence with what, where and the way out.

Asked in the child of `up` that takes the first steps, for its parent opens no connection. No sentence holds a
password.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import redis
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import Error, NotSupportedError, connections
from django.db.migrations.loader import MigrationLoader

from pipelines.store import configured

PATIENCE = 5.0  # seconds that Redis may take to answer
# What PostgreSQL or its client says, and what that means for the setting.
DATABASE_WORDS = (
    ("connection refused", "nothing listens there: start PostgreSQL, or correct the address"),
    ("no such file", "nothing listens there: start PostgreSQL, or correct the address"),
    ("translate host name", "the host is not known: correct the address"),
    ("failed to resolve", "the host is not known: correct the address"),
    ("timeout", "it does not answer: correct the address, or let connections pass"),
    ("is starting up", "it is still starting"),
    ("is shutting down", "it is being stopped"),
    ("password authentication failed", "it refuses the user or the password: correct them"),
    ("no password supplied", "it wants a password: add one"),
    ("role", "it does not know the user: create the role, or correct the address"),
    (
        "database",
        "it does not have the database, or the user may not connect to it: create it or GRANT CONNECT",
    ),
    ("pg_hba", "it lets this machine or user not in: add a line to its pg_hba.conf"),
)
# Of those, what may be over when it is tried again.
PASSING = ("connection refused", "no such file", "timeout", "is starting up", "is shutting down")


class CannotStart(Exception):
    """The sentence for the person at the terminal. ``passing``: it may be over when it is tried again."""

    def __init__(self, sentence: str, *, passing: bool = False) -> None:
        super().__init__(sentence)
        self.passing = passing


def check_servers() -> None:
    """PostgreSQL in both roles and Redis answer, with the rights they need. Raises CannotStart."""
    check_database("default", "DATABASE_URL")
    check_database("owner", "DATABASE_OWNER_URL")
    check_redis()


def check_database(alias: str, setting: str) -> None:
    """PostgreSQL answers in the role that the setting names. Raises CannotStart."""
    connection = connections[alias]
    given = connection.settings_dict
    where = f"{setting}: PostgreSQL at {given['HOST'] or 'this machine'}:{given['PORT'] or 5432}"
    try:
        connection.ensure_connection()
        connection.check_database_version_supported()
    except NotSupportedError as error:
        raise CannotStart(f"{where} is too old: {error}") from None
    except Error as error:
        passing = any(mark in str(error).lower() for mark in PASSING)
        raise CannotStart(
            f"{where}: {_in_words(str(error))} ({_first_line(error)}).", passing=passing
        ) from None
    if alias == "owner":
        _check_owner(where, given["USER"], given["NAME"])


def _check_owner(where: str, user: str, name: str) -> None:
    """Migrations make tables."""
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT has_schema_privilege(current_schema(), 'CREATE')")
        row = cursor.fetchone()
    if row is None or not row[0]:
        raise CannotStart(
            f"{where}: the role {user} may not make tables in {name}: make it the owner of the database."
        )


def _in_words(text: str) -> str:
    said = text.lower()
    return next((words for mark, words in DATABASE_WORDS if mark in said), "it cannot be used")


def _first_line(error: Exception) -> str:
    """What the server itself said: the last part of a client's long sentence."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0].rpartition("FATAL:")[2].strip()[:200] if lines else type(error).__name__


def check_redis() -> None:
    """Redis answers. Raises CannotStart."""
    place = urlsplit(settings.REDIS_URL)
    where = f"REDIS_URL: Redis at {place.hostname or place.path}{f':{place.port}' if place.port else ''}"
    try:
        with redis.Redis.from_url(
            settings.REDIS_URL, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE
        ) as client:
            client.ping()
    except (redis.AuthenticationError, redis.ResponseError) as error:
        raise CannotStart(
            f"{where}: it refuses the password, user or database ({error}): correct them."
        ) from None
    except redis.TimeoutError:
        raise CannotStart(
            f"{where}: it does not answer: correct the address, or let connections pass.", passing=True
        ) from None
    except (redis.RedisError, OSError) as error:
        raise CannotStart(
            f"{where}: it cannot be reached ({error}): start Redis, or correct the address.", passing=True
        ) from None


def migrate() -> None:
    """Bring the tables to this version. Raises CannotStart."""
    unknown = sorted(_unknown_migrations())
    if unknown:
        raise CannotStart(
            f"The database was made by a newer version of this product (it has {', '.join(unknown[:3])}): "
            "start that version, or restore a backup from before."
        )
    try:
        call_command("migrate", interactive=False, verbosity=1)
    except CommandError as error:
        raise CannotStart(str(error)) from None
    except Error as error:
        raise CannotStart(
            f"The tables could not be brought to this version: {_first_line(error)}. What was done in the "
            "failing step is undone; mend what it says, or restore a backup, and start again."
        ) from error


def _unknown_migrations() -> Iterator[str]:
    """Those of our apps that the database has and this version does not."""
    loader = MigrationLoader(connections["owner"])
    known = set(loader.disk_migrations)
    ours = {app for app, _ in known}
    for app, name in loader.applied_migrations:
        if app in ours and (app, name) not in known and not _replaced(loader, app, name):
            yield f"{app}.{name}"


def _replaced(loader: MigrationLoader, app: str, name: str) -> bool:
    return any((app, name) in migration.replaces for migration in loader.disk_migrations.values())


def check_store() -> None:
    """The artifact store can be written. Raises CannotStart."""
    if trouble := configured.trouble():
        raise CannotStart(
            f"The artifact store cannot be used: {trouble.rstrip('.')}. ORCHESTRATOR_STORE says where it is."
        )


def first_of(*steps: Callable[[], None]) -> str:
    """Take the steps in turn; the sentence of the first that cannot be taken, "" when all were."""
    for step in steps:
        try:
            step()
        except CannotStart as trouble:
            return str(trouble)
    return ""
