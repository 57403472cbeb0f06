"""The served schema is asked as everybody, with what it allows and what it forbids.

No server error, and no answer that the schema does not name. `FUZZ_EXAMPLES` says how many of each (4).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

import pytest
import schemathesis
import schemathesis.specs.openapi.extra_data_source  # Python 3.11.2 cannot read it where calls are deep
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.factories import make_token
from tests.orchestrator_site.authorisation.base import ROLES, World
from tests.orchestrator_site.test_authorisation_matrix import LINES, world

__all__ = ["world"]  # the fixture
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

ACTORS: Final = ("anonymous", *ROLES, "stranger", "borrower", "site admin")
CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
EXAMPLES: Final = int(os.environ.get("FUZZ_EXAMPLES", "4"))
NAMES: Final = re.compile(r"\{(\w+)\}|<(?:\w+:)?(\w+)>")


@cache
def operations() -> list[Any]:
    """What the served schema describes."""
    schema = schemathesis.openapi.from_wsgi("/api/v1/schema/?format=json", get_wsgi_application())
    return [found.ok() for found in schema.get_all_operations()]


@pytest.fixture(scope="module")
def tokens(world: World) -> dict[str, dict[str, str]]:
    """The header with which each actor asks."""
    heads = {name: {"Authorization": f"Bearer {make_token(world.people[name])}"} for name in ACTORS[1:]}
    return {"anonymous": {}, **heads}


def real_names(world: World) -> dict[tuple[str, str], dict[str, str]]:
    """By address and method of the schema: names that there are, as the table of authorisation has them."""
    found = {}
    for (route, method), line in LINES.items():
        described = "/" + NAMES.sub(lambda name: "{" + (name[1] or name[2]) + "}", route)
        pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(described).replace("\\/", "/"))
        path = line.path.format(**world.names).split("?")[0]
        matched = re.fullmatch(pattern, path)
        found[(described, method)] = matched.groupdict() if matched else {}
    return found


def cases(operation: Any) -> st.SearchStrategy[Any]:
    """What the schema allows, and what it forbids where it forbids something."""
    allowed = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
    return allowed | operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)


def test_every_answer_to_everybody_is_one_that_the_schema_names(
    world: World, tokens: dict[str, dict[str, str]]
) -> None:
    names = real_names(world)
    wrong: dict[str, str] = {}
    for operation in operations():
        fuzz(operation, tokens, names.get((operation.path, operation.method.upper()), {}), wrong)
    assert not wrong, "\n\n".join(f"{where}:\n{what}" for where, what in wrong.items())


def fuzz(
    operation: Any, tokens: dict[str, dict[str, str]], names: dict[str, str], wrong: dict[str, str]
) -> None:
    """Everybody asks the same of one operation; what is wrong with an answer is noted once for each kind."""

    @seed(20261122)
    @settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases(operation), named=st.booleans())
    def ask(case: Any, named: bool) -> None:
        if named and names:
            case.path_parameters = {**case.path_parameters, **names}
        for actor, headers in tokens.items():
            with transaction.atomic():
                answer = case.call(headers=headers)
                transaction.set_rollback(True)
            try:
                case.validate_response(answer, checks=CHECKS)
            except FailureGroup as problem:
                for failure in problem.exceptions:
                    where = f"{operation.label} {type(failure).__name__}"
                    wrong.setdefault(where, f"as {actor}: {str(problem)[:3000]}")

    ask()


def test_there_is_something_to_ask() -> None:
    assert len(operations()) > 80


@pytest.fixture(autouse=True, scope="module")
def one_connection() -> Iterator[None]:
    """The handler of a server would close the connection, and with it the world of these tests."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)
