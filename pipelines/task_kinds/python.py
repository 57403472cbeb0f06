"""python: a function of the code location (`run`), or one written into the document (`source`)."""

from __future__ import annotations

from typing import Any

from pipelines.problems import At, Place, shorten
from pipelines.signatures import CodeProblem, Signature, read_source
from pipelines.task_kinds.base import VALUES, Desk, Draft, Kind, Ports, named


class Python(Kind):
    """`run: module:function` or `source: |`, `with`, `cache`. The signature gives the ports.

    Of inline code the last public function is run.
    """

    name = "python"
    label = "a python task"
    title = "Python"
    description = "Runs a function of a code location, or code written here."
    category = "Code"
    starter = {"source": "def main(text: str = 'Hello') -> str:\n    return text\n"}
    takes_secrets = True
    keys = {
        "run": {
            "type": "string",
            "pattern": r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*:[A-Za-z_][A-Za-z0-9_]*(?!\n)$",
            "x-problem": "bad-run",
            "x-says": "module:function, such as digits:train",
        },
        "source": {"type": "string", "minLength": 1, "x-lines": 12},
        "with": VALUES,
        "cache": {"type": "boolean", "default": False},
    }

    def ports(self, task: Draft, desk: Desk) -> Ports:
        if task.broken & {"run", "source"}:
            return Ports.unknown()
        if "run" in task.raw and "source" in task.raw:
            message = f"'{task.name}' has both `run` and `source`: keep one."
            desk.problems.error("run-or-source", task.place("source"), f"{task.path}.source", message)
        elif "run" in task.raw:
            return _of(self._block(task, desk), task, desk, "run")
        elif "source" in task.raw:
            return _of(self._inline(task, desk), task, desk, "source")
        else:
            message = (
                f"'{task.name}' has no code: add `run: module:function`, or `source: |` with inline code."
            )
            desk.problems.error("run-or-source", task.at, task.path, message)
        return Ports.unknown()

    def _block(self, task: Draft, desk: Desk) -> Signature | None:
        run = task.raw["run"]
        if desk.location is None:
            message = (
                f"'{run}' is looked up in a code location: add `code: {{location: NAME}}` to the document."
            )
            desk.problems.error("code-missing", task.place("run"), f"{task.path}.run", message)
            return None
        if desk.blocks is None:
            return None
        found = desk.blocks.get(run)
        if found is None:
            otherwise = "Sync it if the function is new; names with '_' in front are not blocks."
            hint, params = desk.problems.hint(run, desk.blocks, otherwise)
            message = f"The code location '{desk.location}' has no block '{shorten(run)}'.{hint}"
            desk.problems.error("unknown-block", task.place("run"), f"{task.path}.run", message, **params)
        return found

    def _inline(self, task: Draft, desk: Desk) -> Signature | None:
        read = read_source(task.raw["source"])
        if isinstance(read, Signature):
            return read
        at, params = _in_source(task, read.line, read.column)
        desk.problems.error("bad-source", at, f"{task.path}.source", _sentence(read), **params)
        return None

    def config(self, task: Draft) -> dict[str, Any]:
        key = "source" if "source" in task.raw else "run"
        asked = {"cache": True} if task.raw.get("cache") else {}
        return {key: task.raw.get(key), **asked}


def _of(signature: Signature | None, task: Draft, desk: Desk, key: str) -> Ports:
    if signature is None:
        return Ports.unknown()
    if signature.problem:
        message = f"'{signature.name}' cannot be used as a block: {signature.problem}."
        at: Place = task.place(key)
        params: dict[str, int] = {}
        if key == "source":
            at, params = _in_source(task, signature.line, 1)
        desk.problems.error("unusable-block", at, f"{task.path}.{key}", message, **params)
    return Ports(named(signature.inputs), named(signature.outputs), open_inputs=signature.open)


def _sentence(read: CodeProblem) -> str:
    return f"The code of `source` cannot be used: {read.message}."


def _in_source(task: Draft, line: int, column: int) -> tuple[Place, dict[str, int]]:
    """The place in the document of a place in inline code, and that place itself as params.

    Behind `|` the code begins on the next line; in quotes only the whole of it can be pointed at.
    """
    params = {"source_line": line, "source_column": column}
    node = task.node.get("source")
    if node is None or not node.block:
        return task.place("source"), params
    return At(node.line + line, node.block - 1 + column), params
