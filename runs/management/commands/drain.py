"""`manage.py drain HOST`, `manage.py drain WORKER`: take workers out of service without losing anything."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from pipelines.errors import Refusal
from runs import draining, queries
from runs.models import Attempt, WorkerLease

LOOK_EVERY = 1.0  # seconds
OLDER = "is of an older version and has to be stopped by hand"


class Command(BaseCommand):
    help = "Have workers take nothing more, end what they have and leave."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="a host, or a worker as the page of workers names it")
        parser.add_argument("--wait", action="store_true", help="return when all of them have left")

    def handle(self, *args: Any, **options: Any) -> None:
        found = draining.named(options["name"])
        if not found:
            there = ", ".join(sorted({lease.host for lease in queries.open_leases()})) or "none"
            raise CommandError(
                f"There is no worker, and no host with workers, called '{options['name']}'. Hosts: {there}."
            )
        try:
            draining.drain(found, actor=None)
        except Refusal as refusal:
            raise CommandError(refusal.message) from None
        self._tell(found)
        while options["wait"] and (found := still_there(found)):
            time.sleep(LOOK_EVERY)
        if options["wait"]:
            self.stdout.write("They have left.")

    def _tell(self, leases: Sequence[WorkerLease]) -> None:
        held = queries.current_attempts([lease.pk for lease in leases])
        for lease in leases:
            self.stdout.write(f"{lease.worker} takes nothing more; it {_doing(lease, held.get(lease.pk))}.")


def _doing(lease: WorkerLease, attempt: Attempt | None) -> str:
    ends = f"ends {attempt.task_run.key} of {attempt.run} first" if attempt else ""
    if not draining.has_to_be_stopped(lease):
        return ends or "leaves now"
    return f"{ends}; then it has to be stopped by hand" if ends else OLDER


def still_there(leases: Sequence[WorkerLease]) -> list[WorkerLease]:
    return list(queries.open_leases().filter(pk__in=[lease.pk for lease in leases]))
