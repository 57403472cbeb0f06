"""Secrets: a value goes in, and is never shown again."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from pipelines import secrets
from pipelines.admin.base import Act, Archived, ConsoleAdmin, ConsoleForm, Values, actor_of, each
from pipelines.models import Secret, SecretSource


class Unseen(forms.Textarea):
    """A text that is typed and never written into a page, not even when the form is shown again."""

    def __init__(self) -> None:
        super().__init__(attrs={"rows": 3, "autocomplete": "off", "spellcheck": "false"})

    def format_value(self, value: Any) -> None:
        return None


class ValueField(forms.CharField):
    """A value as it was typed: browsers send CR LF for each line end, which no private key may have."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, strip=False, widget=Unseen, **options)

    def to_python(self, value: Any) -> str:
        return (super().to_python(value) or "").replace("\r\n", "\n")


class NewSecretForm(ConsoleForm):
    value = ValueField(
        help_text=f"At least {secrets.SHORTEST} characters. It is encrypted, and nobody can read it again.",
    )

    class Meta:
        model = Secret
        fields = ("team", "name", "description", "source", "address")
        labels = {"source": "Where the value is", "address": "Variable or file"}
        help_texts = {
            "name": "Small letters, digits, '-' and '_': tasks name it as ${{ secrets.NAME }}.",
            "address": "Only for a value that is not stored here.",
        }


class SecretForm(ConsoleForm):
    value = ValueField(
        label="New value",
        help_text="Left empty, the value stays as it is. Runs that begin later are given the new one.",
    )

    class Meta:
        model = Secret
        fields = ("description", "address")
        labels = {"address": "Variable or file"}

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        kept_here = self.instance.source == SecretSource.VALUE
        self.fields.pop("address" if kept_here else "value", None)


@admin.register(Secret)
class SecretAdmin(ConsoleAdmin):
    group = "Work"
    explain = "Values that tasks are given by name: encrypted, hidden in logs, never shown here or anywhere."
    form = SecretForm
    add_form = NewSecretForm
    add_fields = ("team", "name", "description", "source", "value", "address")
    readonly_fields = (
        "name",
        "team",
        "source",
        "version",
        "key_id",
        "created_by",
        "created_at",
        "changed_by",
        "changed_at",
        "archived_at",
    )
    autocomplete_fields = ("team",)
    acts = (
        Act(
            "archive",
            "Archive",
            "The value is forgotten for good. Tasks that name it fail until it is stored anew.",
            each(secrets.archive, "archived, the value is forgotten"),
            applies=lambda secret: secret.archived_at is None,
            danger=True,
        ),
    )

    list_display = ("name", "team", "source", "version", "key_id", "changed_by", "changed_at", "archived_at")
    list_filter = (Archived, "source", ("team", admin.RelatedOnlyFieldListFilter))
    search_fields = ("name", "description", "team__slug")

    def make(self, request: HttpRequest, values: Values) -> Secret:
        return secrets.create(
            values["team"],
            values["name"],
            values["value"] or None,
            actor=actor_of(request),
            description=values["description"],
            source=values["source"],
            address=values["address"],
        )

    def change(self, request: HttpRequest, secret: Secret, values: Values) -> None:
        address = values.get("address")
        secrets.change(
            secret,
            actor=actor_of(request),
            value=values.get("value") or None,
            address=address if address != secret.address else None,
            description=values["description"],
        )

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """An archived secret has nothing left to change."""
        return super().has_change_permission(request, obj) and (obj is None or obj.archived_at is None)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return super().get_fieldsets(request, obj)
        placed = "value" if obj.source == SecretSource.VALUE else "address"
        editable = ["description", placed] if obj.archived_at is None else ["description"]
        return [(None, {"fields": ["name", "team", *editable, *self.readonly_fields[2:]]})]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Secret]:
        rows = super().get_queryset(request).defer("ciphertext")
        return rows.select_related("team", "created_by", "changed_by")
