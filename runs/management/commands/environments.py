"""`manage.py environments`: those of this machine, listed, removed when unused, or built ahead of a task."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from pipelines.bootstrap import DEMO_CODE, LOCK_FILE
from runs.environments import building, pruning, unused, venvs

MIB = 1024 * 1024


class Command(BaseCommand):
    help = "The environments of tasks on this machine: list them, remove unused ones, build one ahead."
    # Building needs no database.
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("list", help="what is on the disk, how large, and when it was last used")
        prune = verbs.add_parser("prune", help="remove what nothing needs and nobody used for some days")
        prune.add_argument("--days", type=float, help="default: ORCHESTRATOR_ENVIRONMENT_DAYS, 30")
        prune.add_argument("--dry-run", action="store_true", help="say what would go, and remove nothing")
        build = verbs.add_parser("build", help="build the environment of a lock file, unless it is there")
        build.add_argument("lock", nargs="?", type=Path, help="a lock file, as requirements.lock")
        build.add_argument("--demo", action="store_true", help="the one of the demo that is shipped")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        try:
            getattr(self, verb)(**options)
        except OSError as error:
            raise CommandError(f"{error.filename or building.cache_folder()}: {error.strerror}.") from error

    def list(self, **options: Any) -> None:
        cache = building.cache_folder()
        rows = pruning.found(cache)
        needed = set(pruning.paths_of(cache, unused.needed()))
        for row in rows:
            how = "in use" if row.folder in needed else "not needed"
            self.stdout.write(
                f"{row.folder.name[:12]}  {row.size / MIB:7.1f} MiB  {_ago(row.idle):>14}  {how}"
            )
        self.stdout.write(f"{len(rows)} in {cache / 'envs'}, {sum(row.size for row in rows) / MIB:.1f} MiB.")

    def prune(self, *, days: float | None, dry_run: bool, **options: Any) -> None:
        if days is not None and days < 0:
            raise CommandError("--days must not be below 0.")
        removed = unused.prunable(days) if dry_run else unused.prune(days, by_person=True)
        for row in removed:
            self.stdout.write(f"{row.folder.name[:12]}  {row.size / MIB:7.1f} MiB  {_ago(row.idle):>14}")
        freed = sum(row.own for row in removed) / MIB
        limit = settings.ORCHESTRATOR["ENVIRONMENT_DAYS"] if days is None else days
        verb = "would be removed" if dry_run else "removed"
        self.stdout.write(
            f"{len(removed)} {verb}, {freed:.1f} MiB freed; unused for {limit:g} days and needed by nothing. "
            f"What they share with uv's downloads stays in {building.cache_folder() / 'uv'}."
        )

    def build(self, *, lock: Path | None, demo: bool, **options: Any) -> None:
        path = DEMO_CODE / LOCK_FILE if demo else lock
        if path is None:
            raise CommandError("Name a lock file, or say --demo.")
        cache = building.cache_folder()
        try:
            python = venvs.interpreter(cache, venvs.remember_lock(cache, path.read_bytes()))
        except venvs.BuildFailed as error:
            raise CommandError(str(error)) from error
        self.stdout.write(str(python))


def _ago(seconds: float) -> str:
    days = seconds / pruning.DAY
    return f"{days:.0f} days ago" if days >= 1 else f"{seconds / 3600:.0f} hours ago"
