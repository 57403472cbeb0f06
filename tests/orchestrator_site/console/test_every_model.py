"""What holds of every model of the console: an act is one row of the audit chain, and nothing is deleted."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, reverse

from pipelines.admin import history
from pipelines.admin.base import ConsoleAdmin
from pipelines.models import AuditEvent, Team
from runs.models import TeamLimits
from tests.factories import Cast, join, make_user
from tests.orchestrator_site.console.cases import CASES, Scene, Step

MODELS = sorted(admin.site._registry, key=lambda model: model.__name__)
ADDED = [model for model, case in CASES.items() if case.add]
CHANGED = [model for model, case in CASES.items() if case.change]
ACTS = [(model, name) for model, case in CASES.items() for name in case.acts]
REFUSED = [model for model, case in CASES.items() if case.refused]


def address(model: type[models.Model], page: str, row: models.Model | None = None) -> str:
    arguments = [row.pk] if row is not None else []
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=arguments)


def chain_of(step: Step, scene: Scene, row: Any) -> str:
    """The name of the chain in which a step is told."""
    team: Team = row if step.chain == "own" else scene.cast.team
    return "site" if step.chain == "site" else f"team:{team.uuid}"


def assert_told(step: Step, scene: Scene, row: Any, before: int) -> None:
    """Exactly one row was added to the audit chains, with this verb, in this chain, by the site admin."""
    told = AuditEvent.objects.order_by("-id")
    assert told.count() == before + 1
    assert (told[0].verb, told[0].chain, told[0].actor) == (step.verb, chain_of(step, scene, row), scene.root)
    assert not LogEntry.objects.exists()


def errors_of(answer: Any) -> dict[str, list[str]]:
    """What the form of a page says at its fields."""
    context = answer.context
    form = context["adminform"].form if "adminform" in context else context["form"]
    return dict(form.errors)


# --- completeness ---------------------------------------------------------------------------------------


def test_every_registered_model_has_a_case_that_names_all_it_can() -> None:
    assert set(CASES) == set(admin.site._registry)
    for model, pages in admin.site._registry.items():
        assert isinstance(pages, ConsoleAdmin)
        case = CASES[model]
        assert set(case.acts) == {act.name for act in pages.acts}, model
        assert (case.add is None, case.change is None) == (pages.make is None, pages.change is None), model


# --- the chain ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ADDED)
def test_adding_is_one_row_of_the_chain(model: type[models.Model], scene: Scene, root: Client) -> None:
    step = CASES[model].add
    assert step is not None
    before = AuditEvent.objects.count()
    known = set(model._default_manager.values_list("pk", flat=True))
    assert root.get(address(model, "add")).status_code == 200
    answer = root.post(address(model, "add"), step.data(scene))
    assert answer.status_code in (200, 302)
    row = model._default_manager.exclude(pk__in=known).get()
    assert_told(step, scene, row, before)


@pytest.mark.parametrize("model", CHANGED)
def test_changing_is_one_row_of_the_chain_and_changing_nothing_is_none(
    model: type[models.Model], scene: Scene, root: Client
) -> None:
    step = CASES[model].change
    assert step is not None
    row = (step.row or CASES[model].row)(scene)
    assert root.get(address(model, "change", row)).status_code == 200
    before = AuditEvent.objects.count()
    assert root.post(address(model, "change", row), step.data(scene)).status_code == 302
    assert_told(step, scene, row, before)
    unchanged = {name: value for name, value in step.data(scene).items() if name != "value"}
    assert root.post(address(model, "change", row), unchanged).status_code == 302
    assert AuditEvent.objects.count() == before + 1


@pytest.mark.parametrize("model, name", ACTS)
def test_an_act_asks_first_and_is_then_one_row_of_the_chain(
    model: type[models.Model], name: str, scene: Scene, root: Client
) -> None:
    case = CASES[model]
    step = case.acts[name]
    row = (step.row or case.row)(scene)
    before = AuditEvent.objects.count()
    asked = {"action": name, "_selected_action": row.pk, "from_row": "1"}
    page = root.post(address(model, "changelist"), asked)
    assert page.status_code == 200
    assert str(row) in page.content.decode()
    assert AuditEvent.objects.count() == before
    confirmed = {**asked, "confirmed": "1", **step.data(scene)}
    answer = root.post(address(model, "changelist"), confirmed)
    assert (answer.status_code, answer.get("Location")) == (302, address(model, "change", row))
    assert_told(step, scene, row, before)


@pytest.mark.parametrize("model", MODELS)
def test_the_history_of_a_row_is_its_part_of_the_chain(
    model: type[models.Model], scene: Scene, root: Client
) -> None:
    row = CASES[model].row(scene)
    answer = root.get(address(model, "history", row))
    assert answer.status_code == 200
    lines = answer.context["lines"]
    if model is AuditEvent:
        assert lines == []
        return
    if model is TeamLimits:  # told of at its team
        assert {each.words for each in lines} == {history.words("team.limits")}
        return
    told = AuditEvent.objects.filter(object_kind=model._meta.model_name, object_name=str(row))
    assert told.count() == len(lines) > 0
    assert lines[0].words in answer.content.decode()


# --- refusals -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", REFUSED)
def test_a_refusal_is_shown_at_its_field_and_writes_nothing(
    model: type[models.Model], scene: Scene, root: Client
) -> None:
    case = CASES[model]
    assert case.refused is not None
    data, field = case.refused
    row = None if case.add else case.row(scene)
    sent = data(scene)
    before = AuditEvent.objects.count(), model._default_manager.count()
    answer = root.post(address(model, "change", row) if row else address(model, "add"), sent)
    assert answer.status_code == 200
    assert list(errors_of(answer)) == [field]
    assert (AuditEvent.objects.count(), model._default_manager.count()) == before


# --- deleting -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", MODELS)
def test_nothing_can_be_deleted(model: type[models.Model], scene: Scene, root: Client) -> None:
    row = CASES[model].row(scene)
    assert root.get(address(model, "delete", row)).status_code == 403
    assert root.post(address(model, "delete", row), {"post": "yes"}).status_code == 403
    asked = {"action": "delete_selected", "_selected_action": row.pk, "post": "yes"}
    root.post(address(model, "changelist"), asked)
    assert model._default_manager.filter(pk=row.pk).exists()
    assert "/delete/" not in root.get(address(model, "change", row)).content.decode()


# --- scale ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", MODELS)
def test_a_list_of_fifty_costs_as_many_queries_as_one_of_five(
    model: type[models.Model], scene: Scene, root: Client
) -> None:
    def cost(rows: int) -> int:
        while model._default_manager.count() < rows:
            CASES[model].row(scene)
        with CaptureQueriesContext(connection) as seen:
            answer = root.get(address(model, "changelist"))
        assert answer.status_code == 200
        assert len(answer.context["cl"].result_list) >= min(rows, 50)
        return len(seen)

    root.get(address(model, "changelist"))
    assert cost(5) == cost(50) <= 14


@pytest.mark.parametrize("model", MODELS)
def test_every_filter_search_and_column_of_a_list_works(
    model: type[models.Model], scene: Scene, root: Client
) -> None:
    CASES[model].row(scene)
    answer = root.get(address(model, "changelist"))
    cl = answer.context["cl"]
    queries = [choice["query_string"] for spec in cl.filter_specs for choice in spec.choices(cl)]
    queries += [f"?o={number}" for number in range(1, len(cl.list_display) + 1)]
    queries += ["?q=nothing%20like%20this"] if cl.search_fields else []
    assert queries
    for query in queries:
        assert root.get(address(model, "changelist") + query).status_code == 200, query


# --- who may --------------------------------------------------------------------------------------------


def routes(patterns: list[Any], prefix: str = "/admin/") -> list[str]:
    """Every address of the console, with a 1 wherever a row is named."""
    found = []
    for pattern in patterns:
        route = prefix + re.sub(r"<[^>]+>", "1", str(pattern.pattern))
        if isinstance(pattern, URLResolver):
            found += routes(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern) and pattern.name not in ("login", "logout"):
            found.append(route)
    return found


ROUTES = routes(admin.site.get_urls())


def everybody_else(cast: Cast) -> dict[str, Client]:
    """Who is no active site admin, signed in."""
    suspended = make_user("suspended", is_superuser=True)
    people = {
        "member": cast.alice,
        "all roles": cast.charlie,
        "staff": make_user("staff", is_staff=True),
        "robot": join(cast.team, make_user("robot", service_of=cast.team), "admin"),
        "suspended": suspended,
    }
    clients = {}
    for name, person in people.items():
        clients[name] = Client()
        clients[name].force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    type(suspended).objects.filter(pk=suspended.pk).update(is_active=False)
    return clients


@pytest.mark.parametrize("route", ROUTES)
def test_nobody_enters_but_active_site_admins(route: str, scene: Scene) -> None:
    for name, client in {**everybody_else(scene.cast), "stranger": Client()}.items():
        for method in (client.get, client.post):
            answer = method(route)
            if name in ("stranger", "suspended"):
                assert answer.status_code == 302, name
                assert answer["Location"].startswith("/admin/login/"), name
            else:
                assert answer.status_code == 403, name
                assert "no site admin" in answer.content.decode(), name
    assert not AuditEvent.objects.exclude(verb="person.create").exists()


def test_there_is_an_address_for_every_model() -> None:
    assert len(ROUTES) > 5 * len(MODELS)
    assert not [route for route in ROUTES if "password_change" in route]
