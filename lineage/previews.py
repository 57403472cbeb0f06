"""A look into the bytes of an artifact, small enough for a page. Nothing is run and no pickle is opened."""

from __future__ import annotations

import ast
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import structlog

from lineage.models import Artifact
from pipelines.store import Store, StoreError

log = structlog.get_logger()
Preview = dict[str, Any]

ROWS = 50
COLUMNS = 200
TEXT = 64 * 1024  # bytes
ENTRIES = 500
CELL = 500  # characters
HEADER = 64 * 1024  # bytes of the header of an array
MEMORY = "256MB"
NPY_MAGIC = b"\x93NUMPY"


class Unreadable(Exception):
    """The bytes are not what their type says; the text tells what is wrong."""


def preview(artifact: Artifact, store: Store) -> Preview:
    """{"kind": json | text | table | array | folder | none, …} and, where a part was left out, "truncated".

    table: "columns" [{"name", "type"}], "rows" [[…]], "row_count". array: "shape", "dtype". folder: "entries"
    [{"path", "size", "sha256"}]. none: "reason" in words. Raises StoreError when the bytes are gone.
    """
    content = artifact.content
    if content.inline is not None:
        return {"kind": "json", "value": json.loads(content.inline), "truncated": False}
    look = LOOKS.get(artifact.kind, _text)
    try:
        return look(store, content.sha256)
    except Unreadable as problem:
        return _none(str(problem))


def _none(reason: str) -> Preview:
    return {"kind": "none", "reason": reason, "truncated": False}


# --- Tables -------------------------------------------------------------------------------


def _table(store: Store, sha256: str) -> Preview:
    import duckdb  # heavy, and only a preview needs it

    path = store.local_path(sha256)
    with duckdb.connect(":memory:", config={"memory_limit": MEMORY, "threads": 1}) as database:
        # From here on the connection sees this one file and nothing else of the machine.
        database.execute("SET allowed_paths = [$path]".replace("$path", _quoted(path)))
        database.execute("SET enable_external_access = false")
        try:
            found = database.execute("SELECT * FROM read_parquet(?) LIMIT ?", [str(path), ROWS])
            columns = [{"name": str(column[0]), "type": str(column[1])} for column in found.description]
            rows = found.fetchall()
            count = database.execute("SELECT count(*) FROM read_parquet(?)", [str(path)]).fetchone()
        except duckdb.Error as problem:
            log.info("a table could not be read", sha256=sha256, error=str(problem))
            raise Unreadable("It is no Parquet file that can be read.") from problem
    return {
        "kind": "table",
        "columns": columns[:COLUMNS],
        "rows": [[_cell(value) for value in row[:COLUMNS]] for row in rows],
        "row_count": count[0] if count else 0,
        "truncated": bool(count and count[0] > len(rows)) or len(columns) > COLUMNS,
    }


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _cell(value: Any) -> Any:
    """A value of a table as JSON; long texts are cut."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return f"{len(value)} bytes"
    text = str(value)
    return text if len(text) <= CELL else text[:CELL] + "…"


# --- Everything else ----------------------------------------------------------------------


def _text(store: Store, sha256: str) -> Preview:
    with store.open(sha256) as file:
        data = file.read(TEXT + 4)
    try:
        text = data[:TEXT].decode("utf-8")
    except UnicodeDecodeError as problem:
        if len(data) <= TEXT or problem.start < TEXT - 4:
            return _none("These bytes are no text. Download them to look inside.")
        text = data[: problem.start].decode("utf-8")
    if "\x00" in text:
        return _none("These bytes are no text. Download them to look inside.")
    return {"kind": "text", "text": text, "truncated": len(data) > TEXT}


def _folder(store: Store, sha256: str) -> Preview:
    entries = store.manifest(sha256)
    shown = [
        {"path": entry.path, "size": entry.size, "sha256": entry.sha256 or None}
        for entry in entries[:ENTRIES]
    ]
    return {"kind": "folder", "entries": shown, "count": len(entries), "truncated": len(entries) > ENTRIES}


def _array(store: Store, sha256: str) -> Preview:
    with store.open(sha256) as file:
        header = _npy_header(file)
    return {
        "kind": "array",
        "shape": list(header["shape"]),
        "dtype": str(header["descr"]),
        "truncated": True,
    }


def _npy_header(file: BinaryIO) -> dict[str, Any]:
    """The header of a .npy file: a literal, read without importing numpy or unpickling anything."""
    start = file.read(8)
    if len(start) < 8 or not start.startswith(NPY_MAGIC):
        raise Unreadable("It is no .npy file.")
    width = 2 if start[6] == 1 else 4
    length = int.from_bytes(file.read(width), "little")
    if length > HEADER:
        raise Unreadable("The header of the array is larger than any true one.")
    try:
        header = ast.literal_eval(file.read(length).decode("utf-8"))
        return {"shape": tuple(int(size) for size in header["shape"]), "descr": header["descr"]}
    except (ValueError, SyntaxError, KeyError, TypeError, MemoryError, RecursionError) as problem:
        raise Unreadable("The header of the array cannot be read.") from problem


def _model(store: Store, sha256: str) -> Preview:
    return _none("A model is opened by tasks only, never here: opening one runs its code.")


def _image(store: Store, sha256: str) -> Preview:
    return _none("Download the picture to look at it.")


LOOKS: dict[str, Callable[[Store, str], Preview]] = {
    "table": _table,
    "array": _array,
    "model": _model,
    "image": _image,
    "folder": _folder,
}

__all__ = ["Preview", "StoreError", "Unreadable", "preview"]
