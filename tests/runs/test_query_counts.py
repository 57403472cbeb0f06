"""Every list of runs costs the same number of queries, however long it is."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from pipelines.models import ApiToken
from runs import protocol
from runs.models import Queue, Run, TaskRun
from tests import factories
from tests.factories import Cast
from tests.runs import making
from tests.runs.making import task

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> Cast:
    return factories.make_cast()


def queries_of(who: APIClient, where: str) -> tuple[int, int]:
    """How many queries an address costs, and how many rows it answers with."""
    with CaptureQueriesContext(
        connection,
    ) as seen:
        response = who.get(where)
    assert response.status_code == 200, response.content
    return len(seen), len(response.json()["results"])


def assert_constant(who: APIClient, where: str, more: Callable[[], None], at_most: int) -> None:
    """The number of queries does not grow with the rows."""
    few, rows = queries_of(who, where)
    more()
    many, more_rows = queries_of(who, where)
    assert more_rows > rows > 0
    assert few == many <= at_most


def failing_runs(people: Cast, count: int) -> None:
    """Runs with a failed step, a step that waits for a person, and steps that go on."""
    tasks = [task("a"), task("b"), task("c"), task("ask", "approval"), task("g", "group"), task("g/x")]
    for _ in range(count):
        version = making.make_version(people.team, people.alice, tasks, [("a", "b")])
        making.start(version, people.alice)
        making.perform(making.make_lease(), failing=["b"])


def test_the_list_of_runs(people: Cast) -> None:
    failing_runs(people, 2)
    assert_constant(factories.client(people.alice), "/api/v1/runs/", lambda: failing_runs(people, 6), 12)


def test_what_no_run_of_a_list_has_is_not_asked_for(people: Cast) -> None:
    version = making.make_version(people.team, people.alice, [task("a")])
    run = making.start(version, people.alice)
    making.perform(making.make_lease())
    alice = factories.client(people.alice)
    plain = 7  # session, person, roles, what is lent, runs, code, counts
    assert queries_of(alice, "/api/v1/runs/") == (plain, 1)
    making.start(version, people.alice)
    Run.objects.exclude(pk=run.pk).update(rerun_of=run)
    assert queries_of(alice, "/api/v1/runs/")[0] == plain + 1


def test_a_list_of_runs_that_programs_asked_for_and_that_wait_for_a_person(people: Cast) -> None:
    def ask(count: int) -> None:
        version = making.make_version(people.team, people.alice, [task("ask", "approval")])
        token = ApiToken.objects.get()
        for _ in range(count):
            protocol.start_run(version, parameters={}, trigger="api", requested_by=people.alice, token=token)

    factories.make_token(people.alice)
    ask(1)
    assert_constant(factories.client(people.bob), "/api/v1/runs/", lambda: ask(5), 10)


def test_the_steps_of_a_run(people: Cast) -> None:
    def run_of(count: int) -> Run:
        tasks = [task("ask", "approval"), *(task(f"t{number}") for number in range(count))]
        run = making.start(making.make_version(people.team, people.alice, tasks), people.alice)
        making.perform(making.make_lease(), failing=["t1"])
        return run

    who = factories.client(people.alice)
    few, few_rows = queries_of(who, f"/api/v1/runs/{run_of(3).uuid}/tasks/")
    many, many_rows = queries_of(who, f"/api/v1/runs/{run_of(30).uuid}/tasks/")
    assert (few_rows, many_rows) == (4, 31)
    assert few == many <= 9


def test_the_events_of_a_run(people: Cast) -> None:
    version = making.make_version(people.team, people.alice, [task(f"t{number}") for number in range(20)])
    run = making.start(version, people.alice)

    def go_on() -> None:
        making.perform(making.make_lease())

    assert_constant(factories.client(people.alice), f"/api/v1/runs/{run.uuid}/events/", go_on, 7)


def test_the_attempts_of_a_step(people: Cast) -> None:
    retries = {**making.NO_RETRIES, "limit": 9, "base": 0.0}
    version = making.make_version(people.team, people.alice, [task("a", retries=retries)])
    making.start(version, people.alice)
    lease = making.make_lease()
    where = f"/api/v1/task-runs/{TaskRun.objects.get().uuid}/"
    who = factories.client(people.alice)

    def count() -> int:
        with CaptureQueriesContext(connection) as seen:
            who.get(where)
        return len(seen)

    making.finish(making.claim(lease), "failed", "error")
    few = count()
    for _ in range(6):
        making.finish(making.claim(lease), "failed", "error")
    assert count() == few <= 12


def test_the_queues_and_workers(people: Cast) -> None:
    who = factories.client(people.alice)
    Queue.objects.get_or_create(slug="cpu")

    def more_queues() -> None:
        for number in range(5):
            Queue.objects.create(slug=f"more-{number}")

    assert_constant(who, "/api/v1/queues/", more_queues, 7)

    def busy(count: int) -> None:
        tasks = [task(f"t{number}") for number in range(count)]
        making.start(making.make_version(people.team, people.alice, tasks), people.alice)
        for _ in range(count):
            making.claim(making.make_lease())

    busy(2)
    assert_constant(who, "/api/v1/workers/", lambda: busy(6), 7)
