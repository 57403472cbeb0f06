"""The store, in a folder and in S3: bytes in, the same bytes out, known by their digest."""

from __future__ import annotations

import hashlib
import os
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.store import Damaged, NotStored, Store, StoreError, Unstorable
from pipelines.store.folder import FolderPlace
from pipelines.store.s3 import S3Place
from tests.s3 import BUCKET, S3Server, s3_server


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    with s3_server() as running:
        yield running


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A store of each kind, empty."""
    if request.param == "folder":
        opened = Store(tmp_path / "store")
    else:
        server: S3Server = request.getfixturevalue("server")
        opened = server.store(tmp_path / "cache", f"store-{tmp_path.name}")
    with opened:
        yield opened


def here(store: Store) -> Path:
    """The folder of this machine that the store works in."""
    place = store.place
    assert isinstance(place, FolderPlace | S3Place)
    return place.root if isinstance(place, FolderPlace) else place.cache.root


def replace(store: Store, sha256: str, data: bytes) -> None:
    """Put other bytes behind a digest, as a bad disk would."""
    place = store.place
    if isinstance(place, FolderPlace):
        path = store.local_path(sha256)
        path.chmod(0o600)
        path.write_bytes(data)
        return
    assert isinstance(place, S3Place)
    place.client.put_object(Bucket=BUCKET, Key=place._key(sha256), Body=data)
    place.cache.path(sha256).unlink(missing_ok=True)


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
    assert stored.address.startswith(("file:///", "s3://"))
    assert store.read(stored.sha256) == b"hello"


def test_equal_bytes_are_kept_once(store: Store) -> None:
    first, second = store.put_bytes(b"same"), store.put_bytes(b"same")
    assert first == second
    assert [found.sha256 for found in store.listed()] == [first.sha256]


def test_contents_are_private_and_read_only(store: Store) -> None:
    path = store.local_path(store.put_bytes(b"x").sha256)
    assert stat.S_IMODE(path.stat().st_mode) == 0o400
    assert stat.S_IMODE(here(store).stat().st_mode) & 0o077 == 0


def test_no_half_written_file_is_left_behind(store: Store, tmp_path: Path) -> None:
    class Breaks:
        def read(self, _size: int) -> bytes:
            raise OSError("the disk went away")

    with pytest.raises(OSError, match="went away"):
        store.put_stream(Breaks())  # type: ignore[arg-type]
    assert list((here(store) / "tmp").iterdir()) == []


def test_bytes_that_are_not_there_are_named(store: Store) -> None:
    with pytest.raises(NotStored, match="no bytes with the digest 0000"):
        store.open("0" * 64)


@pytest.mark.parametrize("name", ["../../etc/passwd", "ABC", "0" * 63, "0" * 64 + "/x"])
def test_only_a_digest_is_a_name(store: Store, name: str) -> None:
    with pytest.raises(StoreError, match="is not a sha256 digest"):
        store.has(name)


def test_damaged_bytes_are_found_on_a_verified_read(store: Store) -> None:
    stored = store.put_bytes(b"good")
    replace(store, stored.sha256, b"evil")
    with pytest.raises(Damaged, match=f"the bytes stored as {stored.sha256} have the digest"):
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
    assert list((here(store) / "folders").iterdir()) == []


@pytest.mark.parametrize(
    "address, words",
    [
        ("gs://bucket/prefix", "of an unknown kind"),
        ("s3://bucket/prefix", "needs a folder"),
        ("s3:///prefix", "names no bucket"),
        ("s3://key:word@bucket/prefix", "holds a password"),
        ("s3://bucket/?endpoint=http://key:word@host", "holds a password"),
        ("s3://bucket/?endpoint=ftp://host", "no http or https"),
        ("s3://bucket/?regoin=eu", "unknown setting regoin"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_in_words(address: str, words: str) -> None:
    with pytest.raises(StoreError, match=words):
        Store(address)


def test_bytes_are_read_from_any_place_on(store: Store) -> None:
    stored = store.put_bytes(bytes(range(256)) * 4096)
    store.release()
    for path in (here(store) / "files").glob("*"):
        path.unlink()
    with store.open(stored.sha256) as file:
        assert file.seek(0, os.SEEK_END) == 1024 * 1024 == store.size(stored.sha256)
        file.seek(1000)
        assert file.read(3) == bytes([232, 233, 234])
        file.seek(0)
        assert len(file.read()) == 1024 * 1024


def test_an_empty_file_is_a_file(store: Store) -> None:
    stored = store.put_bytes(b"")
    assert (stored.size, store.read(stored.sha256)) == (0, b"")
    assert store.local_path(stored.sha256).read_bytes() == b""
    store.verify(stored.sha256)


def test_what_is_listed_is_what_was_stored_and_when(store: Store) -> None:
    before = time.time() - 2
    stored = [store.put_bytes(data) for data in (b"one", b"three")]
    found = {row.sha256: row for row in store.listed()}
    assert {name: row.size for name, row in found.items()} == {row.sha256: row.size for row in stored}
    assert all(before <= row.since <= time.time() + 2 for row in found.values())


def test_what_is_no_digest_is_not_listed(store: Store) -> None:
    stored = store.put_bytes(b"x")
    place = store.place
    if isinstance(place, FolderPlace):
        (place.root / "sha256" / stored.sha256[:2] / "notes.txt").write_text("somebody else's")
    else:
        assert isinstance(place, S3Place)
        place.client.put_object(Bucket=BUCKET, Key=place._key("notes.txt"), Body=b"somebody else's")
    assert [found.sha256 for found in store.listed()] == [stored.sha256]


def test_bytes_in_the_trash_are_not_stored_and_come_back_when_they_are_read(store: Store) -> None:
    stored = store.put_bytes(b"kept after all")
    store.trash(stored.sha256)
    assert not store.has(stored.sha256)
    assert [found.sha256 for found in store.listed(trash=True)] == [stored.sha256]
    assert store.size(stored.sha256) == 14
    assert store.has(stored.sha256)
    assert list(store.listed(trash=True)) == []
    store.trash(stored.sha256)
    assert store.local_path(stored.sha256).read_bytes() == b"kept after all"


def test_bytes_that_are_stored_while_they_lie_in_the_trash_are_stored_anew(store: Store) -> None:
    stored = store.put_bytes(b"again")
    store.trash(stored.sha256)
    store.put_bytes(b"again")
    store.remove(stored.sha256)
    assert store.read(stored.sha256) == b"again"
    assert list(store.listed(trash=True)) == []


def test_what_is_removed_is_gone(store: Store) -> None:
    stored = store.put_bytes(b"gone")
    store.trash(stored.sha256)
    store.remove(stored.sha256)
    assert not store.restore(stored.sha256)
    with pytest.raises(NotStored):
        store.size(stored.sha256)


def test_a_file_is_lent_for_the_length_of_a_block(store: Store) -> None:
    stored = store.put_bytes(b"lent")
    with store.borrowed(stored.sha256) as path:
        assert path.read_bytes() == b"lent"
    with pytest.raises(NotStored), store.borrowed("0" * 64):
        pass


def test_what_a_killed_writer_left_is_tidied_away(store: Store) -> None:
    store.put_bytes(b"x")
    left = here(store) / "tmp" / "put-left"
    left.write_bytes(b"half")
    os.utime(left, (1, 1))
    young = here(store) / "tmp" / "put-young"
    young.write_bytes(b"half")
    assert store.tidy(3600) == 1
    assert not left.exists()
    assert young.exists()


def test_a_store_that_works_says_nothing(store: Store) -> None:
    store.check()
