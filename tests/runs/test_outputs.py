"""What an attempt made, on its way into the store: what a task says of its bytes is not what they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipelines.store import Store
from runs.worker import outputs
from runs.worker.serializers import FOLDER


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def kept(store: Store, path: Path, kind: str, media_type: str) -> dict[str, Any]:
    output = {"name": "x", "type": kind, "path": str(path), "media_type": media_type}
    return outputs.store_all(store, [output], [{"name": "x", "type": kind}])[0]


def test_a_folder_is_kept_as_a_folder_whatever_the_task_calls_it(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "weights").write_bytes(b"w")
    row = kept(store, folder, "model", "application/octet-stream")
    assert row["media_type"] == FOLDER, "else nobody knows that its files are in use"


def test_a_file_is_no_folder_whatever_the_task_calls_it(store: Store, tmp_path: Path) -> None:
    secret = store.put_bytes(b"of another team").sha256
    manifest = tmp_path / "manifest"
    manifest.write_text(json.dumps([{"path": "stolen", "sha256": secret, "size": 1}]))
    row = kept(store, manifest, "file", FOLDER)
    assert row["media_type"] == "application/octet-stream"


@pytest.mark.parametrize("kind, other", [("folder", "file"), ("file", "folder")])
def test_a_file_in_the_place_of_a_folder_is_refused_and_the_other_way_round(
    store: Store, tmp_path: Path, kind: str, other: str
) -> None:
    path = tmp_path / "x"
    path.mkdir() if other == "folder" else path.write_text("[]")
    with pytest.raises(outputs.BadOutput, match=f"the output x is declared as {kind} and is a {other}"):
        kept(store, path, kind, FOLDER)
