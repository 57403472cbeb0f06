"""The addresses of the product: each app contributes its own nouns; whatever is left is the page."""

from __future__ import annotations

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path

from orchestrator_site.api import unknown_address
from orchestrator_site.confining import DocsView
from orchestrator_site.health import healthz, readyz
from orchestrator_site.metrics import MetricsView
from orchestrator_site.schema import SchemaView
from orchestrator_site.shell import page_shell

# An unknown address under one of these is a 404 for a program, not a page for a person.
NOT_PAGES = "api/|_allauth/|static/|admin/|ws/|healthz|readyz|metrics"

handler500 = "orchestrator_site.api.server_error"

api: list[URLPattern | URLResolver] = [
    path("schema/", SchemaView.as_view(), name="schema"),
    path("docs/", DocsView.as_view(url_name="schema"), name="docs"),
    path("", include("pipelines.api.urls")),
    path("", include("runs.api.urls")),
    path("", include("lineage.api.urls")),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("metrics", MetricsView.as_view(), name="metrics"),
    path("admin/", admin.site.urls),
    path("_allauth/browser/v1/", include("orchestrator_site.signin.urls")),
    path("api/v1/", include(api)),
    re_path(r"^api/", unknown_address, name="no-such-address"),
    re_path(rf"^(?!{NOT_PAGES}).*$", page_shell, name="page"),
]
