"""A program in another interpreter that carries out shapes: a line of JSON in, a line of JSON out."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.benchmarks.shapes import Performance, Shape
from tests.benchmarks.stamps import Stamps, Wrong

PROGRAMS = Path(__file__).parent / "programs"
TASK_CODE = Path(__file__).parents[1] / "task_code"


class Driver:
    """`command` is started in `folder`, which keeps its log and the stamps of its tasks."""

    def __init__(self, command: list[str], environment: Mapping[str, str], folder: Path) -> None:
        self.folder = folder
        self.log = folder / "driver.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                env={**environment, "PYTHONPATH": str(TASK_CODE)},
                cwd=folder,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                bufsize=1,
            )

    def carry_out(self, shape: Shape, notes: str) -> Performance:
        """Raises Wrong when the program says that it could not, or ends."""
        stamps = Stamps.new(self.folder, shape.name)
        steps = [[step.name, list(step.needs)] for step in shape.steps]
        told = self._ask({"steps": steps, "kind": shape.kind, "stamps": str(stamps.path)})
        stamps.wait("end", len(shape.steps), 5)
        return Performance(told["called"], told["finished"], stamps, notes=notes)

    def _ask(self, question: Any) -> dict[str, float]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.write(json.dumps(question) + "\n")
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise Wrong(f"its program ended: {self.log.read_text(errors='replace')[-1000:]}")
        told: dict[str, Any] = json.loads(line)
        if "error" in told:
            raise Wrong(told["error"])
        return told

    def stop(self) -> None:
        """Its own children end with it."""
        self.process.kill()
        self.process.wait()
