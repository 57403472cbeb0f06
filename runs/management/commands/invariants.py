"""``manage.py invariants``: says what must always hold and does not. Exit code 1 when something is broken."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from runs.invariants import ELSEWHERE, INVARIANTS, Invariant, check


class Command(BaseCommand):
    help = "Checks what must always hold, by SQL, and lists the rows that break it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("names", nargs="*", help="only these; all when none is given")

    def handle(self, *args: Any, **options: Any) -> None:
        known = {invariant.name for invariant in INVARIANTS}
        unknown = sorted(set(options["names"]) - known)
        if unknown:
            raise CommandError(
                f"No invariant is called {', '.join(unknown)}. There are: {', '.join(sorted(known))}."
            )
        wanted = [each for each in INVARIANTS if not options["names"] or each.name in options["names"]]
        broken = sum(self._tell(invariant) for invariant in wanted)
        if not options["names"]:
            for number, where in sorted(ELSEWHERE.items()):
                self.stdout.write(f"(no    {number:>2} here: {where})")
        if broken:
            raise CommandError(f"{broken} of the invariants are broken; the rows above break them.")
        self.stdout.write(f"{len(wanted)} hold.")

    def _tell(self, invariant: Invariant) -> bool:
        """Say whether it holds, and the rows that break it; is it broken?"""
        rows = check(invariant)
        self.stdout.write(f"{'BROKEN' if rows else 'holds '} {invariant.number:>2} {invariant.name}")
        for row in rows:
            self.stdout.write(f"          {row}")
        return bool(rows)
