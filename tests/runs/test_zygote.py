"""Zygotes: warm, clean, one process for each attempt."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from runs.worker import processes
from runs.worker.zygotes import Zygote, ZygoteGone, ZygotePool
from tests.runs.trials import Trials, exists, until, value

WHO_AM_I = """
import os
import shutil
def who() -> dict:
    return {"pid": os.getpid(), "parent": os.getppid(), "session": os.getsid(0)}
"""


def test_each_attempt_has_a_process_and_a_session_of_its_own(trials: Trials) -> None:
    seen = [trials.source(WHO_AM_I, outputs={"result": "json"}).outputs["result"] for _ in range(3)]
    assert len({who["pid"] for who in seen}) == 3
    assert len({who["parent"] for who in seen}) == 1
    assert all(who["session"] == who["pid"] for who in seen)


def test_the_event_started_names_the_process(trials: Trials) -> None:
    trial = trials.start(source=WHO_AM_I, outputs={"result": "json"})
    ended = trial.wait()
    assert trial.running.pid == ended.outputs["result"]["pid"]


def messages(trials: Trials, monkeypatch: pytest.MonkeyPatch, source: str) -> int:
    """How often the worker is woken by the zygote for one attempt."""
    trials.source("def main() -> None: ...\n")  # the first one tells the facts, too
    heard = 0
    receive = Zygote._receive

    def counted(zygote: Zygote) -> bool:
        nonlocal heard
        heard += 1
        return receive(zygote)

    with monkeypatch.context() as patch:
        patch.setattr(Zygote, "_receive", counted)
        trials.source(source)
    return heard


def test_of_a_short_attempt_the_worker_hears_once(trials: Trials, monkeypatch: pytest.MonkeyPatch) -> None:
    # The shortest of several: on a busy machine none may be short enough.
    assert min(messages(trials, monkeypatch, "def main() -> None: ...\n") for _ in range(10)) == 1


def test_of_a_longer_attempt_the_worker_hears_when_it_begins(
    trials: Trials, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert messages(trials, monkeypatch, "import time\ndef main() -> None: time.sleep(0.3)\n") == 2


def test_user_code_sees_no_secret_of_the_product(own_trials: Trials, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORCHESTRATOR_SECRET_KEY", "canary")
    monkeypatch.setenv("DATABASE_URL", "postgres://canary")
    seen = own_trials.source(
        "import os\ndef names() -> dict:\n    return dict(os.environ)\n",
        outputs={"result": "json"},
        env={"EXTRA": "1"},
    ).outputs["result"]
    assert "canary" not in str(seen)
    assert set(seen) <= {
        "PATH", "HOME", "TMPDIR", "LANG", "PYTHONHASHSEED", "ORCHESTRATOR_ATTEMPT", "ORCHESTRATOR_TASK",
        "EXTRA",
    }  # fmt: skip


def test_nothing_of_the_product_is_on_the_path(trials: Trials) -> None:
    source = "import sys\ndef main() -> list:\n    return sys.path\n"
    folders = trials.source(source, outputs={"result": "json"}).outputs["result"]
    assert not any(folder.endswith("runs/worker") for folder in folders)
    assert "" not in folders


def test_user_code_inherits_no_descriptor_but_its_report(trials: Trials) -> None:
    source = """
import os, subprocess
def main() -> dict:
    listed = [fd for fd in os.listdir("/proc/self/fd") if fd != "4"]
    own = {fd: os.readlink(f"/proc/self/fd/{fd}") for fd in listed}
    child = subprocess.check_output(["ls", "/proc/self/fd"], text=True).split()
    return {"own": own, "child": child}
"""
    seen = trials.source(source, outputs={"result": "json"}).outputs["result"]
    assert set(seen["own"]) == {"0", "1", "2", "3"}
    assert seen["own"]["0"] == "/dev/null"
    assert "memfd:report" in seen["own"]["3"]
    assert set(seen["child"]) <= {"0", "1", "2", "3"}  # 3 is the listing itself


def test_a_process_names_its_attempt_and_so_do_its_children(trials: Trials) -> None:
    trial = trials.start(
        source="import subprocess\ndef main() -> None:\n    subprocess.run(['sleep', '30'])\n"
    )
    pid = None
    while pid is None:
        trial.running.poll(0.01)
        pid = trial.running.pid
    until(lambda: len(processes.children(pid)) == 1, 5, "the child was started")
    for member in (pid, *processes.children(pid)):
        assert processes.attempt_of(member) == trial.running.attempt
    assert processes.attempt_of(processes.parent_of(pid) or 0) is None
    trial.running.kill()
    trial.wait()


def test_the_kernel_is_told_to_take_a_task_before_anything_else(trials: Trials) -> None:
    source = "def main() -> int:\n    return int(open('/proc/self/oom_score_adj').read())\n"
    assert trials.source(source, outputs={"result": "integer"}).outputs["result"] == 1000
    assert Path("/proc/self/oom_score_adj").read_text().strip() != "1000"


def test_the_module_of_an_attempt_is_imported_anew(trials: Trials) -> None:
    code = str(
        trials.code("count = 0\ndef main() -> int:\n    global count\n    count += 1\n    return count\n")
    )
    for _ in range(3):
        ended = trials.run(entry="blocks:main", code_path=code, outputs={"result": "integer"})
        assert ended.outputs["result"] == 1


def test_changed_code_is_seen_by_the_next_attempt(trials: Trials) -> None:
    for answer in (1, 22, 333):
        code = str(trials.code(f"def main() -> int:\n    return {answer}\n"))
        for _ in range(2):
            ended = trials.run(entry="blocks:main", code_path=code, outputs={"result": "integer"})
            assert ended.outputs["result"] == answer


def test_preloaded_modules_are_there_before_the_attempt(own_trials: Trials) -> None:
    source = "import sys\ndef main() -> bool:\n    return 'decimal' in sys.modules\n"
    assert not own_trials.source(source, outputs={"result": "boolean"}).outputs["result"]
    own_trials.preload = ("decimal",)
    for _ in range(2):
        assert own_trials.source(source, outputs={"result": "boolean"}).outputs["result"]


def test_a_module_that_cannot_be_preloaded_is_named_and_stops_nobody(own_trials: Trials) -> None:
    own_trials.preload = ("no_such_module",)
    trial = own_trials.start(source="def main() -> None: ...\n")
    started = trial.running.poll(10)
    assert started is not None
    assert "ModuleNotFoundError" in started["preload_problems"]["no_such_module"]
    assert trial.wait().outputs == {}


def test_hashes_of_words_are_the_same_in_every_zygote(own_trials: Trials) -> None:
    source = "def main() -> int:\n    return hash('orchestrator')\n"
    seen = {
        own_trials.source(source, outputs={"result": "integer"}, cold=True).outputs["result"]
        for _ in range(2)
    }
    assert len(seen) == 1


def test_a_cold_start_is_a_new_interpreter(own_trials: Trials) -> None:
    parents = [
        own_trials.source(WHO_AM_I, outputs={"result": "json"}, cold=True).outputs["result"]["parent"]
        for _ in range(2)
    ]
    assert parents[0] != parents[1]
    own_trials.source(WHO_AM_I)
    until(lambda: not exists(parents[0]), 2, "the cold interpreter of an ended attempt has ended")


def test_facts_about_the_environment_come_with_every_result(trials: Trials) -> None:
    first = trials.source("def main() -> None: ...\n").result["provenance"]
    second = trials.source("def main() -> None: ...\n").result["provenance"]
    assert first is second
    assert first["python"] == sys.version.split()[0]
    names = {package["name"].lower(): package["version"] for package in first["packages"]}
    assert names["duckdb"]
    assert names["django"].startswith("5.2")
    assert first["hardware"]["cores"] >= 1
    assert first["hardware"]["memory_class"] >= 1
    assert first["platform"]["system"] == "Linux"
    assert len(first["fingerprint"]) == 64


def test_requests_and_reports_may_be_larger_than_a_socket_holds(trials: Trials) -> None:
    inputs = {f"x{number}": value("é" * 30_000, "string") for number in range(40)}
    source = "def main(**words: str) -> dict:\n    return words\n"
    ended = trials.source(source, inputs=inputs, outputs=dict.fromkeys(inputs, "string"))
    assert ended.outputs["x39"]["media_type"] == "application/json"
    source = "def main() -> dict:\n    return {f'x{n}': 'e' * 60_000 for n in range(40)}\n"
    ended = trials.source(source, outputs=dict.fromkeys(inputs, "string"))
    assert ended.outputs["x39"] == "e" * 60_000


def has_ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].startswith("Z")
    except OSError:
        return True


def test_a_spare_runner_that_was_killed_is_replaced(own_trials: Trials) -> None:
    zygote = own_trials.pool.get(sys.executable)
    own_trials.source("def main() -> None: ...\n")
    until(lambda: len(processes.children(zygote.pid)) == 1, 2, "a spare runner waits")
    spare = processes.children(zygote.pid)[0]
    os.kill(spare, signal.SIGKILL)
    until(lambda: has_ended(spare), 5, "it is gone")
    assert own_trials.source(WHO_AM_I, outputs={"result": "json"}).outputs["result"]["pid"] != spare


def test_an_attempt_whose_worker_says_nothing_is_killed(own_trials: Trials) -> None:
    zygote = Zygote.start(sys.executable, silence=0.5)
    try:
        trial = own_trials.start(zygote=zygote, source="import time\ndef main() -> None: time.sleep(60)\n")
        until(lambda: bool(trial.running.poll(0.01)) or trial.running.pid is not None, 5, "it runs")
        pid = trial.running.pid
        assert pid is not None
        until(lambda: has_ended(pid), 5, "nobody asked for it any more")
    finally:
        zygote.close()


def test_a_zygote_without_work_ends_by_itself() -> None:
    zygote = Zygote.start(sys.executable, idle=0.2)
    assert zygote.process.wait(10) == 0
    assert not zygote.alive
    zygote.close()


def test_the_pool_replaces_a_zygote_that_has_ended(own_trials: Trials) -> None:
    first = own_trials.pool.get(sys.executable)
    first.process.kill()
    first.process.wait()
    second = own_trials.pool.get(sys.executable)
    assert second is not first
    assert own_trials.source("def main() -> None: ...\n").outputs == {}


def test_a_request_to_a_dead_zygote_is_refused_in_words(own_trials: Trials) -> None:
    zygote = own_trials.pool.get(sys.executable)
    zygote.process.kill()
    zygote.process.wait()
    with pytest.raises(ZygoteGone, match="does not answer"):
        own_trials.start(zygote=zygote, source="def main() -> None: ...\n")


def test_an_interpreter_that_is_not_there_is_an_os_error() -> None:
    with pytest.raises(FileNotFoundError):
        Zygote.start("/nowhere/python")


def test_a_killed_zygote_ends_its_attempt_as_infrastructure(own_trials: Trials) -> None:
    trial = own_trials.start(source="import time\ndef main() -> None:\n    print('up')\n    time.sleep(60)\n")
    trial.wait_for("up")
    pid = trial.running.pid
    assert pid is not None
    os.kill(trial.running.zygote.pid, signal.SIGKILL)
    ended = trial.wait()
    assert ended.error["reason"] == "infrastructure"
    assert "SIGKILL" in ended.error["message"]
    until(lambda: not exists(pid), 1, "the runner died with its zygote")


def test_one_zygote_carries_out_one_attempt_at_a_time(own_trials: Trials) -> None:
    trial = own_trials.start(source="import time\ndef main() -> None:\n    time.sleep(60)\n")
    with pytest.raises(RuntimeError, match="already carries out"):
        own_trials.start(zygote=trial.running.zygote, source="def main() -> None: ...\n")
    trial.running.kill()
    trial.wait()


def test_closing_the_pool_leaves_no_process(tmp_path: Path) -> None:
    trials = Trials(tmp_path, ZygotePool())
    trial = trials.start_shell("sleep 60 & sleep 60")
    until(lambda: trial.running.poll(0.01) is not None, 5, "it started")
    zygote = trial.running.zygote.pid
    until(lambda: len(processes.descendants(zygote)) >= 3, 5, "the script is at work")
    tree = [zygote, *processes.descendants(zygote)]
    trials.pool.close()
    assert not [pid for pid in tree if exists(pid)]


def test_a_pool_that_was_closed_starts_nothing_any_more() -> None:
    pool = ZygotePool()
    pool.close()
    with pytest.raises(ZygoteGone, match="worker ends"):
        pool.get(sys.executable)


def test_a_zygote_that_starts_while_its_pool_is_closed_ends_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    pool, started = ZygotePool(), []

    def start(*given: Any, **named: Any) -> Zygote:
        started.append(begin(*given, **named))
        pool.close()
        return started[0]

    begin = Zygote.start
    monkeypatch.setattr(Zygote, "start", start)
    with pytest.raises(ZygoteGone, match="worker ends"):
        pool.get(sys.executable)
    assert started[0].process.poll() is not None


@pytest.mark.parametrize("_", range(5))
def test_an_attempt_that_one_thread_waits_for_and_another_closes_gives_back_its_report_once(
    own_trials: Trials, monkeypatch: pytest.MonkeyPatch, _: int
) -> None:
    """Its number may be another file's by the second time."""
    trial = own_trials.start(source="import time\ndef main() -> None:\n    print('up')\n    time.sleep(60)\n")
    trial.wait_for("up")
    report, given_back, heard = trial.running._report, list[int](), list[Any]()

    def close(number: int) -> None:
        given_back.append(number)
        really(number)

    really = os.close
    monkeypatch.setattr(os, "close", close)
    waiting = threading.Thread(target=lambda: heard.append(trial.running.wait()))
    waiting.start()
    trial.running.zygote.close()
    waiting.join(10)
    monkeypatch.undo()
    assert given_back.count(report or -1) == 1
    assert heard[0]["result"]["error"]["type"] == "ZygoteGone"


def test_an_end_that_was_not_heard_before_the_zygote_was_closed_is_not_the_word_of_the_task(
    own_trials: Trials,
) -> None:
    running = own_trials.start(source="def main() -> None: ...\n").running
    while b'"ended"' not in running.zygote._buffer:
        assert running.zygote._receive()
    running.abandon()
    ended = running.wait()
    assert (ended["told"], ended["result"]["error"]["reason"]) == (False, "infrastructure")


def test_a_warm_attempt_costs_milliseconds(trials: Trials) -> None:
    code = str(trials.code("def main() -> None: ...\n"))
    seconds = []
    for _ in range(50):
        begun = time.perf_counter()
        trials.run(entry="blocks:main", code_path=code)
        seconds.append(time.perf_counter() - begun)
    assert min(seconds) < 0.025  # some 3 ms on a quiet machine; the best of many says it on a busy one too


def other_interpreters() -> list[str]:
    """Interpreters from 3.9 on that this machine happens to have."""
    names = [f"python3.{minor}" for minor in range(9, 16)]
    found = [path for name in names if (path := shutil.which(name))]
    found += [str(path) for path in Path.home().glob(".pyenv/versions/3.*/bin/python")]
    runs = [path for path in found if subprocess.run([path, "-V"], capture_output=True).returncode == 0]
    return [path for path in runs if version(path) >= (3, 9)]


def version(python: str) -> tuple[int, ...]:
    program = "import sys; print(*sys.version_info[:2])"
    words = subprocess.run([python, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    return tuple(int(word) for word in words)


def test_any_python_from_3_9_on_can_carry_out_a_task(own_trials: Trials) -> None:
    interpreters = other_interpreters()
    if not interpreters:
        pytest.skip("THIS MACHINE HAS NO OTHER PYTHON: zygotes were tried with the product's own only")
    for python in interpreters:
        own_trials.interpreter = python
        source = "import sys\ndef main() -> list:\n    return sys.version_info[:2]\n"
        for _ in range(2):
            ended = own_trials.source(source, outputs={"result": "json"})
            assert tuple(ended.outputs["result"]) == version(python)
        failed = own_trials.source("def main() -> None:\n    raise ValueError('x')\n")
        assert failed.error["line"] == 2
        assert own_trials.shell("echo 3 > $OUT/x", outputs={"x": "integer"}).outputs["x"] == 3
