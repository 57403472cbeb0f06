"""A code location's folder as an unchangeable, content-addressed snapshot, and back. No ORM, no settings."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pipelines import python_versions
from pipelines.store import Store, StoreError, walk

MAX_FILES = 20_000
MAX_BYTES = 256 * 1024 * 1024
MAX_FILE_BYTES = 64 * 1024 * 1024

# Never part of a snapshot: histories, caches, environments, and files that commonly hold secrets.
EXCLUDED_NAMES = frozenset(
    {
        ".git", ".hg", ".svn", "__pycache__", ".venv", "venv", "node_modules", ".tox", ".nox", ".DS_Store",
        ".mypy_cache", ".pytest_cache", ".ruff_cache", ".ipynb_checkpoints", ".env", ".idea", ".vscode",
    }
)  # fmt: skip
EXCLUDED_SUFFIXES = (".pyc", ".pyo", ".egg-info", ".swp", "~")


class TooLarge(StoreError):
    """The folder is more than a snapshot holds; the message names what is too much and the way out."""


@dataclass(frozen=True)
class Snapshot:
    """What was seen in a folder. `size`: bytes. `lock_sha256`: of the lock file's bytes, or "".

    `python`: the versions it wants, as `python_versions.wanted` says.
    """

    tree_sha256: str
    file_count: int
    size: int
    lock_sha256: str = ""
    python: str = ""


def kept(path: str) -> bool:
    """Does this relative path (a folder's ends with a slash) belong to a snapshot?"""
    name = path.rstrip("/").rsplit("/", 1)[-1]
    return name not in EXCLUDED_NAMES and not name.endswith(EXCLUDED_SUFFIXES)


def take(store: Store, folder: Path, lock_file: str = "") -> Snapshot:
    """Store the folder as it is now. `lock_file`: its path inside the folder, "" without one.

    Raises TooLarge, StoreError (links that leave the folder, a lock file that is not there), OSError.
    """
    check_size(folder)
    lock_sha256 = ""
    if lock_file:
        lock_sha256 = hashlib.sha256(read_lock(folder, lock_file)).hexdigest()
    stored = store.put_folder(folder, kept)
    python = python_versions.wanted(folder, lock_file)
    return Snapshot(stored.sha256, stored.files, stored.size, lock_sha256, python)


def kept_path(path: str) -> bool:
    """Does a file belong to a snapshot, by its own name and those of all folders above it?"""
    *folders, _ = path.split("/")
    above = ("/".join(folders[: count + 1]) + "/" for count in range(len(folders)))
    return kept(path) and all(kept(folder) for folder in above)


def check_size(folder: Path) -> None:
    """Raises TooLarge before anything is copied."""
    refuse_large(((name, path.lstat().st_size) for name, path in walk(folder, kept)), str(folder))


def refuse_large(files: Iterable[tuple[str, int]], whole: str) -> None:
    """Raises TooLarge for names and sizes (bytes) that no snapshot holds; ``whole``: what they are of."""
    count = size = 0
    for name, length in files:
        count, size = count + 1, size + length
        if length > MAX_FILE_BYTES:
            raise TooLarge(
                f"{name} has {megabytes(length)}, a file of a snapshot at most {megabytes(MAX_FILE_BYTES)}: "
                "keep data and models outside the code location and read them in a task"
            )
        if count > MAX_FILES or size > MAX_BYTES:
            raise TooLarge(
                f"{whole} has more than {MAX_FILES:,} files or {megabytes(MAX_BYTES)}: "
                "register the folder that holds the code only"
            )


def read_lock(folder: Path, lock_file: str) -> bytes:
    """The bytes of a lock file inside the folder. Raises StoreError."""
    path = folder / lock_file
    if not path.resolve().is_relative_to(folder.resolve()):
        raise StoreError(f"the lock file {lock_file} is outside the code location")
    try:
        return path.read_bytes()
    except OSError as problem:
        raise StoreError(f"the lock file {lock_file} cannot be read: {problem.strerror}") from None


def materialise(store: Store, tree_sha256: str, into: Path) -> Path:
    """The snapshot as a read-only folder `into/<digest>`; made once. Raises StoreError, OSError."""
    return store.check_out(tree_sha256, into)


def preload_modules(folder: Path) -> list[str] | None:
    """What zygotes import once: `[tool.orchestrator] preload = ["sklearn", …]` of the pyproject.toml.

    None when it does not say. Raises StoreError when the file cannot be understood.
    """
    path = folder / "pyproject.toml"
    if not path.is_file():
        return None
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise StoreError(f"pyproject.toml of the code location cannot be read: {problem}") from None
    for name in ("tool", "orchestrator"):
        table = table.get(name, {})
        if not isinstance(table, dict):
            raise StoreError(
                f"{name} in pyproject.toml must be a table, which may hold a list of module names"
            )
    names = table.get("preload")
    if names is None:
        return None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise StoreError("[tool.orchestrator] preload of pyproject.toml must be a list of module names")
    return names


def megabytes(size: int) -> str:
    return f"{size / 1024**2:,.0f} MiB"
