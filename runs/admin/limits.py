"""The admin console's page of what teams may have at a time."""

from __future__ import annotations

from dataclasses import fields
from typing import ClassVar

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from pipelines.admin import history
from pipelines.admin.base import ConsoleAdmin, ConsoleForm, Values, actor_of
from pipelines.errors import Invalid
from pipelines.models import AuditEvent
from runs import team_limits
from runs.models import Queue, TeamLimits
from runs.team_limits import Limits

NAMES = tuple(field.name for field in fields(Limits))


class LimitsForm(ConsoleForm):
    class Meta:
        model = TeamLimits
        fields: ClassVar[tuple[str, ...]] = NAMES
        labels: ClassVar = {
            "active_runs": "Unfinished runs",
            "queued_tasks": "Tasks that wait",
            "running_tasks": "Tasks that run",
            "weight": "Share",
        }
        help_texts: ClassVar = {
            "active_runs": "Over all queues; a start beyond them is refused. Empty: no limit.",
            "queued_tasks": "Over all queues; a start that brings more is refused. Empty: no limit.",
            "running_tasks": "At once; further ones wait. Empty: no limit.",
            "weight": "Of a queue, beside other teams: 2 gets twice as much as 1. Empty: 1.",
        }

    def _get_validation_exclusions(self) -> set[str]:
        """The verb says what makes no sense, in words and at its field; not the constraints of the table."""
        return {*super()._get_validation_exclusions(), "queue", *NAMES}  # type: ignore[misc]


class NewLimitsForm(LimitsForm):
    queue = forms.ModelChoiceField(
        Queue.objects.filter(archived_at=None), required=False, to_field_name="slug", empty_label="All queues"
    )

    class Meta(LimitsForm.Meta):
        fields: ClassVar[tuple[str, ...]] = ("team", *NAMES)


def _said(values: Values) -> Limits:
    return Limits(**{name: values[name] for name in NAMES})


@admin.register(TeamLimits)
class TeamLimitsAdmin(ConsoleAdmin):
    group = "People"
    explain = "What a team may have at a time, over all queues or on one, and its share beside other teams."
    form = LimitsForm
    add_form = NewLimitsForm
    add_fields = ("team", "queue", *NAMES)
    fields = ("team", "queue", *NAMES)
    readonly_fields = ("team", "queue")
    autocomplete_fields = ("team",)
    list_display = ("team", "queue", *NAMES)
    search_fields = ("team__slug", "queue")

    def make(self, request: HttpRequest, values: Values) -> TeamLimits:
        queue = values["queue"].slug if values["queue"] else team_limits.EVERYWHERE
        row = TeamLimits(team=values["team"], queue=queue)
        if queue in team_limits.of(row.team):
            raise Invalid(
                f"{row} has limits already: change those.", errors=[("team", "Has limits already.")]
            )
        if not _said(values):
            raise Invalid("Say at least one limit.", errors=[(NAMES[0], "Say at least one limit.")])
        self.change(request, row, values)
        return TeamLimits.objects.get(team=row.team, queue=queue)

    def change(self, request: HttpRequest, row: TeamLimits, values: Values) -> None:
        wanted = {**team_limits.of(row.team), row.queue: _said(values)}
        team_limits.set_for(row.team, wanted, actor=actor_of(request))

    def events_of(self, obj: TeamLimits) -> QuerySet[AuditEvent]:
        """What a team may have is told of at the team."""
        return history.events_of(obj.team).filter(verb="team.limits")

    def get_queryset(self, request: HttpRequest) -> QuerySet[TeamLimits]:
        return super().get_queryset(request).select_related("team")
