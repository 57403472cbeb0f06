from __future__ import annotations

from django.apps import AppConfig


class OrchestratorSiteConfig(AppConfig):
    """The front door: wiring and commands, no models."""

    name = "orchestrator_site"
    verbose_name = "Orchestrator"
