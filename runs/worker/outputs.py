"""What an attempt made, on its way into the store: looked at first, as a task may have left anything."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pipelines.store import Store, Unstorable
from runs.worker.serializers import FOLDER

Json = dict[str, Any]

INLINE_LIMIT: Final = 64 * 1024  # bytes of JSON that an output may have as a value
FILES_LIMIT: Final = 50_000  # files and folders of one output
DEPTH_LIMIT: Final = 100  # folders inside each other
BINARY: Final = "application/octet-stream"


class BadOutput(Exception):
    """An output cannot be kept, through no fault but the task's; the text says which and why."""


def store_all(store: Store, outputs: Sequence[Json], declared: Sequence[Json]) -> list[Json]:
    """The outputs as rows of AttemptOutput, their bytes stored. Raises BadOutput, StoreError, OSError."""
    _compare(outputs, {port["name"]: port["type"] for port in declared})
    return [_stored(store, output) for output in outputs]


def _compare(outputs: Sequence[Json], declared: Mapping[str, str]) -> None:
    """Raises BadOutput unless these are the outputs that the document declares."""
    named = {output["name"]: output["type"] for output in outputs}
    if missing := declared.keys() - named.keys():
        raise BadOutput(f"the output {min(missing)} was not told")
    for name, kind in named.items():
        if name not in declared:
            raise BadOutput(f"there is an output {name!r} that the document does not declare")
        if declared[name] not in ("any", kind):
            raise BadOutput(f"output {name} is declared as {declared[name]} and came as {kind!r}")


def _stored(store: Store, output: Json) -> Json:
    """Small values inline, everything else as bytes in the store."""
    name, path = output["name"], output.get("path")
    row: Json = {"name": name, "position": 0, "type": output["type"], "meta": output.get("meta") or {}}
    if path is None:
        if len(json.dumps(output.get("value"))) > INLINE_LIMIT + 2:
            limit = INLINE_LIMIT // 1024
            raise BadOutput(f"the value of output {name} is larger than {limit} KiB of JSON")
        return {**row, "value": output.get("value")}
    look_at(name, path)
    is_folder = os.path.isdir(path)
    _compare_with_bytes(output, is_folder)
    try:
        kept = store.put_folder(path) if is_folder else store.put_file(path)
    except Unstorable as problem:
        raise BadOutput(f"the output {name} cannot be kept: {problem}") from None
    return {
        **row,
        "sha256": kept.sha256,
        "size": kept.size,
        "address": kept.address,
        "media_type": _media_type(output.get("media_type"), is_folder),
    }


def _compare_with_bytes(output: Json, is_folder: bool) -> None:
    """Raises BadOutput for a file in the place of a folder, and the other way round."""
    found = "folder" if is_folder else "file"
    if output["type"] in ("folder", "file") and output["type"] != found:
        raise BadOutput(f"the output {output['name']} is declared as {output['type']} and is a {found}")


def _media_type(said: str | None, is_folder: bool) -> str:
    """What the task says, but for folders: by that type alone others know that bytes name further bytes.

    A file that passed for a manifest would give out, and keep, whatever digests a task has written into it.
    """
    if is_folder:
        return FOLDER
    return BINARY if said in (None, "", FOLDER) else said


def look_at(name: str, path: str) -> None:
    """Raises BadOutput unless `path` is a file or folder that can be read to its end; OSError if gone."""
    mode = os.lstat(path).st_mode
    if stat.S_ISDIR(mode):
        _count(name, path)
    elif not stat.S_ISREG(mode):
        raise BadOutput(f"the output {name} is {_kind(mode)}: it has no bytes that could be kept")


def _count(name: str, folder: str) -> None:
    """Raises BadOutput when a folder has too much in it; what stands in it, the store judges."""
    found, waiting = 0, [(folder, 1)]
    while waiting:
        path, depth = waiting.pop()
        if depth > DEPTH_LIMIT:
            raise BadOutput(f"the output {name} has more than {DEPTH_LIMIT} folders inside each other")
        with os.scandir(path) as entries:
            for entry in entries:
                found += 1
                if entry.is_dir(follow_symlinks=False):
                    waiting.append((entry.path, depth + 1))
        if found > FILES_LIMIT:
            words = f"more than {FILES_LIMIT:,} files: put them into one archive"
            raise BadOutput(f"the output {name} has {words}")


def _kind(mode: int) -> str:
    kinds = {stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket", stat.S_IFLNK: "a link"}
    return kinds.get(stat.S_IFMT(mode), "a device")
