"""A task that passes its memory limit, wherever it holds the memory: told why, and its worker goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.runs.faults.bench import Bench, Told, python, shell

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
MIB = 1024**2
LIMIT = 128 * MIB

PYTHON = """
import time
def main() -> None:
    held = [bytearray(1 << 20) for _ in range(2000)]
    time.sleep(60)
"""
CHILD = """
import subprocess, sys
def main() -> None:
    subprocess.run([sys.executable, "-c", "import time; held = bytearray(400 << 20); time.sleep(60)"])
"""
SHARED = """
import time
from multiprocessing import shared_memory
def main() -> None:
    block = shared_memory.SharedMemory(create=True, size=400 << 20)
    for at in range(0, 400 << 20, 4096):
        block.buf[at] = 1
    time.sleep(60)
"""
# Never mapped: no process's own memory grows by it.
WRITTEN = """
import os, time
def main() -> None:
    {file}
    for _ in range(400):
        os.write(fd, bytes(1 << 20))
    time.sleep(60)
"""
MAPPED = """
import mmap, tempfile, time
def main() -> None:
    with tempfile.TemporaryFile() as file:
        file.truncate(400 << 20)
        held = mmap.mmap(file.fileno(), 400 << 20)
        for at in range(0, 400 << 20, 4096):
            held[at] = 1
        time.sleep(60)
"""


def check(told: Told) -> None:
    assert (told.last.state, told.last.reason) == ("failed", "oom")
    assert told.words.startswith("out of memory: the task held ")
    assert "more than its limit of 128 MiB" in told.words
    assert "more than its limit of 128 MiB" in told.log


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(PYTHON, id="in its own objects"),
        pytest.param(CHILD, id="in a child process"),
        pytest.param(SHARED, id="in shared memory"),
        pytest.param(WRITTEN.format(file='fd = os.memfd_create("x")'), id="in a file of memory"),
        pytest.param(MAPPED, id="in a mapped temporary file"),
    ],
)
def test_a_task_that_passes_its_memory_is_ended_and_told_so(bench: Bench, source: str) -> None:
    check(bench.run(python(source, memory=LIMIT)))
    bench.still_works()


def test_a_task_that_fills_shared_memory_by_writing_is_ended_and_its_files_are_removed(bench: Bench) -> None:
    before = set(Path("/dev/shm").iterdir())
    file = 'fd = os.open("/dev/shm/flood-of-a-task", os.O_RDWR | os.O_CREAT)'
    check(bench.run(python(WRITTEN.format(file=file), memory=LIMIT)))
    assert set(Path("/dev/shm").iterdir()) <= before
    bench.still_works()


def test_a_shell_task_is_held_to_its_memory_too(bench: Bench) -> None:
    text = "python3 -c 'import time; held = bytearray(400 << 20); time.sleep(60)' & wait"
    check(bench.run(shell(text, memory=LIMIT)))
    bench.still_works()
