"""Snapshots: the code of a location by content."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from pipelines import snapshots
from pipelines.store import Store, StoreError


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def code(tmp_path: Path) -> Path:
    folder = tmp_path / "code"
    (folder / "helpers").mkdir(parents=True)
    (folder / "train.py").write_text("def train(): ...\n")
    (folder / "helpers" / "io.py").write_text("")
    return folder


def test_the_same_code_gives_the_same_snapshot(store: Store, code: Path) -> None:
    first = snapshots.take(store, code)
    assert first == snapshots.take(store, code)
    assert first.file_count == 2
    (code / "train.py").write_text("def train(): return 1\n")
    assert snapshots.take(store, code).tree_sha256 != first.tree_sha256


def test_caches_histories_and_secrets_stay_outside(store: Store, code: Path) -> None:
    before = snapshots.take(store, code)
    for name in (".git/config", "__pycache__/train.cpython-311.pyc", ".venv/bin/python", ".env", "x.pyc"):
        (code / name).parent.mkdir(parents=True, exist_ok=True)
        (code / name).write_text("secret")
    assert snapshots.take(store, code) == before


def test_a_link_out_of_an_excluded_folder_does_not_matter(store: Store, code: Path) -> None:
    (code / ".venv").mkdir()
    (code / ".venv" / "python").symlink_to("/usr/bin/python3")
    assert snapshots.take(store, code).file_count == 2


def test_the_checkout_is_read_only_and_made_once(store: Store, code: Path, tmp_path: Path) -> None:
    taken = snapshots.take(store, code)
    path = snapshots.materialise(store, taken.tree_sha256, tmp_path / "checkouts")
    assert (path / "train.py").read_text() == "def train(): ...\n"
    assert (path / "train.py").stat().st_mode & 0o222 == 0
    assert snapshots.materialise(store, taken.tree_sha256, tmp_path / "checkouts") == path
    assert [entry.name for entry in (tmp_path / "checkouts").iterdir()] == [taken.tree_sha256]


def test_the_lock_file_is_named_by_its_bytes(store: Store, code: Path) -> None:
    (code / "requirements.lock").write_bytes(b"numpy==1\n")
    taken = snapshots.take(store, code, "requirements.lock")
    assert taken.lock_sha256 == hashlib.sha256(b"numpy==1\n").hexdigest()
    assert store.read(taken.lock_sha256) == b"numpy==1\n"


@pytest.mark.parametrize(
    "lock, words", [("missing.lock", "cannot be read"), ("../other.lock", "outside the code location")]
)
def test_a_lock_file_that_is_not_there_is_named(store: Store, code: Path, lock: str, words: str) -> None:
    with pytest.raises(StoreError, match=words):
        snapshots.take(store, code, lock)


def test_too_many_files_are_refused_before_anything_is_stored(
    store: Store, code: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "MAX_FILES", 1)
    with pytest.raises(snapshots.TooLarge, match="register the folder that holds the code"):
        snapshots.take(store, code)
    assert not list(store.listed())


def test_a_large_file_is_named(store: Store, code: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "MAX_FILE_BYTES", 5)
    with pytest.raises(snapshots.TooLarge, match=r"train\.py"):
        snapshots.take(store, code)


def test_modules_to_preload_are_read_from_the_project_file(code: Path) -> None:
    assert snapshots.preload_modules(code) is None
    (code / "pyproject.toml").write_text('[tool.orchestrator]\npreload = ["json"]\n')
    assert snapshots.preload_modules(code) == ["json"]
    (code / "pyproject.toml").write_text("[tool.orchestrator]\nname = 3\n")
    assert snapshots.preload_modules(code) is None


@pytest.mark.parametrize(
    "text", ["[tool.orchestrator]\npreload = 3\n", "tool = 3", "[tool]\norchestrator = []\n"]
)
def test_a_project_file_that_says_it_oddly_is_refused(code: Path, text: str) -> None:
    (code / "pyproject.toml").write_text(text)
    with pytest.raises(StoreError, match="list of module names"):
        snapshots.preload_modules(code)
