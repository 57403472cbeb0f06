"""Control groups of attempts: which group may be divided, and what is written where."""

from __future__ import annotations

import os
import subprocess
import uuid
from pathlib import Path

import pytest

from runs.worker import cgroup
from tests.runs.trials import Trials, exists, until


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A picture of a delegated group, in which this process is."""
    own = tmp_path / "sys" / "service"
    own.mkdir(parents=True)
    (own / "cgroup.controllers").write_text("cpu memory pids\n")
    (own / "cgroup.type").write_text("domain\n")
    (own / "cgroup.procs").write_text(f"{os.getpid()}\n")
    (own / "cgroup.subtree_control").write_text("")
    mounts, groups = tmp_path / "mountinfo", tmp_path / "cgroup"
    mounts.write_text(f"31 23 0:27 / {tmp_path}/sys rw - cgroup2 cgroup rw\n")
    groups.write_text("1:name=systemd:/x\n0::/service\n")
    monkeypatch.setattr(cgroup, "MOUNTS", str(mounts))
    monkeypatch.setattr(cgroup, "CGROUPS", str(groups))
    return own


def test_a_delegated_group_is_emptied_into_a_child_and_shares_memory_out(tree: Path) -> None:
    assert cgroup.delegated() == str(tree)
    assert (tree / "product" / "cgroup.procs").read_text() == str(os.getpid())
    assert (tree / "cgroup.subtree_control").read_text() == "+pids"


def test_a_worker_that_is_in_the_child_already_divides_the_parent(tree: Path, tmp_path: Path) -> None:
    (tree / "product").mkdir()
    (tmp_path / "cgroup").write_text("0::/service/product\n")
    assert cgroup.delegated() == str(tree)
    assert not (tree / "product" / "cgroup.procs").exists()


@pytest.mark.parametrize("missing", ["cgroup.controllers", "cgroup.type"])
def test_without_memory_or_at_the_root_of_the_machine_there_is_no_group(tree: Path, missing: str) -> None:
    (tree / missing).unlink()
    assert cgroup.delegated() is None


def test_a_group_without_the_memory_controller_is_of_no_use(tree: Path) -> None:
    (tree / "cgroup.controllers").write_text("cpu pids\n")
    assert cgroup.delegated() is None


def test_a_group_of_an_attempt_has_its_limits(tree: Path) -> None:
    group = cgroup.make(str(tree), "a1", 512, 10)
    assert group == str(tree / "attempt-a1")
    written = {path.name: path.read_text() for path in Path(group).iterdir()}
    assert written == {
        "memory.max": "512",
        "memory.oom.group": "1",
        "memory.swap.max": "0",
        "pids.max": "74",
    }
    assert not cgroup.was_out_of_memory(group)
    (tree / "attempt-a1" / "memory.events").write_text("low 0\noom 1\noom_kill 3\n")
    (tree / "attempt-a1" / "memory.peak").write_text("600\n")
    assert cgroup.was_out_of_memory(group)
    assert cgroup.held(group) == 600


def test_where_the_kernel_refuses_there_is_no_group(tree: Path) -> None:
    assert cgroup.make(str(tree / "nowhere"), "a1", 512, 10) is None
    assert not cgroup.enter(str(tree / "nowhere"), os.getpid())


@pytest.fixture
def group() -> str:
    """A real group below the root of the machine, without a controller."""
    mount = cgroup.mount_point()
    made = f"{mount}/test-{uuid.uuid4()}"
    try:
        os.mkdir(made)
    except (OSError, TypeError):
        pytest.skip("No cgroup v2 is mounted here where this user may make a group.")
    return made


def test_a_group_is_removed_with_every_process_in_it(group: str) -> None:
    child = subprocess.Popen(["sh", "-c", "sleep 60 & wait"])
    assert cgroup.enter(group, child.pid)
    assert str(child.pid) in cgroup.read(group, "cgroup.procs").split()
    cgroup.remove(group)
    assert child.wait(5) == -9
    until(lambda: not exists(child.pid), 5, "it is dead")
    assert not Path(group).exists()


def test_an_attempt_runs_in_its_group(group: str, trials: Trials, monkeypatch: pytest.MonkeyPatch) -> None:
    from runs.worker import zygotes

    monkeypatch.setattr(zygotes, "groups", lambda: group)
    monkeypatch.setattr(cgroup, "make", lambda base, *_: base)
    source = "def main() -> str:\n    return open('/proc/self/cgroup').read()\n"
    ended = trials.source(source, outputs={"result": "string"}, memory=1024**3)
    assert f"0::/{Path(group).name}\n" in ended.outputs["result"]
    assert not Path(group).exists()


def test_without_a_delegation_attempts_run_as_ever(trials: Trials, monkeypatch: pytest.MonkeyPatch) -> None:
    from runs.worker import zygotes

    monkeypatch.setattr(zygotes, "groups", lambda: "/nowhere")
    assert trials.source(
        "def main() -> int:\n    return 1\n", outputs={"result": "integer"}, memory=1024**3
    ).outputs


def test_the_kernel_holds_a_task_to_its_memory_where_it_may(trials: Trials) -> None:
    base = cgroup.delegated()
    if base is None:
        pytest.skip(
            "No cgroup v2 with the memory controller is delegated to this process: sampling is tested."
        )
    source = "def main() -> None:\n    held = bytearray(400 << 20)\n"
    ended = trials.source(source, memory=128 * 1024**2)
    assert ended.error["reason"] == "oom"
