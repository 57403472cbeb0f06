"""Are the bytes of a result there? Asked of the store, and believed for a while."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.store import Store
from runs.models import AttemptOutput
from runs.reuse import stored
from runs.worker.serializers import FOLDER


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a file, a link to it, and a file that none else is equal to."""
    made = tmp_path / "folder"
    made.mkdir()
    (made / "a").write_text("a")
    (made / "link").symlink_to("a")
    (made / "b").write_text("b")
    return made


@pytest.mark.parametrize("rehash", [False, True])
def test_a_folder_with_a_link_in_it_can_be_taken_over(tmp_path: Path, folder: Path, rehash: bool) -> None:
    store = Store(tmp_path / "store")
    output = AttemptOutput(sha256=store.put_folder(folder).sha256, media_type=FOLDER)
    assert stored._is_there(store, output, "key", rehash)
    store.local_path(store.put_bytes(b"b").sha256).unlink()
    assert not stored._is_there(store, output, "key", False)


def test_bytes_that_were_put_aside_come_back_for_it(tmp_path: Path, folder: Path) -> None:
    store = Store(tmp_path / "store")
    output = AttemptOutput(sha256=store.put_folder(folder).sha256, media_type=FOLDER)
    aside = [found.sha256 for found in store.listed()]
    for sha256 in aside:
        store.trash(sha256)
    assert stored._is_there(store, output, "key", False)
    assert {found.sha256 for found in store.listed()} == set(aside)


@pytest.fixture
def believed() -> Iterator[dict[int, tuple[float, bool]]]:
    before = dict(stored._there)
    yield stored._there
    stored._there.clear()
    stored._there.update(before)


def test_what_is_not_believed_any_more_is_forgotten(believed: dict[int, tuple[float, bool]]) -> None:
    now = time.monotonic()
    believed.update(dict.fromkeys(range(stored.REMEMBERED + 1), (now - 1.0, True)))
    believed[-1] = (now + 60.0, False)
    stored.ask_store({})
    assert believed == {-1: (now + 60.0, False)}
