"""The plan of a rerun, and that the engine does what it says."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runs import reruns
from runs.models import Run, TaskRun
from runs.planner import Foreseen, RerunTask, afresh, rerun_plan
from tests.runs.factories import Hands, make_version
from tests.runs.test_reuse import start, surroundings, work_off

Edges = list[tuple[str, str, str]]


def planned(tasks: list[RerunTask], edges: Edges, **given: Any) -> dict[str, tuple[str, str]]:
    found = rerun_plan(tasks, edges, given.pop("fresh", {}), **given)
    return {task.key: (task.action, task.code) for task in found}


def equal(key: str, *reads: str, **given: Any) -> RerunTask:
    """A task that is as it was, reading others."""
    parent = key.rpartition("/")[0] or None
    return RerunTask(
        key, given.pop("kind", "python"), parent, given.pop("known", ""), reads=frozenset(reads), **given
    )


def test_equal_tasks_are_taken_over_as_long_as_what_they_read_is() -> None:
    tasks = [equal("a"), equal("b", "a"), equal("c", "b")]
    assert {action for action, _ in planned(tasks, []).values()} == {"reuse"}


def test_what_reads_a_task_that_runs_is_decided_when_its_inputs_are_known() -> None:
    tasks = [equal("a", known="differs"), equal("b", "a"), equal("c", "b"), equal("d")]
    assert planned(tasks, []) == {
        "a": ("run", "differs"),
        "b": ("decide", "inputs"),
        "c": ("decide", "inputs"),
        "d": ("reuse", "equal"),
    }


def test_the_order_of_the_document_does_not_matter() -> None:
    assert planned([equal("b", "a"), equal("a")], [])["b"] == ("reuse", "equal")


def test_decisions_and_what_acts_on_the_outside_are_never_taken_over() -> None:
    tasks = [equal("ask", kind="approval"), equal("keep", kind="register"), equal("ship", kind="deploy")]
    assert planned(tasks, []) == {
        "ask": ("run", "person"),
        "keep": ("run", "effects"),
        "ship": ("run", "effects"),
    }


def test_a_group_does_what_its_tasks_do() -> None:
    tasks = [equal("g", kind="group"), equal("g/a"), equal("h", kind="group"), equal("h/i", kind="group")]
    tasks += [equal("h/i/x", known="new"), equal("h/i/y")]
    found = planned(tasks, [])
    assert (found["g"], found["h/i"], found["h"]) == (
        ("reuse", "scope_reuse"),
        ("run", "scope_run"),
        ("run", "scope_run"),
    )


def test_a_cached_task_that_differs_may_still_find_an_equal_result() -> None:
    assert planned([equal("a", known="differs", cached=True)], [])["a"] == ("decide", "cache")


def test_a_condition_and_a_failure_rule_leave_it_open() -> None:
    tasks = [equal("a"), equal("b", condition=True), equal("c")]
    found = planned(tasks, [("a", "c", "failure")])
    assert (found["b"], found["c"]) == (("decide", "condition"), ("decide", "rule"))


def test_from_a_task_means_it_all_inside_it_and_all_after_it_at_every_level() -> None:
    tasks = [("a", None), ("g", None), ("g/x", "g"), ("g/y", "g"), ("h", None), ("h/z", "h"), ("k", None)]
    edges = [("a", "g"), ("g/x", "g/y"), ("g", "h"), ("a", "k")]
    assert afresh(tasks, edges, "g/x") == {"g/x": "afresh", "g/y": "after", "h": "after", "h/z": "after"}
    assert set(afresh(tasks, edges, "g")) == {"g", "g/x", "g/y", "h", "h/z"}


@st.composite
def graphs(draw: st.DrawFn) -> list[RerunTask]:
    """Up to ten tasks, each reading earlier ones, some of which are not as they were."""
    tasks: list[RerunTask] = []
    for number in range(draw(st.integers(1, 10))):
        reads = draw(st.sets(st.sampled_from([task.key for task in tasks]))) if tasks else set()
        known = draw(st.sampled_from(["", "", "", "differs", "not_succeeded"]))
        tasks.append(equal(f"t{number}", *reads, known=known, cached=draw(st.booleans())))
    return tasks


@pytest.mark.slow
@given(graphs(), st.booleans(), st.randoms(use_true_random=False))
@settings(max_examples=200, deadline=None)
def test_a_task_is_taken_over_just_when_it_and_all_above_it_are_as_they_were(
    tasks: list[RerunTask], reuse: bool, dice: random.Random
) -> None:
    by_key = {task.key: task for task in tasks}

    def whole(key: str) -> bool:
        return not by_key[key].known and all(whole(read) for read in by_key[key].reads)

    shuffled = dice.sample(tasks, len(tasks))
    for key, (action, _) in planned(shuffled, [], reuse=reuse).items():
        assert (action == "reuse") == (reuse and whole(key))


# --- the engine does the same -----------------------------------------------------------------------


def random_version(dice: random.Random) -> tuple[str, dict[str, dict[str, Any]]]:
    """A graph of up to eight tasks, some in a group; they read one another and the parameters."""
    count = dice.randint(2, 8)
    keys = [f"g/t{i}" if dice.random() < 0.3 else f"t{i}" for i in range(count)]
    words, tasks = [], {}
    for place, key in enumerate(keys):
        scope = key.rpartition("/")[0]
        before = [other for other in keys[:place] if other.rpartition("/")[0] == scope]
        ups = [up for up in before if dice.random() < 0.5]
        words += [f"{up} > {key}" for up in ups] or [key]
        values: dict[str, Any] = {
            f"in{i}": {"ref": "tasks", "task": up, "output": "result"} for i, up in enumerate(ups)
        }
        if dice.random() < 0.3:
            values["rate"] = {"ref": "params.rate"}
        source = f"def task():\n    return {place}\n"
        config = {"source": source, **({"cache": True} if dice.random() < 0.2 else {})}
        outputs = [{"name": "result", "type": "number"}]
        tasks[key] = {"with": values, "config": config, "outputs": outputs}
    return ", ".join(words), tasks


def performed(run: Run, dice: random.Random, failures: float) -> None:
    """Every task gives a number of its own; some fail, some give another number than before."""
    hands = Hands()
    while (key := hands.claim()) is not None:
        if dice.random() < failures:
            hands.end(key, "failed")
        else:
            value = len(key) + (dice.random() < 0.5)
            hands.end(
                key,
                outputs=[{"name": "result", "type": "number", "value": value}],
                provenance=surroundings(),
            )


@pytest.mark.slow
@pytest.mark.django_db
def test_the_engine_takes_over_just_what_the_plan_says() -> None:
    seen = {"run": 0, "reuse": 0, "decide": 0}
    for seed in range(40):
        dice = random.Random(seed)
        graph, tasks = random_version(dice)
        version = make_version(graph, tasks=tasks, parameters={"rate": {"type": "number"}})
        old = start(version, rate=1)
        performed(old, dice, 0.05)
        keys = [task["key"] for task in version.spec["tasks"]]
        choice = dice.choice(["all", "all", "from", "only"])
        wish = reruns.wish(
            old,
            parameters={"rate": dice.choice([1, 2])},
            from_task=dice.choice(keys) if choice == "from" else "",
            only=[dice.choice(keys)] if choice == "only" else None,
            reuse=dice.random() < 0.9,
        )
        plan = reruns.plan(wish)
        assert version.created_by
        run = reruns.start(wish, user=version.created_by, token=None, key=None)
        performed(run, dice, 0.0)
        assert_done(run, plan, f"seed {seed}")
        for task in plan:
            seen[task.action] += 1
    assert min(seen.values()) > 10, seen


def assert_done(run: Run, plan: list[Foreseen], where: str) -> None:
    rows = {row.key: row for row in TaskRun.objects.filter(run=run)}
    assert set(rows) == {task.key for task in plan}, where
    for task in plan:
        if task.kind == "group":
            continue
        taken = rows[task.key].reused_from_id is not None
        if task.action != "decide":
            assert taken == (task.action == "reuse"), f"{where}: {task}"


@pytest.mark.django_db
def test_the_plan_names_what_differs() -> None:
    version = make_version(
        "a",
        tasks={"a": {"with": {"rate": {"ref": "params.rate"}}}},
        parameters={"rate": {"type": "number"}},
    )
    old = start(version)
    work_off()
    (task,) = reruns.plan(reruns.wish(old, parameters={"rate": 2}))
    assert (task.action, task.code, task.details) == ("run", "differs", ("Parameter rate: 1 → 2",))
