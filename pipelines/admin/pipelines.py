"""Pipelines: whose they are and what they are for, many at a time. Their text is the editor's."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from pipelines import ownership, versions
from pipelines.admin.base import (
    Act,
    Archived,
    ConsoleAdmin,
    SearchedChoice,
    Values,
    YesNo,
    actor_of,
    each,
    named,
    only,
)
from pipelines.lookups import lookups
from pipelines.models import Pipeline, PipelineVersion, User


class WithoutOwner(YesNo):
    """Nobody is named, or who is named has left or is no member of the team any more."""

    title = "active owner"
    parameter_name = "without_owner"
    yes, no = "None", "Somebody"

    def those(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return ownership.without_owner(queryset)


class OwnerForm(forms.Form):
    owner = SearchedChoice(Pipeline._meta.get_field("owner"))


class DeputyForm(forms.Form):
    deputy = SearchedChoice(
        Pipeline._meta.get_field("deputy"), required=False, help_text="Left empty, they have no deputy."
    )


def _assign(keeper: str) -> Any:
    def run(request: HttpRequest, rows: list[Pipeline], values: Values) -> str:
        person: User | None = values[keeper]
        ownership.assign(rows, keeper, person, actor=actor_of(request))
        return f"{named(rows)}: the {keeper} is {person or 'nobody'}."

    return run


@admin.register(Pipeline)
class PipelineAdmin(ConsoleAdmin):
    group = "Work"
    explain = "Every pipeline of every team, with who answers for it. The graph is drawn in the editor."
    fields = (
        "name",
        "title",
        "team",
        "owner",
        "deputy",
        "purpose",
        "runbook",
        "active",
        "state",
        "created_at",
        "archived_at",
    )
    readonly_fields = ("name", "title", "team", "active", "state", "created_at", "archived_at")
    autocomplete_fields = ("owner", "deputy")
    acts = (
        Act(
            "set_owner",
            "Set owner",
            "The owner is told when a run fails. They must be an active member of the pipelines' team.",
            _assign("owner"),
            form=OwnerForm,
            on_page=False,
        ),
        Act(
            "set_deputy",
            "Set deputy",
            "The deputy stands in for the owner. They must be an active member of the pipelines' team.",
            _assign("deputy"),
            form=DeputyForm,
            on_page=False,
        ),
        Act(
            "archive",
            "Archive",
            "Taken out of every list. Versions, runs and lineage stay, and it can be restored.",
            each(versions.archive, "archived"),
            applies=lambda pipeline: pipeline.archived_at is None,
            danger=True,
        ),
        Act(
            "restore",
            "Restore",
            "Back among the others, as it was.",
            each(versions.restore, "restored"),
            applies=lambda pipeline: pipeline.archived_at is not None,
        ),
    )

    list_display = ("name", "title", "team", "shown_owner", "shown_deputy", "active", "state", "archived_at")
    list_filter = (
        WithoutOwner,
        Archived,
        ("team", admin.RelatedOnlyFieldListFilter),
        ("owner", admin.RelatedOnlyFieldListFilter),
    )
    search_fields = ("name", "title", "owner__username", "owner__first_name", "owner__last_name")

    def change(self, request: HttpRequest, pipeline: Pipeline, values: Values) -> None:
        wanted = only(values, "owner", "deputy", "purpose", "runbook")
        ownership.describe(pipeline, wanted, actor=actor_of(request))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Pipeline]:
        heavy = [
            f"active_version__{field.attname}"
            for field in PipelineVersion._meta.fields
            if field.name in ("text", "spec", "layout")
        ]
        return (
            super()
            .get_queryset(request)
            .select_related("team", "owner", "deputy", "active_version")
            .defer("draft_text", "draft_layout", *heavy)
            .annotate(owner_active=ownership.is_active("owner"), deputy_active=ownership.is_active("deputy"))
        )

    def prepare_rows(self, rows: list[Any]) -> None:
        runs = lookups.last_runs([row.pk for row in rows], 1)
        for row in rows:
            row.last_run = next(iter(runs.get(row.pk, [])), None)

    @admin.display(description="owner", ordering="owner__username")
    def shown_owner(self, pipeline: Pipeline) -> SafeString | str:
        return _keeper(pipeline.owner, pipeline.owner_active)  # type: ignore[attr-defined]

    @admin.display(description="deputy", ordering="deputy__username")
    def shown_deputy(self, pipeline: Pipeline) -> SafeString | str:
        return _keeper(pipeline.deputy, pipeline.deputy_active)  # type: ignore[attr-defined]

    @admin.display(description="active version")
    def active(self, pipeline: Pipeline) -> str:
        return f"v{pipeline.active_version.number}" if pipeline.active_version else "not published"

    @admin.display(description="last run")
    def state(self, pipeline: Pipeline) -> str:
        if not hasattr(pipeline, "last_run"):
            self.prepare_rows([pipeline])
        run = pipeline.last_run  # type: ignore[attr-defined]
        return f"{run['state'].replace('_', ' ')}, {run['created_at']:%d %b %Y}" if run else "never"


def _keeper(person: User | None, active: bool) -> SafeString | str:
    if person is None:
        return "nobody"
    return str(person) if active else format_html('{} <span class="left">has left</span>', person)
