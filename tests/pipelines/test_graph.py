"""Graphs of tasks: order, what comes before and after, selections, differences, cycles."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest

from pipelines.graph import EdgeSpec, Graph, TaskSpec, diff, find_cycles, topological_order


def _graph(*keys: str, edges: tuple[tuple[str, str], ...] = (), **fields: Any) -> Graph:
    """Tasks by key ("g/a" is inside g), edges as pairs."""
    tasks = [
        TaskSpec(key=key, name=key.rpartition("/")[2], kind="shell", parent=key.rpartition("/")[0] or None)
        for key in keys
    ]
    return Graph(name="sample", tasks=tasks, edges=[EdgeSpec(up, down) for up, down in edges], **fields)


DIAMOND = _graph("d", "b", "c", "a", edges=(("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")))
SCOPED = _graph(
    *("load", "train", "train/fit", "train/score", "train/deep", "train/deep/x", "deploy", "aside"),
    edges=(
        ("load", "train"),
        ("train", "deploy"),
        ("train/fit", "train/score"),
        ("train/score", "train/deep"),
    ),
)


def test_order_puts_every_task_after_what_it_waits_for() -> None:
    order = DIAMOND.order()
    assert order[0] == "a"
    assert order[-1] == "d"


def test_order_puts_a_scope_before_its_tasks_and_those_before_what_comes_after_it() -> None:
    place = {key: number for number, key in enumerate(SCOPED.order())}
    assert place["load"] < place["train"] < place["train/fit"] < place["train/score"]
    assert place["train/score"] < place["train/deep"] < place["train/deep/x"] < place["deploy"]
    assert len(place) == len(SCOPED.tasks)


def test_order_of_a_cycle_is_refused() -> None:
    with pytest.raises(ValueError, match="cycle"):
        _graph("a", "b", edges=(("a", "b"), ("b", "a"))).order()


def test_ancestors_and_descendants_of_plain_tasks() -> None:
    assert DIAMOND.ancestors("d") == {"a", "b", "c"}
    assert DIAMOND.descendants("a") == {"b", "c", "d"}
    assert DIAMOND.ancestors("a") == set()


def test_ancestors_of_an_inner_task_include_those_of_its_scope() -> None:
    assert SCOPED.ancestors("train/score") == {"train/fit", "load"}
    assert SCOPED.ancestors("train/deep/x") == {"train/fit", "train/score", "load"}


def test_ancestors_include_what_is_inside_a_scope_before() -> None:
    inside = {"train/fit", "train/score", "train/deep", "train/deep/x"}
    assert SCOPED.ancestors("deploy") == {"load", "train"} | inside


def test_descendants_of_an_inner_task_include_its_scope_and_what_follows_that() -> None:
    assert SCOPED.descendants("train/score") == {"train/deep", "train/deep/x", "train", "deploy"}


def test_only_takes_these_tasks_and_what_they_need() -> None:
    assert DIAMOND.only(["b"]) == {"a", "b"}
    assert SCOPED.only(["train/score"]) == {"load", "train", "train/fit", "train/score"}
    assert "train/deep/x" in SCOPED.only(["train"])
    assert "aside" not in SCOPED.only(["deploy"])


def test_only_of_an_unknown_task_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="nowhere"):
        SCOPED.only(["train", "nowhere"])


def test_a_graph_survives_json() -> None:
    again = Graph.from_json(json.loads(json.dumps(SCOPED.to_json())))
    assert again == SCOPED
    assert again.to_json() == SCOPED.to_json()


def test_a_spec_of_another_schema_is_refused() -> None:
    with pytest.raises(ValueError, match="orchestrator/v9"):
        Graph.from_json({**SCOPED.to_json(), "schema": "orchestrator/v9"})


def test_a_difference_names_tasks_fields_edges_and_parameters() -> None:
    old = _graph("a", "b", edges=(("a", "b"),), parameters={"x": {"type": "number"}})
    new = _graph("a", "c", edges=(("a", "c"),), parameters={"x": {"type": "integer"}}, title="New")
    new.tasks[0].queue = "gpu"
    found = diff(old, new)
    assert (found.added, found.removed, found.changed) == (["c"], ["b"], {"a": ["queue"]})
    assert found.edges_added == [EdgeSpec("a", "c")]
    assert found.edges_removed == [EdgeSpec("a", "b")]
    assert (found.parameters, found.fields) == (["x"], ["title"])
    assert not found.is_empty
    json.dumps(found.to_json())


def test_the_order_of_tasks_is_no_difference() -> None:
    assert diff(_graph("a", "b"), _graph("b", "a")).is_empty


def test_cycles_are_named_from_their_first_task_on() -> None:
    pairs = [("a", "b"), ("b", "c"), ("c", "a"), ("x", "x"), ("c", "d"), ("d", "e"), ("e", "d")]
    assert find_cycles(list("abcdex"), pairs) == [["a", "b", "c"], ["d", "e"], ["x"]]


def test_no_cycle_is_found_where_there_is_none() -> None:
    assert find_cycles(list("abcd"), [("a", "b"), ("b", "c"), ("a", "c")]) == []


def test_long_chains_do_not_exhaust_the_stack() -> None:
    keys = [str(number) for number in range(20_000)]
    pairs = list(pairwise(keys))
    assert topological_order(keys, pairs) == keys
    assert find_cycles(keys, [*pairs, (keys[-1], keys[0])]) == [keys]


def test_order_keeps_the_written_order_where_it_may() -> None:
    assert topological_order(["c", "a", "b"], [("a", "b")]) == ["c", "a", "b"]
    assert topological_order(["a", "b"], [("a", "b"), ("b", "a")]) is None
