"""The demo with its store in S3, from the first task to the deployed model, and its bytes looked at."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.orchestrator_site.running import folder_for_all
from tests.s3 import BUCKET, KEYS, S3Server, s3_server
from tests.walks.product import Product, product

pytestmark = pytest.mark.slow
ONE_FILE = """\
  make:
    kind: shell
    run: head -c 3000000 /dev/urandom > "$OUT/bytes"
    outputs: {bytes: file}
"""


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    with s3_server() as running:
        yield running


@pytest.fixture(scope="module")
def shop(server: S3Server) -> Iterator[Product]:
    """The product with its demo, all bytes in S3, and room for few copies."""
    settings = {
        "ORCHESTRATOR_STORE": server.address(),
        "ORCHESTRATOR_STORE_ACCESS_KEY": KEYS["access_key"],
        "ORCHESTRATOR_STORE_SECRET_KEY": KEYS["secret_key"],
        "ORCHESTRATOR_STORE_CACHE_MIB": "1",
    }
    with folder_for_all() as folder, product(folder / "home", **settings) as running:
        yield running


def approve(shop: Product, run: str) -> None:
    task = shop.wait_task(run, "approve", "awaiting_approval", patience=120)
    shop.post(f"task-runs/{task['id']}/approve/", {"comment": "Reads well."})


def test_the_demo_runs_and_its_bytes_lie_in_s3(shop: Product, server: S3Server, tmp_path: Path) -> None:
    run = shop.start("digits-training")
    approve(shop, run)
    assert shop.wait(run, patience=120)["state"] == "succeeded"
    home = shop.up.home
    assert not (home / "store").exists()
    trace = shop.get("deployments/digits-prod/trace/")
    model = trace["model"]["sha256"]
    assert f"store/sha256/{model[:2]}/{model}" in server.keys("store/sha256/")

    table = next(out for out in shop.details(run, "features")["outputs"] if out["name"] == "table")
    look = shop.get(f"artifacts/{table['artifact']}/preview/")
    assert (look["kind"], look["format"]) == ("table", "parquet")
    assert shop.get(f"artifacts/{table['artifact']}/profile/")["kind"] == "table"
    whole = shop.api.get(f"artifacts/{table['artifact']}/content/")
    assert hashlib.sha256(whole.content).hexdigest() == table["sha256"]
    assert whole.headers["content-disposition"].startswith("attachment")
    tail = shop.api.get(f"artifacts/{table['artifact']}/content/", headers={"Range": "bytes=-4"})
    assert (tail.status_code, tail.content) == (206, b"PAR1")


def test_a_damaged_artifact_is_cut_off_in_its_download_and_all_goes_on(
    shop: Product, server: S3Server
) -> None:
    run = shop.start(shop.publish(ONE_FILE))
    shop.wait(run)
    output = shop.details(run, "make")["outputs"][0]
    digest = output["sha256"]
    for _ in range(2):
        assert len(shop.api.get(f"artifacts/{output['artifact']}/content/").content) == 3_000_000
        (shop.up.home / "store-cache" / "files" / digest).unlink(missing_ok=True)
    key = f"store/sha256/{digest[:2]}/{digest}"
    good = server.client().get_object(Bucket=BUCKET, Key=key)["Body"].read()
    server.client().put_object(Bucket=BUCKET, Key=key, Body=b"evil" + good[4:])
    with pytest.raises(httpx.RemoteProtocolError):
        shop.api.get(f"artifacts/{output['artifact']}/content/")
    server.client().put_object(Bucket=BUCKET, Key=key, Body=good)
    assert shop.api.get(f"artifacts/{output['artifact']}/content/").is_success


def test_the_store_is_whole_has_no_garbage_and_moves_to_a_folder(shop: Product, tmp_path: Path) -> None:
    assert "0 damaged or missing" in shop.manage("store", "check")
    assert "Would be put aside: 0 files" in shop.manage("store", "garbage", "--grace", "-1")
    assert "files copied, 0 were there" in shop.manage("store", "copy", str(tmp_path / "folder"))
    assert "0 files copied" in shop.manage("store", "copy", str(tmp_path / "folder"))


def test_copies_on_this_machine_stay_few(shop: Product) -> None:
    cache = shop.up.home / "store-cache"
    assert sum(path.stat().st_size for path in (cache / "files").iterdir()) < 2 * 1024 * 1024
