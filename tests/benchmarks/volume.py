"""FULL and 10K of `orchestrator`: what a million finished task runs, and a very wide run, cost a task."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from orchestrator_site.embedded.home import DATABASE_NAME, POSTGRES_PORT, SUPERUSER_ROLE, Home
from tests.benchmarks import common, latency
from tests.benchmarks.figures import Figure
from tests.benchmarks.sizes import Sizes
from tests.benchmarks.stamps import Wrong

if TYPE_CHECKING:
    from tests.benchmarks.orchestrator import Orchestrator

# Each table with the columns that hold ids of the copied rows; every other column is copied as it is. The ids
# of a copy are those of the run that is copied, plus its number times the span of that table.
COPIED: dict[str, dict[str, str]] = {
    "run": {"id": "run"},
    "task_run": {"id": "task_run", "run_id": "run", "parent_id": "task_run"},
    "task_edge": {"id": "task_edge", "run_id": "run", "up_id": "task_run", "down_id": "task_run"},
    "attempt": {"id": "attempt", "run_id": "run", "task_run_id": "task_run"},
    "run_event": {"run_id": "run", "task_run_id": "task_run", "attempt_id": "attempt"},
}
OF_RUN = {"run": "id"}  # the column that says which run a row is of, where it is not run_id
BATCH = 500  # copies per statement
COLUMNS = """
    SELECT column_name FROM information_schema.columns
    WHERE table_schema = 'public' AND table_name = %s AND is_generated = 'NEVER' ORDER BY ordinal_position
"""


def full(subject: Orchestrator, sizes: Sizes) -> list[Figure]:
    """W2's rate and the list of runs, first as it is and then with `sizes.full` more finished task runs."""
    empty, done = common.wide(subject, sizes, "FULL before:", sizes.fan)
    fill(subject.home, done[-1].run, sizes.full)
    laden, _ = common.wide(subject, sizes, "FULL after:", sizes.fan)
    listed = latency.timed("FULL list of 50 runs", lambda: latency.list_runs(subject), sizes)
    rates = [*empty[1:], *laden[1:], listed]
    return [Figure(one.workload, one.unit, one.values, f"{sizes.full} rows; {one.notes}") for one in rates]


def very_wide(subject: Orchestrator, sizes: Sizes) -> list[Figure]:
    """Milliseconds per task of a run of 200 and of one of 10,000, one after the other."""
    found = []
    for width in (sizes.fan, sizes.widest):
        rates = common.wide(subject, sizes, "10K", width)[0][1]
        costs = [1000 / rate for rate in rates.values]
        found.append(Figure(f"10K {width} wide: per task", "ms", costs, rates.notes))
    return found


def fill(home: Path, run: str, task_runs: int) -> None:
    """Copy a finished run until there are so many more task runs, with all that the engine keeps of them."""
    with superuser(home) as connection, connection.transaction():
        connection.execute("SET LOCAL session_replication_role = replica")  # no guard looks at each row
        row = connection.execute(
            "SELECT r.id, count(*) FROM run r JOIN task_run t ON t.run_id = r.id"
            " WHERE r.uuid = %s GROUP BY r.id",
            [run],
        ).fetchone()
        if row is None:
            raise Wrong(f"there is no run {run}")
        number, width = row
        spans = {table: span(connection, table) for table in COPIED if table != "run_event"}
        copies = -(-task_runs // width)
        connection.execute("SELECT ensure_run_partitions(%s)", [number + spans["run"] * copies])
        for first in range(1, copies + 1, BATCH):
            last = min(first + BATCH - 1, copies)
            for table, links in COPIED.items():
                copy(connection, table, links, spans, number, (first, last))
        for table in spans:
            connection.execute(
                sql.SQL("SELECT setval(pg_get_serial_sequence({0}, 'id'), (SELECT max(id) FROM {1}))").format(
                    table, sql.Identifier(table)
                )
            )
    with superuser(home) as connection:
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")


def span(connection: psycopg.Connection, table: str) -> int:
    """More than any id of the table: copies with different numbers never meet."""
    row = connection.execute(
        sql.SQL("SELECT coalesce(max(id), 0) + 1 FROM {}").format(sql.Identifier(table))
    ).fetchone()
    assert row is not None
    return int(row[0])


def copy(
    connection: psycopg.Connection,
    table: str,
    links: dict[str, str],
    spans: dict[str, int],
    run: int,
    copies: tuple[int, int],
) -> None:
    """Copies `copies` of one run's rows of a table."""
    names = [name for (name,) in connection.execute(COLUMNS, [table])]
    values = [value(name, table, links, spans) for name in names]
    connection.execute(
        sql.SQL(
            "INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE"
            " SELECT {} FROM {} s, generate_series(%s::bigint, %s) n WHERE s.{} = %s"
        ).format(
            sql.Identifier(table),
            sql.SQL(", ").join(map(sql.Identifier, names)),
            sql.SQL(", ").join(values),
            sql.Identifier(table),
            sql.Identifier(OF_RUN.get(table, "run_id")),
        ),
        [*copies, run],
    )


def value(name: str, table: str, links: dict[str, str], spans: dict[str, int]) -> sql.Composable:
    """What a copy has in a column: an id of a copy, a new uuid, its own number, or what the original has."""
    if name in links:
        return sql.SQL("s.{} + n * {}").format(sql.Identifier(name), spans[links[name]])
    if name == "uuid":
        return sql.SQL("gen_random_uuid()")
    if (table, name) == ("run", "number"):
        return sql.SQL("s.number + n * 1000")
    if (table, name) == ("run", "idempotency_key"):
        return sql.SQL("NULL")
    return sql.SQL("s.{}").format(sql.Identifier(name))


@contextmanager
def superuser(home: Path) -> Iterator[psycopg.Connection]:
    place = Home(home)
    known = place.read_secrets()
    if known is None:
        raise Wrong(f"{home} has no secrets")
    with psycopg.connect(
        host=str(place.postgres_socket_folder),
        port=POSTGRES_PORT,
        dbname=DATABASE_NAME,
        user=SUPERUSER_ROLE,
        password=known.superuser,
        autocommit=True,
    ) as connection:
        yield connection
