"""Every address, every method, everybody: a route without a line in the table fails."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any, Final

import pytest
from django.db import transaction
from django.urls import URLPattern, URLResolver, get_resolver
from pytest_django import DjangoDbBlocker

from tests.orchestrator_site.authorisation.base import ACTORS, MARK, Line, World, make_world

# Routes that are not ours to judge, or that are open, and why.
EXEMPT: Final = {
    "healthz": "says only that the process answers",
    "readyz": "says only whether the servers answer",
    "_allauth/": "sign-in itself, of a library",
    "admin/": "the console, for site admins: tests/orchestrator_site/console asks each of its addresses",
    "api/v1/schema/": "describes the API, tells nothing of its content",
    "api/v1/docs/": "the same for people",
    "^api/": "404 for every address that there is not",
    "^(?!": "the page itself, which asks the API",
    "static/": "the built frontend",
    "__debug__/": "in development only",
}
METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")


def tables() -> list[Any]:
    """The tables of the apps; an app whose API has no module here fails at its first route."""
    found = []
    for app in ("site", "pipelines", "runs", "lineage"):
        try:
            found.append(importlib.import_module(f"tests.orchestrator_site.authorisation.{app}"))
        except ModuleNotFoundError as error:
            if error.name != f"tests.orchestrator_site.authorisation.{app}":
                raise
    return found


def routes(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every route below the root, with its view."""
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if any(route.startswith(exempt) for exempt in EXEMPT):
            continue
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, route)
        else:
            yield route, pattern.callback


def methods_of(view: Any) -> list[str]:
    cls = getattr(view, "cls", None) or getattr(view, "view_class", None)
    if cls is None:
        return ["GET"]
    allowed = {name.upper() for name in cls.http_method_names}
    return [method for method in METHODS if method in allowed and hasattr(cls, method.lower())]


ASKED: Final = sorted(
    (route, method) for route, view in routes(get_resolver().url_patterns) for method in methods_of(view)
)
LINES: Final[dict[tuple[str, str], Line]] = {
    key: line for table in tables() for key, line in table.LINES.items()
}


def test_every_route_has_a_line_and_every_line_a_route() -> None:
    assert sorted(set(ASKED) - set(LINES)) == [], "add these to tests/orchestrator_site/authorisation"
    assert sorted(set(LINES) - set(ASKED)) == [], "these are no routes any more"


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    """One world for all tests of a module: each request is taken back, and in the end the world."""
    with django_db_blocker.unblock(), transaction.atomic():
        made = make_world()
        for table in tables():
            if hasattr(table, "prepare"):
                table.prepare(made)
        yield made
        transaction.set_rollback(True)


@pytest.mark.parametrize("route, method", [key for key in ASKED if key in LINES])
def test_each_address_answers_each_person_as_the_table_says(world: World, route: str, method: str) -> None:
    line = LINES[(route, method)]
    wrong = {}
    for actor in ACTORS:
        status, body = ask(world, actor, method, line)
        if status != line.expected(actor):
            wrong[actor] = f"{status} instead of {line.expected(actor)}: {body[:200]}"
        if actor == "stranger" and MARK in body:
            wrong["stranger"] = f"learns of what is not theirs: {body[:200]}"
    assert wrong == {}


def ask(world: World, actor: str, method: str, line: Line) -> tuple[int, str]:
    """The status and the text of an answer; whatever it changed is taken back."""
    body = line.body(world) if callable(line.body) else line.body
    with transaction.atomic():
        answer: Any = world.client(actor, line.scope).generic(
            method, line.path.format(**world.names), **({} if body is None else encoded(body))
        )
        text = content_of(answer)
        transaction.set_rollback(True)
    return answer.status_code, text.decode("utf-8", errors="replace")


def content_of(answer: Any) -> bytes:
    """The bytes of an answer; those of one that only an event loop can read are left alone."""
    if not answer.streaming:
        return bytes(answer.content)
    return b"" if answer.is_async else b"".join(answer.streaming_content)


def encoded(body: Any) -> dict[str, Any]:
    import json

    return {"data": json.dumps(body), "content_type": "application/json"}


def test_a_change_by_session_needs_the_csrf_token(world: World) -> None:
    from rest_framework.test import APIClient

    with transaction.atomic():
        strict = APIClient(enforce_csrf_checks=True)
        strict.force_login(world.editor, backend="django.contrib.auth.backends.ModelBackend")
        answer = strict.patch("/api/v1/pipelines/alpha:small/", {"purpose": "x"})
        transaction.set_rollback(True)
    assert answer.status_code == 403
    assert "CSRF" in answer.json()["detail"]
