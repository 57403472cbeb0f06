"""A look into the bytes of an artifact, small enough for a page. Nothing is run and no pickle is opened."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

from lineage import arrays, pictures, tables
from lineage.models import Artifact
from pipelines.store import Damaged, Entry, Store
from runs.worker.serializers import FOLDER

Preview = dict[str, Any]

TEXT: Final = 64 * 1024  # bytes
ENTRIES: Final = 200
MANIFEST: Final = 32 * 1024 * 1024  # bytes of the list of a folder's files
FETCHED: Final = 256 * 1024 * 1024  # bytes that are brought here from a remote store for a look
TABLE_SUFFIXES: Final = {".csv", ".tsv"}
TABLE_TYPES: Final = {"text/csv", "text/tab-separated-values"}
NO_PROFILE: Final = {"kind": "none", "reason": "Only tables have a profile."}


@dataclass(frozen=True)
class Part:
    """Bytes to look at: those of an artifact, or of one file in a folder. `size`: bytes."""

    kind: str
    name: str
    sha256: str
    size: int
    media_type: str = ""

    @property
    def is_folder(self) -> bool:
        """Whether the digest is that of a manifest; a model may be a folder too."""
        return self.kind == "folder" or self.media_type == FOLDER


def whole(artifact: Artifact) -> Part:
    """All of an artifact, under the name of the file that the task wrote, if it had one."""
    content = artifact.content
    name = str(artifact.metadata.get("filename") or "")
    return Part(artifact.kind, name, content.sha256, content.size, content.media_type)


def file_in(artifact: Artifact, path: str, store: Store) -> Part | None:
    """One file of a folder; None when there is none of this path. Raises StoreError, tables.Unreadable."""
    folder = whole(artifact)
    if not folder.is_folder:
        return None
    found = next((entry for entry in entries(folder, store) if entry.path == path), None)
    if found is None or found.link is not None:
        return None
    return Part("file", PurePosixPath(path).name, found.sha256, found.size)


def preview(part: Part, store: Store) -> Preview:
    """{"kind": json | text | table | array | image | folder | model | none, …}.

    "truncated": a part is left out. table: "format" and what `table_reader.first_rows` says. array: what
    `arrays.look` says. image: "media_type", "width", "height". folder: "entries", "count". none, model:
    "reason" in words. Raises StoreError when the bytes are gone, tables.Busy.
    """
    try:
        return {"truncated": False, **LOOKS[form_of(part, store)](part, store)}
    except (tables.Unreadable, Damaged) as problem:
        return none(str(problem))


def value(text: str) -> Preview:
    """The preview of a small value, kept as its JSON."""
    return {"kind": "json", "value": json.loads(text), "truncated": False}


def none(reason: str) -> Preview:
    return {"kind": "none", "reason": reason, "truncated": False}


def profile(part: Part, store: Store) -> dict[str, Any]:
    """{"kind": "table", …} as `table_reader.profile` says, or {"kind": "none", "reason"}.

    Raises StoreError when the bytes are gone, tables.Busy.
    """
    form = form_of(part, store)
    if form not in ("parquet", "csv"):
        return NO_PROFILE
    try:
        return {"kind": "table", **tables.profile(at_hand(part, store), form)}
    except tables.Unreadable as problem:
        return {"kind": "none", "reason": str(problem)}


def picture_of(part: Part, store: Store) -> pictures.Picture | None:
    """The picture these bytes are, if it is one that a page may show."""
    with store.open(part.sha256) as file:
        found = pictures.recognise(file)
    fits = found is not None and part.size <= pictures.LARGEST
    return found if found and fits and found.width * found.height <= pictures.MOST_PIXELS else None


def form_of(part: Part, store: Store) -> str:
    """How these bytes are looked at. Told by the type of the artifact, or else by the bytes themselves."""
    if part.kind == "model":
        return "model"
    if part.is_folder:
        return "folder"
    if part.kind in TYPED:
        return TYPED[part.kind]
    with store.open(part.sha256) as file:
        head = file.read(len(arrays.MAGIC))
        file.seek(0)
        if pictures.recognise(file) is not None:
            return "image"
    if head.startswith(b"PAR1"):
        return "parquet"
    if head == arrays.MAGIC:
        return "array"
    separated = PurePosixPath(part.name).suffix.lower() in TABLE_SUFFIXES or part.media_type in TABLE_TYPES
    return "csv" if separated else "text"


TYPED: Final = {"table": "parquet", "array": "array"}


def at_hand(part: Part, store: Store) -> Path:
    """A path with all the bytes. Raises StoreError, and Unreadable when fetching them takes too long."""
    if store.remote and part.size > FETCHED:
        raise tables.Unreadable(
            f"It has more than {FETCHED // 1024**2} MiB, too many to fetch for a look. Download it."
        )
    return store.local_path(part.sha256)


# --- One look for each form ---------------------------------------------------------------


def _parquet(part: Part, store: Store) -> Preview:
    found = tables.first_rows(at_hand(part, store), "parquet")
    return {"kind": "table", "format": "parquet", **found}


def _csv(part: Part, store: Store) -> Preview:
    """A table where it reads as one, else the text that it is."""
    try:
        found = tables.first_rows(at_hand(part, store), "csv")
    except tables.Unreadable:
        return _text(part, store)
    return {"kind": "table", "format": "csv", **found}


def _text(part: Part, store: Store) -> Preview:
    with store.open(part.sha256) as file:
        data = file.read(TEXT + 4)
    try:
        text = data[:TEXT].decode("utf-8")
    except UnicodeDecodeError as problem:
        # At the cut a letter may be in two.
        if len(data) <= TEXT or problem.start < TEXT - 4:
            return none("These bytes are no text. Download them to look inside.")
        text = data[: problem.start].decode("utf-8")
    if "\x00" in text:
        return none("These bytes are no text. Download them to look inside.")
    return {"kind": "text", "text": text, "truncated": len(data) > TEXT}


def _image(part: Part, store: Store) -> Preview:
    found = picture_of(part, store)
    if found is None:
        return none("This picture is too large to be shown here. Download it to look at it.")
    return {"kind": "image", "media_type": found.media_type, "width": found.width, "height": found.height}


def _array(part: Part, store: Store) -> Preview:
    with store.open(part.sha256) as file:
        try:
            found = arrays.look(file, part.size)
        except arrays.NoArray as problem:
            return none(str(problem))
    shown = sum(map(len, found["values"] or []))
    count = 1
    for size in found["shape"]:
        count *= size
    return {"kind": "array", **found, "truncated": shown < count}


def _model(part: Part, store: Store) -> Preview:
    return {
        "kind": "model",
        "reason": "A model is opened by tasks only, never here: opening one runs its code.",
    }


def _folder(part: Part, store: Store) -> Preview:
    found = entries(part, store)
    return {
        "kind": "folder",
        "entries": [entry_body(entry) for entry in found[:ENTRIES]],
        "count": len(found),
        "truncated": len(found) > ENTRIES,
    }


def entries(folder: Part, store: Store) -> list[Entry]:
    """The files of a folder by path. Raises StoreError, and Unreadable when the list alone is huge."""
    if store.size(folder.sha256) > MANIFEST:
        raise tables.Unreadable("The list of its files is too long to be shown here. Download it.")
    try:
        return store.manifest(folder.sha256)
    except (RecursionError, AttributeError) as problem:
        raise Damaged("It is not the manifest of a folder.") from problem


def entry_body(entry: Entry) -> dict[str, Any]:
    return {"path": entry.path, "size": entry.size, "sha256": entry.sha256 or None, "link": entry.link}


LOOKS: Final[dict[str, Callable[[Part, Store], Preview]]] = {
    "parquet": _parquet,
    "csv": _csv,
    "text": _text,
    "image": _image,
    "array": _array,
    "model": _model,
    "folder": _folder,
}
