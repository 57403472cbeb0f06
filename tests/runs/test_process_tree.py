"""Nothing of an attempt outlives it, whatever it started and however it ends."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path

import pytest

from runs.worker import processes, zygotes
from tests.runs.trials import Trial, Trials, exists, marked, until

pytestmark = pytest.mark.slow

# Each starts processes that carry MARK in their command line, says `ready`, and goes on for a minute.
SLEEPER = 'exec("import signal, time\\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\\ntime.sleep(60)")'
WAYS = {
    "child": """
subprocess.Popen([sys.executable, "-c", SLEEPER, MARK])
""",
    "setsid": """
subprocess.Popen([sys.executable, "-c", SLEEPER, MARK], start_new_session=True)
""",
    "double fork": """
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execv(sys.executable, [sys.executable, "-c", SLEEPER, MARK])
    os._exit(0)
os.wait()
""",
    "daemon without descriptors": """
if os.fork() == 0:
    os.setsid()
    os.closerange(0, 100)
    if os.fork() == 0:
        os.execv(sys.executable, [sys.executable, "-c", SLEEPER, MARK])
    os._exit(0)
os.wait()
""",
    "chain of children": """
code = "import subprocess, sys; subprocess.run([sys.executable, '-c', *sys.argv[1:]])"
subprocess.Popen([sys.executable, "-c", code, SLEEPER, MARK])
""",
}


def source(way: str, mark: str, end: str = "time.sleep(60)") -> str:
    body = "".join(f"    {line}\n" for line in WAYS[way].strip("\n").split("\n"))
    return (
        "import os, signal, subprocess, sys, time\n"
        f"SLEEPER = {SLEEPER!r}\nMARK = {mark!r}\n"
        f"def main() -> None:\n{body}"
        "    time.sleep(0.3)\n"
        "    print('ready')\n"
        f"    {end}\n"
    )


@pytest.fixture
def mark() -> str:
    return f"mark-{uuid.uuid4()}"


def start(trials: Trials, way: str, mark: str, end: str = "time.sleep(60)") -> Trial:
    trial = trials.start(source=source(way, mark, end))
    trial.wait_for("ready")
    return trial


@pytest.mark.parametrize("way", WAYS)
def test_what_an_attempt_leaves_behind_is_dead_before_its_end_is_told(
    trials: Trials, way: str, mark: str
) -> None:
    ended = trials.source(source(way, mark, end="pass"))
    assert marked(mark) == []
    assert ended.outputs == {}


@pytest.mark.parametrize("way", WAYS)
def test_a_kill_reaches_every_process(trials: Trials, way: str, mark: str) -> None:
    trial = start(trials, way, mark)
    assert marked(mark)
    begun = time.monotonic()
    trial.running.kill()
    ended = trial.wait()
    assert time.monotonic() - begun < 1.0
    assert marked(mark) == []
    assert ended.event["signal"] == signal.SIGKILL
    assert ended.event["killed"] == "KILL"


@pytest.mark.parametrize("way", WAYS)
def test_what_ignores_term_is_killed_after_the_grace(trials: Trials, way: str, mark: str) -> None:
    trial = start(trials, way, mark, end="signal.signal(15, signal.SIG_IGN); print('deaf'); time.sleep(60)")
    trial.wait_for("deaf")
    begun = time.monotonic()
    trial.running.terminate(grace=0.5)
    trial.wait()
    assert 0.4 < time.monotonic() - begun < 2.0
    assert marked(mark) == []


def test_term_is_a_chance_to_end_in_order(trials: Trials) -> None:
    trial = trials.start_shell("trap 'echo tidied; exit 3' TERM; echo up; sleep 60 & wait")
    trial.wait_for("up")
    begun = time.monotonic()
    trial.running.terminate(grace=30)
    ended = trial.wait()
    assert time.monotonic() - begun < 5
    assert "tidied" in ended.log
    assert ended.event["killed"] == "TERM"


def test_grandchildren_keep_their_grace_when_the_first_process_has_gone(trials: Trials) -> None:
    text = "(trap 'sleep 0.5; echo late; exit' TERM; echo up; while :; do sleep 0.05; done) & sleep 60 & wait"
    trial = trials.start_shell(text)
    trial.wait_for("up")
    trial.running.terminate(grace=10)
    assert "late" in trial.wait().log


def test_a_stopped_attempt_can_be_killed(trials: Trials) -> None:
    trial = trials.start(source="import time\ndef main() -> None:\n    print('up')\n    time.sleep(60)\n")
    trial.wait_for("up")
    assert trial.running.pid is not None
    os.kill(trial.running.pid, signal.SIGSTOP)
    trial.running.terminate(grace=0.2)
    assert trial.wait().event["signal"] in (signal.SIGTERM, signal.SIGKILL)


def test_a_fork_bomb_is_put_out(trials: Trials, mark: str) -> None:
    text = f"bomb() {{ sh -c 'sleep 60' {mark} & }}; while :; do bomb; sleep 0.01; done"
    trial = trials.start_shell(text)
    until(lambda: trial.running.poll(0.01) is None and len(marked(mark)) > 20, 10, "it explodes")
    trial.running.kill()
    trial.wait()
    assert marked(mark) == []


def test_what_forks_and_ends_again_and_again_is_caught_in_the_end(trials: Trials, mark: str) -> None:
    hop = (
        "import os, time\nuntil = time.monotonic() + 20\n"
        "while time.monotonic() < until:\n    os.fork() and os._exit(0)\n"
    )
    start_one = f"subprocess.Popen([sys.executable, '-c', {hop!r}, {mark!r}])"
    source = (
        "import subprocess, sys, time\ndef main() -> None:\n"
        f"    for _ in range(40):\n        {start_one}\n"
        "    time.sleep(0.3)\n    print('ready')\n    time.sleep(60)\n"
    )
    # One look may miss what is on its way, or by chance miss nothing.
    for _ in range(5):
        trial = trials.start(source=source)
        trial.wait_for("ready")
        trial.running.kill()
        trial.wait()
        assert [marked(mark) for _ in range(10)] == [[]] * 10


def test_a_zygote_that_is_closed_while_a_thread_waits_for_it_ends_at_once(trials: Trials) -> None:
    trial = trials.start(source="import time\ndef main() -> None:\n    print('up')\n    time.sleep(60)\n")
    trial.wait_for("up")
    poller = select.poll()
    poller.register(trial.running.fileno(), select.POLLIN)
    threading.Thread(target=poller.poll, args=(20_000,), daemon=True).start()
    time.sleep(0.2)
    began = time.monotonic()
    trial.running.zygote.close()
    assert time.monotonic() - began < zygotes.KILL_PATIENCE / 2


WORKER = """
import os, sys, time, uuid
sys.path.insert(0, {root!r})
from runs.worker import zygotes
zygotes.become_subreaper()
work = sys.argv[1]
zygote = zygotes.Zygote.start(sys.executable, silence={silence})
log = os.open(work + "/log", os.O_WRONLY | os.O_CREAT, 0o600)
running = zygote.run({{
    "attempt": str(uuid.uuid4()), "task": "t", "kind": "python", "work": work, "inputs": {{}}, "outputs": [],
    "source": open(work + "/source.py").read(),
}}, log, log)
while True:
    event = running.poll(1.0)
    if event:
        print(zygote.pid, running.pid, event["event"], flush=True)
"""


def start_worker(folder: Path, text: str, silence: float = 12.0) -> tuple[subprocess.Popen[str], list[int]]:
    """A process that does a worker's part, its attempt under way; with the pids of zygote and runner."""
    (folder / "source.py").write_text(text)
    root = str(Path(__file__).parents[2])
    program = WORKER.format(root=root, silence=silence)
    worker = subprocess.Popen([sys.executable, "-c", program, str(folder)], stdout=subprocess.PIPE, text=True)
    assert worker.stdout is not None
    zygote, runner, _ = worker.stdout.readline().split()
    until(lambda: "ready" in (folder / "log").read_text(), 10, "the attempt is at work")
    return worker, [int(zygote), int(runner)]


def all_dead(pids: list[int], mark: str) -> bool:
    return not marked(mark) and not any(exists(pid) for pid in pids)


@pytest.mark.parametrize("way", ["setsid", "double fork", "daemon without descriptors"])
def test_when_the_worker_is_killed_everything_is_dead_within_two_seconds(
    tmp_path: Path, way: str, mark: str
) -> None:
    worker, pids = start_worker(tmp_path, source(way, mark))
    worker.kill()
    worker.wait()
    until(lambda: all_dead(pids, mark), 2.0, "no child of the worker lives")


def test_when_the_worker_is_frozen_its_attempt_is_killed_by_the_silence(tmp_path: Path, mark: str) -> None:
    worker, pids = start_worker(tmp_path, source("setsid", mark), silence=1.5)
    time.sleep(2.5)  # a worker that speaks is not silent
    assert marked(mark)
    worker.send_signal(signal.SIGSTOP)
    took = until(lambda: all_dead([pids[1]], mark), 5.0, "the attempt of a frozen worker is dead")
    assert took < 3.0
    worker.kill()
    worker.wait()


def test_when_the_zygote_is_killed_its_runner_dies_by_the_kernel(tmp_path: Path, mark: str) -> None:
    worker, (zygote, runner) = start_worker(tmp_path, source("double fork", mark))
    os.kill(zygote, signal.SIGKILL)
    assert worker.stdout is not None
    assert worker.stdout.readline().split()[2] == "ended"
    assert all_dead([runner], mark)
    worker.kill()
    worker.wait()


def test_a_task_that_kills_its_parent_is_an_infrastructure_failure(own_trials: Trials, mark: str) -> None:
    zygotes.become_subreaper()
    ended = own_trials.source(source("double fork", mark, end="os.kill(os.getppid(), 9); time.sleep(60)"))
    assert ended.error["reason"] == "infrastructure"
    assert marked(mark) == []


def test_a_worker_that_dies_during_a_long_import_leaves_no_zygote(tmp_path: Path) -> None:
    (tmp_path / "slow_module.py").write_text("import time\ntime.sleep(60)\n")
    program = (
        f"import os, sys, time\nsys.path.insert(0, {str(Path(__file__).parents[2])!r})\n"
        "from runs.worker.zygotes import Zygote\n"
        "zygote = Zygote.start(sys.executable)\n"
        "zygote._send({'verb': 'run', 'preload': ['slow_module']}, [1, 1, 1, 1])\n"
        "print(zygote.pid, flush=True)\ntime.sleep(60)\n"
    )
    site = tmp_path / "site"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(site)], check=True)
    packages = next((site / "lib").glob("python*/site-packages"))
    (packages / "slow_module.py").write_text("import time\ntime.sleep(60)\n")
    program = program.replace(
        "Zygote.start(sys.executable)", f"Zygote.start({str(site / 'bin' / 'python')!r})"
    )
    worker = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert worker.stdout is not None
    zygote = int(worker.stdout.readline())
    time.sleep(0.5)
    assert exists(zygote)
    worker.kill()
    worker.wait()
    until(lambda: not exists(zygote), 2.0, "the zygote has gone")


def test_leftovers_of_a_worker_can_be_found_by_their_attempt(trials: Trials) -> None:
    trial = trials.start(source=source("double fork", "x"))
    trial.wait_for("ready")
    found = [
        pid for pid, attempt in processes.attempt_processes().items() if attempt == trial.running.attempt
    ]
    assert len(found) == 2  # the runner and its daemon
    trial.running.kill()
    trial.wait()
    assert trial.running.attempt not in processes.attempt_processes().values()
