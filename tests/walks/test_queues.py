"""A task runs on a worker of its own queue, and on no other."""

from __future__ import annotations

import pytest

from tests.walks.product import Product

pytestmark = pytest.mark.slow


def test_neither_queue_ever_takes_the_tasks_of_the_other(shop: Product) -> None:
    tasks = "\n".join(
        f"  {queue}{n}:\n    kind: shell\n    queue: {queue}\n    run: sleep 0.02"
        for queue in ("cpu", "gpu")
        for n in range(12)
    )
    run = shop.start(shop.publish(tasks))
    assert shop.wait(run)["state"] == "succeeded"
    for key in shop.tasks(run):
        for attempt in shop.details(run, key)["attempts"]:
            assert attempt["worker"].split("@")[0] == key[:3]


def test_a_task_waits_while_its_queue_has_no_free_worker_though_the_other_has(shop: Product) -> None:
    tasks = "".join(f"  {name}:\n    kind: shell\n    queue: gpu\n    run: sleep 1\n" for name in "ab")
    run = shop.start(shop.publish(tasks))
    shop.until(lambda: "running" in {t["state"] for t in shop.tasks(run).values()}, "one runs", 10, run)
    assert sorted(task["state"] for task in shop.tasks(run).values()) == ["ready", "running"]
    assert shop.wait(run)["state"] == "succeeded"
