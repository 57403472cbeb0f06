"""People and service accounts: made, changed, given a password, deactivated when they leave."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth import update_session_auth_hash
from django.db.models import Count, Exists, OuterRef, Prefetch, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from pipelines import accounts, people, second_factors
from pipelines.admin.base import Act, ConsoleAdmin, ConsoleForm, Values, YesNo, actor_of, each, named
from pipelines.models import Membership, Pipeline, Role, Team, User

_HELD = Membership.objects.filter(user=OuterRef("pk"), ended_at=None)


# --- filters --------------------------------------------------------------------------------------------


class Active(YesNo):
    title = "account"
    parameter_name = "active"
    yes, no = "Active", "Deactivated"

    def those(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(is_active=True)


class Service(YesNo):
    title = "kind"
    parameter_name = "service"
    yes, no = "Service accounts", "People"

    def those(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.exclude(service_of=None)


class SiteAdmin(YesNo):
    title = "site admin"
    parameter_name = "site_admin"
    yes, no = "Site admins", "Others"

    def those(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(is_superuser=True)


class InTeam(admin.SimpleListFilter):
    """Members of one team, or of none."""

    title = "team"
    parameter_name = "team"
    NONE = "-"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        teams = Team.objects.filter(archived_at=None).values_list("slug", flat=True)
        return [(self.NONE, "Without a team"), *((slug, slug) for slug in teams)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == self.NONE:
            return queryset.filter(~Exists(_HELD))
        return queryset.filter(Exists(_HELD.filter(team__slug=self.value()))) if self.value() else queryset


class InRole(admin.SimpleListFilter):
    """Who has a role, in whatever team."""

    title = "role"
    parameter_name = "role"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(role), str(role.label)) for role in Role]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(Exists(_HELD.filter(role=self.value()))) if self.value() else queryset


# --- forms ----------------------------------------------------------------------------------------------


class PersonForm(ConsoleForm):
    time_zone = forms.ChoiceField(
        choices=lambda: [(name, name) for name in accounts.time_zones()],
        help_text="In which times are shown to this person.",
    )
    locale = forms.ChoiceField(
        label="Language of dates and numbers", choices=lambda: list(accounts.locales().items())
    )

    class Meta:
        model = User
        fields = accounts.DETAILS


class NewPersonForm(ConsoleForm):
    password = forms.CharField(
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least 10 characters. Left empty, they cannot sign in until you set one.",
    )

    class Meta:
        model = User
        fields = ("username", "first_name", "email", "service_of")
        labels = {"username": "User name", "first_name": "Name", "service_of": "Service account of"}
        help_texts = {
            "username": "Letters, digits and @ . + - _ only. It cannot be changed later.",
            "email": "For people only.",
            "service_of": "A team, when the account is for its programs: they sign in with tokens alone.",
        }

    def clean(self) -> Values:
        values = super().clean()
        if values.get("service_of"):
            for name in ("email", "password"):
                if values.get(name):
                    self.add_error(name, "A service account has none.")
        elif "email" not in self.errors and not values.get("email"):
            self.add_error("email", "A person has an address; a service account has a team instead.")
        return values


class PasswordForm(forms.Form):
    password = forms.CharField(
        label="New password",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least 10 characters, and none that is easily guessed.",
    )
    again = forms.CharField(
        label="The same again",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean(self) -> Values:
        values = self.cleaned_data
        if {"password", "again"} <= set(values) and values["password"] != values["again"]:
            self.add_error("again", "The two differ.")
        return values


# --- acts -----------------------------------------------------------------------------------------------


def _deactivate(request: HttpRequest, rows: list[User], values: Values) -> SafeString:
    for person in rows:
        accounts.deactivate(person, actor=actor_of(request))
    owned = Pipeline.objects.filter(owner__in=rows, archived_at=None).count()
    if not owned:
        return format_html("{}: deactivated, tokens revoked.", named(rows))
    address = reverse("admin:pipelines_pipeline_changelist") + "?without_owner=yes"
    words = "1 pipeline has" if owned == 1 else f"{owned} pipelines have"
    return format_html(
        '{}: deactivated, tokens revoked. <a href="{}">{} no active owner now.</a>',
        named(rows),
        address,
        words,
    )


def _set_password(request: HttpRequest, rows: list[User], values: Values) -> str:
    accounts.set_password(rows[0], values["password"], actor=actor_of(request))
    if rows[0] == request.user:
        update_session_auth_hash(request, rows[0])
    return f"{rows[0]}: the password is set, and they are signed out everywhere."


ACTS = (
    Act(
        "deactivate",
        "Deactivate",
        "They can no longer sign in and their tokens are revoked. Their roles and what they own stay, so the "
        "pipelines they own are listed as without an active owner.",
        _deactivate,
        applies=lambda person: person.is_active,
        danger=True,
    ),
    Act(
        "reactivate",
        "Reactivate",
        "They can sign in again, with the roles they had. Revoked tokens stay revoked.",
        each(accounts.reactivate, "can sign in again"),
        applies=lambda person: not person.is_active,
    ),
    Act(
        "set_password",
        "Set password",
        "They sign in with it from now on, and are signed out wherever they are signed in.",
        _set_password,
        applies=lambda person: person.service_of_id is None,
        form=PasswordForm,
        in_list=False,
    ),
    Act(
        "reset_second_factor",
        "Reset the second factor",
        "For who lost theirs: they sign in without it and are signed out everywhere now. Be sure that it is "
        "them who asks.",
        each(second_factors.reset, "signs in without a second factor now"),
        applies=second_factors.has_one,
        in_list=False,
        danger=True,
    ),
    Act(
        "make_site_admin",
        "Make site admin",
        "They may do everything in every team, and use this console.",
        each(accounts.set_site_admin, "site admin now", wanted=True),
        applies=lambda person: not person.is_superuser and person.service_of_id is None,
        danger=True,
    ),
    Act(
        "take_site_admin",
        "Take site admin away",
        "They keep their roles in teams and can no longer use this console.",
        each(accounts.set_site_admin, "no longer site admin", wanted=False),
        applies=lambda person: person.is_superuser,
        danger=True,
    ),
)


# --- pages ----------------------------------------------------------------------------------------------


_SHOWN = ("roles", "owned", "active", "site_admin", "last_login", "date_joined")


@admin.register(User)
class PersonAdmin(ConsoleAdmin):
    group = "People"
    explain = (
        "Everybody who may sign in, and the accounts of programs. Nobody is deleted: deactivate who leaves."
    )
    form = PersonForm
    add_form = NewPersonForm
    add_fields = ("username", "first_name", "email", "password", "service_of")
    fields = ("user_name", *accounts.DETAILS, *_SHOWN)
    readonly_fields = ("user_name", *_SHOWN)
    autocomplete_fields = ("service_of",)
    acts = ACTS

    list_display = (
        "user_name",
        "shown_name",
        "email",
        "roles",
        "owned",
        "last_login",
        "active",
        "site_admin",
    )
    list_filter = (Active, Service, SiteAdmin, InRole, InTeam)
    search_fields = ("username", "first_name", "last_name", "email")
    list_select_related = ("service_of",)
    ordering = ("username",)

    def make(self, request: HttpRequest, values: Values) -> User:
        actor, name = actor_of(request), values["first_name"]
        if values["service_of"] is not None:
            return people.make_service_account(
                values["service_of"], values["username"], name=name, actor=actor
            )
        password = values["password"] or None
        return people.make_person(values["username"], values["email"], password, name=name, actor=actor)

    def change(self, request: HttpRequest, person: User, values: Values) -> None:
        accounts.change(person, values, actor=actor_of(request))

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        held = Membership.objects.filter(ended_at=None).select_related("team").order_by("team__slug", "role")
        rows = super().get_queryset(request).prefetch_related(Prefetch("memberships", held, to_attr="held"))
        live = Q(owned_pipelines__archived_at=None)
        return rows.annotate(owned_count=Count("owned_pipelines", filter=live))

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """What a field offers while one types: accounts in use, and no program as owner or deputy."""
        if request.GET.get("field_name"):
            queryset = queryset.filter(is_active=True)
        if request.GET.get("field_name") in ("owner", "deputy"):
            queryset = queryset.filter(service_of=None)
        return super().get_search_results(request, queryset, search_term)

    @admin.display(description="user name", ordering="username")
    def user_name(self, person: User) -> str:
        return person.username

    @admin.display(description="name")
    def shown_name(self, person: User) -> str:
        return person.get_full_name() or "—"

    @admin.display(description="teams and roles")
    def roles(self, person: User) -> str:
        teams: dict[str, list[str]] = {}
        for row in person.held:  # type: ignore[attr-defined]
            teams.setdefault(row.team.slug, []).append(row.role)
        service = [f"service account of {person.service_of}"] if person.service_of else []
        return "; ".join(service + [f"{team}: {', '.join(held)}" for team, held in teams.items()]) or "—"

    @admin.display(description="owns", ordering="owned_count")
    def owned(self, person: User) -> SafeString | str:
        count = person.owned_count  # type: ignore[attr-defined]
        if not count:
            return "—"
        address = reverse("admin:pipelines_pipeline_changelist")
        return format_html('<a href="{}?owner__id__exact={}">{}</a>', address, person.pk, count)

    @admin.display(description="active", boolean=True, ordering="is_active")
    def active(self, person: User) -> bool:
        return person.is_active

    @admin.display(description="site admin", ordering="is_superuser")
    def site_admin(self, person: User) -> str:
        return "yes" if person.is_superuser else "no"
