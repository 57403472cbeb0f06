from __future__ import annotations

from importlib import import_module

from django.contrib.admin.apps import SimpleAdminConfig


class ConsoleConfig(SimpleAdminConfig):
    """Django's admin with our site, and pages of our apps alone: those of libraries write past the chain."""

    default_site = "orchestrator_site.console.site.Console"

    def ready(self) -> None:
        super().ready()
        for app in ("pipelines", "runs"):
            import_module(f"{app}.admin")
