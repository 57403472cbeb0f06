"""The addresses of the product: each app contributes its own nouns; whatever is left is the page."""

from __future__ import annotations

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path

from orchestrator_site.health import healthz, readyz
from orchestrator_site.shell import page_shell

# An unknown address under one of these is a 404 for a program, not a page for a person.
NOT_PAGES = "api/|_allauth/|static/|admin/|ws/|healthz|readyz|metrics"

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("admin/", admin.site.urls),
    path("_allauth/", include("allauth.headless.urls")),
    re_path(rf"^(?!{NOT_PAGES}).*$", page_shell, name="page"),
]
