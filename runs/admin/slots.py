"""The admin console's pages of slots: GPUs that workers have registered, pools that site admins make."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from pipelines.admin.base import Act, ConsoleAdmin, ConsoleForm, Values, actor_of
from pipelines.errors import Invalid
from runs import pages, slots
from runs.admin.workers import doing
from runs.models import Slot


def units_field(least: int) -> forms.IntegerField:
    return forms.IntegerField(
        min_value=least, max_value=slots.MOST_UNITS, help_text="So many are given out at a time."
    )


class NewPoolForm(ConsoleForm):
    units = units_field(1)

    class Meta:
        model = Slot
        fields = ("kind",)
        help_texts = {"kind": "As documents name it: resources: {slots: {licence: 1}}."}

    def clean_kind(self) -> str:
        """Judged here as well, so that a wrong name and a wrong number are said together."""
        kind: str = self.cleaned_data["kind"]
        try:
            slots.check_kind(kind)
        except Invalid as invalid:
            raise forms.ValidationError(invalid.message) from None
        return kind


class SizeForm(forms.Form):
    units = units_field(0)


def _set_size(request: HttpRequest, rows: list[Slot], values: Values) -> str:
    kinds = sorted({slot.kind for slot in rows})
    for kind in kinds:
        slots.set_pool(kind, values["units"], actor=actor_of(request))
    return f"{', '.join(kinds)}: {values['units']} given out. What is held above that leaves with its tasks."


@admin.register(Slot)
class SlotAdmin(ConsoleAdmin):
    group = "Machines"
    explain = (
        "One row for each GPU that a worker has registered, and for each unit of a pool such as a licence."
    )
    adds = "pool"
    add_form = NewPoolForm
    add_fields = ("kind", "units")
    fields = ("kind", "host", "device", "name", "memory", "state", "held_by", "waiting", "withdrawn_at")
    readonly_fields = fields
    # A unit of a pool has no host, no name and no memory.
    fields_of_unit = ("kind", "number", "state", "held_by", "waiting", "withdrawn_at")
    acts = (
        Act(
            "size",
            "Set the size of its pool",
            "Units above it are withdrawn; those that are held now leave when their tasks have ended.",
            _set_size,
            applies=lambda slot: slot.host == "",
            form=SizeForm,
        ),
    )
    list_display = ("unit", "name", "state", "held_by", "waiting", "withdrawn_at")
    list_filter = ("kind",)
    search_fields = ("kind", "host", "device", "name")

    def make(self, request: HttpRequest, values: Values) -> Slot:
        slots.set_pool(values["kind"], values["units"], actor=actor_of(request))
        return Slot.objects.filter(kind=values["kind"]).earliest("position")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Slot]:
        return slots.shown()

    def get_fields(self, request: HttpRequest, obj: Slot | None = None) -> tuple[str, ...]:
        return self.fields if obj is None or obj.host else self.fields_of_unit

    def get_readonly_fields(self, request: HttpRequest, obj: Slot | None = None) -> tuple[str, ...]:
        return self.get_fields(request, obj) if obj is not None else ()

    @admin.display(description="number in its pool")
    def number(self, slot: Slot) -> int:
        return slot.position

    @admin.display(description="memory")
    def memory(self, slot: Slot) -> str:
        return f"{slot.memory_mib / 1024:.0f} GiB" if slot.memory_mib else "—"

    @admin.display(description="slot", ordering="kind")
    def unit(self, slot: Slot) -> str:
        return str(slot)

    @admin.display(description="state")
    def state(self, slot: Slot) -> str:
        return slots.state_of(slot)

    @admin.display(description="held by")
    def held_by(self, slot: Slot) -> str:
        return doing(slot.holder)

    @admin.display(description="reserved for")
    def waiting(self, slot: Slot) -> str:
        task_run: Any = slot.reserved_for
        if task_run is None:
            return "—"
        where = pages.of_task(task_run.run.uuid, task_run.key)
        return format_html('<a href="{}">{}: {}</a>', where, task_run.run, task_run.key)
