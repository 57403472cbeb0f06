"""The members of a team and their roles, page by page: a box for each person and role."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from django import forms
from django.core.paginator import Page, Paginator
from django.db import transaction
from django.db.models import Q

from pipelines import people
from pipelines.admin.base import SearchedChoice, Values
from pipelines.models import Membership, Role, Team, User

PER_PAGE: Final = 50


def page_of(team: Team, asked: str, number: str | None) -> Page[User]:
    """The people of a team by name, those whose name has what was asked for. A wrong number: the nearest."""
    found = User.objects.filter(memberships__team=team, memberships__ended_at=None).distinct()
    for word in asked.split():
        names = Q(username__icontains=word) | Q(first_name__icontains=word) | Q(last_name__icontains=word)
        found = found.filter(names)
    return Paginator(found.order_by("username"), PER_PAGE).get_page(number)


class MembersForm(forms.Form):
    """A box for each person of the page and role, and a line for somebody new.

    What is sent names the people whose boxes were shown: somebody who came meanwhile keeps their roles.
    """

    person = SearchedChoice(Membership._meta.get_field("user"), required=False, label="Add")
    roles = forms.MultipleChoiceField(
        choices=Role.choices, required=False, widget=forms.CheckboxSelectMultiple, label="In the roles"
    )

    def __init__(self, team: Team, page: Page[User], data: Any = None, **options: Any) -> None:
        super().__init__(data, **options)
        self.team = team
        shown = [member.pk for member in page] if data is None else _numbers(data.getlist("shown"))
        self.members = _roles(team, shown)
        for member, roles in self.members.items():
            self.fields[_field_of(member)] = forms.MultipleChoiceField(
                choices=Role.choices, required=False, initial=roles, label=str(member)
            )

    def clean(self) -> Values:
        values = self.cleaned_data
        if values.get("roles") and not values.get("person"):
            self.add_error("person", "Say whom to add.")
        if values.get("person") and not values.get("roles"):
            self.add_error("roles", "Choose at least one.")
        if values.get("person") and _roles(self.team, [values["person"].pk]):
            self.add_error("person", "Is a member already: tick the roles in their line.")
        return values

    def wanted(self) -> list[tuple[User, list[str]]]:
        """People and their roles, first who becomes admin, so that a last admin can be relieved at once."""
        found = [(member, self.cleaned_data[_field_of(member)]) for member in self.members]
        if self.cleaned_data.get("person"):
            found.append((self.cleaned_data["person"], self.cleaned_data["roles"]))
        return sorted(found, key=lambda pair: Role.ADMIN not in pair[1])

    def lines(self) -> Iterable[tuple[User, forms.BoundField, list[tuple[str, str, bool]]]]:
        """For each member: their field, and (role, id of the box, ticked)."""
        for member in self.members:
            field = self[_field_of(member)]
            held = field.value() or []
            yield member, field, [(str(role), f"{field.id_for_label}-{role}", role in held) for role in Role]


def _numbers(texts: Iterable[str]) -> list[int]:
    return [int(text) for text in texts if text.isdecimal() and len(text) < 19][:PER_PAGE]


def _field_of(member: User) -> str:
    return f"member-{member.pk}"


def _roles(team: Team, shown: list[int]) -> dict[User, list[str]]:
    found: dict[User, list[str]] = {}
    rows = Membership.objects.filter(team=team, ended_at=None, user_id__in=shown).select_related("user")
    for row in rows.order_by("user__username", "role"):
        found.setdefault(row.user, []).append(row.role)
    return found


@transaction.atomic
def set_all(team: Team, wanted: list[tuple[User, list[str]]], actor: User) -> list[str]:
    """Set the roles of these people; the names of those who had others."""
    return [str(person) for person, roles in wanted if people.set_roles(team, person, roles, actor=actor)]


def said(changed: list[str]) -> str:
    """What was done, in a sentence."""
    return f"The roles of {', '.join(changed)} are set." if changed else "Nothing was changed."
