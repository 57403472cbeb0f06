"""Nothing that a stranger to the API can write makes the server stumble: refusals, never a 500."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import transaction

from tests.factories import client
from tests.orchestrator_site.authorisation.base import World
from tests.orchestrator_site.test_authorisation_matrix import LINES, world

__all__ = ["world"]  # the fixture
pytestmark = pytest.mark.slow

ODD_NAMES = ("%00", "%F0%9F%8E%89", "a" * 3000, "-", "..", "a:b:c", ":", "%ff%fe", "0" * 40, "'", "%0a")
ODD_NUMBERS = ("0", "99999999999999999999999")
ODD_QUERIES = ("%00", "-1", "9" * 30, "2026-13-45T99:99:99Z", "%ff")
QUERIES = (
    "cursor", "page_size", "q", "team", "state", "owner", "tag", "since", "offset", "limit", "at", "pipeline",
    "verb", "object", "against", "queue", "format",
)  # fmt: skip
ODD_BODIES: tuple[Any, ...] = (
    None, [], "text", 7, {}, {"document": 7}, {"name": ["a"]}, {"name": "\ud800"}, {"parameters": []},
    {"parameters": {"who": "a\x00"}}, {"parameters": {"\x00": 1}}, {"parameters": {"who": "\ud800"}},
    {"only": [7]}, {"only": ["a\x00"]}, {"version": 10**30}, {"version": -1}, {"comment": "a\x00b"},
    {"comment": 10**5 * "x"}, {"roles": "admin"}, {"scopes": [[]]}, {"days": 1e300}, {"team": {}},
)  # fmt: skip
ROUTES = sorted(key for key in LINES if key[0].startswith("api/"))


def ask(world: World, method: str, address: str, body: str = "") -> int:
    """The status an all-powerful person gets; an exception of the server comes through."""
    with transaction.atomic():
        answer = client(world.people["site admin"]).generic(method, address, body, "application/json")
        transaction.set_rollback(True)
    return int(answer.status_code)


@pytest.mark.parametrize("route, method", [key for key in ROUTES if "<" in key[0]])
def test_an_odd_name_in_an_address_is_refused(world: World, route: str, method: str) -> None:
    for odd in ODD_NAMES:
        address = re.sub(r"<int:\w+>", "1", re.sub(r"<str:\w+>", odd, route))
        assert 400 <= ask(world, method, f"/{address}") < 500, odd
    if "<int:" in route:
        good = LINES[(route, method)].path.format(**world.names)
        for odd in ODD_NUMBERS:
            assert 400 <= ask(world, method, re.sub(r"/\d+/", f"/{odd}/", good)) < 500, odd


@pytest.mark.parametrize("route, method", [key for key in ROUTES if key[1] == "GET"])
def test_an_odd_query_is_refused_or_answered(world: World, route: str, method: str) -> None:
    good = LINES[(route, method)].path.format(**world.names)
    for name in QUERIES:
        for odd in ODD_QUERIES:
            assert ask(world, method, f"{good.split('?')[0]}?{name}={odd}") < 500, (name, odd)


@pytest.mark.parametrize("route, method", [key for key in ROUTES if key[1] in ("POST", "PUT", "PATCH")])
def test_an_odd_body_is_refused_or_taken(world: World, route: str, method: str) -> None:
    import json

    good = LINES[(route, method)].path.format(**world.names)
    for odd in ODD_BODIES:
        assert ask(world, method, good, json.dumps(odd)) < 500, odd
    deep = "[" * 900 + "]" * 900
    named = (f'{{"{name}": {deep}}}' for name in ("layout", "parameters", "tags", "document", "preload"))
    for text in (*named, "{", "\x00", "[" * 100_000, '{"a": NaN}'):
        assert ask(world, method, good, text) < 500, text[:20]
