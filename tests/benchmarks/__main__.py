"""How fast the product is, beside what else one might pick, back to back on one machine.

    make bench                                   # everything
    .venv/bin/python -m tests.benchmarks W1 W2   # some workloads
    N_CHAIN=5 N_FAN=10 QUIET_WAIT=0 .venv/bin/python -m tests.benchmarks W1 W2 --only orchestrator floor
    .venv/bin/python -m tests.benchmarks --write # … and keep the rows in results.json

Subjects: the product, at `shared user` as RQ is, and at `own user`; the floor of a durable engine with a
process per task (`peers/floor.py`); RQ's forking worker; Prefect in threads and in a pool of processes;
Airflow. The last three are installed when they are first measured, each into its own environment (BENCH_PEERS
says where).

| id | shape | figure |
|---|---|---|
| W1 | a chain of no-op tasks | wall; gap from one task's end to the next one's start |
| W2, W7 | 1 -> 200 -> 1, 1 -> 1000 -> 1, two workers | wall; tasks/s; until all records are sealed |
| W3 | 40 x fib(10), 10 x fib(33), each in sequence | wall |
| W4 | one task, all idle | from the call to the first line of user code |
| W5 | everything left alone, zygotes ended | RSS sum, PSS sum, CPU |
| W6 | an empty home; the same home again | to /healthz and to the page |
| W8 | the list of 50 runs; all task states of the W2 run | latency, p50 and p95 |
| W9 | kill -9 of a worker under a sleeping task | until the next attempt starts |
| 10K | 1 -> 10,000 -> 1 | cost per task beside that of 200 |
| FULL | W2 and the list of runs | before and after a million finished task runs |
| U1 | 1,000 tasks in the editor | ready; frames of pan, drag, zoom; undo, tidy, link check; cards |
| FLAT | jobs of RQ without dependencies | tasks/s |

Every task stamps its own times and its process id; a run whose attempts did not each have a process of their
own is refused. Before each workload other processes are given QUIET_WAIT seconds to calm down, and what they
used meanwhile stands in the notes: above some 0.2 cores, measure again. All sizes are in `sizes.py`. Servers
are started on loopback, in a temporary folder (TMPDIR decides where), and stopped at the end.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from tests.benchmarks.figures import Figure, Row, comparison, keep, row
from tests.benchmarks.machine import when_quiet
from tests.benchmarks.orchestrator import Orchestrator, OwnUser
from tests.benchmarks.peers.airflow import Airflow
from tests.benchmarks.peers.floor import Floor
from tests.benchmarks.peers.prefect import PrefectPool, PrefectThreads
from tests.benchmarks.peers.rq_fork import RqFork
from tests.benchmarks.sizes import Sizes
from tests.benchmarks.stamps import Wrong

# Starts first, as they need the machine for themselves; what idles before it has worked; a million rows last.
ORDER = ("W6", "W5", "W1", "W2", "FLAT", "W3", "W4", "W7", "10K", "W8", "W9", "U1", "FULL")
# Not the folder for temporary files: tasks at `own user` have one of their own.
SEEN_BY_ALL = "/srv" if os.geteuid() == 0 else None
SUBJECTS = (Orchestrator, OwnUser, Floor, RqFork, PrefectThreads, PrefectPool, Airflow)
# Those that cost much while they wait do so only during their own turns.
RESTLESS = (OwnUser, PrefectThreads, PrefectPool, Airflow)


class Subject(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    @property
    def workloads(self) -> dict[str, Callable[[], list[Figure]]]: ...

    def prepare(self, workload: str) -> None: ...

    def close(self) -> None: ...


def main() -> None:
    arguments = parse(sys.argv[1:])
    # A terminated measurement still stops its servers.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    chosen = arguments.workloads or ORDER
    with subjects(arguments.only) as measured:
        rows, wrong = measure(measured, [name for name in ORDER if name in chosen])
    print("\n" + "\n".join(comparison(rows)))
    if arguments.write:
        keep(rows)
    if wrong:
        sys.exit("\n".join(["", "NOT MEASURED:", *wrong]))


def parse(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.benchmarks", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", help=f"of {' '.join(ORDER)}; default all")
    names = [subject.name for subject in SUBJECTS]
    parser.add_argument("--only", nargs="+", choices=names, default=names, help="these subjects alone")
    parser.add_argument("--write", action="store_true", help="keep the rows in results.json")
    found = parser.parse_args(words)
    if unknown := sorted(set(found.workloads) - set(ORDER)):
        parser.error(f"there is no {', '.join(unknown)}; there are {', '.join(ORDER)}")
    return found


@contextmanager
def subjects(only: Sequence[str]) -> Iterator[list[Subject]]:
    """Those to be measured, each with a folder; whatever they started is stopped at the end."""
    base = Path(tempfile.mkdtemp(prefix="orchestrator-bench-", dir=os.environ.get("TMPDIR") or SEEN_BY_ALL))
    base.chmod(0o755)  # the embedded PostgreSQL of root runs as another user, who must pass
    made: list[Subject] = []
    try:
        for kind in SUBJECTS:
            if kind.name in only:
                folder = base / kind.name
                folder.mkdir(mode=0o755)
                made.append(kind(folder, Sizes()))
        yield made
    finally:
        for subject in made:
            subject.close()
        shutil.rmtree(base, ignore_errors=True)


def measure(measured: Sequence[Subject], names: Sequence[str]) -> tuple[list[Row], list[str]]:
    """Rows, and a sentence for each workload that could not be measured. Subjects take turns."""
    sizes, rows, wrong = Sizes(), list[Row](), list[str]()
    for name in names:
        for subject in measured:
            if (workload := subject.workloads.get(name)) is None:
                continue
            try:
                subject.prepare(name)
                meter = when_quiet(sizes.quiet_wait, sizes.quiet_cores)
                figures = workload()
            except Wrong as why:
                wrong.append(f"{subject.name} {name}: {why}")
                print(f"{subject.name:15} {name} NOT MEASURED: {why}", flush=True)
                continue
            load, found = meter.text, time.strftime("%H:%M:%S")
            for figure in figures:
                rows.append(row(subject.name, subject.version, figure, load))
                print(f"{found} {rows[-1].text}", flush=True)
            if isinstance(subject, RESTLESS):
                subject.close()
    return rows, wrong


if __name__ == "__main__":
    main()
