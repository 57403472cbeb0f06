"""The API contract: committed, current, and what the answers really look like."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator, FormatChecker
from rest_framework.test import APIClient

from orchestrator_site.management.commands.write_schema import PLACE, schema_text
from tests.orchestrator_site.authorisation.base import ROLES, Line, World
from tests.orchestrator_site.test_authorisation_matrix import LINES, ask, world

__all__ = ["world"]  # the fixture


@cache
def contract() -> dict[str, Any]:
    made: dict[str, Any] = json.loads(schema_text())
    return made


def test_the_committed_contract_is_what_the_code_says() -> None:
    call_command("write_schema", "--check")


def test_a_change_of_the_api_without_the_contract_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    committed = (settings.BASE_DIR / PLACE).read_text(encoding="utf-8")
    assert schema_text() == schema_text() == committed
    monkeypatch.setitem(settings.SPECTACULAR_SETTINGS, "TITLE", "Another")
    from drf_spectacular.settings import spectacular_settings

    monkeypatch.setattr(spectacular_settings, "TITLE", "Another")
    with pytest.raises(CommandError, match="write_schema"):
        call_command("write_schema", "--check")


@pytest.mark.django_db
def test_the_contract_and_its_page_are_served() -> None:
    assert APIClient().get("/api/v1/schema/").status_code == 200
    page = APIClient().get("/api/v1/docs/").content.decode()
    assert "swagger-ui" in page
    files = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(files) >= 3
    for address in files:
        assert address.startswith(("/static/", "/api/v1/docs/")), "everything comes from this server"
        assert APIClient().get(address).status_code == 200, address


@pytest.mark.django_db
def test_a_stranger_who_asks_again_and_again_has_it_drawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = json.loads(json.dumps(contract()))
    first = APIClient().get("/api/v1/schema/?format=json")
    monkeypatch.setattr(SchemaGenerator, "get_schema", lambda *_, **__: pytest.fail("drawn again"))
    again = APIClient().get("/api/v1/schema/?format=json")
    assert again.json() == first.json() == drawn
    assert again["Content-Type"] == "application/vnd.oai.openapi+json"


def operation(route: str, method: str) -> dict[str, Any]:
    """The part of the contract about a route of Django's."""
    path = re.sub(r"<\w+:(\w+)>", lambda m: "{id}" if m[1].endswith("_id") else f"{{{m[1]}}}", route)
    found: dict[str, Any] = contract()["paths"][f"/{path}"][method.lower()]
    return found


def actor_of(line: Line) -> str:
    return next((role for role in ROLES if role in line.roles), "site admin")


@pytest.mark.parametrize("route, method", sorted(key for key in LINES if key[0].startswith("api/")))
def test_each_answer_is_what_the_contract_says_and_no_more(world: World, route: str, method: str) -> None:
    line = LINES[(route, method)]
    status, text = ask(world, actor_of(line), method, line)
    answers = operation(route, method)["responses"]
    described = answers.get(str(status), answers["default"]).get("content")
    if described is None:
        assert text == ""
        return
    shape = described.get("application/json") or described.get("application/problem+json")
    if shape is not None:
        assert problems(json.loads(text), shape["schema"]) == []
        assert unnamed(json.loads(text), shape["schema"], "") == []


def problems(value: Any, shape: dict[str, Any]) -> list[str]:
    schema = {**shape, "components": contract()["components"]}
    checker = Draft202012Validator(schema, format_checker=FormatChecker())
    return [f"{'/'.join(map(str, e.path))}: {e.message[:200]}" for e in checker.iter_errors(value)]


def unnamed(value: Any, schema: dict[str, Any], path: str) -> list[str]:
    """The paths of fields that an object schema does not list."""
    schema = resolved(schema)
    if isinstance(value, list):
        return [found for item in value[:3] for found in unnamed(item, schema.get("items", {}), f"{path}[]")]
    if not isinstance(value, dict) or "properties" not in schema:
        return []
    names = schema["properties"]
    extra = [f"{path}.{name}" for name in value if name not in names]
    inner = [unnamed(item, names[name], f"{path}.{name}") for name, item in value.items() if name in names]
    return extra + [found for part in inner for found in part]


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    for alternative in (*schema.get("oneOf", ()), *schema.get("allOf", ()), *schema.get("anyOf", ())):
        if alternative.get("type") != "null":
            return resolved(alternative)
    if "$ref" in schema:
        found: dict[str, Any] = contract()["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
        return resolved(found)
    return schema
