"""`manage.py audit verify`: computes every hash of the audit chains again."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from pipelines import audit


class Command(BaseCommand):
    help = "Verify the audit chains: prints what was found; exits 1 when a chain does not hold."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["verify"])
        parser.add_argument("--chain", help="one chain only: site, or team:<uuid>")

    def handle(self, *args: Any, **options: Any) -> None:
        known = audit.chains()
        wanted = options["chain"]
        if wanted and wanted not in known:
            raise CommandError(f"There is no chain '{wanted}'.")
        broken = 0
        for verdict in map(audit.verify, [wanted] if wanted else known):
            broken += not verdict.valid
            state = "holds" if verdict.valid else "DOES NOT HOLD"
            self.stdout.write(f"{verdict.chain}: {verdict.rows} rows, {state}, head {verdict.head}")
            for fault in verdict.faults:
                self.stdout.write(f"  {fault}")
        if broken:
            raise CommandError(f"{broken} of the audit chains does not hold.", returncode=1)
