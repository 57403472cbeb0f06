"""Which folders of an ended attempt the next one may have: those that are as empty and closed as new ones."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import LazySettings

from runs.worker import folders
from runs.worker.folders import Janitor
from tests.servers import wait_until

UID = 64_321


@pytest.fixture
def janitor(tmp_path: Path, settings: LazySettings) -> Iterator[Janitor]:
    settings.ORCHESTRATOR = {**settings.ORCHESTRATOR, "HOME": tmp_path}
    found = Janitor()
    yield found
    found.close()


def made(janitor: Janitor, uid: int | None = None) -> Path:
    folder = folders.of_attempt(str(uuid.uuid4()), uid)
    janitor.make(folder, uid)
    return folder


def seen_to(janitor: Janitor, folder: Path, uid: int | None = None) -> None:
    """The attempt has ended, and its folder is kept or gone."""
    janitor.remove(folder, uid)
    janitor.look()
    wait_until(lambda: bool(janitor._kept.get(uid)) or not folder.exists(), "folders were seen to")


def number(folder: Path) -> int:
    return folder.stat().st_ino


def test_the_next_attempt_gets_what_the_last_one_left_untouched(janitor: Janitor) -> None:
    first = made(janitor)
    before, temporary = number(first), number(folders.temporary(first))
    seen_to(janitor, first)
    second = made(janitor)
    assert (number(second), number(folders.temporary(second))) == (before, temporary)
    assert os.listdir(second) == ["outputs"]
    assert not first.exists()
    assert not folders.temporary(first).exists()


def exchange(folder: Path) -> None:
    """A link to somewhere else in the place of a folder."""
    folder.rmdir()
    folder.symlink_to("/")


TOUCHED: dict[str, Callable[[Path], object]] = {
    "a file": lambda folder: (folder / "left").write_text("x"),
    "an output": lambda folder: (folder / "outputs" / "left").write_text("x"),
    "a temporary file": lambda folder: (folders.temporary(folder) / "left").write_text("x"),
    "rights": lambda folder: (folder / "outputs").chmod(0o777),
    "an attribute": lambda folder: os.setxattr(folder, "user.left", b"x"),
    "a removed folder": lambda folder: (folder / "outputs").rmdir(),
    "a link": lambda folder: exchange(folder / "outputs"),
}


@pytest.mark.parametrize("touch", TOUCHED.values(), ids=TOUCHED.keys())
def test_nothing_that_an_attempt_has_changed_reaches_the_next_one(
    janitor: Janitor, touch: Callable[[Path], object]
) -> None:
    first = made(janitor)
    touch(first)
    seen_to(janitor, first)
    assert not first.exists()
    assert not folders.temporary(first).exists()
    second = made(janitor)
    assert folders.is_as_made(second, os.geteuid())


def test_folders_go_with_their_worker(janitor: Janitor) -> None:
    seen_to(janitor, made(janitor))
    janitor.close()
    assert list(folders.left()) == []


def test_a_kept_folder_that_somebody_removed_is_made_anew(janitor: Janitor) -> None:
    first = made(janitor)
    seen_to(janitor, first)
    (kept,) = folders.left()
    folders.temporary(kept).rmdir()
    second = made(janitor)
    assert folders.is_as_made(second, os.geteuid())


def test_what_is_kept_bears_the_name_of_no_attempt_and_a_worker_that_starts_removes_it(
    janitor: Janitor,
) -> None:
    first = made(janitor)
    seen_to(janitor, first)
    (kept,) = folders.left()
    assert (kept.name, first.exists()) == (f"{first.name}.kept", False)
    folders.remove_left(kept)
    assert list(folders.left()) == []
    assert not folders.temporary(kept).exists()


def test_what_an_attempt_has_got_meanwhile_is_left_alone(
    janitor: Janitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen_to(janitor, made(janitor))
    (kept,) = folders.left()
    got: list[Path] = []
    rename = os.rename

    def late(source: Path, target: Path) -> None:
        if not got:
            got.append(target)
            got[0] = made(janitor)
        rename(source, target)

    monkeypatch.setattr(os, "rename", late)
    folders.remove_left(kept)
    assert folders.is_as_made(got[0], os.geteuid())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives folders to others")
def test_a_folder_stays_with_its_user(janitor: Janitor) -> None:
    first = made(janitor, UID)
    before = number(first)
    seen_to(janitor, first, UID)
    other = made(janitor, UID + 1)
    assert number(other) != before
    assert (other.stat().st_uid, other.stat().st_mode & 0o777) == (UID + 1, 0o700)
    again = made(janitor, UID)
    assert (number(again), again.stat().st_uid) == (before, UID)
