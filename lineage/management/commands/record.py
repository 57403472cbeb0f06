"""`manage.py record`: catch up with recording now, for whoever does not want to wait for the sweep."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from lineage import approvals, recorder, reuses


class Command(BaseCommand):
    help = "Record every finished attempt, and reuse, that has no record yet, and enter decisions of people."

    def handle(self, *args: Any, **options: Any) -> None:
        total = 0
        while done := recorder.record_pending():
            total += done
        while done := reuses.record_pending():
            total += done
        recorder.advance_mark()
        reuses.advance_mark()
        while approvals.catalogue_pending():
            pass
        self.stdout.write(f"{total} recorded; {len(recorder.pending(0, 1000))} could not be.")
