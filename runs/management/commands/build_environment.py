"""`manage.py build_environment`: builds the environment of a lock file ahead of its first task."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from pipelines.bootstrap import DEMO_CODE, LOCK_FILE
from runs import environments


class Command(BaseCommand):
    help = "Build the environment that a lock file names, with uv, unless it is there already."
    # Needs no database.
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("lock", nargs="?", type=Path, help="a lock file, as requirements.lock")
        parser.add_argument("--demo", action="store_true", help="the one of the demo that is shipped")

    def handle(self, *args: Any, **options: Any) -> None:
        path = DEMO_CODE / LOCK_FILE if options["demo"] else options["lock"]
        if path is None:
            raise CommandError("Name a lock file, or say --demo.")
        cache = Path(settings.ORCHESTRATOR["CACHE"])
        try:
            digest = environments.remember_lock(cache, path.read_bytes())
            python = environments.interpreter(cache, digest)
        except OSError as error:
            raise CommandError(f"The lock file cannot be read: {error}") from error
        except environments.BuildFailed as error:
            raise CommandError(str(error)) from error
        self.stdout.write(str(python))
