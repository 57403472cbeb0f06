"""A program called nvidia-smi, for machines without a GPU: it answers from a file, as the real one would."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

# By way of sh: what follows #! may have 127 characters, and the path of this Python may have more.
PROGRAM = """#!/bin/sh
''''exec '{python}' -S "$0" "$@" #'''
import sys
from pathlib import Path

rows = [line.split(", ") for line in Path({table!r}).read_text().splitlines()]
if rows and rows[0] == ["broken"]:
    print("Unable to determine the device handle for GPU0: Unknown Error")
    sys.exit(15)
asked = next(word for word in sys.argv if word.startswith("--query-gpu=")).removeprefix("--query-gpu=")
known = ("index", "uuid", "name", "memory.total", "mig.mode.current", "driver_version")
for row in rows:
    found = dict(zip(known, row))
    print(", ".join(found.get(name, "[N/A]") for name in asked.split(",")))
"""


class NvidiaSmi:
    """The program and what it lists. ``folder`` is what goes on the path."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._table = folder / "gpus.csv"
        program = folder / "nvidia-smi"
        program.write_text(PROGRAM.format(python=sys.executable, table=str(self._table)))
        folder.chmod(0o755)
        program.chmod(0o755)
        self.lists(0)

    def lists(self, count: int, mig: tuple[int, ...] = ()) -> None:
        """So many GPUs, those in ``mig`` cut into instances."""
        lines = [
            f"{n}, GPU-{n:08d}, NVIDIA H100 80GB HBM3, 81559, {'Enabled' if n in mig else 'Disabled'}, 550.54"
            for n in range(count)
        ]
        self._table.write_text("\n".join(lines))

    def breaks(self) -> None:
        self._table.write_text("broken")

    @property
    def path(self) -> str:
        return f"{self.folder}{os.pathsep}{os.environ['PATH']}"

    def install(self, monkeypatch: pytest.MonkeyPatch) -> NvidiaSmi:
        """Found by this process and its children."""
        monkeypatch.setenv("PATH", self.path)
        return self
