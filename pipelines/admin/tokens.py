"""Tokens: made for a person or a service account, shown once, revoked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse

from pipelines import tokens
from pipelines.access import SCOPES
from pipelines.admin.base import Act, ConsoleAdmin, ConsoleForm, Values, YesNo, actor_of, each
from pipelines.clock import EngineNow
from pipelines.models import ApiToken

_TEXT = "_console_token"  # where a request keeps the text of the token it made


class Live(YesNo):
    title = "state"
    parameter_name = "live"
    yes, no = "Usable", "Revoked or expired"

    def those(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        open_ended = Q(expiry=None) | Q(expiry__gt=EngineNow())
        return queryset.filter(open_ended, revoked_at=None, user__is_active=True)


class NewTokenForm(ConsoleForm):
    scopes = forms.MultipleChoiceField(
        choices=[(scope, scope) for scope in SCOPES],
        initial=["read"],
        widget=forms.CheckboxSelectMultiple,
        help_text="What it may do, and never more than its account may.",
    )
    days = forms.IntegerField(
        label="Days",
        initial=tokens.USUAL_LIFE.days,
        min_value=1,
        max_value=tokens.LONGEST_LIFE.days,
        help_text="After how many days it ends.",
    )

    class Meta:
        model = ApiToken
        fields = ("user", "team", "name")
        labels = {"user": "For", "team": "Within the team", "name": "What it is for"}
        help_texts = {"team": "Left empty, it reaches every team of its account."}

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["name"].required = True


@admin.register(ApiToken)
class TokenAdmin(ConsoleAdmin):
    group = "People"
    explain = "What programs sign in with. A token is shown once, when it is made, and kept as a hash."
    add_form = NewTokenForm
    add_fields = ("user", "team", "name", "scopes", "days")
    fields = ("name", "user", "team", "shown_scopes", "created", "expiry", "last_used_at", "revoked_at")
    autocomplete_fields = ("user", "team")
    acts = (
        Act(
            "revoke",
            "Revoke",
            "Whoever uses it is refused from now on. It cannot be made valid again.",
            each(tokens.revoke, "revoked"),
            applies=lambda token: token.revoked_at is None,
            danger=True,
        ),
    )

    list_display = ("name", "user", "team", "shown_scopes", "state", "last_used_at", "expiry")
    list_filter = (Live, ("team", admin.RelatedOnlyFieldListFilter))
    search_fields = ("name", "user__username", "team__slug")

    def make(self, request: HttpRequest, values: Values) -> ApiToken:
        token, text = tokens.issue(
            values["user"],
            name=values["name"],
            team=values["team"],
            scopes=values["scopes"],
            life=timedelta(days=values["days"]),
            actor=actor_of(request),
        )
        setattr(request, _TEXT, text)
        return token

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> Any:
        """The text of the new token, in this answer and nowhere else."""
        context = {
            **self.admin_site.each_context(request),
            "title": f"The token {obj.name}",
            "opts": self.opts,
            "original": obj,
            "text": getattr(request, _TEXT),
        }
        return TemplateResponse(request, "console/token.html", context)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiToken]:
        return super().get_queryset(request).select_related("user", "team")

    @admin.display(description="scopes")
    def shown_scopes(self, token: ApiToken) -> str:
        return ", ".join(token.scopes)

    @admin.display(description="state")
    def state(self, token: ApiToken) -> str:
        if token.revoked_at is not None:
            return "revoked"
        if token.expiry is not None and token.expiry <= datetime.now(UTC):
            return "expired"
        return "usable" if token.user.is_active else "account deactivated"
