"""W6 and W8 of `orchestrator`: how soon it answers, and how quickly; and how soon everything is recorded."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from orchestrator_site.embedded.home import APPLICATION_ROLE, DATABASE_NAME, POSTGRES_PORT, Home
from tests.benchmarks.figures import Figure, percentile
from tests.benchmarks.installation import Installation, answer
from tests.benchmarks.shapes import Performance, single
from tests.benchmarks.sizes import Sizes
from tests.benchmarks.stamps import Wrong

if TYPE_CHECKING:
    from tests.benchmarks.orchestrator import Orchestrator

LISTED = 50  # runs in the list
WARM = 20  # requests that do not count
LARGEST_PAGE = 500
UNSEALED = """
    SELECT count(*) FROM attempt a JOIN task_run t ON t.id = a.task_run_id JOIN run r ON r.id = t.run_id
    LEFT JOIN record d ON d.attempt_id = a.id WHERE r.uuid = %s AND d.sealed_at IS NULL
"""
LAST_SEAL = """
    SELECT extract(epoch FROM max(d.sealed_at)) FROM record d JOIN run r ON r.id = d.run_id WHERE r.uuid = %s
"""


def starts(folder: Path, sizes: Sizes) -> list[Figure]:
    """W6: the first start in an empty home and a later one, to /healthz and to the page."""
    found: dict[str, list[float]] = {}
    for number in range(sizes.repeats):
        home = folder / f"start-{number}"
        for which in ("first", "later"):
            installation = Installation(home, sizes.start_limit)
            try:
                answers, page = installation.first_answer("/healthz"), installation.first_answer("/")
                installation.wait_until_ready()
            finally:
                installation.stop()
            found.setdefault(f"W6 {which} start: to /healthz", []).append(answers)
            found.setdefault(f"W6 {which} start: to the page", []).append(page)
        shutil.rmtree(home, ignore_errors=True)
    notes = "with the demo; `manage.py up` -> HTTP 200"
    return [Figure(name, "s", values, notes) for name, values in found.items()]


def reading(subject: Orchestrator, run: str, sizes: Sizes) -> list[Figure]:
    """W8: the list of runs, and the states of all tasks of the W2 run."""
    while len(answer(subject.api.get("runs/", params={"page_size": LISTED}))["results"]) < LISTED:
        subject.carry_out(single())
    return [
        timed("W8 list of 50 runs", lambda: list_runs(subject), sizes),
        timed("W8 task states of the W2 run", lambda: all_tasks(subject, run), sizes),
    ]


def timed(name: str, ask: Callable[[], int], sizes: Sizes) -> Figure:
    """`ask` returns how many bytes it got."""
    values = []
    for number in range(WARM + sizes.requests):
        began = time.perf_counter()
        size = ask()
        if number >= WARM:
            values.append(1000 * (time.perf_counter() - began))
    return Figure(name, "ms", values, f"p95 {percentile(values, 95):.1f} ms; {size} bytes; one client")


def list_runs(subject: Orchestrator) -> int:
    response = subject.api.get("runs/", params={"page_size": LISTED})
    found = len(answer(response)["results"])
    if found != LISTED:
        raise Wrong(f"the list had {found} runs instead of {LISTED}")
    return len(response.content)


def all_tasks(subject: Orchestrator, run: str) -> int:
    """All pages of it."""
    size, address = 0, f"runs/{run}/tasks/?page_size={LARGEST_PAGE}"
    while address:
        response = subject.api.get(address)
        address = answer(response)["next"] or ""
        size += len(response.content)
    return size


def sealed_after(home: Path, done: Performance, sizes: Sizes) -> Figure:
    """How long after a run's end each of its attempts had its sealed record; asked of the database."""
    place = Home(home)
    known = place.read_secrets()
    if known is None:
        raise Wrong(f"{home} has no secrets")
    with psycopg.connect(
        host=str(place.postgres_socket_folder),
        port=POSTGRES_PORT,
        dbname=DATABASE_NAME,
        user=APPLICATION_ROLE,
        password=known.application,
        autocommit=True,
    ) as connection:
        deadline = time.monotonic() + sizes.run_limit
        while (left := unsealed(connection, done.run)) > 0:
            if time.monotonic() > deadline:
                raise Wrong(f"{left} attempts had no sealed record after {sizes.run_limit:g} s")
            time.sleep(0.02)
        values = [sealed_at(connection, done.run) - done.finished]
    return Figure("W2 records sealed after the run's end", "s", [max(0.0, values[0])], "of the last run")


def unsealed(connection: psycopg.Connection, run: str) -> int:
    row = connection.execute(UNSEALED, [run]).fetchone()
    assert row is not None
    return int(row[0])


def sealed_at(connection: psycopg.Connection, run: str) -> float:
    """When the last record of a run was sealed, in seconds since 1970."""
    row = connection.execute(LAST_SEAL, [run]).fetchone()
    assert row is not None
    return float(row[0])
