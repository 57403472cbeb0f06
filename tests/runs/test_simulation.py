"""The worker's loop when messages are dropped, repeated and late, and when it dies at any step."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection

from runs.models import Attempt, Run, TaskRun
from tests.runs.factories import make_run, make_version
from tests.runs.simulation import World

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

RETRIES = {"retries": {"limit": 2, "base": 1.0, "jitter": "none"}}
WHEN = {"when": "params.go"}


@pytest.fixture(autouse=True)
def right_clock() -> Iterator[None]:
    """What was simulated ends with the test."""
    yield
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('orchestrator.clock', '', false)")


def some_runs() -> None:
    """A chain, a fan, edges of every rule, conditions, a group, and tasks that always fail."""
    make_run("a > b, b > c")
    make_run("a > b, a > c, a > d, b > e, c > e, d > e", tasks={"b": RETRIES, "e": RETRIES})
    make_run("fails >? mends, fails > never, mends >* last", tasks={"fails": RETRIES})
    make_run(
        "a > b, a > c", parameters={"go": True}, tasks={"b": WHEN, "c": {"when": "!params.go"}}
    )  # fmt: skip
    make_run("a > g, g/x > g/y, g > b")


def end_of(world: World, patch: pytest.MonkeyPatch, turns: int) -> World:
    world.install(patch)
    world.run(turns)
    assert world.broken() == {}, "\n".join(world.story)
    # Whoever carried something out had been given it: no attempt ran that the database does not know.
    known = {str(token) for token in Attempt.objects.values_list("uuid", flat=True)}
    assert set(world.begun) <= known
    return world


@pytest.mark.parametrize("seed", range(4))
def test_every_run_ends_whatever_becomes_of_messages_and_workers(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(seed)
    some_runs()
    end_of(world, monkeypatch, 400)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(100, 130))
def test_every_run_ends_in_many_worlds(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    test_every_run_ends_whatever_becomes_of_messages_and_workers(seed, monkeypatch)


def small_run() -> Run:
    return make_run("a > b, a > fails", tasks={"fails": RETRIES})


def requests_of_a_small_run(patch: pytest.MonkeyPatch) -> int:
    world = World(0, workers=1, die_at=(0, ""))
    small_run()
    return end_of(world, patch, 0).requests


@pytest.mark.parametrize("when", ["died before", "died after"])
def test_a_worker_may_die_at_every_step(when: str, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = requests_of_a_small_run(monkeypatch)
    assert steps >= 8
    for step in range(1, steps + 1):
        with monkeypatch.context() as patch:
            world = World(step, workers=2, die_at=(step, when))
            run = small_run()
            world.install(patch)
            world.run(60)
            assert world.broken() == {}, "\n".join(world.story)
        assert states(run) == {"a": "succeeded", "b": "succeeded", "fails": "failed"}, "\n".join(world.story)
        assert Attempt.objects.filter(run=run, state="lost").count() <= 1


def states(run: Run) -> dict[str, str]:
    return dict(TaskRun.objects.filter(run=run).values_list("key", "state"))


def test_a_seed_tells_the_same_story_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    stories = []
    for _ in range(2):
        with monkeypatch.context() as patch:
            world = World(5)
            some_runs()
            world.install(patch)
            world.run(150)
            stories.append(world.story)
    assert stories[0] == stories[1]


def test_a_world_without_chance_has_no_lost_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(1, calm=True)
    make_version("a")  # a version without a run is nobody's business
    some_runs()
    end_of(world, monkeypatch, 0)
    assert not Attempt.objects.filter(state="lost").exists()
