"""S3: parts, breaks of the network, servers that are away, keys that are refused, copies of bounded size."""

from __future__ import annotations

import gc
import hashlib
import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pipelines.store import Damaged, Means, Store, StoreAway, StoreFull, client, multipart
from pipelines.store.s3 import S3Place
from tests.s3 import BUCKET, S3Server, Wire, free_port, s3_server
from tests.servers import wait_until

pytestmark = pytest.mark.slow

MIB = 1024 * 1024
PART = 5 * MIB


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    with s3_server() as running:
        yield running


@pytest.fixture
def store(server: S3Server, tmp_path: Path) -> Iterator[Store]:
    with server.store(tmp_path / "cache", tmp_path.name) as opened:
        yield opened


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multipart, "PART", PART)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Every request that is made of S3, by the name of the operation: [{"operation", …parameters}]."""
    made: list[dict[str, Any]] = []
    build = client._made

    def watched(address: Any, means: Means) -> Any:
        fresh = build(address, means)
        fresh.meta.events.register(
            "provide-client-params.s3",
            lambda params, model, **_: made.append({"operation": model.name, **params}),
        )
        return fresh

    monkeypatch.setattr(client, "_made", watched)
    monkeypatch.setattr(client, "_clients", {})
    return made


def a_file(path: Path, size: int) -> str:
    """A file of that many bytes; its digest."""
    data = random.Random(size).randbytes(size)
    path.write_bytes(data)
    return hashlib.sha256(data).hexdigest()


def place(store: Store) -> S3Place:
    assert isinstance(store.place, S3Place)
    return store.place


def forget_copies(store: Store) -> None:
    store.release()
    for path in (place(store).cache.root / "files").iterdir():
        path.unlink()


def operations(sent: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    return [request for request in sent if request["operation"] == name]


# --- sending ----------------------------------------------------------------------------------


def test_a_small_file_goes_whole_with_its_checksum_and_is_never_written_twice(
    store: Store, sent: list[dict[str, Any]]
) -> None:
    store.put_bytes(b"small")
    store.put_bytes(b"small")
    (put,) = operations(sent, "PutObject")
    assert put["ChecksumSHA256"] == multipart.checksum(b"small")
    assert put["IfNoneMatch"] == "*"


def test_two_who_store_the_same_bytes_at_once_both_succeed(
    server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = (server.store(tmp_path / name, tmp_path.name) for name in ("one", "two"))
    one.put_bytes(b"the same")
    # The second looked before the first had stored.
    monkeypatch.setattr(S3Place, "size", lambda *_: None)
    assert two.put_bytes(b"the same").sha256 == one.put_bytes(b"the same").sha256


@pytest.mark.usefixtures("small_parts")
def test_a_large_file_goes_in_parts_each_with_its_checksum(
    store: Store, tmp_path: Path, sent: list[dict[str, Any]]
) -> None:
    digest = a_file(tmp_path / "large", 40 * MIB)
    assert store.put_file(tmp_path / "large").sha256 == digest
    parts = operations(sent, "UploadPart")
    assert sorted(part["PartNumber"] for part in parts) == list(range(1, 9))
    assert all(part["ChecksumSHA256"] == multipart.checksum(part["Body"]) for part in parts)
    forget_copies(store)
    store.verify(digest)


@pytest.mark.usefixtures("small_parts")
def test_an_upload_that_was_killed_goes_on_with_the_parts_that_are_there(
    server: S3Server, store: Store, tmp_path: Path, sent: list[dict[str, Any]]
) -> None:
    digest = a_file(tmp_path / "large", 40 * MIB)
    script = f"""
        import os, signal
        from pathlib import Path
        from pipelines.store import Means, Store, multipart
        multipart.PART, multipart.AT_ONCE = {PART}, 1
        whole = multipart.Upload._sent
        def killed(self, upload, number, there):
            if number == 5:
                os.kill(os.getpid(), signal.SIGKILL)
            return whole(self, upload, number, there)
        multipart.Upload._sent = killed
        means = Means(Path({str(tmp_path / "other")!r}), 10**9, "tests", "of-the-store")
        Store({server.address(tmp_path.name)!r}, means).put_file({str(tmp_path / "large")!r})
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert not store.has(digest)
    store.put_file(tmp_path / "large")
    assert sorted(part["PartNumber"] for part in operations(sent, "UploadPart")) == [5, 6, 7, 8]
    forget_copies(store)
    store.verify(digest)


@pytest.mark.usefixtures("small_parts")
def test_a_part_that_is_there_with_other_bytes_is_sent_again(
    server: S3Server, store: Store, tmp_path: Path
) -> None:
    digest = a_file(tmp_path / "large", 20 * MIB)
    raw, key = server.client(), place(store)._key(digest)
    upload = raw.create_multipart_upload(Bucket=BUCKET, Key=key)["UploadId"]
    raw.upload_part(Bucket=BUCKET, Key=key, UploadId=upload, PartNumber=1, Body=b"\0" * PART)
    store.put_file(tmp_path / "large")
    forget_copies(store)
    store.verify(digest)


@pytest.mark.usefixtures("small_parts")
def test_an_upload_that_somebody_aborted_meanwhile_is_no_stored_file(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = a_file(tmp_path / "large", 20 * MIB)

    def aborted(self: multipart.Upload, upload: str, parts: list[dict[str, Any]]) -> None:
        self._abort(upload)
        raise ClientError({"Error": {"Code": "NoSuchUpload"}}, "CompleteMultipartUpload")

    monkeypatch.setattr(multipart.Upload, "_finish", aborted)
    with pytest.raises(StoreAway, match="aborted"):
        store.put_file(tmp_path / "large")
    assert not store.has(digest)


def test_abandoned_uploads_are_aborted(server: S3Server, store: Store) -> None:
    raw, key = server.client(), place(store)._key("0" * 64)
    raw.create_multipart_upload(Bucket=BUCKET, Key=key)
    # moto says of every upload that it began in 2010.
    assert store.tidy(100 * 365 * 86400) == 0
    assert store.tidy(3600) == 1
    assert multipart.uploads(raw, BUCKET, key) == []


def test_altered_bytes_are_said_to_be_damaged(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = {"Error": {"Code": "BadDigest"}, "ResponseMetadata": {"HTTPStatusCode": 400}}

    def refuse(*_: Any, **__: Any) -> None:
        raise ClientError(answer, "PutObject")

    monkeypatch.setattr(place(store).client, "put_object", refuse)
    with pytest.raises(Damaged, match="altered on their way"):
        store.put_bytes(b"altered")


# --- fetching ---------------------------------------------------------------------------------


def test_a_fetch_that_breaks_off_goes_on_from_there(server: S3Server, store: Store, tmp_path: Path) -> None:
    digest = a_file(tmp_path / "large", 10 * MIB)
    store.put_file(tmp_path / "large")
    wire = Wire(server.port)
    wire.most = 4 * MIB
    with server.store(tmp_path / "elsewhere", tmp_path.name, port=wire.port) as far:
        assert far.local_path(digest).read_bytes() == (tmp_path / "large").read_bytes()
    wire.close()
    assert wire.passed < 12 * MIB


def test_a_fetch_that_was_killed_goes_on_from_there(
    server: S3Server, store: Store, tmp_path: Path, sent: list[dict[str, Any]]
) -> None:
    digest = a_file(tmp_path / "large", 10 * MIB)
    store.put_file(tmp_path / "large")
    forget_copies(store)
    half = place(store).cache.tmp / f"get-{digest}"
    half.write_bytes((tmp_path / "large").read_bytes()[: 6 * MIB])
    store.local_path(digest)
    assert [get["Range"] for get in operations(sent, "GetObject")] == [f"bytes={6 * MIB}-"]
    assert not half.exists()


def test_a_half_that_is_not_the_beginning_is_thrown_away(store: Store, tmp_path: Path) -> None:
    digest = a_file(tmp_path / "file", MIB)
    store.put_file(tmp_path / "file")
    forget_copies(store)
    for wrong in (b"\0" * 1000, b"\0" * 2 * MIB):
        (place(store).cache.tmp / f"get-{digest}").write_bytes(wrong)
        assert store.local_path(digest).read_bytes() == (tmp_path / "file").read_bytes()
        forget_copies(store)


def test_damaged_bytes_never_become_a_copy(server: S3Server, store: Store) -> None:
    stored = store.put_bytes(b"good")
    forget_copies(store)
    server.client().put_object(Bucket=BUCKET, Key=place(store)._key(stored.sha256), Body=b"evil")
    with pytest.raises(Damaged, match="have the digest"):
        store.local_path(stored.sha256)
    assert list(place(store).cache.tmp.iterdir()) == []


def test_only_what_is_read_is_fetched(server: S3Server, store: Store, tmp_path: Path) -> None:
    digest = a_file(tmp_path / "large", 30 * MIB)
    store.put_file(tmp_path / "large")
    wire = Wire(server.port)
    with server.store(tmp_path / "elsewhere", tmp_path.name, port=wire.port).open(digest) as file:
        file.seek(20 * MIB)
        assert file.read(1000) == (tmp_path / "large").read_bytes()[20 * MIB :][:1000]
    wire.close()
    assert wire.passed < 8 * MIB


# --- copies of bounded size -------------------------------------------------------------------


def kilobyte(store: Store, number: int) -> str:
    return store.put_bytes(bytes([number]) * 1024).sha256


def copies(store: Store) -> set[str]:
    return {path.name for path in (place(store).cache.root / "files").iterdir()}


def test_copies_are_of_bounded_size_and_the_longest_unused_go_first(server: S3Server, tmp_path: Path) -> None:
    store = server.store(tmp_path / "cache", tmp_path.name, room=10 * 1024)
    digests = [kilobyte(store, number) for number in range(10)]
    for age, digest in enumerate(digests):
        os.utime(place(store).cache.path(digest), (1000 + age, 1000 + age))
    store.local_path(digests[0])
    store.release()
    kilobyte(store, 100)
    assert len(copies(store)) <= 10
    assert digests[0] in copies(store)
    assert digests[1] not in copies(store)


def test_a_copy_in_use_is_never_removed_also_by_another_process(server: S3Server, tmp_path: Path) -> None:
    mine, other = (server.store(tmp_path / "cache", tmp_path.name, room=2048) for _ in range(2))
    used = [kilobyte(mine, 1), kilobyte(mine, 2), kilobyte(mine, 3)]
    paths = [mine.local_path(digest) for digest in used]
    for number in range(10, 20):
        kilobyte(other, number)
    assert all(path.exists() for path in paths)
    mine.release()
    kilobyte(other, 20)
    assert sum(path.exists() for path in paths) <= 1


def test_a_copy_larger_than_the_room_goes_once_it_is_not_used(server: S3Server, tmp_path: Path) -> None:
    store = server.store(tmp_path / "cache", tmp_path.name, room=2048)
    digest = store.put_bytes(b"x" * 5000).sha256
    assert store.local_path(digest).stat().st_size == 5000
    store.release()
    assert copies(store) == set()
    with store.borrowed(digest) as path:
        assert path.stat().st_size == 5000
    assert copies(store) == set()


def test_a_store_that_nobody_released_keeps_no_file_open(server: S3Server, tmp_path: Path) -> None:
    store = server.store(tmp_path / "cache", tmp_path.name)
    digest = store.put_bytes(b"held").sha256
    store.check()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(10):
        server.store(tmp_path / "cache", tmp_path.name).local_path(digest)
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) <= before + 1


def test_folders_count_and_go_too_and_come_back(server: S3Server, tmp_path: Path) -> None:
    store = server.store(tmp_path / "cache", tmp_path.name, room=4096)
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a").write_bytes(b"a" * 2000)
    digest = store.put_folder(folder).sha256
    path = store.local_folder(digest)
    for number in range(20):
        kilobyte(store, number)
    assert (path / "a").read_bytes() == b"a" * 2000
    store.release()
    for number in range(20, 25):
        kilobyte(store, number)
    assert not path.exists()
    assert (store.local_folder(digest) / "a").read_bytes() == b"a" * 2000


# --- away, refused, full ----------------------------------------------------------------------


def test_a_server_that_is_away_is_said_to_be_within_seconds(tmp_path: Path) -> None:
    store = Store(f"s3://away/x?endpoint=http://127.0.0.1:{free_port()}", Means(tmp_path, 1, "a", "b"))
    began = time.monotonic()
    with pytest.raises(StoreAway, match=r"s3://away/x at http://127\.0\.0\.1:\d+ cannot be reached"):
        store.check()
    assert time.monotonic() - began < 15


def test_a_server_that_hangs_is_given_up_on(
    server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "READ", 0.5)
    monkeypatch.setattr(client, "_clients", {})
    server.freeze()
    try:
        with pytest.raises(StoreAway, match="cannot be reached"):
            server.store(tmp_path / "cache").put_bytes(b"x")
    finally:
        server.thaw()


def test_a_server_that_comes_back_is_used_again(tmp_path: Path) -> None:
    with s3_server() as own:
        store = own.store(tmp_path / "cache")
        own.stop()
        with pytest.raises(StoreAway):
            store.put_bytes(b"x")
        own.start()
        wait_until(lambda: store.put_bytes(b"x").size == 1, "the store")


def test_a_bucket_that_is_not_there_is_named(server: S3Server, tmp_path: Path) -> None:
    address = f"s3://no-such-bucket/?endpoint={server.endpoint}"
    with pytest.raises(StoreAway, match="has no bucket no-such-bucket"):
        Store(address, Means(tmp_path, 1, "a", "b")).check()


def test_a_store_without_keys_says_which_settings_are_missing(
    server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(StoreAway, match="set ORCHESTRATOR_STORE_ACCESS_KEY"):
        Store(server.address("no-keys"), Means(tmp_path, 1)).check()


@pytest.mark.parametrize(
    "code, status, error, words",
    [
        ("AccessDenied", 403, StoreAway, "refuses our keys"),
        ("SignatureDoesNotMatch", 403, StoreAway, "refuses our keys"),
        ("403", 403, StoreAway, "refuses our keys"),
        ("QuotaExceeded", 403, StoreFull, "no space is left"),
        ("XMinioStorageFull", 507, StoreFull, "no space is left"),
        ("InternalError", 500, StoreAway, "does not answer as it should"),
        ("SlowDown", 503, StoreAway, "does not answer as it should"),
    ],
)
def test_what_the_server_refuses_is_said_in_words(
    store: Store, monkeypatch: pytest.MonkeyPatch, code: str, status: int, error: type[Exception], words: str
) -> None:
    answer = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}

    def refuse(*_: Any, **__: Any) -> None:
        raise ClientError(answer, "HeadObject")

    monkeypatch.setattr(place(store).client, "head_object", refuse)
    with pytest.raises(error, match=words):
        store.has("0" * 64)


def test_the_library_of_s3_is_not_loaded_for_a_store_in_a_folder(tmp_path: Path) -> None:
    script = (
        "import sys; from pipelines.store import Store; "
        f"Store({str(tmp_path)!r}).put_bytes(b'x'); print('boto3' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_what_the_system_writes_in_pieces_arrives_whole(
    store: Store, server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = store.put_bytes(b"in pieces" * 1000).sha256
    write = os.write
    with server.store(tmp_path / "elsewhere", tmp_path.name) as fresh:
        monkeypatch.setattr(os, "write", lambda number, data: write(number, bytes(data[:1000])))
        assert fresh.local_path(digest).read_bytes() == b"in pieces" * 1000
