"""The virtual environments of the peers: made when a peer is first measured, kept in the user's cache."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from uv import find_uv_bin

from tests.benchmarks.stamps import Wrong

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
PATIENCE = 900.0  # seconds for one installation


def home() -> Path:
    """Where they lie: BENCH_PEERS, else a folder in the user's cache."""
    known = os.environ.get("BENCH_PEERS")
    return Path(known) if known else Path.home() / ".cache" / "orchestrator-bench"


def programs(peer: str, *packages: str, any_version: str = "") -> Path:
    """The folder with the programs of `peer`. Raises Wrong when it cannot be installed here.

    `any_version`: a package of which it takes whatever version there is, whatever it asks for.
    """
    folder = home() / f"{peer}-{PYTHON}"
    if not (folder / "complete").exists():
        _install(folder, packages, any_version)
    return folder / "bin"


def _install(folder: Path, packages: tuple[str, ...], any_version: str) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    overrides = folder.with_suffix(".overrides")
    overrides.write_text(f"{any_version}\n")
    uv = find_uv_bin()
    print(f"-- installing {' '.join(packages)}", flush=True)
    for command in (
        [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)],
        [
            uv,
            "pip",
            "install",
            "--quiet",
            "--compile-bytecode",
            "--python",
            str(folder),
            "--overrides",
            str(overrides),
            *packages,
        ],
    ):
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            raise Wrong(f"it was not installed within {PATIENCE:g} s") from None
        if done.returncode:
            raise Wrong(f"it cannot be installed here: {done.stderr.strip()[-500:]}")
    (folder / "complete").touch()


def version(programs: Path, package: str) -> str:
    """The version of a package in such an environment."""
    code = f"from importlib.metadata import version; print(version({package!r}))"
    found = subprocess.run(
        [programs / "python", "-c", code], check=True, capture_output=True, text=True, timeout=60
    )
    return found.stdout.strip()
