"""The audit chain: read, exported and verified."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime
from typing import Any, Final

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from pipelines import audit
from pipelines.admin import history
from pipelines.admin.base import ConsoleAdmin, actor_of
from pipelines.api import shown
from pipelines.models import AuditEvent, Team

MOST_EXPORTED: Final = 10_000


class When(admin.DateFieldListFilter):
    """Rows of today, of this week, month or year."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.title = "time"


class OfChain(admin.SimpleListFilter):
    """Rows of one team, or of the site."""

    title = "chain"
    parameter_name = "of"
    SITE = "-"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            (self.SITE, "The site"),
            *((slug, slug) for slug in Team.objects.values_list("slug", flat=True)),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == self.SITE:
            return queryset.filter(team=None)
        return queryset.filter(team__slug=self.value()) if self.value() else queryset


class OfKind(admin.SimpleListFilter):
    """Rows about one kind of thing."""

    title = "thing"
    parameter_name = "kind"
    KINDS = {
        "user": "People",
        "team": "Teams",
        "pipeline": "Pipelines",
        "pipelineversion": "Versions",
        "run": "Runs",
        "taskrun": "Tasks",
        "queue": "Queues",
        "codelocation": "Code locations",
        "secret": "Secrets",
        "apitoken": "Tokens",
        "endpoint": "Endpoints",
        "modelversion": "Models",
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(self.KINDS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(object_kind=self.value()) if self.value() else queryset


@admin.register(AuditEvent)
class AuditAdmin(ConsoleAdmin):
    group = "Record"
    explain = "Who did what. Each row is bound to the one before it; the database takes no change of any."
    fields = (
        "time",
        "who",
        "token",
        "what",
        "object_kind",
        "thing",
        "object_uuid",
        "details",
        "chain",
        "seq",
        "payload_sha256",
        "prev_hash",
        "hash",
    )
    change_list_template = "console/audit.html"
    list_display = ("time", "who", "what", "thing", "details", "place")
    list_filter = (("at", When), OfChain, OfKind)
    search_fields = ("actor_name", "verb", "object_name")
    search_help_text = "By who did it, what was done (such as team.roles) and the name of the thing."
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[AuditEvent]:
        return super().get_queryset(request).select_related("team", "token", "payload")

    @admin.display(description="time", ordering="at")
    def time(self, event: AuditEvent) -> datetime:
        return event.at

    @admin.display(description="who", ordering="actor_name")
    def who(self, event: AuditEvent) -> str:
        return event.actor_name

    @admin.display(description="thing", ordering="object_name")
    def thing(self, event: AuditEvent) -> str:
        return event.object_name or event.object_kind

    @admin.display(description="what", ordering="verb")
    def what(self, event: AuditEvent) -> str:
        return history.words(event.verb)

    @admin.display(description="details")
    def details(self, event: AuditEvent) -> SafeString | str:
        pairs = [(f"{name}: " if name else "", value) for name, value in history.facts(event)]
        return format_html_join("; ", "{}{}", pairs) or "—"

    @admin.display(description="place")
    def place(self, event: AuditEvent) -> str:
        return f"{event.team.slug if event.team else 'site'} #{event.seq}"

    def get_urls(self) -> list[URLPattern]:
        guarded = self.admin_site.admin_view
        return [
            path("export/", guarded(self.export_view), name="pipelines_auditevent_export"),
            path("verify/", guarded(self.verify_view), name="pipelines_auditevent_verify"),
            *super().get_urls(),
        ]

    def export_view(self, request: HttpRequest) -> HttpResponse:
        """The rows of the list as it is filtered, as CSV; that they were taken is on the chain too."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        rows = list(self.get_changelist_instance(request).get_queryset(request)[: MOST_EXPORTED + 1])
        if len(rows) > MOST_EXPORTED:
            said = f"These are more than {MOST_EXPORTED} rows: narrow them by a filter, then export."
            self.message_user(request, said, messages.ERROR)
            return HttpResponseRedirect(f"../?{request.GET.urlencode()}")
        with transaction.atomic():
            told = {"rows": len(rows), "filter": request.GET.urlencode()}
            audit.write(actor_of(request), "audit.export", None, told, team=None)
        answer = HttpResponse(_as_csv(rows), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = 'attachment; filename="audit.csv"'
        return answer

    def verify_view(self, request: HttpRequest) -> HttpResponse:
        """Every hash of every chain computed again."""
        context = {
            **self.admin_site.each_context(request),
            "title": "The chains, computed again",
            "opts": self.opts,
            "verdicts": [audit.verify(chain) for chain in audit.chains()],
        }
        return TemplateResponse(request, "console/verify.html", context)


def _as_csv(rows: list[AuditEvent]) -> str:
    """A line for each row, with all that its hash covers."""
    text = io.StringIO()
    writer = csv.writer(text)
    for number, row in enumerate(rows):
        told = shown.event(row)
        thing = {f"object_{name}": value for name, value in told.pop("object").items()}
        cells = {**told, **thing, "payload": json.dumps(told["payload"], ensure_ascii=False)}
        if number == 0:
            writer.writerow(cells)
        writer.writerow([_harmless("" if cell is None else str(cell)) for cell in cells.values()])
    return text.getvalue()


def _harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
