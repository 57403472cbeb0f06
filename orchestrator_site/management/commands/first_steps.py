"""`manage.py first_steps`: what a fresh database needs before web, sweep and workers are started by hand."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils.module_loading import import_string


class Command(BaseCommand):
    help = "Make the queues and the first admin where they are missing, as `up` does. After migrate."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        password = import_string(settings.ORCHESTRATOR_FIRST_ADMIN)()
        for step in settings.ORCHESTRATOR_FIRST_STEPS:
            import_string(step)()
        if password:
            self.stdout.write(f"The first admin is `admin` with the password {password} (shown this once).")
