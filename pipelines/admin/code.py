"""Code locations: folders of the server that are registered, synced and archived."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from pipelines import code
from pipelines.admin.base import Act, Archived, ConsoleAdmin, ConsoleForm, Values, YesNo, actor_of, each, only
from pipelines.admin.teams import SlugField
from pipelines.models import CodeLocation


class WithProblem(YesNo):
    title = "last sync"
    parameter_name = "problem"
    yes, no = "With a problem", "Without"

    def those(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.exclude(sync_error="")


class NewLocationForm(ConsoleForm):
    name = SlugField()
    address = forms.CharField(label="Folder", help_text="The absolute path of a folder of the server.")
    lock_file = forms.CharField(
        required=False, help_text="Of the environment, relative to the folder, such as requirements.lock."
    )

    class Meta:
        model = CodeLocation
        fields = ("team", "name", "address", "lock_file")


@admin.register(CodeLocation)
class CodeLocationAdmin(ConsoleAdmin):
    group = "Work"
    explain = "Where the blocks of the palette come from. Code is read, never run, to find them."
    add_form = NewLocationForm
    add_fields = ("team", "name", "address", "lock_file")
    fields = (
        "name",
        "team",
        "kind",
        "address",
        "lock_file",
        "snapshot",
        "blocks",
        "synced_at",
        "sync_error",
        "created_by",
        "created_at",
        "archived_at",
    )
    autocomplete_fields = ("team",)
    acts = (
        Act(
            "sync",
            "Sync",
            "The folder is read as it is now. Drafts see the blocks it has; published versions keep theirs.",
            each(code.sync, "read again"),
            whole=False,
            applies=lambda location: location.archived_at is None,
        ),
        Act(
            "archive",
            "Archive",
            "Its blocks are offered no more. Published versions keep the code they were published with.",
            each(code.archive, "archived"),
            applies=lambda location: location.archived_at is None,
            danger=True,
        ),
        Act(
            "restore",
            "Restore",
            "Its blocks are offered again, as they were last read.",
            each(code.restore, "restored"),
            applies=lambda location: location.archived_at is not None,
        ),
    )

    list_display = ("name", "team", "address", "snapshot", "synced_at", "sync_error", "archived_at")
    list_filter = (WithProblem, Archived, ("team", admin.RelatedOnlyFieldListFilter))
    search_fields = ("name", "address", "team__slug")

    def make(self, request: HttpRequest, values: Values) -> CodeLocation:
        wanted = only(values, "team", "name", "address", "lock_file")
        return code.register(**wanted, actor=actor_of(request))

    def get_queryset(self, request: HttpRequest) -> QuerySet[CodeLocation]:
        rows = super().get_queryset(request).select_related("team", "last_snapshot", "created_by")
        return rows.defer("last_snapshot__blocks")

    @admin.display(description="snapshot")
    def snapshot(self, location: CodeLocation) -> str:
        taken = location.last_snapshot
        return f"{taken.tree_sha256[:12]}, {taken.file_count} files" if taken else "none"

    @admin.display(description="blocks")
    def blocks(self, location: CodeLocation) -> str:
        return ", ".join(sorted(location.last_snapshot.blocks)) if location.last_snapshot else "none"
