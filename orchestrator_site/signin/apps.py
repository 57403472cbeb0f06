from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig


class SigninConfig(AppConfig):
    """An app for the sake of allauth, which looks for ``provider`` in apps. It has no models."""

    name = "orchestrator_site.signin"
    label = "signin"
    verbose_name = "Sign-in"

    def ready(self) -> None:
        import_module("orchestrator_site.signin.told")
        import_module("orchestrator_site.signin.codes").install()
        import_module("orchestrator_site.signin.binding").install()
