"""Workers of a machine with GPUs, and workers that are drained: real stations, runners and signals."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from runs.models import Attempt, Slot, WorkerLease
from runs.worker.processes import LEFT
from tests.runs import making
from tests.runs.faults.bench import QUEUE, Bench, TestStation, ends, python, told, worker
from tests.runs.nvidia import NvidiaSmi
from tests.runs.trials import until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

SHOW = "import os\ndef main() -> str:\n    return os.environ.get('CUDA_VISIBLE_DEVICES', 'not set')\n"


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> NvidiaSmi:
    return NvidiaSmi(tmp_path).install(monkeypatch)


def showing(gpu: int) -> dict[str, Any]:
    """A task that says which GPUs it sees."""
    return {**python(SHOW, result="string"), "resources": {"memory": None, "gpu": gpu}}


class TestTasks:
    def test_a_task_sees_the_gpus_it_holds_and_its_record_says_so(
        self, tool: NvidiaSmi, bench: Bench
    ) -> None:
        tool.lists(3)
        ended = bench.run(showing(2))
        assert ended.outputs["result"].value == "GPU-00000000,GPU-00000001"
        assert ended.last.provenance is not None
        held = ended.last.provenance["slots"]
        assert [(one["kind"], one["device"]) for one in held] == [
            ("gpu", "GPU-00000000"),
            ("gpu", "GPU-00000001"),
        ]
        assert {one["name"] for one in held} == {"NVIDIA H100 80GB HBM3"}
        assert not Slot.objects.exclude(holder=None).exists()

    def test_a_task_that_holds_none_sees_none(self, tool: NvidiaSmi, bench: Bench) -> None:
        tool.lists(1)
        assert bench.run(showing(0)).outputs["result"].value == ""

    def test_where_there_are_none_nothing_is_said_of_them(self, bench: Bench) -> None:
        assert bench.run(showing(0)).outputs["result"].value == "not set"

    def test_a_worker_told_to_offer_none_hides_them(self, tool: NvidiaSmi, bench: Bench) -> None:
        tool.lists(1)
        bench.stations.append(TestStation(QUEUE, "none"))
        assert bench.run(showing(0)).outputs["result"].value == ""
        assert not Slot.objects.exists()

    def test_a_gpu_of_a_worker_that_was_killed_is_given_out_when_its_host_is_back(
        self, tool: NvidiaSmi, bench: Bench
    ) -> None:
        tool.lists(1)
        task = {**making.task("task", config={"run": "sleep 60"}), "resources": {"memory": None, "gpu": 1}}
        run = bench.start(task)
        with worker(PATH=tool.path) as process:
            until(lambda: Attempt.objects.filter(run=run).exists(), 20, "it runs")
            process.send_signal(signal.SIGKILL)
            process.wait()
        with worker(PATH=tool.path):
            until(lambda: Attempt.objects.filter(run=run).count() == 2, 20, "it runs again")
            first, second = Attempt.objects.filter(run=run).order_by("no")
            assert (first.state, first.reason) == ("lost", "lease")
            assert Slot.objects.get().holder == second


class TestDraining:
    def test_a_worker_that_is_drained_ends_what_it_has_and_goes(self, bench: Bench) -> None:
        run = bench.start(making.task("task", config={"run": "sleep 2"}))
        with worker(ORCHESTRATOR_DRAIN_TIMEOUT="0") as process:
            until(lambda: Attempt.objects.filter(run=run).exists(), 20, "it runs")
            lease = WorkerLease.objects.get()
            call_command("drain", lease.host, "--wait")
            assert ends(run, 5) < 5
            assert process.wait(10) == LEFT
        assert told(run).task.state == "succeeded"
        assert WorkerLease.objects.get().state == "closed"

    def test_one_that_waits_for_work_goes_at_once(self, bench: Bench) -> None:
        with worker() as process:
            until(lambda: WorkerLease.objects.filter(state="live").exists(), 20, "it is there")
            call_command("drain", WorkerLease.objects.get().worker)
            assert process.wait(10) == LEFT
