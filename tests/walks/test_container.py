"""What a hostile task gets hold of at the level `container`: nothing of the product or of another team."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from tests.orchestrator_site.running import folder_for_all
from tests.runs import podman
from tests.walks.product import Product, product
from tests.walks.test_isolation import attack_in_vain, running_victim

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
    """A running task of another team in a container of its own."""
    with running_victim(boxes) as found:
        yield found


def test_a_hostile_task_reaches_nothing_out_of_its_container(boxes: Product, victim: dict[str, Any]) -> None:
    attempt = attack_in_vain(boxes, victim, "container")
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
