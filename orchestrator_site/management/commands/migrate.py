"""`manage.py migrate`, in the role that owns the tables."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.core.management.commands import migrate
from django.db import router
from django.db.models import Model


class Command(migrate.Command):
    """Django's migrate, which here means the database alias `owner` unless told otherwise."""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.set_defaults(database="owner")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["database"] == "owner" and not settings.EMBEDDED and not settings.DATABASE_OWNER_URL:
            raise CommandError(
                "DATABASE_OWNER_URL is not set: migrations need the role that owns the tables; "
                "DATABASE_URL is the application's, which may not change them."
            )
        with everything_goes_to(options["database"]):
            super().handle(*args, **options)


class Route:
    """A database router that knows one way."""

    def __init__(self, alias: str) -> None:
        self.alias = alias

    def db_for_read(self, model: type[Model], **hints: Any) -> str:
        return self.alias

    def db_for_write(self, model: type[Model], **hints: Any) -> str:
        return self.alias


@contextmanager
def everything_goes_to(alias: str) -> Iterator[None]:
    """Send all queries there: migrations of some libraries forget which database they are run on."""
    route = Route(alias)
    router.routers.insert(0, route)
    try:
        yield
    finally:
        router.routers.remove(route)
