"""shell: a script. `with` values arrive as IN_<NAME>, outputs are written to $OUT/<name>."""

from __future__ import annotations

from typing import Any

from pipelines.task_kinds.base import DECLARED_OUTPUTS, VALUES, Desk, Draft, Kind, Ports, declared


class Shell(Kind):
    """`run` text, `with`, `outputs: {name: type}`. Nothing is substituted into the text."""

    name = "shell"
    label = "a shell task"
    title = "Shell script"
    description = "Runs a script; its inputs arrive as variables, its outputs are files."
    category = "Code"
    starter = {"run": 'echo "Hello"\n'}
    takes_secrets = True
    keys = {
        "run": {"type": "string", "minLength": 1, "title": "Script", "x-lines": 8},
        "with": VALUES,
        "outputs": DECLARED_OUTPUTS,
    }
    required = ("run",)

    def ports(self, task: Draft, desk: Desk) -> Ports:
        outputs = declared(task.raw.get("outputs", {}))
        return Ports(outputs=outputs, open_inputs=True, open_outputs="outputs" in task.broken)

    def check(self, task: Draft, desk: Desk) -> None:
        if "${{" in task.raw.get("run", ""):
            message = (
                "`${{ }}` is not replaced in the text of a script, so that no value can become a command: "
                'give it in `with`, such as `with: {rate: "${{ params.rate }}"}`, and use "$IN_RATE".'
            )
            desk.problems.error("reference-in-run", task.place("run"), f"{task.path}.run", message)
        seen: dict[str, str] = {}
        for name in task.raw.get("with", {}):
            other = seen.setdefault(name.upper(), name)
            if other != name:
                message = f"'{other}' and '{name}' would both arrive as IN_{name.upper()}: rename one."
                desk.problems.error(
                    "same-variable", task.place("with", name), f"{task.path}.with.{name}", message
                )

    def config(self, task: Draft) -> dict[str, Any]:
        return {"run": task.raw.get("run", "")}
