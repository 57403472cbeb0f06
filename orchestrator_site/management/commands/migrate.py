"""`manage.py migrate`, in the role that owns the tables."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.core.management.commands import migrate
from django.db import connections
from psycopg import sql


class Command(migrate.Command):
    """Django's migrate, which here means the database alias `owner` unless told otherwise.

    What the application role may do with new tables is set first; migrations take away from that where
    a table is append-only.
    """

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.set_defaults(database="owner")

    def handle(self, *args: Any, **options: Any) -> None:
        alias = options["database"]
        if alias == "owner":
            if not settings.EMBEDDED and not settings.DATABASE_OWNER_URL:
                raise CommandError(
                    "DATABASE_OWNER_URL is not set: migrations need the role that owns the tables; "
                    "DATABASE_URL is the application's, which may not change them."
                )
            if not (options["plan"] or options["check_unapplied"]):
                grant_to_application(alias)
        super().handle(*args, **options)


def grant_to_application(alias: str) -> None:
    """Let the application role read and write rows of tables that the owner makes from now on."""
    application = sql.Identifier(settings.DATABASES["default"]["USER"])
    with connections[alias].cursor() as cursor:
        for statement in (
            "GRANT USAGE ON SCHEMA public TO {}",
            "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE ON TABLES TO {}",
            "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {}",
        ):
            cursor.execute(sql.SQL(statement).format(application))
