"""`manage.py sweep`: the loop that finds unfinished business. Several may run; one leads."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from runs import sweeps


class Command(BaseCommand):
    help = "Find lost attempts, overdue tasks and unheard rings, until TERM."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        sweeps.main()
