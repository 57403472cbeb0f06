"""Teams. Their members have a page of their own (``members``)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from pipelines import people
from pipelines.admin import members
from pipelines.admin.base import (
    Act,
    Archived,
    ConsoleAdmin,
    ConsoleForm,
    Values,
    actor_of,
    each,
    show_refusal,
)
from pipelines.api.shapes import NAME, NAME_MESSAGE
from pipelines.errors import Refusal
from pipelines.models import Membership, Pipeline, Role, Team


class SlugField(forms.RegexField):
    """The name that addresses and documents hold."""

    def __init__(self, **options: Any) -> None:
        options = {"max_length": 63, "help_text": f"{NAME_MESSAGE} It cannot be changed later.", **options}
        super().__init__(regex=NAME, error_messages={"invalid": NAME_MESSAGE}, **options)


class TeamForm(ConsoleForm):
    class Meta:
        model = Team
        fields = ("name",)
        labels = {"name": "Title"}


class NewTeamForm(TeamForm):
    slug = SlugField(label="Name")


# --- pages ----------------------------------------------------------------------------------------------


def _counted(rows: QuerySet[Any], of: str) -> Coalesce:
    """How many rows stand behind each team."""
    counted = rows.order_by().values("team").annotate(n=Count(of, distinct=True)).values("n")
    return Coalesce(Subquery(counted, output_field=IntegerField()), Value(0))


@admin.register(Team)
class TeamAdmin(ConsoleAdmin):
    group = "People"
    explain = "Who works together: a team owns pipelines, code, secrets and models."
    form = TeamForm
    add_form = NewTeamForm
    add_fields = ("slug", "name")
    fields = ("handle", "name", "members", "pipelines", "created_at", "archived_at")
    readonly_fields = ("handle", "members", "pipelines", "created_at", "archived_at")
    acts = (
        Act(
            "archive",
            "Archive",
            "Its members see it no more. Nothing of it is lost, and it can be restored. It may not have any "
            "pipeline that is in use.",
            each(people.archive_team, "archived"),
            applies=lambda team: team.archived_at is None,
            danger=True,
        ),
        Act(
            "restore",
            "Restore",
            "Its members see it again, in the roles they had.",
            each(people.restore_team, "restored"),
            applies=lambda team: team.archived_at is not None,
        ),
    )
    change_form_template = "console/team.html"

    list_display = ("handle", "title", "members", "pipelines", "created_at", "archived_at")
    list_filter = (Archived,)
    search_fields = ("slug", "name")

    def make(self, request: HttpRequest, values: Values) -> Team:
        return people.make_team(values["slug"], values["name"], actor=actor_of(request))

    def change(self, request: HttpRequest, team: Team, values: Values) -> None:
        people.rename_team(team, values["name"], actor=actor_of(request))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Team]:
        members = Membership.objects.filter(team=OuterRef("pk"), ended_at=None)
        pipelines = Pipeline.objects.filter(team=OuterRef("pk"), archived_at=None)
        return (
            super()
            .get_queryset(request)
            .annotate(member_count=_counted(members, "user"), pipeline_count=_counted(pipelines, "pk"))
        )

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """A field offers no archived team while one types."""
        if request.GET.get("field_name"):
            queryset = queryset.filter(archived_at=None)
        return super().get_search_results(request, queryset, search_term)

    @admin.display(description="name", ordering="slug")
    def handle(self, team: Team) -> str:
        return team.slug

    @admin.display(description="title", ordering="name")
    def title(self, team: Team) -> str:
        return team.name

    @admin.display(description="members", ordering="member_count")
    def members(self, team: Team) -> SafeString:
        address = reverse("admin:pipelines_team_members", args=[team.pk])
        return format_html('<a href="{}">{}</a>', address, team.member_count)  # type: ignore[attr-defined]

    @admin.display(description="pipelines", ordering="pipeline_count")
    def pipelines(self, team: Team) -> int:
        return int(team.pipeline_count)  # type: ignore[attr-defined]

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> Any:
        """A new team needs members next."""
        self.message_user(request, f"The team {obj} is made. Who is in it?", messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:pipelines_team_members", args=[obj.pk]))

    def get_urls(self) -> list[URLPattern]:
        members = self.admin_site.admin_view(self.members_view)
        return [
            path("<int:team_id>/members/", members, name="pipelines_team_members"),
            *super().get_urls(),
        ]

    def members_view(self, request: HttpRequest, team_id: int) -> HttpResponse:
        """A page of a team's people in all their roles, changed together: all or nothing."""
        team = self.found(request, str(team_id))
        asked = request.GET.get("q", "").strip()
        page = members.page_of(team, asked, request.GET.get("p"))
        form = members.MembersForm(team, page, request.POST or None, label_suffix="")
        if request.method == "POST" and form.is_valid():
            try:
                changed = members.set_all(team, form.wanted(), actor_of(request))
            except Refusal as refusal:
                show_refusal(form, refusal)
            else:
                self.message_user(request, members.said(changed), messages.SUCCESS)
                return HttpResponseRedirect(request.get_full_path())
        context = {
            **self.admin_site.each_context(request),
            "title": f"Members of {team}",
            "opts": self.opts,
            "original": team,
            "form": form,
            "page": page,
            "asked": asked,
            "roles": Role.choices,
            "media": self.media + form.media,
        }
        return TemplateResponse(request, "console/members.html", context)
