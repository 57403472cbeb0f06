"""The store: bytes in, the same bytes out, known by their digest."""

from __future__ import annotations

import hashlib
import os
import stat
import threading
from pathlib import Path

import pytest

from pipelines.store import Damaged, NotStored, Store, StoreError, Unstorable


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def make_folder(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_a_file_is_known_by_the_digest_of_its_bytes(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "data.bin"
    path.write_bytes(b"hello")
    stored = store.put_file(path)
    assert stored.sha256 == hashlib.sha256(b"hello").hexdigest()
    assert stored.size == 5
    assert stored.address.startswith("file:///")
    assert store.read(stored.sha256) == b"hello"


def test_equal_bytes_are_kept_once(store: Store) -> None:
    first, second = store.put_bytes(b"same"), store.put_bytes(b"same")
    assert first == second
    assert len([path for path in (store.root / "sha256").rglob("*") if path.is_file()]) == 1


def test_contents_are_private_and_read_only(store: Store) -> None:
    path = store.local_path(store.put_bytes(b"x").sha256)
    assert stat.S_IMODE(path.stat().st_mode) == 0o400
    assert stat.S_IMODE(store.root.stat().st_mode) & 0o077 == 0


def test_no_half_written_file_is_left_behind(store: Store, tmp_path: Path) -> None:
    class Breaks:
        def read(self, _size: int) -> bytes:
            raise OSError("the disk went away")

    with pytest.raises(OSError, match="went away"):
        store.put_stream(Breaks())  # type: ignore[arg-type]
    assert list((store.root / "tmp").iterdir()) == []


def test_bytes_that_are_not_there_are_named(store: Store) -> None:
    with pytest.raises(NotStored, match="no bytes with the digest 0000"):
        store.open("0" * 64)


@pytest.mark.parametrize("name", ["../../etc/passwd", "ABC", "0" * 63, "0" * 64 + "/x"])
def test_only_a_digest_is_a_name(store: Store, name: str) -> None:
    with pytest.raises(StoreError, match="is not a sha256 digest"):
        store.has(name)


def test_damaged_bytes_are_found_on_a_verified_read(store: Store) -> None:
    stored = store.put_bytes(b"good")
    path = store.local_path(stored.sha256)
    path.chmod(0o600)
    path.write_bytes(b"evil")
    with pytest.raises(Damaged):
        store.open(stored.sha256, verify=True)


def test_many_writers_of_the_same_bytes_do_not_meet(store: Store) -> None:
    digests = set()
    threads = [
        threading.Thread(target=lambda: digests.add(store.put_bytes(b"x" * 99999).sha256)) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(digests) == 1
    store.verify(digests.pop())


def test_a_folder_comes_back_as_it_was(store: Store, tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "in", {"a.txt": "A", "deep/er/b.txt": "B", "run.sh": "#!/bin/sh\n"})
    (folder / "run.sh").chmod(0o755)
    (folder / "current").symlink_to("deep/er")
    stored = store.put_folder(folder)
    back = store.local_folder(stored.sha256)
    assert (back / "deep/er/b.txt").read_text() == "B"
    assert (back / "current" / "b.txt").read_text() == "B"
    assert os.access(back / "run.sh", os.X_OK)
    assert store.put_folder(back).sha256 == stored.sha256


def test_the_digest_of_a_folder_depends_on_names_and_bytes_only(store: Store, tmp_path: Path) -> None:
    one = make_folder(tmp_path / "one", {"a": "1", "b": "2"})
    two = make_folder(tmp_path / "two", {"b": "2", "a": "1"})
    other = make_folder(tmp_path / "other", {"a": "1", "c": "2"})
    os.utime(two / "a", (1, 1))
    assert store.put_folder(one) == store.put_folder(two)
    assert store.put_folder(one).sha256 != store.put_folder(other).sha256


@pytest.mark.parametrize("target", ["../outside", "/etc/passwd", "a/../../outside"])
def test_a_link_that_leaves_the_folder_is_refused(store: Store, tmp_path: Path, target: str) -> None:
    folder = make_folder(tmp_path / "in", {"a/b.txt": "B"})
    (folder / "link").symlink_to(target)
    with pytest.raises(Unstorable, match="leads out of the folder"):
        store.put_folder(folder)


def test_a_pipe_in_a_folder_is_refused(store: Store, tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "in", {"a": ""})
    os.mkfifo(folder / "pipe")
    with pytest.raises(Unstorable, match="pipe is neither"):
        store.put_folder(folder)


@pytest.mark.parametrize(
    "manifest", [b'[{"path":"../x","sha256":"%s","size":1}]', b'[{"path":"/x","sha256":"%s","size":1}]']
)
def test_a_manifest_cannot_write_outside_its_folder(store: Store, tmp_path: Path, manifest: bytes) -> None:
    digest = store.put_bytes(b"x").sha256
    evil = store.put_bytes(manifest % digest.encode())
    with pytest.raises(Damaged, match="not a path inside"):
        store.local_folder(evil.sha256)
    assert list((store.root / "folders").iterdir()) == []


def test_an_address_that_is_not_local_is_refused_in_words() -> None:
    with pytest.raises(StoreError, match="not local"):
        Store("s3://bucket/prefix")
