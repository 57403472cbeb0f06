"""Validation: what a good document becomes, and how problems are told."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import Any

import pytest

from pipelines.context import Context
from pipelines.graph import Graph, TaskSpec
from pipelines.limits import MAX_PROBLEMS, MAX_SCOPE_DEPTH
from pipelines.validation import Problem, Result, validate
from tests.pipelines.digits import DOCUMENT, LOCK, SNAPSHOT, context

HEAD = "schema: orchestrator/v1\nname: sample\n"


def _spec(text: str, known: Context | None = None) -> dict[str, Any]:
    result = validate(text, known or context())
    assert result.spec is not None, [problem.message for problem in result.problems]
    return result.spec


def _task(text: str, key: str) -> TaskSpec:
    return Graph.from_json(_spec(text)).by_key[key]


def _edges(spec: dict[str, Any]) -> list[tuple[str, str, str, bool]]:
    return [(edge["up"], edge["down"], edge["rule"], edge["data"]) for edge in spec["edges"]]


def _only(result: Result) -> Problem:
    [problem] = result.problems
    return problem


# --- the digits document ----------------------------------------------------------------------------


def test_the_digits_document_is_valid_but_for_what_nothing_carries_out_yet() -> None:
    result = validate(DOCUMENT, context())
    assert result.ok
    assert [(problem.severity, problem.path) for problem in result.problems] == [
        ("warning", "triggers"),
    ]


def test_it_is_valid_offline_too_where_blocks_queues_and_endpoints_are_not_known() -> None:
    result = validate(DOCUMENT)
    assert result.ok
    assert all(problem.severity == "warning" for problem in result.problems)


def test_its_edges_come_from_references_and_needs() -> None:
    assert _edges(_spec(DOCUMENT)) == [
        ("ingest", "check", "success", True),
        ("ingest", "train", "success", True),
        ("check", "train", "success", False),
        ("train", "evaluate", "success", True),
        ("ingest", "evaluate", "success", True),
        ("evaluate", "approve", "success", False),
        ("train", "register", "success", True),
        ("evaluate", "register", "success", True),
        ("approve", "register", "success", False),
        ("register", "deploy", "success", True),
        ("evaluate", "deploy", "success", True),
    ]


def test_its_code_names_the_snapshot_and_lock_that_validation_saw() -> None:
    expected = {"location": "demo", "follow": "published", "snapshot": SNAPSHOT, "lock": LOCK}
    assert _spec(DOCUMENT)["code"] == expected


def test_a_task_carries_its_defaults_in_seconds_and_bytes() -> None:
    train = _task(DOCUMENT, "train")
    assert (train.queue, train.timeout, train.start) == ("gpu", 3600.0, "warm")
    assert train.resources == {"memory": 2 * 1024**3, "gpu": 0}
    assert train.retries == {
        "limit": 2,
        "base": 5.0,
        "factor": 2.0,
        "cap": 300.0,
        "jitter": "full",
        "on": ["error", "exit", "timeout", "transient"],
    }
    assert train.config == {"run": "digits:train", "cache": True}
    assert train.with_ == {
        "table": {"ref": "tasks", "task": "ingest", "output": "table"},
        "learning_rate": {"ref": "params.learning_rate"},
    }
    assert train.inputs == [
        {"name": "table", "type": "table", "required": True},
        {"name": "learning_rate", "type": "number", "required": False},
    ]
    assert train.outputs == [{"name": "model", "type": "model"}]


def test_an_approval_needs_no_worker() -> None:
    approve = _task(DOCUMENT, "approve")
    assert approve.queue == ""
    assert approve.config == {"by": ["approver"], "deadline": 86400.0, "requester_may_approve": True}


def test_who_asked_may_not_approve_unless_the_document_says_so() -> None:
    approve = _task(HEAD + "tasks:\n  a: {kind: approval}\n", "a")
    assert approve.config == {"by": ["approver"], "deadline": None, "requester_may_approve": False}


def test_a_condition_carries_what_its_names_stand_for() -> None:
    assert _task(DOCUMENT, "deploy").when == {
        "text": "tasks.evaluate.outputs.accuracy >= params.min_accuracy",
        "refs": {
            "tasks.evaluate.outputs.accuracy": {"ref": "tasks", "task": "evaluate", "output": "accuracy"},
            "params.min_accuracy": {"ref": "params.min_accuracy"},
        },
    }


def test_the_spec_is_plain_json_and_the_same_every_time() -> None:
    one, other = (json.dumps(_spec(DOCUMENT), sort_keys=True) for _ in range(2))
    assert one == other
    assert Graph.from_json(json.loads(one)).to_json() == json.loads(one)


def test_comments_and_layout_do_not_change_the_spec() -> None:
    assert _spec(DOCUMENT + "\n# the end\n") == _spec(DOCUMENT)


# --- defaults ---------------------------------------------------------------------------------------


def test_the_keys_of_a_task_win_over_the_defaults_one_by_one() -> None:
    text = HEAD + (
        "defaults: {queue: gpu, timeout: 30m, start: cold, retries: {limit: 3, base: 500ms, on: [oom]},"
        " resources: {memory: 512Mi}}\n"
        "tasks:\n"
        "  a: {kind: shell, run: x}\n"
        "  b: {kind: shell, run: x, queue: cpu, timeout: 1d, start: warm,"
        " retries: {limit: 0, jitter: none}}\n"
    )
    a, b = _task(text, "a"), _task(text, "b")
    assert (a.queue, a.timeout, a.start, a.resources["memory"]) == ("gpu", 1800.0, "cold", 512 * 1024**2)
    assert (a.retries["limit"], a.retries["base"], a.retries["on"]) == (3, 0.5, ["oom"])
    assert (b.queue, b.timeout, b.start) == ("cpu", 86400.0, "warm")
    assert (b.retries["limit"], b.retries["base"], b.retries["jitter"]) == (0, 0.5, "none")


def test_without_defaults_a_task_waits_in_cpu_without_retries() -> None:
    task = _task(HEAD + "tasks:\n  a: {kind: shell, run: x}\n", "a")
    assert (task.queue, task.timeout, task.retries["limit"]) == ("cpu", None, 0)


# --- values -----------------------------------------------------------------------------------------

SHELLS = HEAD + (
    "parameters: {rate: {type: number, default: 1}, who: {type: string}}\n"
    "tasks:\n"
    "  a: {kind: shell, run: x, outputs: {n: integer, t: table}}\n"
    "  b:\n"
    "    kind: shell\n"
    "    run: x\n"
    "    with:\n"
)


@pytest.mark.parametrize(
    "written, expr, port_type",
    [
        ("1", {"lit": 1}, "integer"),
        ("yes", {"lit": "yes"}, "string"),
        ("[1, {a: null}]", {"lit": [1, {"a": None}]}, "json"),
        ('"${{ params.rate }}"', {"ref": "params.rate"}, "number"),
        ('"${{tasks.a.outputs.t}}"', {"ref": "tasks", "task": "a", "output": "t"}, "table"),
        ('"${{ secrets.database }}"', {"ref": "secrets.database"}, "string"),
        (
            '"x ${{ params.who }}:${{ params.rate }}"',
            {"cat": [{"lit": "x "}, {"ref": "params.who"}, {"lit": ":"}, {"ref": "params.rate"}]},
            "string",
        ),
        (
            '{k: ["${{ tasks.a.outputs.n }}", 2]}',
            {"map": {"k": {"list": [{"ref": "tasks", "task": "a", "output": "n"}, {"lit": 2}]}}},
            "json",
        ),
    ],
)
def test_values_become_expressions_with_a_type(written: str, expr: dict[str, Any], port_type: str) -> None:
    task = _task(SHELLS + f"      x: {written}\n", "b")
    assert task.with_ == {"x": expr}
    assert task.inputs == [{"name": "x", "type": port_type, "required": True}]


def test_an_edge_is_one_though_data_and_order_both_ask_for_it() -> None:
    spec = _spec(SHELLS + '      x: "${{ tasks.a.outputs.n }}"\n    needs: [a]\n')
    assert _edges(spec) == [("a", "b", "success", True)]


@pytest.mark.parametrize("rule", ["success", "failure", "always"])
def test_needs_may_change_the_rule(rule: str) -> None:
    spec = _spec(SHELLS + f"      x: 1\n    needs: [{{task: a, on: {rule}}}]\n")
    assert _edges(spec) == [("a", "b", rule, False)]


def test_an_integer_fits_a_number_and_an_unknown_output_fits_everything() -> None:
    text = HEAD + (
        "tasks:\n"
        "  a: {kind: python, source: 'def f() -> int: return 1'}\n"
        "  b: {kind: python, source: 'def f(): ...'}\n"
        "  c:\n"
        "    kind: python\n"
        "    source: |\n"
        "      import pyarrow\n"
        "      def f(x: float, t: pyarrow.Table, y: float = 0.5): ...\n"
        '    with: {x: "${{ tasks.a.outputs.result }}", t: "${{ tasks.b.outputs.result }}"}\n'
    )
    assert validate(text, context()).problems == []


def test_null_is_a_value_for_an_optional_input_only() -> None:
    text = (
        HEAD + "tasks:\n  a:\n    kind: python\n    source: 'def f(x: int{}): ...'\n    with: {{x: null}}\n"
    )
    assert validate(text.format(" | None = None"), context()).ok
    assert _only(validate(text.format(""), context())).code == "wrong-value-type"


def test_an_input_with_choices_takes_only_these() -> None:
    text = HEAD + (
        "tasks:\n"
        "  a:\n"
        "    kind: python\n"
        "    source: |\n"
        "      from typing import Literal\n"
        "      def f(size: Literal['small', 'large']): ...\n"
        "    with: {size: SIZE}\n"
    )
    assert validate(text.replace("SIZE", "large"), context()).ok
    problem = _only(validate(text.replace("SIZE", "smal"), context()))
    assert (problem.code, problem.path) == ("unknown-value", "tasks.a.with.size")
    assert "small and large, not 'smal'. Did you mean 'small'?" in problem.message


def test_a_block_with_keyword_arguments_takes_any_input() -> None:
    text = HEAD + "tasks:\n  a: {kind: python, source: 'def f(**more): ...', with: {x: 1, y: [2]}}\n"
    assert [port["name"] for port in _task(text, "a").inputs] == ["x", "y"]


def test_a_task_name_with_a_dash_can_stand_in_a_condition() -> None:
    text = HEAD + (
        "tasks:\n  train-all: {kind: shell, run: x, outputs: {n: integer}}\n"
        "  b: {kind: shell, run: x, when: tasks.train-all.outputs.n > 1}\n"
    )
    assert _edges(_spec(text)) == [("train-all", "b", "success", True)]


# --- kinds ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "rule",
    [
        {"rows": {"min": 1}},
        {"rows": {"min": 1, "max": 5}, "title": "Enough rows"},
        {"column": "a", "between": [0, 9.5]},
        {"column": "a", "between": ["2026-01-01", None]},
        {"column": "a", "nulls": {"max": 0}},
        {"column": "a", "nulls": {"share": 0.01}},
        {"column": "a", "unique": True},
        {"column": "a", "in": ["x", 1, True]},
        {"column": "a", "pattern": "[a-z]+"},
    ],
)
def test_each_form_of_a_check_is_taken(rule: dict[str, Any]) -> None:
    text = HEAD + (
        "tasks:\n  a: {kind: shell, run: x, outputs: {t: table}}\n"
        "  b:\n    kind: check\n    with: {table: '${{ tasks.a.outputs.t }}'}\n"
        f"    checks: [{json.dumps(rule)}]\n"
    )
    task = _task(text, "b")
    assert task.config == {"checks": [rule], "on_failure": "block"}
    assert task.outputs == [{"name": "report", "type": "json"}]


def test_a_model_is_registered_and_its_version_deployed() -> None:
    graph = Graph.from_json(_spec(DOCUMENT))
    assert graph.by_key["register"].outputs == [{"name": "version", "type": "json"}]
    assert graph.by_key["deploy"].outputs == [{"name": "address", "type": "string"}]
    direct = DEPLOYING.replace("live", "digits-prod")
    assert validate(direct, context()).ok


def test_a_model_name_may_be_a_parameter() -> None:
    text = HEAD + (
        "parameters: {name: {type: string}}\n"
        "tasks:\n  a: {kind: shell, run: x, outputs: {m: model}}\n"
        "  b: {kind: register, with: {model: '${{ tasks.a.outputs.m }}', name: '${{ params.name }}'}}\n"
    )
    assert validate(text, context()).ok


# --- scopes -----------------------------------------------------------------------------------------

GROUPS = (
    HEAD
    + """\
parameters: {rate: {type: number, default: 1}}
tasks:
  load: {kind: shell, run: x, outputs: {t: table}}
  outer:
    kind: group
    with: {table: "${{ tasks.load.outputs.t }}", rate: "${{ params.rate }}", text: "r=${{ params.rate }}"}
    tasks:
      first: {kind: shell, run: x, with: {t: "${{ inputs.table }}"}, outputs: {n: integer}}
      inner:
        kind: group
        with: {n: "${{ tasks.first.outputs.n }}", again: "${{ inputs.text }}!"}
        tasks:
          deep:
            kind: shell
            run: x
            when: inputs.n > 1 && params.rate > 0
            with: {n: "${{ inputs.n }}", t: "${{ inputs.again }}"}
            outputs: {m: model}
        outputs: {model: "${{ tasks.deep.outputs.m }}", n: "${{ inputs.n }}"}
    outputs: {model: "${{ tasks.inner.outputs.model }}", n: "${{ tasks.inner.outputs.n }}"}
  after:
    kind: shell
    run: x
    with: {m: "${{ tasks.outer.outputs.model }}", n: "${{ tasks.outer.outputs.n }}"}
"""
)


def test_references_through_groups_become_those_of_whole_paths() -> None:
    graph = Graph.from_json(_spec(GROUPS))
    model = {"ref": "tasks", "task": "outer/inner/deep", "output": "m"}
    number = {"ref": "tasks", "task": "outer/first", "output": "n"}
    text = {"cat": [{"lit": "r="}, {"ref": "params.rate"}]}
    assert graph.by_key["after"].with_ == {"m": model, "n": number}
    assert graph.by_key["outer/first"].with_ == {"t": {"ref": "tasks", "task": "load", "output": "t"}}
    assert graph.by_key["outer/inner/deep"].with_ == {"n": number, "t": {"cat": [text, {"lit": "!"}]}}
    assert graph.by_key["outer"].config == {"outputs": {"model": model, "n": number}}


def test_types_pass_through_groups() -> None:
    graph = Graph.from_json(_spec(GROUPS))
    outputs = [{"name": "model", "type": "model"}, {"name": "n", "type": "integer"}]
    assert graph.by_key["outer"].outputs == outputs
    assert [port["type"] for port in graph.by_key["outer"].inputs] == ["table", "number", "string"]
    assert [port["type"] for port in graph.by_key["after"].inputs] == ["model", "integer"]


def test_a_condition_inside_a_group_uses_its_inputs() -> None:
    when = Graph.from_json(_spec(GROUPS)).by_key["outer/inner/deep"].when
    assert when is not None
    assert when["refs"] == {
        "inputs.n": {"ref": "tasks", "task": "outer/first", "output": "n"},
        "params.rate": {"ref": "params.rate"},
    }


def test_edges_join_siblings_only() -> None:
    assert _edges(_spec(GROUPS)) == [
        ("load", "outer", "success", True),
        ("outer", "after", "success", True),
        ("outer/first", "outer/inner", "success", True),
    ]


def test_tasks_know_their_scope() -> None:
    parents = {task.key: task.parent for task in Graph.from_json(_spec(GROUPS)).tasks}
    assert parents["load"] is None
    assert parents["outer/inner/deep"] == "outer/inner"
    assert list(parents) == ["load", "outer", "outer/first", "outer/inner", "outer/inner/deep", "after"]


def test_a_group_may_use_the_names_of_its_outside() -> None:
    text = HEAD + "tasks:\n  a:\n    kind: group\n    tasks:\n      a: {kind: shell, run: x}\n"
    assert [task["key"] for task in _spec(text)["tasks"]] == ["a", "a/a"]


def test_a_secret_passes_through_a_group_whole_only() -> None:
    text = HEAD + (
        "tasks:\n  g:\n    kind: group\n    with: {{s: '${{{{ secrets.database }}}}'}}\n"
        "    tasks:\n      a: {{kind: shell, run: x, with: {{s: {}}}}}\n"
    )
    spec = _spec(text.format("'${{ inputs.s }}'"))
    assert spec["tasks"][1]["with"] == {"s": {"ref": "secrets.database"}}
    assert _only(validate(text.format("'x${{ inputs.s }}'"), context())).code == "secret-not-whole"
    assert _only(validate(text.format("['${{ inputs.s }}']"), context())).code == "secret-not-whole"


def test_scopes_inside_each_other_are_limited() -> None:
    def nested(levels: int) -> str:
        if levels == 0:
            return "{a: {kind: shell, run: x}}"
        return f"{{g: {{kind: group, tasks: {nested(levels - 1)}}}}}"

    assert validate(HEAD + f"tasks: {nested(MAX_SCOPE_DEPTH - 1)}\n", context()).ok
    assert _only(validate(HEAD + f"tasks: {nested(MAX_SCOPE_DEPTH)}\n", context())).code == "too-deep"


def test_texts_that_grow_through_groups_are_stopped_before_they_fill_the_memory() -> None:
    many = "${{ inputs.x }}" * 60
    inner = f"{{a: {{kind: shell, run: x, with: {{x: '{many}'}}}}}}"
    for _ in range(MAX_SCOPE_DEPTH - 1):
        inner = f"{{g: {{kind: group, with: {{x: '{many}'}}, tasks: {inner}}}}}"
    text = HEAD + "tasks: " + inner.replace(many, "start", 1) + "\n"
    assert _only(validate(text, context())).code == "spec-too-large"


def test_a_cycle_through_two_groups_is_named_at_their_level() -> None:
    text = HEAD + (
        "tasks:\n"
        "  a: {kind: group, with: {x: '${{ tasks.b.outputs.y }}'}, tasks: {t: {kind: shell, run: x}},"
        " outputs: {y: '${{ inputs.x }}'}}\n"
        "  b: {kind: group, with: {x: '${{ tasks.a.outputs.y }}'}, tasks: {t: {kind: shell, run: x}},"
        " outputs: {y: '${{ inputs.x }}'}}\n"
    )
    [cycle] = [problem for problem in validate(text, context()).problems if problem.code == "cycle"]
    assert "a → b → a" in cycle.message


# --- how problems are told --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text, nearest",
    [
        ("tasks:\n  a: {kind: sehll, run: x}\n", "shell"),
        ("tasks:\n  a: {kind: shell, run: x, qeue: cpu}\n", "queue"),
        ("tasks:\n  a: {kind: shell, run: x, queue: gpuu}\n", "gpu"),
        ("tasks:\n  train: {kind: shell, run: x}\n  b: {kind: shell, run: x, needs: [trian]}\n", "train"),
        (
            "tasks:\n  a: {kind: shell, run: x, outputs: {model: model}}\n"
            "  b: {kind: shell, run: x, with: {m: '${{ tasks.a.outputs.modle }}'}}\n",
            "model",
        ),
        (
            "parameters: {rate: {type: number}}\n"
            "tasks:\n  b: {kind: shell, run: x, with: {m: '${{ params.rat }}'}}\n",
            "rate",
        ),
        ("code: {location: demo}\ntasks:\n  a: {kind: python, run: 'digits:ingset'}\n", "digits:ingest"),
        ("tasks:\n  a: {kind: approval, by: [alcie]}\n", "alice"),
    ],
)
def test_the_nearest_known_name_is_offered(text: str, nearest: str) -> None:
    problem = _only(validate(HEAD + text, context()))
    assert f"Did you mean '{nearest}'?" in problem.message
    assert problem.params["nearest"] == nearest


def test_one_broken_task_does_not_make_others_look_broken() -> None:
    text = HEAD + (
        "tasks:\n"
        "  a: {kind: shel, run: x, outputs: {n: integer}}\n"
        "  b: {kind: shell, run: x, outputs: [n]}\n"
        "  c: {kind: shell, run: x, needs: [a], with: {x: '${{ tasks.a.outputs.n }}',"
        " y: '${{ tasks.b.outputs.n }}'}}\n"
    )
    assert [(p.code, p.line) for p in validate(text, context()).problems] == [
        ("unknown-kind", 4),
        ("wrong-type", 5),
    ]


def test_one_bad_parameter_leaves_the_others_and_its_own_name_known() -> None:
    text = HEAD + (
        "parameters:\n  x: {type: flaot}\n  y: {type: number}\n"
        "tasks:\n  a: {kind: shell, run: x, with: {x: '${{ params.x }}', y: '${{ params.y }}'}}\n"
    )
    assert _only(validate(text, context())).code == "unknown-type"


def test_a_document_with_problems_can_still_be_drawn() -> None:
    text = (
        HEAD
        + "tasks:\n  a: {kind: shell, run: x, queue: nowhere}\n  b: {kind: shell, run: x, needs: [a, z]}\n"
    )
    result = validate(text, context())
    assert not result.ok
    assert result.graph is not None
    assert [task.key for task in result.graph.tasks] == ["a", "b"]
    assert [(edge.up, edge.down) for edge in result.graph.edges] == [("a", "b")]


def test_problems_are_sorted_by_line_and_limited() -> None:
    text = HEAD + "tasks:\n" + "".join(f"  t{n}: {{kind: shell, run: x, foo: 1}}\n" for n in range(1_500))
    problems = validate(text, context()).problems
    lines = [problem.line for problem in problems]
    assert lines == sorted(lines)
    assert len(problems) == MAX_PROBLEMS + 1
    assert problems[-1].code == "too-many-problems"
    assert problems[-1].params == {"more": 500}


def test_a_syntax_error_in_inline_code_is_told_on_its_line_and_column() -> None:
    text = HEAD + "tasks:\n  a:\n    kind: python\n    source: |\n      x = 1\n      y = = 2\n"
    problem = _only(validate(text, context()))
    assert (problem.code, problem.line, problem.column) == ("bad-source", 8, 11)


@pytest.mark.parametrize(
    "source, line, column",
    [
        ("|\n      x = 1\n      y = = 2\n", 8, 11),
        ("|\n        x = 1\n        y = = 2\n", 8, 13),
        ("| # what it does\n\n     x = 1\n     y = = 2\n", 9, 10),
        ("|2\n      if True:\n        y = = 2\n", 8, 13),
        ("|-\r\n      x = 1\r\n      y = = 2\r\n", 8, 11),
        ("|+\n      é = 1\n\n      y = = 2\n\n", 9, 11),
        ('"x = 1\\ny = = 2"\n', 6, 13),
    ],
)
def test_the_place_of_an_error_in_inline_code_is_exact_however_the_text_is_written(
    source: str, line: int, column: int
) -> None:
    text = HEAD + f"tasks:\n  a:\n    kind: python\n    source: {source}"
    problem = _only(validate(text, context()))
    assert (problem.line, problem.column) == (line, column)
    assert problem.params["source_column"] in (5, 7)


def test_inline_code_that_cannot_be_a_block_is_told_at_its_def() -> None:
    text = HEAD + "tasks:\n  a:\n    kind: python\n    source: |\n      x = 1\n\n      async def go(): ...\n"
    problem = _only(validate(text, context()))
    assert (problem.code, problem.line, problem.column) == ("unusable-block", 9, 7)
    assert problem.params == {"source_line": 3, "source_column": 1}


def test_problems_of_text_and_of_meaning_come_together() -> None:
    text = HEAD + "tasks:\n  a: &x {kind: shell, run: x, queue: nowhere}\n"
    assert [problem.code for problem in validate(text, context()).problems] == ["anchor", "unknown-queue"]


def test_overlap_and_priority_are_carried_out_as_they_are_written() -> None:
    asking = HEAD + "overlap: skip\npriority: high\ntasks:\n  a: {kind: shell, run: x}\n"
    assert validate(asking, context()).problems == []
    spec = _spec(asking)
    assert (spec["overlap"], spec["priority"]) == ("skip", "high")


def test_runs_of_a_document_that_says_nothing_of_it_go_side_by_side() -> None:
    assert _spec(HEAD + "tasks:\n  a: {kind: shell, run: x}\n")["overlap"] is None


# --- what the context knows -------------------------------------------------------------------------

DEPLOYING = HEAD + (
    "tasks:\n  a: {kind: shell, run: x, outputs: {m: model}}\n"
    "  b: {kind: deploy, with: {model: '${{ tasks.a.outputs.m }}', endpoint: live}}\n"
)


def test_production_wants_purpose_owner_deputy_and_runbook() -> None:
    problem = _only(validate(DEPLOYING, context()))
    assert problem.params["missing"] == ["purpose", "deputy", "runbook"]
    fields = {"owner": "alice", "deputy": "bob", "purpose": "", "runbook": "Call Bob."}
    known = replace(context(), pipeline_fields=fields)
    assert validate(DEPLOYING + "purpose: Reads forms.\n", known).ok


def test_the_document_carries_the_name_of_its_pipeline() -> None:
    text = HEAD + "tasks:\n  a: {kind: shell, run: x}\n"
    assert validate(text, Context(pipeline_name="sample")).ok
    assert _only(validate(text, Context(pipeline_name="other"))).code == "other-name"


def test_without_a_cpu_queue_a_task_must_name_one() -> None:
    text = HEAD + "tasks:\n  a: {kind: shell, run: x}\n"
    assert _only(validate(text, Context(queues={"big": ""}))).code == "unknown-queue"
    assert validate(text.replace("run: x", "run: x, queue: big"), Context(queues={"big": ""})).ok


def test_units_of_pools_are_kept_with_the_version_and_defaults_are_added() -> None:
    text = HEAD + (
        "defaults: {resources: {gpu: 1, slots: {licence: 2, seat: 1}}}\n"
        "tasks:\n  a: {kind: shell, run: x, resources: {gpu: 2, slots: {licence: 1}}}\n"
    )
    graph = validate(text, context()).graph
    assert graph is not None
    assert graph.tasks[0].resources == {"memory": None, "gpu": 2, "slots": {"licence": 1, "seat": 1}}
    bare = validate(HEAD + "tasks:\n  a: {kind: shell, run: x}\n", context()).graph
    assert bare is not None
    assert bare.tasks[0].resources == {"memory": None, "gpu": 0}


@pytest.mark.parametrize(
    "asked, words",
    [
        ("gpu: 1", ""),
        ("slots: {licence: 3}", ""),
        ("gpu: 3", "asks for 3 GPUs, and no machine has more than 2"),
        ("slots: {licence: 4}", "asks for 4 of 'licence', and the pool has 3"),
        ("slots: {seat: 1}", "There is no pool 'seat': the task waits until a site admin makes one"),
    ],
)
def test_what_there_are_too_few_of_is_a_warning(asked: str, words: str) -> None:
    text = HEAD + f"tasks:\n  a:\n    kind: shell\n    run: x\n    resources:\n      {asked}\n"
    result = validate(text, replace(context(), slots={"gpu": 2, "licence": 3}))
    assert result.ok
    assert [(p.code, p.line) for p in result.problems] == ([("too-few-slots", 8)] if words else [])
    assert all(words in problem.message for problem in result.problems)


def test_that_nobody_has_registered_a_gpu_is_a_warning() -> None:
    text = HEAD + "defaults: {resources: {gpu: 1}}\ntasks:\n  a: {kind: shell, run: x}\n"
    problem = _only(validate(text, replace(context(), slots={})))
    assert (problem.severity, problem.path) == ("warning", "defaults.resources.gpu")
    assert "No worker has registered a GPU" in problem.message


def test_that_a_lock_file_is_not_used_in_containers_is_said_before() -> None:
    text = HEAD + (
        "code: {location: demo}\ndefaults: {queue: boxed}\ntasks:\n"
        "  a: {kind: python, run: 'digits:ingest'}\n  b: {kind: shell, run: x, queue: cpu}\n"
    )
    boxed = replace(context(), queues={"boxed": "registry.example.org/team/image:1", "cpu": ""})
    result = validate(text, boxed)
    assert result.ok
    (warning,) = result.problems
    assert (warning.code, warning.severity, warning.path) == ("lock-not-used", "warning", "code.location")
    assert "'boxed' carries a out in the image registry.example.org/team/image:1" in warning.message
    assert "the lock file of 'demo' is not used there" in warning.message
    free = replace(boxed, queues={"boxed": "", "cpu": ""})
    assert validate(text, free).problems == []
    (demo,) = [seen for name, seen in (context().locations or {}).items() if name == "demo"]
    assert validate(text, replace(boxed, locations={"demo": replace(demo, lock=None)})).problems == []


# --- speed ------------------------------------------------------------------------------------------


def _large(tasks: int) -> str:
    lines = [HEAD, "code: {location: demo}", "parameters: {rate: {type: number, default: 0.1}}", "tasks:"]
    lines.append("  ingest: {kind: python, run: 'digits:ingest'}")
    for number in range(tasks):
        up = f"t{number - 1}" if number else "ingest"
        lines += [
            f"  t{number}:",
            "    kind: python",
            "    run: digits:train",
            "    queue: gpu",
            f"    needs: [{up}]",
            "    retries: {limit: 2}",
            "    with:",
            '      table: "${{ tasks.ingest.outputs.table }}"',
            '      learning_rate: "${{ params.rate }}"',
        ]
    return "\n".join(lines)


@pytest.mark.parametrize("tasks, seconds", [(1_000, 0.15), (5_000, 1.0)])
def test_large_documents_are_judged_quickly(tasks: int, seconds: float) -> None:
    """Processor time, the best of five, with a margin of two for slow machines."""
    text = _large(tasks)
    validate(_large(1), context())
    taken = []
    for _ in range(5):
        begin = time.process_time()
        result = validate(text, context())
        taken.append(time.process_time() - begin)
        assert result.problems == []
        if taken[-1] <= seconds:
            break
    assert min(taken) <= 2 * seconds
