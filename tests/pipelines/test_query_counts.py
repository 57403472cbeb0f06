"""Every list costs the same number of queries, however long it is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.db.models import Value
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from pipelines import code, drafts, grants, people
from pipelines.clock import EngineNow
from pipelines.models import ApiToken, Role
from runs.models import Queue
from tests.factories import (
    SMALL,
    Cast,
    client,
    join,
    make_cast,
    make_published,
    make_secret,
    make_team,
    make_token,
    make_user,
)
from tests.runs.factories import Hands

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast() -> Cast:
    Queue.objects.get_or_create(slug="cpu")
    made = make_cast()
    join(made.team, made.alice, Role.AUDITOR, Role.ADMIN)
    return made


def queries_of(who: APIClient, address: str) -> tuple[int, int]:
    """How many queries an address costs, and how many rows it answers with."""
    with CaptureQueriesContext(connection) as seen:
        answer = who.get(address)
    assert answer.status_code == 200, answer.content
    return len(seen), len(answer.json()["results"])


def assert_constant(cast: Cast, address: str, more: Callable[[int], object], at_most: int) -> None:
    who = client(cast.alice)
    more(0)
    few, rows = queries_of(who, address)
    for number in range(1, 6):
        more(number)
    many, more_rows = queries_of(who, address)
    assert more_rows > rows > 0
    assert few == many <= at_most


def test_the_use_of_a_token_is_noted_once_a_minute(cast: Cast) -> None:
    text = make_token(cast.alice)
    program = client(token=text)
    with CaptureQueriesContext(connection) as first:
        assert program.get("/api/v1/me/").status_code == 200
    with CaptureQueriesContext(connection) as then:
        assert program.get("/api/v1/me/").status_code == 200
    assert [sum("UPDATE" in query["sql"] for query in seen) for seen in (first, then)] == [1, 0]
    ApiToken.objects.update(last_used_at=EngineNow() - Value(timedelta(seconds=61)))
    with CaptureQueriesContext(connection) as later:
        assert program.get("/api/v1/me/").status_code == 200
    assert len(later) == len(first) == len(then) + 1


def test_the_list_of_pipelines_with_their_last_runs(cast: Cast) -> None:
    from runs import protocol

    def more(number: int) -> None:
        owner = cast.alice if number % 2 else cast.bob
        version = make_published(
            SMALL.replace("name: small", f"name: p-{number}"), team=cast.team, owner=owner
        )
        for _ in range(3):
            protocol.start_run(version, parameters={"who": "x"}, trigger="manual", requested_by=owner)
        Hands().work_off()

    assert_constant(cast, "/api/v1/pipelines/", more, 6)
    row = client(cast.alice).get("/api/v1/pipelines/?q=p-1").json()["results"][0]
    assert row["state"] == "succeeded"
    assert [run["number"] for run in row["last_runs"]] == [3, 2, 1]
    assert len(client(cast.alice).get("/api/v1/pipelines/?state=succeeded").json()["results"]) == 6
    assert client(cast.alice).get("/api/v1/pipelines/?state=failed").json()["results"] == []


def test_the_list_of_versions(cast: Cast) -> None:
    def more(number: int) -> None:
        make_published(SMALL + f"# {number}\n", team=cast.team, owner=cast.alice)

    assert_constant(cast, "/api/v1/pipelines/small/versions/", more, 7)


def test_the_lists_of_teams_members_and_tokens(cast: Cast) -> None:
    assert_constant(cast, "/api/v1/teams/", lambda n: join(make_team(), cast.alice, Role.VIEWER), 6)
    assert_constant(
        cast,
        "/api/v1/members/?team=alpha",
        lambda n: join(cast.team, make_user(), Role.VIEWER, Role.EDITOR),
        7,
    )
    assert_constant(cast, "/api/v1/tokens/", lambda n: make_token(cast.alice, team=cast.team), 4)


def test_the_list_of_code_locations(cast: Cast, tmp_path: Path) -> None:
    (tmp_path / "steps.py").write_text("def step(): ...\n")
    assert_constant(
        cast,
        "/api/v1/code-locations/",
        lambda n: code.register(cast.team, f"code-{n}", str(tmp_path), actor=None),
        6,
    )


def test_the_list_of_snapshots(cast: Cast, tmp_path: Path) -> None:
    location = code.register(cast.team, "code", str(tmp_path), actor=None)

    def more(number: int) -> None:
        (tmp_path / f"step_{number}.py").write_text("def step(): ...\n")
        code.sync(location, actor=None)

    assert_constant(cast, f"/api/v1/code-locations/{location.uuid}/snapshots/", more, 6)


def test_the_audit_chain(cast: Cast) -> None:
    pipeline = make_published(team=cast.team, owner=cast.alice).pipeline
    assert_constant(
        cast,
        "/api/v1/audit/",
        lambda n: drafts.save_draft(pipeline, f"# {n}\n", actor=cast.alice),
        5,
    )


def test_the_list_of_secrets(cast: Cast) -> None:
    assert_constant(
        cast, "/api/v1/secrets/", lambda number: make_secret(cast.team, f"token-{number}"), at_most=6
    )


def test_the_list_of_what_is_lent(cast: Cast) -> None:
    def lend(number: int) -> None:
        grants.lend(make_secret(cast.team, f"secret-{number}"), cast.others, "use", actor=cast.alice)

    assert_constant(cast, "/api/v1/grants/", lend, 10)


def test_the_list_of_service_accounts_and_that_of_the_tokens_of_one(cast: Cast) -> None:
    def make(number: int) -> None:
        bot = people.make_service_account(
            cast.team, f"bot-{number}", roles=["viewer", "editor"], actor=cast.alice
        )
        make_token(bot, team=cast.team)

    assert_constant(cast, "/api/v1/service-accounts/", make, 8)
    bot = people.make_service_account(cast.team, "bot", actor=cast.alice)
    assert_constant(
        cast, "/api/v1/service-accounts/bot/tokens/", lambda _: make_token(bot, team=cast.team), 8
    )
