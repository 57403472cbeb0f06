"""A task that floods its log, or writes what is no text: the worker stays small and awake."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import psutil
import pytest
from django.db import connection
from django.db.models import Sum
from django.db.models.functions import Length

from runs import logs
from runs.models import Attempt, LogChunk, Queue, Run, WorkerLease
from tests.runs.faults.bench import QUEUE, Bench, ends, python, shell, told, worker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
MIB = 1024**2
GIB = 1024**3
NEIGHBOUR = "neighbour"
BEAT = 5.5  # seconds at most between two beats of a worker in peace


def kept(attempt: Attempt) -> int:
    """Bytes of an attempt's log in the database."""
    chunks = LogChunk.objects.filter(run_id=attempt.run_id, attempt_id=attempt.pk)
    size: int = chunks.aggregate(size=Sum(Length("body")))["size"]
    return size


@dataclass
class Watch:
    """What is seen of a worker while a run goes on."""

    worker: psutil.Process
    lease: WorkerLease
    most: int = 0
    beats: list[float] = field(default_factory=list)
    _expires: object = None

    def look(self) -> None:
        self.most = max(self.most, self.worker.memory_info().rss)
        self.lease.refresh_from_db(fields=["expires_at"])
        if self.lease.expires_at != self._expires:
            self._expires = self.lease.expires_at
            self.beats.append(time.monotonic())

    @property
    def longest_pause(self) -> float:
        return max(later - earlier for earlier, later in zip(self.beats, self.beats[1:], strict=False))


def small_task(bench: Bench) -> float:
    """Seconds of one small task of the neighbour."""
    run = bench.start(python("def main() -> None: ...\n"), queue=NEIGHBOUR)
    return ends(run, 60)


def still_running(run: Run) -> bool:
    return Run.objects.filter(pk=run.pk, state="running").exists()


def test_a_task_that_prints_1_gb_costs_neither_its_worker_nor_its_neighbour(
    bench: Bench, record_property: Callable[[str, object], None]
) -> None:
    Queue.objects.create(slug=NEIGHBOUR)
    fast = {"ORCHESTRATOR_LOG_RATE": str(32 * MIB)}
    with worker(**fast) as process, worker(NEIGHBOUR):
        ends(bench.start(python("def main() -> None:\n    print('warm')\n")), 60)
        in_peace = [small_task(bench) for _ in range(20)]
        watch = Watch(psutil.Process(process.pid), WorkerLease.objects.get(queue=QUEUE))
        before = psutil.Process(process.pid).memory_info().rss
        run = bench.start(shell(f"yes 'a line of this flood, of some fifty characters' | head -c {GIB}"))
        in_flood = []
        while still_running(run):
            watch.look()
            in_flood.append(small_task(bench))
            time.sleep(0.1)
    found = told(run)
    assert found.task.state == "succeeded", found.words
    assert kept(found.last) <= 64 * MIB + 200
    assert found.last.dropped_bytes >= GIB - 65 * MIB
    assert marks(found.last) == 1
    grown = (watch.most - before) / MIB
    ratio = statistics.median(in_flood) / statistics.median(in_peace)
    late = watch.longest_pause - BEAT
    for name, value in (("grown MiB", grown), ("late s", late), ("neighbour ratio", ratio)):
        record_property(name, round(value, 2))
        print(f"{name}: {value:.2f}")
    assert grown < 32, f"the worker grew by {grown:.0f} MiB"
    assert late < 1.0, f"a beat was {late:.2f} s late"
    assert ratio < 3 or statistics.median(in_flood) < 0.5, f"the neighbour took {ratio:.1f} times as long"


def marks(attempt: Attempt) -> int:
    """In how many places a log says that something was dropped."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM log_chunk WHERE run_id = %s AND attempt_id = %s "
            "AND position('bytes of this log were dropped here' IN convert_from(body, 'UTF8')) > 0",
            [attempt.run_id, attempt.pk],
        )
        (count,) = cursor.fetchone()
    return int(count)


def test_one_endless_line_is_kept_in_chunks_and_shown_with_its_length(bench: Bench) -> None:
    found = bench.run(shell("head -c 3000000 /dev/zero | tr '\\0' 'x'"))
    assert found.task.state == "succeeded"
    assert kept(found.last) == 3_000_000
    assert found.log.endswith("(a line of 3,000,000 bytes; the download has it whole)")
    bench.still_works()


ODD = {
    "bytes that are not UTF-8": (r"\377\376\300\200 ok\n", "���� ok"),
    "NUL": (r"a\0b\n", "a�b"),
    "half a character at the end": (r"a\303", "a�"),
    "control sequences": (r"\033[31mred\033[0m \033]0;title\007 \033[2J\n", "\x1b[31mred"),
    "returns alone": (r"1\r2\r3\n", "3"),
}


@pytest.mark.parametrize("way", ODD)
def test_what_is_no_text_is_kept_as_text(bench: Bench, way: str) -> None:
    said, shown = ODD[way]
    found = bench.run(shell(f"printf '{said}'"))
    assert found.task.state == "succeeded", found.words
    assert shown in found.log
    assert logs.read(found.last, 0, 10).complete
    bench.still_works()


@pytest.mark.parametrize(
    "how",
    [
        "os.close(1); os.close(2)",
        "sys.stdout.close(); sys.stderr.close()",
        "sys.stdout = sys.stderr = None",
        "sys.stdout = sys.stderr = 3",
        "os.dup2(os.open('/dev/full', 1), 1)",
    ],
)
def test_a_task_that_closes_its_output_keeps_its_result(bench: Bench, how: str) -> None:
    found = bench.run(
        python(f"import os, sys\ndef main() -> int:\n    {how}\n    return 4\n", result="integer")
    )
    assert found.task.state == "succeeded", found.words
    bench.still_works()


def test_a_task_that_closes_its_output_and_fails_is_told_all_the_same(bench: Bench) -> None:
    body = "sys.stdout.close(); sys.stderr.close()\n    raise ValueError('bad')"
    found = bench.run(python(f"import sys\ndef main() -> None:\n    {body}\n"))
    assert found.words == "ValueError: bad"
