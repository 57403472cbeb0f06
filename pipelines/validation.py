"""Every reason to refuse a document, at once, and the graph it describes. Pure.

result = validate(text, context)
result.problems   sorted by line; errors and warnings
result.graph      as far as the document can be drawn; None when its tasks cannot be read
result.spec       the canonical JSON of a version; None when there is an error
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from pipelines.context import CodeSeen, Context
from pipelines.document import Node, parse
from pipelines.flow import Flow, Value, trace
from pipelines.graph import DEFAULT_QUEUE, DEFAULT_RETRIES, EdgeSpec, Graph, TaskSpec
from pipelines.parameters import declaration_problem
from pipelines.ports import SECRET
from pipelines.problems import Place, Problem, Problems, listed
from pipelines.resources import check_slots, kept
from pipelines.scopes import Scope, every, link, read_scope
from pipelines.shape import check_head
from pipelines.task_kinds.base import Desk, Draft, place
from pipelines.triggers import check_triggers
from pipelines.units import duration_seconds

__all__ = ["CodeSeen", "Context", "Problem", "Result", "validate"]


@dataclass(slots=True)
class Result:
    """What came of a validation."""

    problems: list[Problem] = field(default_factory=list)
    graph: Graph | None = None
    spec: dict[str, Any] | None = None

    @property
    def ok(self) -> bool:
        """May it be published? Warnings do not forbid it."""
        return self.spec is not None


def validate(text: str | bytes, context: Context | None = None) -> Result:
    """Judge a document. Never raises, whatever the text is."""
    document = parse(text)
    problems = Problems()
    for problem in document.problems:
        problems.add(problem)
    root = document.root
    if root is None:
        return Result(problems.sorted())
    if not isinstance(root.value, dict):
        message = "A document is a mapping: begin with `schema: orchestrator/v1`, a name and tasks."
        problems.error("wrong-type", root, "", message)
        return Result(problems.sorted())
    return _judge(root, problems, context or Context.empty())


def _judge(root: Node, problems: Problems, context: Context) -> Result:
    head = check_head(root, problems)
    desk = _desk(root, head, problems, context)
    _check_head_meaning(root, head, desk)
    graph = None
    if "tasks" in head:
        scope = read_scope(root.value["tasks"], "tasks", None, 1, desk)
        link(scope, None, problems)
        flow = trace(scope, desk, _parameter_names(root))
        graph = _graph(root, head, scope, flow, desk)
    found = _without_consequences(problems.sorted())
    spec = graph.to_json() if graph is not None and not problems.has_errors else None
    return Result(found, graph, spec)


# Values that the parser refused and replaced, and what can follow from the replacement in the same line.
_REPLACED: Final = frozenset({"alias", "number-not-finite", "number-too-large"})
_CONSEQUENCES: Final = frozenset(
    {"wrong-type", "out-of-range", "bad-name", "wrong-value-type", "unknown-value", "bad-parameter"}
)


def _without_consequences(problems: list[Problem]) -> list[Problem]:
    """Without those that only follow from what the parser already refused in that line."""
    lines = {problem.line for problem in problems if problem.code in _REPLACED}
    return [problem for problem in problems if problem.code not in _CONSEQUENCES or problem.line not in lines]


def _parameter_names(root: Node) -> dict[str, Node]:
    node = root.get("parameters")
    return node.value if node is not None and isinstance(node.value, dict) else {}


# --- the head ---------------------------------------------------------------------------------------


def _desk(root: Node, head: dict[str, Any], problems: Problems, context: Context) -> Desk:
    code = head.get("code")
    location = code["location"] if code is not None else None
    code_is_broken = location is None and "code" in root.value
    return Desk(
        context=context,
        problems=problems,
        parameters=head.get("parameters", {}),
        # "" is no location: it keeps tasks from saying that the document has no code.
        location="" if code_is_broken else location,
        blocks=context.blocks(location) if location else None,
        purpose=head.get("purpose", ""),
    )


def _check_head_meaning(root: Node, head: dict[str, Any], desk: Desk) -> None:
    _check_name(root, head, desk)
    _check_parameters(root, head, desk.problems)
    check_triggers(head.get("triggers", {}), root, desk.problems)
    _check_code(root, desk)
    _check_work(root, ("defaults",), head.get("defaults", {}), "defaults", desk, {})
    if head.get("triggers"):
        _not_carried_out(desk.problems, root.key_at("triggers"), "triggers", "triggers")


def _not_carried_out(problems: Problems, at: Any, path: str, what: str) -> None:
    message = f"`{what}` is kept with the document, but nothing carries it out yet."
    problems.warning("not-carried-out", at, path, message, key=what)


def _check_name(root: Node, head: dict[str, Any], desk: Desk) -> None:
    wanted = desk.context.pipeline_name
    if wanted is not None and "name" in head and head["name"] != wanted:
        message = f"The document is named '{head['name']}', and the pipeline '{wanted}': make them the same."
        desk.problems.error("other-name", root.value["name"], "name", message, wanted=wanted)


def _check_parameters(root: Node, head: dict[str, Any], problems: Problems) -> None:
    for name, spec in head.get("parameters", {}).items():
        fault = declaration_problem(spec)
        if fault is not None:
            key, sentence = fault
            at = place(root, ("parameters", name, key), root)
            message = f"The parameter '{name}' {sentence}."
            problems.error("bad-parameter", at, f"parameters.{name}.{key}", message, name=name)


def _check_code(root: Node, desk: Desk) -> None:
    location, locations = desk.location, desk.context.locations
    if not location or locations is None:
        return
    at = place(root, ("code", "location"), root)
    if location not in locations:
        known = f"The team has {listed(locations)}." if locations else "Register it first."
        hint, params = desk.problems.hint(location, locations, known)
        message = f"There is no code location '{location}'.{hint}"
        desk.problems.error("unknown-location", at, "code.location", message, **params)
    elif locations[location].snapshot is None:
        message = f"The code location '{location}' was never synced: sync it first."
        desk.problems.error("code-not-synced", at, "code.location", message)
    else:
        _check_environment(locations[location], location, at, desk.problems)


def _check_environment(seen: CodeSeen, location: str, at: Place, problems: Problems) -> None:
    """What keeps its tasks from running now; a warning, as it may be mended without another version."""
    found = seen.environment
    if found is not None and found["state"] == "failed":
        message = f"The environment of '{location}' could not be built: {found['problem']}."
        problems.warning(
            found["problem_code"],
            at,
            "code.location",
            message,
            location=location,
            environment=str(found["id"]),
        )


def _check_images(root: Node, tasks: list[TaskSpec], desk: Desk) -> None:
    """A container brings its own packages: a warning, as those of the image may do."""
    location, queues = desk.location, desk.context.queues or {}
    seen = (desk.context.locations or {}).get(location or "")
    if seen is None or not seen.lock:
        return
    inside: dict[str, list[str]] = {}
    for task in tasks:
        if task.kind not in ("check", "deploy") and queues.get(task.queue):
            inside.setdefault(task.queue, []).append(task.key)
    for queue, keys in inside.items():
        message = (
            f"The queue '{queue}' carries {listed(keys, 5)} out in the image {queues[queue]}, which has "
            f"its own packages: the lock file of '{location}' is not used there."
        )
        at = place(root, ("code", "location"), root)
        params = {"location": str(location), "queue": queue, "image": queues[queue]}
        desk.problems.warning("lock-not-used", at, "code.location", message, **params)


# --- what tasks of a worker and the defaults share --------------------------------------------------


def _check_work(
    root: Node,
    keys: tuple[str, ...],
    work: dict[str, Any],
    path: str,
    desk: Desk,
    inherited: dict[str, Any],
) -> None:
    """queue, timeout, retries and resources below a mapping; `inherited` are the retries of `defaults`."""
    problems = desk.problems
    queue = work.get("queue")
    queues = desk.context.queues
    if queue is not None and queues is not None and queue not in queues:
        hint, params = problems.hint(queue, queues, f"There are {listed(sorted(queues))}.")
        message = f"There is no queue '{queue}'.{hint}"
        problems.error(
            "unknown-queue", place(root, (*keys, "queue"), root), f"{path}.queue", message, **params
        )
    if "timeout" in work and duration_seconds(work["timeout"]) <= 0:
        message = "A timeout of 0 would stop the task at once: write a longer one, or leave it out."
        problems.error("out-of-range", place(root, (*keys, "timeout"), root), f"{path}.timeout", message)
    check_slots(root, (*keys, "resources"), work.get("resources", {}), f"{path}.resources", desk)
    if "retries" in work:
        _check_retries(root, keys, work["retries"], inherited, path, problems)


def _check_retries(
    root: Node,
    keys: tuple[str, ...],
    retries: dict[str, Any],
    inherited: dict[str, Any],
    path: str,
    problems: Problems,
) -> None:
    merged = _retries(inherited, retries)
    if merged["cap"] < merged["base"] and {"cap", "base"} & retries.keys():
        key = "cap" if "cap" in retries else "base"
        message = (
            f"The longest delay (cap, {merged['cap']:g} s) is below the first one "
            f"(base, {merged['base']:g} s): raise `cap`."
        )
        at = place(root, (*keys, "retries", key), root)
        problems.error("empty-range", at, f"{path}.retries.{key}", message)


def _retries(defaults: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Every key, delays in seconds; the task's own win, then those of `defaults`."""
    merged = {**DEFAULT_RETRIES, **defaults, **own}
    seconds = {key: _seconds(merged[key]) for key in ("base", "cap")}
    return {
        **merged,
        **seconds,
        "limit": int(merged["limit"]),
        "factor": float(merged["factor"]),
        "on": list(merged["on"]),
    }


def _seconds(value: str | float) -> float:
    return duration_seconds(value) if isinstance(value, str) else value


# --- the graph --------------------------------------------------------------------------------------


def _graph(root: Node, head: dict[str, Any], scope: Scope, flow: Flow, desk: Desk) -> Graph:
    defaults = head.get("defaults", {})
    tasks = []
    for _, draft in every(scope):
        _check_task(draft, defaults, desk)
        tasks.append(_task(draft, defaults, flow))
    _check_images(root, tasks, desk)
    return Graph(
        name=head.get("name", ""),
        title=head.get("title", ""),
        description=head.get("description", ""),
        purpose=head.get("purpose", ""),
        parameters=head.get("parameters", {}),
        triggers=head.get("triggers", {}),
        overlap=head.get("overlap"),
        priority=head.get("priority", "normal"),
        code=_code(head, desk.context),
        tasks=tasks,
        edges=_edges(scope),
    )


def _code(head: dict[str, Any], context: Context) -> dict[str, Any] | None:
    code = head.get("code")
    if code is None:
        return None
    seen = context.code(code["location"]) or {"snapshot": None, "lock": None}
    return {"location": code["location"], "follow": code.get("follow", "published"), **seen}


def _edges(scope: Scope) -> list[EdgeSpec]:
    edges = [
        EdgeSpec(scope.drafts[edge.up].key, scope.drafts[edge.down].key, edge.rule, edge.data)
        for edge in scope.edges.values()
    ]
    for inner in scope.inner.values():
        edges += _edges(inner)
    return edges


def _check_task(draft: Draft, defaults: dict[str, Any], desk: Desk) -> None:
    if draft.kind.worked:
        _check_work(draft.node, (), draft.raw, draft.path, desk, defaults.get("retries", {}))
        queue = draft.raw.get("queue") or defaults.get("queue")
        queues = desk.context.queues
        if queue is None and queues is not None and DEFAULT_QUEUE not in queues:
            message = f"'{draft.name}' names no queue, and there is no queue '{DEFAULT_QUEUE}': add `queue`."
            desk.problems.error("unknown-queue", draft.at, draft.path, message)


def _task(draft: Draft, defaults: dict[str, Any], flow: Flow) -> TaskSpec:
    raw = draft.raw
    values = flow.with_.get(draft.key, {})
    spec = TaskSpec(
        key=draft.key,
        name=draft.name,
        kind=draft.kind.name,
        parent=draft.key.rpartition("/")[0] or None,
        title=raw.get("title", ""),
        description=raw.get("description", ""),
        when=flow.when.get(draft.key),
        with_={name: value.expr for name, value in values.items()},
        inputs=_inputs(draft, values),
        outputs=[{"name": port.name, "type": port.type} for port in draft.ports.outputs.values()],
        config=draft.kind.config(draft),
    )
    if draft.key in flow.outputs or draft.kind.name == "group":
        outputs = flow.outputs.get(draft.key, {})
        spec.config["outputs"] = {name: value.expr for name, value in outputs.items()}
    _set_work(spec, draft, defaults)
    return spec


def _inputs(draft: Draft, values: dict[str, Value]) -> list[dict[str, Any]]:
    """The inputs of the signature, then those given beyond it."""
    inputs = [
        {"name": port.name, "type": port.type, "required": port.required}
        for port in draft.ports.inputs.values()
    ]
    for name, value in values.items():
        if name not in draft.ports.inputs:
            kind = "string" if value.type == SECRET else value.type
            inputs.append({"name": name, "type": kind, "required": True})
    return inputs


def _set_work(spec: TaskSpec, draft: Draft, defaults: dict[str, Any]) -> None:
    """queue, timeout, retries, resources, start: the task's own, then the document's defaults."""
    if not draft.kind.worked:
        spec.queue = ""
        return
    raw = draft.raw
    spec.queue = raw.get("queue") or defaults.get("queue") or DEFAULT_QUEUE
    timeout = raw.get("timeout") or defaults.get("timeout")
    spec.timeout = None if timeout is None else duration_seconds(timeout)
    spec.retries = _retries(defaults.get("retries", {}), raw.get("retries", {}))
    spec.resources = kept(defaults.get("resources", {}), raw.get("resources", {}))
    spec.start = raw.get("start") or defaults.get("start") or "warm"
