"""A machine with two GPUs, as far as the product can tell: tasks wait for them and see their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.runs.nvidia import NvidiaSmi
from tests.walks.product import Product, product

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    tool = NvidiaSmi(tmp_path_factory.mktemp("driver"))
    tool.lists(2)
    with product(tmp_path_factory.mktemp("gpus"), PATH=tool.path) as running:
        yield running


def test_a_task_sees_the_gpus_it_holds_and_its_page_says_which(box: Product) -> None:
    name = box.publish(
        "  train:\n    kind: shell\n    queue: gpu\n    run: echo sees $CUDA_VISIBLE_DEVICES; sleep 3\n"
        "    resources: {gpu: 2}\n"
        "  plain:\n    kind: shell\n    run: echo sees [$CUDA_VISIBLE_DEVICES]\n"
    )
    run = box.start(name)
    box.wait_task(run, "train", "running")
    held = box.get("slots/", kind="gpu")["results"]
    assert [(row["state"], row["holder"]["task"]) for row in held] == [("held", "train")] * 2
    assert box.wait(run)["state"] == "succeeded"
    (attempt,) = box.details(run, "train")["attempts"]
    assert [row["device"] for row in attempt["slots"]] == ["GPU-00000000", "GPU-00000001"]
    assert "sees GPU-00000000,GPU-00000001" in box.log(attempt["id"])
    (plain,) = box.details(run, "plain")["attempts"]
    assert "sees []" in box.log(plain["id"])
    assert {row["state"] for row in box.get("slots/")["results"]} == {"free"}


def test_a_task_that_asks_for_more_than_there_is_waits_and_can_be_cancelled(box: Product) -> None:
    name = box.publish("  a:\n    kind: shell\n    queue: gpu\n    run: x\n    resources: {gpu: 4}\n")
    run = box.start(name)
    box.post(f"runs/{run}/cancel/")
    assert box.wait(run)["state"] == "cancelled"
    assert box.details(run, "a")["attempts"] == []


def test_a_worker_that_was_drained_ends_what_it_has_and_is_not_started_again(box: Product) -> None:
    run = box.start(box.publish("  a:\n    kind: shell\n    queue: gpu\n    run: sleep 3\n"))
    box.wait_task(run, "a", "running")
    (worker,) = box.get("workers/", queue="gpu")["results"]
    assert box.post(f"workers/{worker['id']}/drain/")["state"] == "draining"
    assert box.wait(run)["state"] == "succeeded"
    box.until(lambda: box.get("workers/", queue="gpu")["results"] == [], "it has left", 20)
    box.until(lambda: "worker-gpu-1 was drained and has left" in box.up.said, "it is told so", 5)
