from __future__ import annotations

from django.apps import AppConfig


class RunsConfig(AppConfig):
    name = "runs"

    def ready(self) -> None:
        """Tell the room below what it asks about queues and runs."""
        from runs import lookups

        lookups.register()
