"""What the page of an artifact asks about its bytes, good and hostile ones."""

from __future__ import annotations

import asyncio
import json
import random
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from lineage import tables
from lineage.api.downloads import Download
from lineage.models import Artifact
from pipelines.store import Store
from tests.factories import Cast, client, make_cast
from tests.lineage.factories import make_attempt, make_output, make_run, make_stored, make_version

pytestmark = pytest.mark.django_db
API = "/api/v1/artifacts"
Put = Callable[..., str]


@pytest.fixture
def cast() -> Cast:
    return make_cast()


@pytest.fixture
def alice(cast: Cast) -> APIClient:
    return client(cast.alice)


@pytest.fixture
def put(cast: Cast) -> Put:
    """Stores an artifact (kind, bytes or folder, media type, file name) and gives its id."""
    return lambda kind, data, *more: make_stored(cast.team, cast.alice, kind, data, *more)


@pytest.fixture(autouse=True)
def _forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test is answered out of the memory of another."""
    monkeypatch.setattr(tables, "_memory", tables.Memory(tables.KEPT))


def get(who: APIClient, address: str, status: int = 200, **query: str) -> Any:
    answer = who.get(f"{API}/{address}", query)
    assert answer.status_code == status, answer.content
    return answer.json()


def downloaded(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


def parquet(tmp_path: Path, **columns: Any) -> bytes:
    path = tmp_path / "table.parquet"
    pq.write_table(pa.table(columns), path)
    return path.read_bytes()


def png(width: int = 3, height: int = 2) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    pixels = b"".join(b"\x00" + bytes(width) for _ in range(min(height, 10)))
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(pixels))
        + chunk(b"IEND", b"")
    )


def npy(descr: str, shape: tuple[int, ...], data: bytes, by_columns: bool = False) -> bytes:
    header = repr({"descr": descr, "fortran_order": by_columns, "shape": shape}).encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + data


# --- Tables -------------------------------------------------------------------------------


def test_a_table_is_previewed_by_schema_and_first_rows(put: Put, alice: APIClient, tmp_path: Path) -> None:
    data = parquet(tmp_path, label=list(range(60)), name=[f"row {n}" for n in range(60)])
    body = get(alice, f"{put('table', data)}/preview/")
    assert (body["kind"], body["format"]) == ("table", "parquet")
    assert body["columns"] == [{"name": "label", "type": "BIGINT"}, {"name": "name", "type": "VARCHAR"}]
    assert (len(body["rows"]), body["row_count"], body["truncated"]) == (50, 60, True)
    assert body["rows"][3] == [3, "row 3"]


def test_cells_are_cut_and_numbers_beyond_the_reach_of_a_browser_stay_exact(
    put: Put, alice: APIClient, tmp_path: Path
) -> None:
    data = parquet(
        tmp_path,
        long=["x" * 10_000],
        big=[2**62 + 1],
        odd=[float("nan")],
        raw=[b"\xff\x00"],
        nested=[[1, 2]],
        nothing=pa.nulls(1),
    )
    (row,) = get(alice, f"{put('table', data)}/preview/")["rows"]
    assert row == ["x" * 500 + "…", str(2**62 + 1), "nan", "2 bytes", "[1, 2]", None]


def test_of_a_very_wide_table_the_first_columns_are_shown(put: Put, alice: APIClient, tmp_path: Path) -> None:
    uuid = put("table", parquet(tmp_path, **{f"c{number}": [number] for number in range(230)}))
    body = get(alice, f"{uuid}/preview/")
    assert (len(body["columns"]), body["columns_total"], body["truncated"]) == (200, 230, True)
    profile = get(alice, f"{uuid}/profile/")
    # Fewer where a busy machine needs more than its patience for them.
    assert (0 < len(profile["columns"]) <= 200, profile["columns_total"]) == (True, 230)


def test_a_profile_tells_what_is_in_each_column(put: Put, alice: APIClient, tmp_path: Path) -> None:
    data = parquet(
        tmp_path,
        digit=[n % 10 for n in range(100)],
        share=[n / 100 if n else None for n in range(100)],
        word=["a"] * 60 + [f"w{n}" for n in range(40)],
    )
    body = get(alice, f"{put('table', data)}/profile/")
    assert (body["rows"], body["row_count"], body["whole"]) == (100, 100, True)
    digit, share, word = body["columns"]
    assert (digit["min"], digit["max"], digit["mean"], digit["distinct"]) == (0, 9, 4.5, 10)
    assert digit["histogram"] == {"from": 0, "to": 9, "counts": [10] * 10}
    assert digit["quartiles"] == [2.0, 4.5, 7.0]
    assert (share["nulls"], share["distinct"], share["top"]) == (1, 99, [])
    assert sum(share["histogram"]["counts"]) == 99
    assert word["top"] == [{"value": "a", "count": 60}]
    assert (word["distinct"], word["lengths"]) == (41, [1, 3])


def test_a_profile_leaves_out_what_is_no_number_and_says_so(
    put: Put, alice: APIClient, tmp_path: Path
) -> None:
    odd = [1.0, 3.0, float("nan"), float("inf"), -float("inf"), None]
    (column,) = get(alice, f"{put('table', parquet(tmp_path, odd=odd))}/profile/")["columns"]
    assert (column["min"], column["max"], column["mean"]) == (1.0, 3.0, 2.0)
    assert (column["not_finite"], column["nulls"]) == (3, 1)


def test_columns_of_every_type_and_name_have_a_profile(put: Put, alice: APIClient, tmp_path: Path) -> None:
    columns = {
        'a"b; DROP TABLE x': [1, 1],
        "": [True, None],
        "day": pa.array([18_000, 18_100], pa.date32()),
        "moment": pa.array([0, 10**15], pa.timestamp("us", tz="UTC")),
        "price": pa.array([1, 2]).cast(pa.decimal128(38, 2)),
        "list": [[1], []],
        "part": [{"x": 1}, None],
        "raw": [b"a", b"b"],
        "none": pa.nulls(2),
        "few": pa.array(["x", "y"]).dictionary_encode(),
        "huge": [1.7e308, -1.7e308],
    }
    body = get(alice, f"{put('table', parquet(tmp_path, **columns))}/profile/")
    found = {column["name"]: column for column in body["columns"]}
    assert found['a"b; DROP TABLE x']["top"] == [{"value": 1, "count": 2}]
    assert (found["day"]["min"], found["day"]["max"]) == ("2019-04-14", "2019-07-23")
    assert found["moment"]["min"] == "1970-01-01 00:00:00+00"
    assert (found["price"]["min"], found["price"]["max"]) == (1.0, 2.0)
    assert (found["part"]["nulls"], found["part"]["distinct"]) == (1, None)
    assert (found["none"]["nulls"], found["none"]["distinct"]) == (2, None)
    assert "histogram" not in found["huge"]
    assert len(body["columns"]) == len(columns)


def test_of_a_long_table_the_first_rows_are_profiled_and_the_answer_says_so(
    put: Put, alice: APIClient, tmp_path: Path
) -> None:
    uuid = put("table", parquet(tmp_path, n=pa.array(range(150_000), pa.int32())))
    body = get(alice, f"{uuid}/profile/")
    assert (body["rows"], body["row_count"], body["whole"]) == (100_000, 150_000, False)
    assert body["columns"][0]["max"] == 99_999


def test_a_small_file_that_unfolds_beyond_memory_leaves_fewer_rows_to_profile(
    put: Put, alice: APIClient, tmp_path: Path
) -> None:
    words = pa.array([letter * 20_000 for letter in "abcdefgh"])
    folded = pa.DictionaryArray.from_arrays([n % 8 for n in range(100_000)], words)
    data = parquet(tmp_path, text=folded)
    assert len(data) < 1_000_000
    body = get(alice, f"{put('table', data)}/profile/")
    assert (body["kind"], body["row_count"], body["whole"]) == ("table", 100_000, False)
    assert 100 <= body["rows"] <= 10_000
    assert body["columns"][0]["distinct"] == 8


def test_a_file_of_separated_values_is_looked_at_as_a_table(put: Put, alice: APIClient) -> None:
    data = "city;count\n" + "".join(f"Köln;{number}\n" for number in range(70))
    uuid = put("file", data.encode(), "text/csv", "cities.csv")
    body = get(alice, f"{uuid}/preview/")
    assert (body["kind"], body["format"], body["row_count"]) == ("table", "csv", None)
    assert body["rows"][:2] == [["Köln", 0], ["Köln", 1]]
    profile = get(alice, f"{uuid}/profile/")
    assert (profile["rows"], profile["row_count"], profile["whole"]) == (70, 70, True)


def test_only_tables_have_a_profile(put: Put, alice: APIClient, cast: Cast) -> None:
    body = get(alice, f"{put('file', b'hello')}/profile/")
    assert body == {"kind": "none", "reason": "Only tables have a profile."}
    attempt = make_attempt(make_run(make_version(cast.team), cast.alice), "ingest")
    small = make_output(attempt, "metrics", {"a": 1})
    assert get(alice, f"{small.uuid}/profile/")["kind"] == "none"


@pytest.mark.parametrize("seed", range(6))
def test_damaged_tables_end_in_words(put: Put, alice: APIClient, tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    data = bytearray(parquet(tmp_path, n=list(range(500)), s=[f"text {n}" for n in range(500)]))
    for _ in range(30):
        data[dice.randrange(4, len(data) - 8)] = dice.randrange(256)
    uuid = put("table", bytes(data))
    for look in ("preview", "profile"):
        body = get(alice, f"{uuid}/{look}/")
        assert body["kind"] == "table" or body["reason"]


def test_a_reader_that_dies_or_hangs_is_answered_for(
    put: Put, alice: APIClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = parquet(tmp_path, n=[1])
    dying = tmp_path / "dying.py"
    dying.write_text("import os; os.abort()")
    monkeypatch.setattr(tables, "READER", dying)
    assert "process that read them was ended" in get(alice, f"{put('table', data)}/preview/")["reason"]
    dying.write_text("import time; time.sleep(60)")
    monkeypatch.setattr(tables, "PATIENCE", 0.5)
    monkeypatch.setattr(tables, "_memory", tables.Memory(tables.KEPT))
    answer = alice.get(f"{API}/{put('table', data)}/preview/")
    assert "takes longer than" in answer.json()["reason"]
    assert answer["Cache-Control"] == "no-store"


def test_a_reader_sees_nothing_of_the_machine_but_its_table(tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("word\nhunter2\n")
    pq.write_table(pa.table({"n": [1]}), tmp_path / "table.parquet")
    from lineage.table_reader import Table

    table = Table(str(tmp_path / "table.parquet"), "parquet")
    for query in (
        f"SELECT * FROM read_csv('{secret}')",
        f"COPY (SELECT 1) TO '{tmp_path}/out'",
        f"SET allowed_paths = ['{secret}']",
    ):
        with pytest.raises(Exception, match=r"(?i)permission|disabled|cannot"):
            table.rows(query)


def test_while_others_are_looked_at_one_is_asked_to_come_again(
    put: Put, alice: APIClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uuid = put("table", parquet(tmp_path, n=[1]))
    monkeypatch.setattr(tables, "QUEUE", 0.05)
    assert tables._turns["profile"].acquire(timeout=1)
    try:
        assert get(alice, f"{uuid}/profile/", 503)["code"] == "busy"
        assert get(alice, f"{uuid}/preview/")["row_count"] == 1, "a quick look waits for no slow one"
    finally:
        tables._turns["profile"].release()
    assert get(alice, f"{uuid}/profile/")["rows"] == 1


def test_equal_bytes_are_read_once_and_forgotten_when_they_are_too_many() -> None:
    memory = tables.Memory(100)
    memory.put(("a",), b"x" * 60)
    memory.put(("b",), b"y" * 30)
    assert memory.get(("a",)) == b"x" * 60
    memory.put(("c",), b"z" * 30)
    assert memory.get(("b",)) is None
    assert memory.get(("a",)) is not None
    assert memory.size == 90


# --- Arrays -------------------------------------------------------------------------------


def test_an_array_shows_its_corner_and_its_bounds(put: Put, alice: APIClient) -> None:
    data = npy("<f8", (2, 3), struct.pack("<6d", 1, 2, 3, 4, 5, float("nan")))
    body = get(alice, f"{put('array', data)}/preview/")
    assert (body["shape"], body["dtype"], body["truncated"]) == ([2, 3], "<f8", False)
    assert body["values"] == [[1.0, 2.0, 3.0], [4.0, 5.0, "nan"]]
    assert body["summary"] == {"min": 1.0, "max": 5.0, "mean": 3.0, "not_finite": 1}


def test_an_array_by_columns_is_read_by_columns(put: Put, alice: APIClient) -> None:
    data = npy("<i4", (2, 3), struct.pack("<6i", 1, 4, 2, 5, 3, 6), by_columns=True)
    assert get(alice, f"{put('array', data)}/preview/")["values"] == [[1, 2, 3], [4, 5, 6]]


def test_an_array_of_objects_stays_closed(put: Put, alice: APIClient) -> None:
    pickled = b"cos\nsystem\n(S'touch /tmp/opened'\ntR."
    body = get(alice, f"{put('array', npy('|O', (1,), pickled))}/preview/")
    assert (body["objects"], body["values"], body["summary"]) == (True, None, None)


@pytest.mark.parametrize(
    "data,reason",
    [
        (b"no array", "It is no .npy file."),
        (npy("<f8", (10**9,), b""), "promises 1,000,000,000 values"),
        (npy("<f8", (-1,), b""), "negative size"),
        (b"\x93NUMPY\x01\x00\x10\x27" + b"(" * 10_000, "cannot be read"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\x7f", "larger than any true one"),
        (b"\x93NUMPY\x01\x00\x20\x00" + b"__import__('os').abort()".ljust(32), "cannot be read"),
    ],
)
def test_an_array_that_is_none_says_why(put: Put, alice: APIClient, data: bytes, reason: str) -> None:
    body = get(alice, f"{put('array', data)}/preview/")
    assert body["kind"] == "none"
    assert reason in body["reason"]


# --- Pictures -----------------------------------------------------------------------------


PICTURES = {
    "image/png": png(),
    "image/gif": b"GIF89a\x03\x00\x02\x00\x00\x00\x00;",
    "image/jpeg": b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0\x00\x0b\x08\x00\x02\x00\x03\x01\x01\x11\x00\xff\xd9",
    "image/webp": b"RIFF\x1a\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x01\x00\x00",
}


@pytest.mark.parametrize("media_type", PICTURES)
def test_a_picture_is_shown_by_what_its_bytes_say(put: Put, alice: APIClient, media_type: str) -> None:
    uuid = put("image", PICTURES[media_type], "text/html")
    body = get(alice, f"{uuid}/preview/")
    assert (body["kind"], body["media_type"], body["width"], body["height"]) == ("image", media_type, 3, 2)
    answer = alice.get(f"{API}/{uuid}/image/")
    assert answer.content == PICTURES[media_type]
    assert answer["Content-Type"] == media_type
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"


@pytest.mark.parametrize(
    "name,data",
    [
        ("x.png", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"),
        ("x.svg", b"<?xml version='1.0'?><svg><script>alert(1)</script></svg>"),
        ("x.png", b"<html><script>alert(1)</script></html>"),
        ("x.jpg", b"\xff\xd8\xff"),
        ("x.webp", b"RIFF\x00\x00\x00\x00WEBPEVIL"),
        ("x.gif", b"GIF89a"),
    ],
)
def test_what_is_no_picture_is_never_sent_as_one(put: Put, alice: APIClient, name: str, data: bytes) -> None:
    uuid = put("image", data, "image/png", name)
    assert get(alice, f"{uuid}/image/", 404)["code"] == "no-picture"
    assert get(alice, f"{uuid}/preview/")["kind"] in ("text", "none")


def test_a_picture_of_too_many_pixels_is_left_to_be_downloaded(put: Put, alice: APIClient) -> None:
    uuid = put("image", png(60_000, 60_000))
    assert "too large" in get(alice, f"{uuid}/preview/")["reason"]
    get(alice, f"{uuid}/image/", 404)


# --- Texts, models, folders ---------------------------------------------------------------


@pytest.mark.parametrize(
    "kind,data,expected",
    [
        ("file", b"hello\n", {"kind": "text", "text": "hello\n", "truncated": False}),
        ("file", "é".encode() * 40_000, {"kind": "text", "truncated": True}),
        ("file", b"", {"kind": "text", "text": ""}),
        ("file", b"\xff\xfe\x00", {"kind": "none"}),
        ("file", b"PAR1 but not really", {"kind": "none"}),
        ("json", b'{"a": [1]}', {"kind": "text"}),
        ("table", b"no parquet", {"kind": "none", "reason": "It is no Parquet file that can be read."}),
        ("model", b"cos\nsystem\n", {"kind": "model"}),
        ("folder", b"no manifest", {"kind": "none"}),
        ("folder", b"[" * 5000, {"kind": "none"}),
        ("folder", b"[1]", {"kind": "none"}),
    ],
)
def test_previews_show_what_is_safe_to_look_into(
    put: Put, alice: APIClient, kind: str, data: bytes, expected: dict[str, Any]
) -> None:
    body = get(alice, f"{put(kind, data)}/preview/")
    assert {key: body[key] for key in expected} == expected


@pytest.fixture
def folder(put: Put, tmp_path: Path) -> str:
    root = tmp_path / "folder"
    (root / "sub").mkdir(parents=True)
    (root / "sub" / "a.txt").write_text("hello")
    (root / "picture.png").write_bytes(png())
    (root / "rows.csv").write_text("a,b\n1,2\n")
    (root / "again").symlink_to("sub/a.txt")
    for number in range(5):
        (root / f"n{number}.bin").write_bytes(bytes([number, 255]))
    return put("folder", root, "application/x-folder")


def test_a_folder_lists_its_files_page_by_page_and_by_name(alice: APIClient, folder: str) -> None:
    body = get(alice, f"{folder}/preview/")
    assert (body["count"], body["truncated"]) == (9, False)
    assert body["entries"][0] == {"path": "again", "size": 0, "sha256": None, "link": "sub/a.txt"}
    page = get(alice, f"{folder}/entries/", page_size="4", q="N")
    paths = [entry["path"] for entry in page["results"]]
    while page["next"]:
        page = alice.get(page["next"]).json()
        paths += [entry["path"] for entry in page["results"]]
    assert paths == ["again", "n0.bin", "n1.bin", "n2.bin", "n3.bin", "n4.bin", "picture.png"]
    get(alice, f"{folder}/entries/", 422, page_size="9999")


def test_the_files_of_a_folder_are_looked_into_one_by_one(alice: APIClient, folder: str) -> None:
    assert get(alice, f"{folder}/preview/", path="sub/a.txt")["text"] == "hello"
    assert get(alice, f"{folder}/preview/", path="rows.csv")["rows"] == [[1, 2]]
    assert get(alice, f"{folder}/profile/", path="rows.csv")["rows"] == 1
    assert get(alice, f"{folder}/preview/", path="picture.png")["kind"] == "image"
    assert alice.get(f"{API}/{folder}/image/", {"path": "picture.png"}).content == png()
    answer = alice.get(f"{API}/{folder}/content/", {"path": "sub/a.txt"})
    assert downloaded(answer) == b"hello"
    assert answer["Content-Disposition"] == 'attachment; filename="a.txt"'


@pytest.mark.parametrize("path", ["../a.txt", "sub", "again", "", "nowhere", "/etc/passwd"])
def test_a_folder_gives_nothing_but_its_files(alice: APIClient, folder: str, path: str) -> None:
    for look in ("preview", "profile", "content", "image"):
        assert get(alice, f"{folder}/{look}/", 404, path=path)["code"] == "no-such-file"


def test_files_are_listed_of_folders_only(put: Put, alice: APIClient) -> None:
    assert get(alice, f"{put('file', b'x')}/entries/", 404)["code"] == "no-folder"


def test_a_model_that_is_a_folder_can_be_downloaded_and_listed(
    put: Put, alice: APIClient, tmp_path: Path
) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "weights.bin").write_bytes(bytes(5000))
    uuid = put("model", tmp_path / "m", "application/x-folder")
    assert get(alice, f"{uuid}/")["is_folder"] is True
    answer = alice.get(f"{API}/{uuid}/content/")
    data = downloaded(answer)
    assert int(answer["Content-Length"]) == len(data)
    assert json.loads(data)[0]["path"] == "weights.bin"
    assert get(alice, f"{uuid}/entries/")["results"][0]["path"] == "weights.bin"


# --- Bytes --------------------------------------------------------------------------------


def test_content_is_always_a_download(put: Put, alice: APIClient) -> None:
    uuid = put("file", b"<script>alert(1)</script>", "text/html", "../odd näme.html")
    answer = alice.get(f"{API}/{uuid}/content/")
    assert downloaded(answer) == b"<script>alert(1)</script>"
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"].startswith("attachment;")
    assert answer["Content-Disposition"].endswith('.html"')
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert int(answer["Content-Length"]) == 25


def test_a_download_is_sent_in_pieces_and_not_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(bytes(3 * 1024 * 1024 + 1))

    file = path.open("rb")

    async def sizes() -> list[int]:
        pieces = iter(lambda: file.read(1024 * 1024), b"")
        return [len(piece) async for piece in Download(pieces)]

    assert asyncio.run(sizes()) == [1024 * 1024] * 3 + [1]


@pytest.mark.parametrize("look", ["preview", "profile", "content"])
def test_a_browser_that_has_an_answer_is_told_that_it_still_holds(
    put: Put, alice: APIClient, tmp_path: Path, cast: Cast, look: str
) -> None:
    uuid = put("table", parquet(tmp_path, n=[1]))
    answer = alice.get(f"{API}/{uuid}/{look}/")
    assert answer["Cache-Control"] == "private, no-cache"
    again = alice.get(f"{API}/{uuid}/{look}/", headers={"If-None-Match": answer["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    stranger = client(cast.charlie).get(f"{API}/{uuid}/{look}/", headers={"If-None-Match": answer["ETag"]})
    assert stranger.status_code == 404


def test_bytes_that_are_gone_are_said_to_be_gone_everywhere(put: Put, alice: APIClient) -> None:
    uuid = put("file", b"soon gone")
    content = Artifact.objects.get(uuid=uuid).content
    assert get(alice, f"{uuid}/")["present"] is True
    Store(settings.ORCHESTRATOR["STORE"]).local_path(content.sha256).unlink()
    assert get(alice, f"{uuid}/")["present"] is False
    for look in ("preview", "profile", "content", "image"):
        assert get(alice, f"{uuid}/{look}/", 404)["code"] == "bytes-gone"


@pytest.mark.parametrize("look", ["preview", "profile", "entries"])
def test_a_look_costs_a_fixed_number_of_queries(alice: APIClient, folder: str, look: str) -> None:
    with CaptureQueriesContext(connection) as captured:
        alice.get(f"{API}/{folder}/{look}/")
    assert len(captured) <= 5
