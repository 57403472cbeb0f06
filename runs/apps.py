from __future__ import annotations

from django.apps import AppConfig


class RunsConfig(AppConfig):
    name = "runs"

    def ready(self) -> None:
        """Tell the room below what it asks about queues and runs; say who carries out which chores."""
        from runs import chores, invariants, lookups, sweeps
        from runs.alerts import email

        lookups.register()
        chores.register("alert", email.deliver)
        chores.register("invariants", invariants.look)
        sweeps.register(invariants.ask_hourly)
