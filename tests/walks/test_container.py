"""What a hostile task gets hold of at the level `container`: nothing of the product or of another team."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runs.worker.processes import attempt_processes
from tests.orchestrator_site.running import folder_for_all
from tests.runs import podman
from tests.runs.trials import marked
from tests.walks.product import Product, product
from tests.walks.test_isolation import VICTIM, attack, hints, log_of, publish_for

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def boxes() -> Iterator[Product]:
    """The product whose queue `cpu` has containers; skipped where there are none."""
    if os.geteuid() != 0:
        pytest.skip("containers need root: what a hostile task gets hold of in one was NOT looked at")
    with folder_for_all() as folder:
        problem, words = podman.problem_or_engine(folder)
        if problem:
            pytest.skip(f"what a hostile task gets hold of in a container was NOT looked at: {problem}")
        with product(folder / "home", ORCHESTRATOR_PODMAN=words) as running:
            running.manage(
                "shell", "-c",
                "from runs import queues; from runs.models import Queue; from pipelines import people;"
                "from pipelines.bootstrap import site_admin; from pipelines.models import Role;"
                "admin = site_admin(); team = people.make_team('victims', 'Victims', actor=admin);"
                "people.set_roles(team, admin, Role.values, actor=admin);"
                f"queues.isolate(Queue.objects.get(slug='cpu'), 'container', image='{podman.NAME}',"
                " actor=admin)",
            )  # fmt: skip
            yield running


@pytest.fixture(scope="module")
def victim(boxes: Product) -> Iterator[dict[str, Any]]:
    """A running task of another team in a container of its own, with an input."""
    run = boxes.start(publish_for(boxes, "victims", VICTIM))
    boxes.wait_task(run, "hold", "running")
    boxes.until(lambda: "at " in log_of(boxes, run, "hold"), "it says where it is", 30, run)
    attempt = boxes.details(run, "hold")["attempts"][-1]
    _, lent, work = log_of(boxes, run, "hold").split()
    (made,) = boxes.details(run, "make")["outputs"]
    (pid,) = [pid for pid, token in attempt_processes().items() if token == attempt["id"]]
    yield {"run": run, "pid": pid, "lent": lent, "work": work, "made": made}
    boxes.post(f"runs/{run}/cancel/")
    boxes.wait(run)


def test_a_hostile_task_reaches_nothing_out_of_its_container(boxes: Product, victim: dict[str, Any]) -> None:
    mark = f"hostile-{uuid.uuid4().hex}"
    run = boxes.start(boxes.publish(attack(hints(boxes, victim, mark))))
    ended = boxes.wait(run)
    assert ended["state"] == "succeeded", log_of(boxes, run, "t")
    (attempt,) = boxes.details(run, "t")["attempts"]
    (output,) = boxes.details(run, "t")["outputs"]
    seen = output["value"]
    assert attempt["isolation"] == "container"
    assert seen["succeeded"] == {}
    assert seen["tried"] > 60
    assert 1 in seen["processes"]
    assert len(seen["processes"]) < 10
    assert marked(mark) == []
    for folder in ("/dev/shm", "/tmp", "/var/tmp"):
        assert not Path(folder, mark).exists()
    assert boxes.tasks(victim["run"])["hold"]["state"] == "running"
    said = boxes.manage(
        "shell", "-c",
        "from runs.models import Attempt;"
        f"print(Attempt.objects.get(uuid='{attempt['id']}').provenance['image'])",
    )  # fmt: skip
    assert podman.NAME in said
    assert "sha256:" in said


def test_an_image_that_is_missing_is_why_tasks_wait(boxes: Product) -> None:
    boxes.manage(
        "shell", "-c",
        "from runs import queues; from runs.models import Queue; from pipelines.bootstrap import site_admin;"
        "queues.isolate(Queue.objects.get(slug='gpu'), 'container', image='localhost/nobody:1',"
        " actor=site_admin())",
    )  # fmt: skip

    def told() -> bool:
        (queue,) = [row for row in boxes.get("queues/")["results"] if row["slug"] == "gpu"]
        return "localhost/nobody:1 is not on this machine" in " ".join(queue["troubles"])

    boxes.until(told, "the queue says what is missing", 30)
