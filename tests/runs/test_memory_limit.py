"""The memory limit of a task: its whole tree is counted, and only its own memory."""

from __future__ import annotations

import os

from runs import limits
from runs.worker import memory
from tests.runs.trials import Trials, value

MIB = 1024**2

GROW = """
import time
def main(mib: int) -> int:
    held = []
    for _ in range(mib):
        held.append(bytearray(1024 * 1024))
        time.sleep(0.002)
    time.sleep(0.5)
    return len(held)
"""


def test_a_task_that_takes_too_much_is_killed_and_told_why(trials: Trials) -> None:
    ended = trials.source(GROW, inputs={"mib": value(4_000)}, outputs={"result": "integer"}, memory=100 * MIB)
    assert ended.error["reason"] == "oom"
    assert "more than its limit of 100 MiB" in ended.error["message"]
    assert ended.event["killed"] == "memory"
    assert ended.event["passed"]["held"] > 100 * MIB


def test_the_zygote_survives_it(trials: Trials) -> None:
    first = trials.start(source=GROW, inputs={"mib": value(4_000)}, memory=60 * MIB)
    zygote = first.running.zygote
    first.wait()
    assert zygote.alive
    assert trials.start(zygote=zygote, source="def main() -> None: ...\n").wait().outputs == {}


def test_a_task_below_its_limit_is_left_alone(trials: Trials) -> None:
    ended = trials.source(GROW, inputs={"mib": value(50)}, outputs={"result": "integer"}, memory=200 * MIB)
    assert ended.outputs["result"] == 50
    assert ended.event["rusage"]["max_rss"] > 50 * MIB


def test_memory_of_child_processes_counts(trials: Trials) -> None:
    text = "python3 -c 'import time; held = bytearray(300 << 20); time.sleep(20)'"
    ended = trials.shell(text, memory=150 * MIB)
    assert ended.error["reason"] == "oom"


def test_pages_that_processes_share_count_once(trials: Trials) -> None:
    source = """
import os, time
def main() -> int:
    held = bytearray(120 << 20)
    children = []
    for _ in range(4):
        pid = os.fork()
        if pid == 0:
            time.sleep(1.0)
            os._exit(0)
        children.append(pid)
    for pid in children:
        os.waitpid(pid, 0)
    return len(held) >> 20
"""
    ended = trials.source(source, outputs={"result": "integer"}, memory=250 * MIB)
    assert ended.outputs["result"] == 120


def test_a_memory_error_of_the_code_itself_is_an_error(trials: Trials) -> None:
    ended = trials.source("def main() -> None:\n    raise MemoryError('too large')\n")
    assert ended.error["reason"] == "error"
    assert ended.error["type"] == "MemoryError"


def test_own_memory_can_be_measured() -> None:
    assert 10 * MIB < memory.resident(os.getpid()) < 4096 * MIB
    assert memory.proportional(os.getpid())[0] <= memory.resident(os.getpid()) * 1.1
    assert memory.resident(2**22 + 1) == 0
    assert memory.over_limit([os.getpid()], 1024 * 1024) is not None
    assert limits.default_memory() <= 2 * 1024**3
