"""A task that starts too much, will not end, or attacks those that watch it."""

from __future__ import annotations

import resource
import signal
import time
import uuid
from pathlib import Path

import pytest

from runs import protocol, sweeps
from runs.models import Attempt, WorkerLease
from runs.worker import zygotes
from tests.runs.faults.bench import QUEUE, Bench, ends, python, shell, told, worker
from tests.runs.trials import marked, until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

DEAF = 'exec("import signal, time\\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\\ntime.sleep(60)")'
EXECUTE = "[sys.executable, '-c', DEAF, MARK]"
DAEMONS = {
    "a daemon that ignores TERM": f"subprocess.Popen({EXECUTE}, start_new_session=True)",
    "a double fork with setsid": (
        f"os.fork() or (os.setsid(), os.fork() or os.execv(sys.executable, {EXECUTE}), os._exit(0))"
    ),
}


@pytest.mark.parametrize("way", DAEMONS)
def test_what_a_task_leaves_running_is_dead_when_it_has_ended(bench: Bench, way: str) -> None:
    mark = f"mark-{uuid.uuid4()}"
    source = (
        f"import os, subprocess, sys, time\nDEAF, MARK = {DEAF!r}, {mark!r}\n"
        f"def main() -> int:\n    {DAEMONS[way]}\n    time.sleep(0.3)\n    return 1\n"
    )
    ended = bench.run(python(source, result="integer"))
    assert ended.task.state == "succeeded", ended.words
    assert marked(mark) == []
    bench.still_works()


def test_10_000_processes_are_stopped_at_the_limit_and_told_so(bench: Bench) -> None:
    bench.limit(processes=100)
    begun = time.monotonic()
    ended = bench.run(shell("i=0; while [ $i -lt 10000 ]; do sleep 60 & i=$((i+1)); done; wait"))
    assert (ended.last.state, ended.last.reason) == ("failed", "validation")
    assert "processes at a time, more than its limit of 100" in ended.words
    assert time.monotonic() - begun < 15
    bench.still_works()


def test_10_000_open_files_are_refused_with_the_limit_in_words(bench: Bench) -> None:
    source = "def main() -> int:\n    return len([open('/dev/null') for _ in range(10_000)])\n"
    ended = bench.run(python(source, result="integer"))
    assert (ended.last.state, ended.last.reason) == ("failed", "error")
    assert "Too many open files" in ended.words
    assert "a process of a task may have 4,096 files open at a time" in ended.words
    bench.still_works()


@pytest.mark.skipif(
    resource.getrlimit(resource.RLIMIT_NOFILE)[1] < 11_000, reason="the system allows too few open files"
)
def test_a_queue_may_allow_10_000_open_files(bench: Bench) -> None:
    bench.limit(open_files=11_000)
    source = "def main() -> int:\n    return len([open('/dev/null') for _ in range(10_000)])\n"
    assert bench.run(python(source, result="integer")).task.state == "succeeded"


def test_a_task_that_never_ends_is_ended_by_the_time_out_of_its_queue(bench: Bench) -> None:
    bench.limit(timeout="1s")
    ended = bench.run(python("def main() -> None:\n    while True: pass\n"))
    assert (ended.last.state, ended.last.reason) == ("failed", "timeout")
    assert ended.words == "timeout: it ran longer than the time-out of its queue, 1s"
    bench.still_works()


def test_a_task_that_stops_itself_is_ended_by_its_time_out(bench: Bench) -> None:
    source = "import os, signal\ndef main() -> None:\n    os.kill(os.getpid(), signal.SIGSTOP)\n"
    ended = bench.run({**python(source), "timeout": 1.0})
    assert (ended.last.state, ended.last.reason) == ("failed", "timeout")
    assert ended.words == "timeout after 1s"
    bench.still_works()


def test_a_task_that_kills_its_watcher_is_tried_three_times_and_told_so(bench: Bench) -> None:
    ended = bench.run(
        python("import os, time\ndef main() -> None:\n    os.kill(os.getppid(), 9)\n    time.sleep(60)\n")
    )
    assert [each.reason for each in ended.attempts] == ["infrastructure"] * 3
    assert "the process that watched this attempt ended (SIGKILL)" in ended.words
    bench.still_works()


def test_a_task_that_stops_its_watcher_is_found_and_ended(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zygotes, "STOPPED_FOR", 0.5)
    mark = f"mark-{uuid.uuid4()}"
    source = (
        "import os, signal, subprocess, sys, time\ndef main() -> None:\n"
        f"    subprocess.Popen(['sh', '-c', 'sleep 60; true', {mark!r}], start_new_session=True)\n"
        "    os.kill(os.getppid(), signal.SIGSTOP)\n    time.sleep(60)\n"
    )
    ended = bench.run(python(source))
    assert {each.reason for each in ended.attempts} == {"infrastructure"}
    assert "the process that watched this attempt ended" in ended.words
    assert marked(mark) == []
    bench.still_works()


GARBAGE = """
import os, socket, stat
def main() -> int:
    # The runner holds no descriptor of its watcher; those that it can open are its own.
    kinds = [os.readlink(f"/proc/self/fd/{fd}") for fd in range(64) if os.path.lexists(f"/proc/self/fd/{fd}")]
    try:
        names = os.listdir(f"/proc/{os.getppid()}/fd")
    except PermissionError:
        names = []  # nothing but root may look
    for name in names:
        try:
            fd = os.open(f"/proc/{os.getppid()}/fd/{name}", os.O_WRONLY | os.O_NONBLOCK)
            os.write(fd, b"garbage")
        except OSError:
            continue
    return len([kind for kind in kinds if kind.startswith("socket:")])
"""


def test_a_task_that_writes_to_the_pipes_of_its_watcher_reaches_no_control(bench: Bench) -> None:
    ended = bench.run(python(GARBAGE, result="integer"))
    assert ended.task.state == "succeeded", ended.words
    assert ended.outputs["result"].value == 0
    bench.still_works()


def test_a_task_that_kills_its_worker_is_poison_after_three(bench: Bench) -> None:
    """Three real workers, one after the other; each clears the ground of the one before."""
    source = (
        "import os, time\ndef main() -> None:\n"
        "    stat = open(f'/proc/{os.getppid()}/stat').read().rsplit(') ', 1)[1]\n"
        "    os.kill(int(stat.split()[1]), 9)\n    time.sleep(60)\n"
    )
    run = bench.start(python(source))
    for number in range(1, 4):
        with worker() as process:
            assert process.wait(20) == -signal.SIGKILL
        assert Attempt.objects.filter(run=run).count() == number
    with worker():
        ends(run, 20)
        until(bench.nothing_is_left, 10.0, "nothing is left")
    ended = told(run)
    assert [(each.state, each.reason) for each in ended.attempts] == [("lost", "lease")] * 3
    assert ended.task.reason == "poison"


def test_a_worker_that_is_frozen_and_thawed_writes_nothing_any_more(bench: Bench, tmp_path: Path) -> None:
    """Two real workers: while the first is frozen its lease lapses, and the second takes its task."""
    go = tmp_path / "go"
    source = (
        "import os, time\ndef main() -> int:\n    print('begun')\n"
        f"    while not os.path.exists({str(go)!r}): time.sleep(0.05)\n    return os.getppid()\n"
    )
    with worker() as frozen:
        run = bench.start(python(source, result="integer"))
        until(lambda: Attempt.objects.filter(run=run, state="running").exists(), 20, "it is taken")
        frozen.send_signal(signal.SIGSTOP)
        # As the sweep finds it once nobody has renewed it for long enough.
        assert protocol.move_lease(WorkerLease.objects.get(queue=QUEUE).uuid, ("live",), "lost")
        sweeps.settle_orphans()
        assert [each.state for each in told(run).attempts] == ["lost"]
        with worker():
            until(lambda: Attempt.objects.filter(run=run, state="running").exists(), 20, "it is retaken")
            go.touch()
            frozen.send_signal(signal.SIGCONT)
            ends(run, 20)
            assert frozen.wait(20) == 1  # its lease is lost, so it ends at once
            until(bench.nothing_is_left, 10.0, "nothing is left")
    ended = told(run)
    assert [each.state for each in ended.attempts] == ["lost", "succeeded"]
    assert len(ended.last.outputs.all()) == 1
