"""Folders as manifests: which files a folder holds, by path and digest, and what may not stand in one."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from pipelines.store.errors import Damaged, Unstorable


def keep_all(_path: str) -> bool:
    return True


@dataclass(frozen=True)
class Entry:
    """One line of a manifest. `path` is relative, with slashes; `link` is the target of a symbolic link."""

    path: str
    sha256: str = ""
    size: int = 0
    executable: bool = False
    link: str | None = None

    def to_json(self) -> dict[str, Any]:
        if self.link is not None:
            return {"link": self.link, "path": self.path}
        entry: dict[str, Any] = {"path": self.path, "sha256": self.sha256, "size": self.size}
        return {"executable": True, **entry} if self.executable else entry

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Entry:
        """Raises ValueError, TypeError or KeyError for what is no line of a manifest."""
        entry = cls(
            data["path"],
            data.get("sha256", ""),
            data.get("size", 0),
            data.get("executable", False),
            data.get("link"),
        )
        names = [entry.path, entry.sha256, "" if entry.link is None else entry.link]
        if not all(isinstance(name, str) and "\0" not in name for name in names):
            raise TypeError("a path, a digest or a link is not a name")
        if not isinstance(entry.size, int) or not isinstance(entry.executable, bool):
            raise TypeError(
                "a size is not a number of bytes, or it is not said whether a file can be executed"
            )
        return entry


def walk(folder: Path, keep: Callable[[str], bool] = keep_all) -> Iterator[tuple[str, Path]]:
    """Files and links below a folder as (relative name, path), sorted by name. Raises Unstorable."""
    if not folder.is_dir():
        raise Unstorable(f"{folder} is not a folder")
    found = sorted(_walk(folder, "", keep))
    yield from found


def _walk(folder: Path, prefix: str, keep: Callable[[str], bool]) -> Iterator[tuple[str, Path]]:
    for entry in os.scandir(folder):
        name = prefix + entry.name
        try:
            name.encode("utf-8")
        except UnicodeEncodeError:
            raise Unstorable(f"the name {name!r} is not UTF-8: rename it") from None
        if entry.is_symlink() or entry.is_file(follow_symlinks=False):
            if keep(name):
                yield name, Path(entry.path)
        elif entry.is_dir(follow_symlinks=False):
            if keep(name + "/"):
                yield from _walk(Path(entry.path), name + "/", keep)
        elif keep(name):
            raise Unstorable(f"{name} is neither a file nor a folder")


def checked_link(root: Path, name: str, link: Path) -> str:
    """The target of a link that stays inside the folder. Raises Unstorable."""
    target = os.readlink(link)
    checked_target(name, target)
    if not link.resolve().is_relative_to(root.resolve()):
        raise Unstorable(f"the link {name} leads out of the folder, to {target}: put a copy in its place")
    return target


def checked_target(name: str, target: str) -> None:
    """Raises Unstorable unless `target`, seen from where the link lies, stays inside the folder."""
    inside = os.path.normpath(os.path.join(os.path.dirname(name), target))
    if os.path.isabs(target) or inside == ".." or inside.startswith("../"):
        raise Unstorable(f"the link {name} leads out of the folder, to {target}: put a copy in its place")


def checked_name(name: str) -> str:
    """A relative path of a manifest that stays inside. Raises Damaged."""
    path = PurePosixPath(name)
    if path.is_absolute() or not path.parts or ".." in path.parts:
        raise Damaged(f"a manifest names {name!r}, which is not a path inside a folder")
    return name


def manifest_text(entries: list[Entry]) -> bytes:
    """The canonical JSON of a manifest."""
    lines = [entry.to_json() for entry in sorted(entries, key=lambda entry: entry.path)]
    return json.dumps(lines, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def entries_of(sha256: str, text: bytes) -> list[Entry]:
    """The entries of a manifest's text. Raises Damaged when it is none."""
    try:
        return [Entry.from_json(entry) for entry in json.loads(text)]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as problem:
        raise Damaged(f"{sha256} is not the manifest of a folder: {problem}") from None
