"""GPUs as a worker finds, offers and hands them to its tasks; nvidia-smi is a small program of the tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from orchestrator_site.management.commands.worker import check_gpus, offered_gpus
from runs import slots
from runs.models import Slot
from runs.worker import container, devices
from runs.worker.container import Contained
from runs.worker.devices import Choice, Devices, Unusable
from tests.runs import making
from tests.runs.nvidia import NvidiaSmi


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> NvidiaSmi:
    return NvidiaSmi(tmp_path).install(monkeypatch)


class TestLooking:
    def test_a_machine_without_the_tool_has_none(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        assert devices.look() == []

    def test_each_gpu_is_known_by_its_uuid(self, tool: NvidiaSmi) -> None:
        tool.lists(2)
        found = devices.look()
        assert [(one.device, one.position, one.memory_mib) for one in found] == [
            ("GPU-00000000", 0, 81559),
            ("GPU-00000001", 1, 81559),
        ]
        assert found[0].name == "NVIDIA H100 80GB HBM3"

    def test_one_that_is_cut_into_instances_is_not_given_out(self, tool: NvidiaSmi) -> None:
        tool.lists(2, mig=(0,))
        assert [one.position for one in devices.look()] == [1]

    def test_a_driver_that_fails_is_said_in_its_own_words(self, tool: NvidiaSmi) -> None:
        tool.breaks()
        with pytest.raises(Unusable, match="Unable to determine the device handle"):
            devices.look()

    def test_lines_that_are_none_of_ours_are_left_out(self) -> None:
        assert devices._device("No devices were found") is None
        assert devices._device("x, GPU-1, name, 1, Disabled") is None


class TestChoosing:
    @pytest.mark.parametrize("text, numbers", [("auto", None), ("none", set()), ("0,2", {0, 2})])
    def test_what_a_worker_offers_can_be_said(self, text: str, numbers: set[int] | None) -> None:
        assert Choice.read(text).numbers == numbers

    @pytest.mark.parametrize("text", ["", "all", "0,", "-1", "0;1"])
    def test_other_words_are_refused(self, text: str) -> None:
        with pytest.raises(CommandError, match="auto, none, or numbers such as 0,1"):
            call_command("worker", queue="gpu", gpus=text)

    def test_a_number_that_is_not_there_is_refused_with_those_that_are(self, tool: NvidiaSmi) -> None:
        tool.lists(2)
        check_gpus("0,1")
        with pytest.raises(CommandError, match="names 3, and nvidia-smi lists 0, 1 on this machine"):
            check_gpus("1,3")

    def test_a_check_names_the_gpus_that_would_be_offered(self, tool: NvidiaSmi) -> None:
        tool.lists(2)
        both = offered_gpus("auto").split(", ")
        assert [words.split(" ")[0] for words in both] == ["0", "1"]
        assert offered_gpus("1") == both[1]
        assert offered_gpus("none") == ""


@pytest.mark.django_db(transaction=True)
class TestOffering:
    def test_a_gpu_that_is_gone_is_not_offered_any_more(self, tool: NvidiaSmi) -> None:
        lease = making.make_lease("gpu")
        tool.lists(2)
        found = Devices(Choice())
        found.offer(lease.uuid)
        tool.lists(1)
        found._look()
        found.offer(lease.uuid)
        slots.sweep()
        assert list(Slot.objects.filter(withdrawn_at=None).values_list("position", flat=True)) == [0]
        tool.breaks()
        found._look()
        found.offer(lease.uuid)
        slots.sweep()
        assert not Slot.objects.filter(withdrawn_at=None).exists()
        found.close()

    def test_a_task_without_gpus_sees_none_while_the_driver_fails(self, tool: NvidiaSmi) -> None:
        tool.breaks()
        found = Devices(Choice())
        assert found.variables([]) == {devices.VISIBLE: ""}
        tool.lists(1)
        found._look()
        assert found.variables([]) == {devices.VISIBLE: ""}
        tool.breaks()
        found._look()
        assert found.variables([]) == {devices.VISIBLE: ""}
        found.close()

    def test_nothing_is_said_of_gpus_where_there_are_none(self, tool: NvidiaSmi) -> None:
        tool.lists(0)
        found = Devices(Choice())
        assert found.variables([]) == {}
        found.close()

    def test_only_what_was_chosen_is_offered(self, tool: NvidiaSmi) -> None:
        tool.lists(3)
        found = Devices(Choice.read("1"))
        found.offer(making.make_lease("gpu").uuid)
        assert list(Slot.objects.values_list("device", flat=True)) == ["GPU-00000001"]
        found.close()


class TestContainers:
    def contained(self, *gpus: str) -> Contained:
        image = container.Image("trial", "sha256:1", "sha256:2")
        return Contained(
            70001, image=image, network=False, memory=2**28, processes=10, open_files=64, gpus=gpus
        )

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root gives folders to others")
    def test_a_container_is_let_at_the_gpus_of_its_task_and_no_others(self) -> None:
        words = self.contained("GPU-1", "GPU-2")._options("name", {})
        assert [word for word in words if word.startswith("--device")] == [
            "--device=nvidia.com/gpu=GPU-1",
            "--device=nvidia.com/gpu=GPU-2",
        ]
        assert not any("nvidia" in word for word in self.contained()._options("name", {}))

    def test_tasks_with_different_gpus_share_no_container(self) -> None:
        assert self.contained("GPU-1") != self.contained("GPU-2") != self.contained()
        assert self.contained("GPU-1") == self.contained("GPU-1")
