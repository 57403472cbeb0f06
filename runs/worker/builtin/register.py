"""register: sees that the model is there; its number in the registry is given when the attempt is settled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from orchestrator_task import Invalid


def run(model: Path, name: str, metrics: dict[str, Any] | None = None, **_: Any) -> dict[str, Any]:
    """{"version": {"name", "metrics"}}; the model itself passes through by its digest. Raises Invalid."""
    size = measure(model)
    if size == 0:
        raise Invalid(f"the model to register as {name} is empty")
    print(f"registering {name}, {size:,} bytes")
    for key, value in sorted((metrics or {}).items()):
        if isinstance(value, (int, float)):
            print(f"  {key} {value}")
    return {"version": {"name": name, "metrics": metrics or {}}}


def measure(model: Path) -> int:
    """Bytes of a file, or of all files in a folder."""
    if model.is_dir():
        return sum(path.stat().st_size for path in model.rglob("*") if path.is_file())
    return model.stat().st_size
