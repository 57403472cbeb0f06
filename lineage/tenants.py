"""Which installations use a store: each has its name in it, and while there are two nobody removes bytes.

What one of them refers to, another takes for garbage. The name is that of the database and its server,
so that a copy of the database somewhere else is an installation of its own.
"""

from __future__ import annotations

import re
from typing import Final

from django.db import connection

from pipelines.store import Store

UNUSUAL: Final = re.compile(r"[^A-Za-z0-9_-]")


class Shared(Exception):
    """Other installations use this store; the message names them."""


def here() -> str:
    """The name of this installation, the same for all its processes."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_database(), system_identifier, oid FROM pg_control_system(), pg_database "
            "WHERE datname = current_database()"
        )
        database, server, number = cursor.fetchone()
    return f"{UNUSUAL.sub('_', database)}-{server}-{number}"


def enter(store: Store) -> None:
    """Put the name of this installation into the store. Raises StoreError."""
    name = here()
    if name not in store.place.tenants():
        store.place.enter(name)


def be_alone(store: Store) -> None:
    """Raises Shared unless this installation is the only one in the store; StoreError."""
    enter(store)
    if others := store.place.tenants() - {here()}:
        raise Shared(
            f"Other installations use this store, or have used it: {', '.join(sorted(others))} (database, "
            "server and number). What only they refer to would be removed. If they are gone, say so by "
            "--sole-user; otherwise give each a store of its own."
        )


def forget_others(store: Store) -> None:
    """Somebody says that no other installation uses the store any more. Raises StoreError."""
    for name in store.place.tenants() - {here()}:
        store.place.leave(name)
