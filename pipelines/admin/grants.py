"""What teams lend to each other: given, listed, taken back."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from pipelines import grants
from pipelines.admin.base import Act, ConsoleAdmin, ConsoleForm, Values, YesNo, actor_of, each
from pipelines.errors import Invalid
from pipelines.models import Grant


class Ended(YesNo):
    title = "state"
    parameter_name = "ended"
    yes, no = "Taken back", "Lent now"

    def those(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.exclude(ended_at=None)


class NewGrantForm(ConsoleForm):
    object_kind = forms.ChoiceField(
        label="What", choices=lambda: [(kind, kind) for kind in sorted(grants.kinds())]
    )
    object_name = forms.CharField(
        label="Its name", help_text="With its own team in front: owner:name, as documents will name it."
    )
    verb = forms.ChoiceField(
        label="They may",
        choices=[("use", "use it in documents"), ("view", "view it"), ("run", "run it")],
        help_text="Pipelines are lent to view or to run, models to view or use, everything else to use.",
    )

    class Meta:
        model = Grant
        fields = ("object_kind", "object_name", "team", "verb")
        labels = {"team": "To the team"}


@admin.register(Grant)
class GrantAdmin(ConsoleAdmin):
    group = "People"
    explain = (
        "What teams lend to each other. Documents of the other team name it owner:name while it is lent."
    )
    add_form = NewGrantForm
    add_fields = ("object_kind", "object_name", "team", "verb")
    fields = (
        "object_kind",
        "object_name",
        "owner",
        "team",
        "verb",
        "created_by",
        "created_at",
        "ended_by",
        "ended_at",
    )
    autocomplete_fields = ("team",)
    acts = (
        Act(
            "end",
            "Take back",
            "Documents that name it have a problem from now on, and runs of them are refused. Runs that have "
            "begun keep the code they began with, and are given no secret of it any more.",
            each(grants.end, "taken back"),
            applies=lambda grant: grant.ended_at is None,
            danger=True,
        ),
    )

    list_display = ("object_name", "object_kind", "team", "verb", "created_by", "created_at", "ended_at")
    list_filter = (Ended, "object_kind", ("team", admin.RelatedOnlyFieldListFilter))
    search_fields = ("object_name", "team__slug")

    def make(self, request: HttpRequest, values: Values) -> Grant:
        thing = _thing(values["object_kind"], values["object_name"])
        return grants.lend(thing, values["team"], values["verb"], actor=actor_of(request))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Grant]:
        return super().get_queryset(request).select_related("owner", "team", "created_by", "ended_by")


def _thing(kind: str, name: str) -> Model:
    owner, _, bare = name.partition(":")
    thing = grants.things(kind).filter(team__slug=owner, name=bare).first()
    if thing is None:
        message = f"There is no {kind} '{name}'."
        raise Invalid(message, errors=[("object_name", message)])
    return thing
