from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runs import protocol, queries
from runs.models import Run, RunEvent
from runs.planner import RUN_AGAIN, PlanTask, resume_plan
from tests import factories
from tests.runs import making

Edges = list[tuple[str, str, str]]


def plan(states: dict[str, str], edges: Edges) -> dict[str, str]:
    """Task -> action, with parents read from the paths."""
    tasks = [PlanTask(key, state, key.rpartition("/")[0] or None) for key, state in states.items()]
    return {planned.key: planned.action for planned in resume_plan(tasks, edges)}


def codes(states: dict[str, str], edges: Edges) -> dict[str, str]:
    tasks = [PlanTask(key, state, key.rpartition("/")[0] or None) for key, state in states.items()]
    return {planned.key: planned.code for planned in resume_plan(tasks, edges)}


def test_failed_and_upstream_failed_tasks_run_again_and_succeeded_ones_are_kept() -> None:
    states = {"a": "succeeded", "b": "failed", "c": "upstream_failed"}
    assert plan(states, [("a", "b", "success"), ("b", "c", "success")]) == {
        "a": "keep",
        "b": "run",
        "c": "run",
    }


def test_a_skipped_task_runs_again_only_downstream_of_one_that_does() -> None:
    states = {"a": "failed", "near": "skipped", "far": "skipped", "elsewhere": "skipped"}
    edges = [("a", "near", "always"), ("near", "far", "success")]
    assert plan(states, edges) == {"a": "run", "near": "run", "far": "run", "elsewhere": "keep"}


def test_a_task_that_handled_the_failure_is_kept_and_so_is_what_stands_behind_it() -> None:
    states = {"a": "failed", "notify": "succeeded", "after": "skipped"}
    edges = [("a", "notify", "failure"), ("notify", "after", "success")]
    assert plan(states, edges) == {"a": "run", "notify": "keep", "after": "keep"}


def test_a_group_that_holds_a_failed_task_runs_again_as_a_scope_and_keeps_what_succeeded_inside() -> None:
    states = {"g": "failed", "g/a": "succeeded", "g/b": "failed", "h": "upstream_failed"}
    edges = [("g/a", "g/b", "success"), ("g", "h", "success")]
    assert plan(states, edges) == {"g": "run", "g/a": "keep", "g/b": "run", "h": "run"}


def test_every_scope_around_a_task_runs_again() -> None:
    states = {"g": "waiting", "g/h": "waiting", "g/h/a": "cancelled"}
    assert codes(states, []) == {"g": "scope", "g/h": "scope", "g/h/a": "cancelled"}


def test_what_a_skipped_group_holds_runs_again_with_it() -> None:
    states = {"a": "failed", "g": "skipped", "g/x": "skipped", "g/x/y": "skipped"}
    assert plan(states, [("a", "g", "success")]) == dict.fromkeys(states, "run")


def test_a_step_skipped_by_its_own_condition_inside_a_failed_group_is_kept() -> None:
    states = {"g": "failed", "g/a": "failed", "g/optional": "skipped"}
    assert plan(states, []) == {"g": "run", "g/a": "run", "g/optional": "keep"}


def test_the_reason_of_each_task_is_a_sentence() -> None:
    tasks = [PlanTask("a", "failed", None), PlanTask("b", "succeeded", None)]
    assert [planned.reason for planned in resume_plan(tasks, [])] == [
        "It failed.",
        "It succeeded; its results are used.",
    ]


STATES = st.sampled_from(["succeeded", "failed", "upstream_failed", "skipped", "cancelled"])


@st.composite
def flat_runs(draw: st.DrawFn) -> tuple[dict[str, str], Edges]:
    """Up to eight tasks without scopes, edges from earlier to later ones."""
    count = draw(st.integers(1, 8))
    states = {f"t{i}": draw(STATES) for i in range(count)}
    pairs = [(f"t{i}", f"t{j}") for j in range(count) for i in range(j)]
    chosen = draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []
    return states, [(up, down, "success") for up, down in chosen]


@given(flat_runs())
@settings(max_examples=200, deadline=None)
def test_a_skipped_task_runs_again_just_when_a_path_leads_to_it(
    case: tuple[dict[str, str], Edges],
) -> None:
    states, edges = case
    reached = {key for key, state in states.items() if state in RUN_AGAIN}
    for _ in states:
        reached |= {down for up, down, _rule in edges if up in reached and states[down] != "succeeded"}
    for key, action in plan(states, edges).items():
        expected = states[key] in RUN_AGAIN or (states[key] == "skipped" and key in reached)
        assert (action == "run") == expected


# --- the engine does the same -----------------------------------------------------------------------

NEVER = {"text": "false", "refs": {}}


def random_graph(dice: random.Random) -> tuple[list[dict[str, Any]], Edges]:
    """Scopes up to two deep, edges of every rule between neighbours, here and there a false condition."""
    tasks: list[dict[str, Any]] = []
    edges: Edges = []

    def fill(parent: str, depth: int) -> None:
        keys: list[str] = []
        for number in range(dice.randint(1, 4)):
            key = f"{parent}t{number}"
            when = NEVER if dice.random() < 0.2 else None
            group = depth < 2 and dice.random() < 0.3
            tasks.append(making.task(key, "group" if group else "shell", when=when))
            if group:
                fill(f"{key}/", depth + 1)
            ups = [up for up in keys if dice.random() < 0.5]
            edges.extend((up, key, dice.choice(["success", "success", "failure", "always"])) for up in ups)
            keys.append(key)

    fill("", 0)
    return tasks, edges


def performed(dice: random.Random, cast: factories.Cast) -> Run:
    """A run of a random graph in which some tasks failed; some runs were cancelled before their end."""
    tasks, edges = random_graph(dice)
    run = making.start(making.make_version(cast.team, cast.alice, tasks, edges), cast.alice)
    lease = making.make_lease()
    while (work := protocol.claim(lease.uuid, lease.queue)) is not None:
        if dice.random() < 0.1:
            protocol.cancel_run(run.pk, actor=cast.alice)
            making.finish(work, "cancelled", "by_person")
        elif dice.random() < 0.4:
            making.finish(work, "failed", "error")
        else:
            making.finish(work)
    run.refresh_from_db()
    return run


@pytest.mark.slow
@pytest.mark.django_db
def test_the_engine_resumes_just_what_the_plan_says() -> None:
    cast = factories.make_cast()
    resumed = 0
    for seed in range(60):
        run = performed(random.Random(seed), cast)
        if queries.why_not_resumable(run) is not None:
            continue
        plan = {planned.key for planned in queries.resume_plan(run) if planned.action == "run"}
        protocol.resume_run(run.pk, actor=cast.alice)
        events = RunEvent.objects.filter(run_id=run.pk, seq__gt=run.last_seq, to_state="pending")
        keys = queries.keys_of(event.task_run_id for event in events if event.task_run_id)
        assert set(keys.values()) == plan, f"seed {seed}"
        protocol.cancel_run(run.pk, actor=cast.alice)
        resumed += 1
    assert resumed > 30
