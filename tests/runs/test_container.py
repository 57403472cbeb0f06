"""`container`: a zygote in a container of a real podman, and what its tasks find there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import LazySettings

from runs.worker import container, view
from runs.worker.container import Contained
from runs.worker.zygotes import Unfit, become_subreaper
from tests.runs import podman
from tests.runs.trials import UserTrials, closed_home, marked, until

UID = 64_654
MIB = 1024**2
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="containers need root: NOT looked at"),
]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> str:
    problem, words = podman.problem_or_engine(tmp_path_factory.mktemp("image"))
    if problem:
        pytest.skip(f"the level `container` was NOT looked at: {problem}")
    return words


@pytest.fixture
def home(tmp_path: Path, settings: LazySettings, engine: str) -> Path:
    return closed_home(tmp_path, settings, PODMAN=engine)


def trials_of(home: Path) -> UserTrials[Contained]:
    user = Contained(
        UID, image=container.image_of(podman.NAME), network=False, memory=256 * MIB,
        processes=100, open_files=1024,
    )  # fmt: skip
    return UserTrials(home, user, "python3", walled=True)


@pytest.fixture
def box(home: Path) -> Iterator[UserTrials[Contained]]:
    become_subreaper()
    trials = trials_of(home)
    yield trials
    trials.pool.close()
    assert running() == []


def running() -> list[str]:
    """The containers of this home that podman knows, by name."""
    return container.ask(
        "ps", "--all", f"--filter=label=orchestrator.home={container._home()}", "--format={{.Names}}"
    ).split()


WHO = """
import os, sys
def who() -> dict:
    status = open("/proc/self/status").read()
    return {
        "ids": os.getresuid() + os.getresgid(), "umask": oct(os.umask(0)), "parent": os.getppid(),
        "facts": {line.split(":")[0]: line.split()[1] for line in status.splitlines()
                  if line.startswith(("Cap", "NoNewPrivs"))},
        "variables": sorted(os.environ), "program": sys.executable,
    }
"""


def test_a_task_runs_as_the_user_of_its_team_in_the_image_without_any_right_of_root(
    box: UserTrials[Contained],
) -> None:
    ended = box.run(WHO)
    seen = ended.outputs["result"]
    assert seen["ids"] == [UID] * 6
    assert seen["umask"] == "0o77"
    assert seen["parent"] == 1
    assert set(seen["facts"].values()) == {"0000000000000000", "1"}
    assert seen["program"] == "/usr/bin/python3"
    assert not [name for name in seen["variables"] if "DJANGO" in name or "DATABASE" in name]
    # The container is warm for the next one, which may follow at once.
    assert box.answer(WHO)["parent"] == 1
    assert len(running()) == 1


def test_only_the_image_the_code_and_the_folders_of_the_team_are_there(box: UserTrials[Contained]) -> None:
    source = "import os\ndef look(paths: list) -> dict:\n    return {p: os.path.exists(p) for p in paths}\n"
    repository = Path(__file__).resolve().parents[2]
    paths = [str(box.home / "secrets.json"), "/root", "/home", str(repository / "manage.py"), "/var/lib",
             "/run/podman"]  # fmt: skip
    given = {"paths": {"type": "json", "value": paths}}
    assert box.answer(source, inputs=given) == dict.fromkeys(paths, False)


def test_nothing_but_its_folder_can_be_written(box: UserTrials[Contained]) -> None:
    source = """
import os
def write(paths: list) -> list:
    done = []
    for path in paths:
        try:
            open(os.path.join(path, "x"), "w").close()
            done.append(path)
        except OSError:
            pass
    return done
"""
    code = box.home / "snapshots" / "mine"
    code.mkdir(parents=True)
    (code / "blocks.py").write_text(source)
    view.let_read(code)
    paths = [
        "/",
        "/usr/bin",
        "/etc",
        "/sys",
        "/proc/sys/kernel",
        str(code),
        str(view.HERE),
        "/tmp",
        "/dev/shm",
    ]
    given = {"paths": {"type": "json", "value": paths}}
    user = replace(box.user, code_path=str(code))
    done = box.answer(None, user=user, entry="blocks:write", code_path=str(code), inputs=given)
    assert done == ["/tmp", "/dev/shm"]


def test_an_output_comes_back_as_a_file_of_the_attempt(box: UserTrials[Contained]) -> None:
    source = "import pathlib\ndef make() -> pathlib.Path:\n"
    source += "    pathlib.Path('made').write_text('bytes')\n    return pathlib.Path('made')\n"
    ended = box.run(source, outputs={"result": "any"})
    path = Path(ended.outputs["result"]["path"])
    assert path.read_text() == "bytes"
    assert path.stat().st_uid == UID


def test_no_network_is_there_but_where_the_queue_says_so(box: UserTrials[Contained]) -> None:
    source = "import os\ndef names() -> list:\n    return sorted(os.listdir('/sys/class/net'))\n"
    assert box.answer(source) == ["lo"]


def test_memory_beyond_the_container_ends_the_task_in_words(box: UserTrials[Contained]) -> None:
    source = "def eat() -> int:\n    held = []\n    while True:\n        held.append(b'x' * (64 << 20))\n"
    ended = box.run(source, memory=256 * MIB)
    assert ended.error["reason"] == "oom"
    assert ended.error["type"] == "MemoryLimit"
    assert "256 MiB" in ended.error["message"]
    assert box.answer(WHO)["parent"] == 1


def test_the_kernel_holds_the_memory_although_nobody_samples_it(box: UserTrials[Contained]) -> None:
    source = "def eat() -> int:\n    held = []\n    while True:\n        held.append(b'x' * (64 << 20))\n"
    ended = box.run(source)
    assert ended.error["reason"] == "oom"
    assert "limit of its container" in ended.error["message"]


def test_a_cancelled_attempt_leaves_nothing_running(box: UserTrials[Contained]) -> None:
    mark = f"daemon-{uuid.uuid4().hex}"
    trial = box.start(daemon(mark))
    trial.wait_for("up")
    assert marked(mark) != []
    assert trial.running.pid is not None
    assert Path(f"/proc/{trial.running.pid}").stat().st_uid == UID
    trial.running.kill()
    assert trial.wait().event["signal"] == signal.SIGKILL
    assert marked(mark) == []


def daemon(mark: str) -> str:
    return (
        "import subprocess, time\ndef t() -> int:\n"
        f"    subprocess.Popen(['sh', '-c', ': {mark}; while :; do :; done'], start_new_session=True)\n"
        "    print('up', flush=True)\n    time.sleep(100)\n    return 1\n"
    )


WORKER = """
import os, sys, time, django
django.setup()
from pathlib import Path
from django.conf import settings
settings.ORCHESTRATOR.update(HOME=Path(sys.argv[1]), PODMAN=sys.argv[2])
from tests.runs import test_container
trials = test_container.trials_of(Path(sys.argv[1]))
trial = trials.start(test_container.daemon(sys.argv[3]))
trial.wait_for("up")
print("up", flush=True)
trial.wait()
"""


def test_a_worker_that_is_killed_leaves_no_container(box: UserTrials[Contained], engine: str) -> None:
    mark = f"daemon-{uuid.uuid4().hex}"
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(box.home), engine, mark],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"},
        stdout=subprocess.PIPE,
    )
    assert worker.stdout is not None
    assert worker.stdout.readline() == b"up\n"
    assert len(running()) == 1
    worker.kill()
    worker.wait()
    worker.stdout.close()
    until(lambda: marked(mark) == [], 10, "what it ran has ended")
    until(lambda: running() == [], 20, "its container has gone")


def test_containers_of_dead_workers_are_removed_and_those_of_living_ones_stay(
    box: UserTrials[Contained],
) -> None:
    box.answer(WHO)
    ours = running()
    name = f"orchestrator-{uuid.uuid4()}"
    labels = [f"--label=orchestrator.home={container._home()}", "--label=orchestrator.worker=1:1"]
    limits = ["--ulimit=nofile=1024:1024", "--ulimit=nproc=1000:1000", "--network=none"]
    command = ["python3", "-c", "import time; time.sleep(100)"]
    container.ask("run", "--detach", f"--name={name}", *labels, *limits, podman.NAME, *command)
    assert sorted(running()) == sorted([*ours, name])
    assert container.remove_left() == 1
    assert running() == ours


def test_an_image_without_python_says_so_before_any_task(box: UserTrials[Contained], home: Path) -> None:
    (home / "empty").mkdir()
    subprocess.run(["tar", "-C", str(home), "-cf", str(home / "empty.tar"), "empty"], check=True)
    container.ask("import", str(home / "empty.tar"), "localhost/orchestrator-empty:1")
    user = replace(box.user, image=container.image_of("localhost/orchestrator-empty:1"))
    with pytest.raises(Unfit, match="python3"):
        box.start(WHO, user=user)


def test_an_image_that_is_not_here_is_named(home: Path) -> None:
    with pytest.raises(container.EngineFailed, match="localhost/nobody:1 is not on this machine"):
        container.image_of("localhost/nobody:1")
    found = container.image_of(podman.NAME)
    assert found.digest.startswith("sha256:")
