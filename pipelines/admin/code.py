"""Code locations: folders of the server and Git repositories, registered, changed, synced and archived."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from pipelines import code, repositories
from pipelines.admin.base import Act, Archived, ConsoleAdmin, ConsoleForm, Values, YesNo, actor_of, each, only
from pipelines.admin.teams import SlugField
from pipelines.models import CodeKind, CodeLocation, User

OF_REPOSITORIES: Final = ("ref", "folder", "secret", "known_hosts", "auto_sync")
STATE_WORDS: Final = {
    "never": "never synced",
    "in-step": "in step",
    "behind": "new commits available",
    "diverged": "history rewritten",
    "dirty": "uncommitted changes",
    "plain": "no history",
}


class WithProblem(YesNo):
    title = "last sync"
    parameter_name = "problem"
    yes, no = "With a problem", "Without"

    def those(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.exclude(sync_error="")


class LocationForm(ConsoleForm):
    """What of a repository can be changed."""

    ref = forms.CharField(required=False, help_text="A branch, tag or commit; empty for the main branch.")
    folder = forms.CharField(required=False, help_text="Inside the repository; empty for all of it.")
    secret = forms.CharField(
        required=False, help_text="The name of a secret: token, user:password, or a private key for ssh."
    )
    known_hosts = forms.CharField(
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        help_text="For ssh. Left empty, the first key that the host shows is recorded and held to.",
    )
    lock_file = forms.CharField(
        required=False, help_text="Of the environment, relative to the folder, such as requirements.lock."
    )

    class Meta:
        model = CodeLocation
        fields: tuple[str, ...] = ("address", *OF_REPOSITORIES, "lock_file")
        labels: ClassVar = {"auto_sync": "Sync by itself when there are new commits"}


class NewLocationForm(LocationForm):
    name = SlugField()
    address = forms.CharField(
        help_text="The absolute path of a folder of the server, or the address of a Git repository."
    )

    class Meta(LocationForm.Meta):
        fields = ("team", "name", "kind", "address", *OF_REPOSITORIES, "lock_file")


def sync(location: CodeLocation, *, actor: User) -> None:
    """Read a folder now; have a repository synced soon."""
    if location.kind == CodeKind.GIT:
        repositories.ask(location, actor=actor)
    else:
        code.sync(location, actor=actor)


@admin.register(CodeLocation)
class CodeLocationAdmin(ConsoleAdmin):
    group = "Work"
    explain = "Where the blocks of the palette come from. Code is read, never run, to find them."
    form = LocationForm
    add_form = NewLocationForm
    add_fields = ("team", "name", "kind", "address", *OF_REPOSITORIES, "lock_file")
    readonly_fields = (
        "name",
        "team",
        "kind",
        "state",
        "snapshot",
        "blocks",
        "commit",
        "synced_at",
        "sync_error",
        "checked_at",
        "check_error",
        "created_by",
        "created_at",
        "archived_at",
    )
    autocomplete_fields = ("team",)
    acts = (
        Act(
            "sync",
            "Sync",
            "The code is read as it is now. Drafts see the blocks it has; published versions keep theirs.",
            each(sync, "read again; repositories in a moment"),
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

    list_display = (
        "name", "team", "kind", "address", "state", "snapshot", "synced_at", "sync_error", "archived_at"
    )  # fmt: skip
    list_filter = (WithProblem, Archived, "kind", ("team", admin.RelatedOnlyFieldListFilter))
    search_fields = ("name", "address", "team__slug")

    def make(self, request: HttpRequest, values: Values) -> CodeLocation:
        who = actor_of(request)
        if values["kind"] == CodeKind.GIT:
            wanted = only(values, "team", "name", *OF_REPOSITORIES, "lock_file")
            return repositories.register(where=values["address"], **wanted, actor=who)
        return code.register(**only(values, "team", "name", "address", "lock_file"), actor=who)

    def change(self, request: HttpRequest, location: CodeLocation, values: Values) -> None:
        wanted = only(values, "address", *OF_REPOSITORIES, "lock_file")
        repositories.change(location, wanted, actor=actor_of(request))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A folder is not changed: another one is another location."""
        living = obj is None or (obj.archived_at is None and obj.kind == CodeKind.GIT)
        return super().has_change_permission(request, obj) and living

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return super().get_fieldsets(request, obj)
        repository = OF_REPOSITORIES if obj.kind == CodeKind.GIT else ()
        head = ("name", "team", "kind", "address", *repository, "lock_file")
        return [(None, {"fields": [*head, *self.readonly_fields[3:]]})]

    def get_queryset(self, request: HttpRequest) -> QuerySet[CodeLocation]:
        rows = super().get_queryset(request).select_related("team", "last_snapshot", "created_by")
        return rows.defer("last_snapshot__blocks")

    @admin.display(description="state")
    def state(self, location: CodeLocation) -> str:
        return STATE_WORDS[code.state(location)]

    @admin.display(description="snapshot")
    def snapshot(self, location: CodeLocation) -> str:
        taken = location.last_snapshot
        return f"{taken.tree_sha256[:12]}, {taken.file_count} files" if taken else "none"

    @admin.display(description="blocks")
    def blocks(self, location: CodeLocation) -> str:
        return ", ".join(sorted(location.last_snapshot.blocks)) if location.last_snapshot else "none"
