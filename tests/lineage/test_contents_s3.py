"""The page of an artifact whose bytes lie in S3: looked at, downloaded in ranges, damaged, away."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pytest_django.fixtures import Settings

from lineage import previews, tables
from pipelines.store import Damaged
from runs.worker.serializers import FOLDER
from tests.factories import client, make_cast
from tests.lineage.factories import make_stored
from tests.s3 import BUCKET, KEYS, S3Server, Wire, s3_server

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f64540"
    "0000000049454e44ae426082"
)


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    with s3_server() as running:
        yield running


class Page:
    """What Alice asks of artifacts. ``elsewhere()``: from now on without the copies of this machine."""

    def __init__(self, server: S3Server, settings: Settings, tmp_path: Path) -> None:
        self.server, self.settings, self.tmp_path = server, settings, tmp_path
        self.wire = Wire(server.port)
        self.use("here")
        self.cast = make_cast()
        self.alice = client(self.cast.alice)

    def use(self, cache: str, port: int | None = None) -> None:
        self.settings.ORCHESTRATOR = {
            **self.settings.ORCHESTRATOR,
            "STORE": self.server.address(self.tmp_path.name, port),
            "STORE_CACHE": self.tmp_path / cache,
            "STORE_ACCESS_KEY": KEYS["access_key"],
            "STORE_SECRET_KEY": KEYS["secret_key"],
        }

    def elsewhere(self) -> None:
        self.use("elsewhere", self.wire.port)

    def put(self, kind: str, data: bytes | Path, *more: str) -> str:
        return make_stored(self.cast.team, self.cast.alice, kind, data, *more)

    def ask(self, address: str, headers: dict[str, str] | None = None) -> Any:
        return self.alice.get(f"/api/v1/artifacts/{address}", headers=headers or {})


@pytest.fixture
def page(
    server: S3Server, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Page]:
    monkeypatch.setattr(tables, "_memory", tables.Memory(tables.KEPT))
    made = Page(server, settings, tmp_path)
    yield made
    made.wire.close()


def test_every_form_is_looked_at(page: Page, tmp_path: Path) -> None:
    table = io.BytesIO()
    pq.write_table(pa.table({"digit": [1, 2, 3]}), table)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "readme.txt").write_text("in a folder")
    ids = {
        "table": page.put("table", table.getvalue()),
        "image": page.put("file", PNG),
        "text": page.put("file", b"some words"),
        "folder": page.put("folder", tmp_path / "folder", FOLDER),
    }
    page.elsewhere()
    for kind, uuid in ids.items():
        assert page.ask(f"{uuid}/preview/").json()["kind"] == kind
    assert page.ask(f"{ids['table']}/profile/").json()["kind"] == "table"
    assert page.ask(f"{ids['image']}/image/").content == PNG
    entries = page.ask(f"{ids['folder']}/entries/").json()["results"]
    assert [entry["path"] for entry in entries] == ["readme.txt"]
    assert page.ask(f"{ids['folder']}/content/?path=readme.txt").getvalue() == b"in a folder"
    assert page.ask(f"{ids['text']}/").json()["present"] is True


def test_a_look_at_a_long_text_fetches_its_beginning_only(page: Page) -> None:
    uuid = page.put("file", b"words " * 5_000_000)
    page.elsewhere()
    assert page.ask(f"{uuid}/preview/").json()["truncated"] is True
    assert page.wire.passed < 12_000_000


def test_a_table_too_large_to_fetch_is_said_to_be(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    table = io.BytesIO()
    pq.write_table(pa.table({"digit": [1, 2, 3]}), table)
    uuid = page.put("table", table.getvalue())
    monkeypatch.setattr(previews, "FETCHED", 10)
    assert "too many to fetch for a look" in page.ask(f"{uuid}/preview/").json()["reason"]


@pytest.mark.parametrize(
    "span, status, first, last",
    [
        ("bytes=0-9", 206, 0, 9),
        ("bytes=90-", 206, 90, 99),
        ("bytes=-5", 206, 95, 99),
        ("bytes=50-1000", 206, 50, 99),
        ("bytes=200-", 200, 0, 99),
        ("bytes=9-2", 200, 0, 99),
        ("bytes=1-2,4-5", 200, 0, 99),
        ("bytes=-", 200, 0, 99),
        ("lines=1-2", 200, 0, 99),
        ("bytes=" + "9" * 5000 + "-", 200, 0, 99),
    ],
)
def test_a_download_goes_on_from_where_it_broke_off(
    page: Page, span: str, status: int, first: int, last: int
) -> None:
    data = bytes(range(100))
    uuid = page.put("file", data)
    page.elsewhere()
    answer = page.ask(f"{uuid}/content/", {"Range": span})
    assert (answer.status_code, answer.getvalue()) == (status, data[first : last + 1])
    assert int(answer["Content-Length"]) == last - first + 1
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer.get("Content-Range") == (f"bytes {first}-{last}/100" if status == 206 else None)


def test_a_range_of_something_else_is_not_mixed_in(page: Page) -> None:
    uuid = page.put("file", b"0123456789")
    mark = f'"{hashlib.sha256(b"0123456789").hexdigest()}"'
    assert page.ask(f"{uuid}/content/", {"Range": "bytes=5-", "If-Range": mark}).status_code == 206
    assert page.ask(f"{uuid}/content/", {"Range": "bytes=5-", "If-Range": '"other"'}).status_code == 200


def test_damaged_bytes_are_never_downloaded_whole(page: Page) -> None:
    uuid = page.put("file", b"good")
    digest = hashlib.sha256(b"good").hexdigest()
    key = f"{page.tmp_path.name}/sha256/{digest[:2]}/{digest}"
    page.server.client().put_object(Bucket=BUCKET, Key=key, Body=b"evil")
    page.elsewhere()
    with pytest.raises(Damaged):
        page.ask(f"{uuid}/content/").getvalue()
    answer = page.ask(f"{page.put('table', b'PAR1')}/preview/")
    assert answer.status_code == 200


def test_while_the_store_is_away_the_page_says_so(page: Page) -> None:
    uuid = page.put("file", b"words")
    page.use("elsewhere", 1)
    assert page.ask(f"{uuid}/").json()["present"] is True
    for look in ("preview", "content", "profile", "image"):
        answer = page.ask(f"{uuid}/{look}/")
        assert (answer.status_code, answer.json()["code"]) == (503, "store-away")
        assert "cannot be reached" in answer.json()["detail"]
