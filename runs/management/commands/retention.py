"""`manage.py retention`: which events, logs and leases are past their term; with --remove they go."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError

from pipelines.store import StoreError
from runs import retention
from runs.retention import EVENTS, Partition

MIB = 1024 * 1024
NAMES = {EVENTS: "Events", retention.LOGS: "Logs"}


class Command(BaseCommand):
    help = (
        "Events and logs go by whole partitions of 100,000 runs once all of these ended long enough ago "
        "(ORCHESTRATOR_EVENT_DAYS, ORCHESTRATOR_LOG_DAYS); logs are copied into the store first. Leases of "
        "workers that never had an attempt go after ORCHESTRATOR_LEASE_DAYS. The system worker does the same "
        "by itself, every ten minutes."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--remove", action="store_true", help="do it, instead of listing it")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._carry_out() if options["remove"] else self._list()
        except StoreError as problem:
            raise CommandError(f"The logs cannot be copied: {problem}.", returncode=1) from None
        except OperationalError as error:
            raise CommandError(f"The database does not answer; start the product first ({error}).") from None

    def _list(self) -> None:
        due = retention.due()
        for partition in due:
            self.stdout.write(f"{words(partition)}{self._copies(partition)} would go.")
        leases = retention.old_leases()
        self.stdout.write(f"{leases:,} leases of workers that never had an attempt would go.")
        if due or leases:
            self.stdout.write("Nothing was changed: --remove does it.")

    def _copies(self, partition: Partition) -> str:
        if partition.table == EVENTS:
            return ""
        return f", {retention.unarchived(partition):,} of them to be copied into the store first,"

    def _carry_out(self) -> None:
        done = retention.carry_out()
        self.stdout.write(
            f"{done.archived:,} logs copied into the store, {done.dropped} partitions dropped, "
            f"{done.leases:,} leases deleted."
        )
        if done.unfinished:
            raise CommandError("Something was in use and is left: run it again in a while.", returncode=1)


def words(partition: Partition) -> str:
    return (
        f"{NAMES[partition.table]} of the runs {partition.first:,} to {partition.end - 1:,} "
        f"({partition.size / MIB:,.1f} MiB)"
    )
