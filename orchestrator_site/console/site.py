"""The console's site: who may enter, where they sign in, and what the first page shows."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable
from functools import wraps
from typing import Any, Final
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.text import capfirst

from pipelines.admin import history
from pipelines.admin.base import ConsoleAdmin, actor_of
from pipelines.recent import limit, recently_authenticated

GROUPS: Final = ("People", "Work", "Machines", "Record")
AGAIN: Final = "/sign-in/again"  # the page that asks who one is
LATEST: Final = 8  # of one's own acts on the first page
# Django's own pages that would write past the audit chain, or show models by app.
_LEFT_OUT: Final = {"password_change", "password_change_done", "app_list", "view_on_site"}


class Console(admin.AdminSite):
    """Only active site admins enter. Nothing is deleted here."""

    site_title = "Orchestrator console"
    site_header = "Orchestrator console"
    index_title = "Console"
    site_url = "/"
    empty_value_display = "—"

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        self.disable_action("delete_selected")

    def has_permission(self, request: HttpRequest) -> bool:
        return request.user.is_active and request.user.is_superuser

    # --- the door

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The product's own sign-in page, which comes back here."""
        wanted = request.GET.get("next") or reverse("admin:index")
        return HttpResponseRedirect(f"{settings.LOGIN_URL}?{urlencode({'next': wanted})}")

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return LogoutView.as_view(next_page=settings.LOGIN_URL)(request)

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Any:
        """Refuse who is signed in and no site admin; show times in the reader's own zone."""
        guarded = super().admin_view(view, cacheable)

        @wraps(guarded)
        def entered(request: HttpRequest, *args: Any, **options: Any) -> HttpResponseBase:
            if request.user.is_authenticated and not self.has_permission(request):
                return self._refuse(request)
            if self.has_permission(request) and (answer := self._ask_again(request)):
                return answer
            with timezone.override(_zone_of(request)):
                answer = guarded(request, *args, **options)
                # A page is rendered later otherwise, when the zone is the server's again.
                return answer.render() if isinstance(answer, TemplateResponse) else answer

        return entered

    def _ask_again(self, request: HttpRequest) -> HttpResponse | None:
        """Whoever changes something here must have said lately who they are; None when they have.

        A form that is sent is not lost: its page can be sent again once that is done in another tab.
        """
        making = request.method == "GET" and request.path.endswith("/add/")
        leaving = request.path == reverse("admin:logout")
        if leaving or not (making or request.method == "POST") or recently_authenticated(request):
            return None
        if making:
            return HttpResponseRedirect(f"{AGAIN}?{urlencode({'next': request.get_full_path()})}")
        minutes = round(limit().total_seconds() / 60)
        return self._say(
            request, "console/again.html", "Confirm that it is you", minutes=minutes, again=AGAIN
        )

    def _refuse(self, request: HttpRequest) -> HttpResponse:
        return self._say(request, "console/refused.html", "For site admins only")

    def _say(self, request: HttpRequest, template: str, title: str, **more: Any) -> HttpResponse:
        context = {"site_title": self.site_title, "site_header": self.site_header, "site_url": self.site_url}
        context |= {"title": title, **more}
        return TemplateResponse(request, template, context, status=403).render()

    # --- the pages

    def get_urls(self) -> list[Any]:
        return [
            pattern
            for pattern in super().get_urls()
            if not (isinstance(pattern, URLPattern) and (pattern.name in _LEFT_OUT or pattern.name is None))
        ]

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        return {**super().each_context(request), "zone": timezone.get_current_timezone_name()}

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """The models under their headings, in the order of GROUPS."""
        if not self.has_permission(request):
            return []
        entries: dict[str, list[Any]] = {group: [] for group in GROUPS}
        for model, pages in self._registry.items():
            assert isinstance(pages, ConsoleAdmin)  # noqa: S101 - a test looks at every one
            entries[pages.group].append(_entry(model, pages, request))
        home = reverse("admin:index")
        return [
            {
                "name": group,
                "app_label": group.lower(),
                "app_url": home,
                "has_module_perms": True,
                "models": sorted(found, key=lambda entry: str(entry["name"])),
            }
            for group, found in entries.items()
            if found
        ]

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        mine = history.acts_of(actor_of(request))[:LATEST]
        latest = [history.line(event) for event in mine]
        return super().index(request, {"latest": latest, **(extra_context or {})})


def _zone_of(request: HttpRequest) -> zoneinfo.ZoneInfo:
    """The time zone of who reads; UTC for nobody, and where this machine does not know theirs."""
    try:
        return zoneinfo.ZoneInfo(getattr(request.user, "time_zone", "UTC"))
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return zoneinfo.ZoneInfo("UTC")


def _entry(model: Any, pages: ConsoleAdmin, request: HttpRequest) -> dict[str, Any]:
    """A model as Django's templates list it."""
    address = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    permissions = pages.get_model_perms(request)
    return {
        "model": model,
        "name": capfirst(model._meta.verbose_name_plural),
        "object_name": model._meta.object_name,
        "explain": pages.explain,
        "perms": permissions,
        "admin_url": reverse(f"{address}_changelist"),
        "add_url": reverse(f"{address}_add") if permissions["add"] else None,
        "view_only": not (permissions["add"] or permissions["change"]),
    }
