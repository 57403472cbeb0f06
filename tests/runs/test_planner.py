from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from runs.planner import RUN_AGAIN, PlanTask, resume_plan

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


def test_a_task_that_handled_the_failure_is_kept_but_a_skipped_one_behind_it_is_judged_again() -> None:
    states = {"a": "failed", "notify": "succeeded", "after": "skipped"}
    edges = [("a", "notify", "failure"), ("notify", "after", "success")]
    assert plan(states, edges) == {"a": "run", "notify": "keep", "after": "run"}


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
def test_a_skipped_task_runs_again_exactly_when_a_path_leads_to_it(
    case: tuple[dict[str, str], Edges],
) -> None:
    states, edges = case
    reached = {key for key, state in states.items() if state in RUN_AGAIN}
    for _ in states:
        reached |= {down for up, down, _rule in edges if up in reached}
    for key, action in plan(states, edges).items():
        expected = states[key] in RUN_AGAIN or (states[key] == "skipped" and key in reached)
        assert (action == "run") == expected
