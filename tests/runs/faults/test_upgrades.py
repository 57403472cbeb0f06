"""A new version comes while work is under way: of the product, and of a pipeline."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import Final

import pytest
from django.db import connection
from django.db.migrations import AddField, RunSQL, SeparateDatabaseAndState
from django.db.migrations.operations.base import Operation

from runs import migrations
from runs.models import Attempt, Queue
from tests import factories
from tests.runs import making
from tests.runs.factories import Hands, make_run

pytestmark = pytest.mark.django_db

# As workers of version 0.1.0 call them: they run on beside those of the next version, on its schema.
CALLED: Final = {
    "engine_plant": "$1, $2, $3::text[], $4, $5::text[]",
    "engine_claim": "$1, $2",
    "engine_claim (within a finish)": "$1, $2, $3",
    "engine_finish": "$1, $2, $3, $4, $5, $6::jsonb, $7::jsonb, $8, $9, $10, $11, $12, $13",
    "engine_end_task": "$1, $2, $3, $4, $5",
    "engine_judged": "$1, $2::bigint[], $3::bigint[], $4::bigint[]",
    "engine_reuse": "$1, $2::bigint[], $3::bigint[], $4::text[]",
    "engine_undecided": "$1, $2",
    "engine_retry_now": "$1, $2",
    "engine_cancel": "$1, $2",
    "engine_resume": "$1, $2",
    "engine_beat": "$1, $2",
    "engine_log": "$1, $2, $3, $4, $5, $6",
    "engine_outputs": "$1, $2::jsonb",
}
# What they read of the work they are given.
READ: Final = {
    "attempt": {"id", "uuid", "no", "resume_no", "isolation", "seconds"},
    "task": {"id", "uuid", "key", "kind", "task_id", "queue"},
    "run": {
        "id", "uuid", "number", "team_id", "version_id", "pipeline_id", "last_seq", "has_conditions", "params"
    },
}  # fmt: skip

# The last migration of version 0.1.0.
SHIPPED: Final = "0006_containers"


@pytest.mark.parametrize("called", CALLED)
def test_a_worker_of_the_version_before_may_still_call(called: str) -> None:
    verb = called.partition(" ")[0]
    with connection.cursor() as cursor:
        cursor.execute(f"PREPARE as_before AS SELECT {verb}({CALLED[called]})")
        cursor.execute("DEALLOCATE as_before")


def operations(migration: str) -> list[Operation]:
    found: list[Operation] = import_module(f"runs.migrations.{migration}").Migration.operations
    return found


def installed(migration: str) -> str:
    """The SQL that a migration runs, without comments."""
    texts = [str(each.sql) for each in operations(migration) if isinstance(each, RunSQL)]
    return re.sub("--.*", "", "\n".join(texts))


def fields(migration: str) -> set[str]:
    """The fields that a migration adds to a model that was there before."""
    each_way = (
        each.state_operations if isinstance(each, SeparateDatabaseAndState) else [each]
        for each in operations(migration)
    )
    return {each.name for some in each_way for each in some if isinstance(each, AddField)}


def in_order() -> list[str]:
    return sorted(path.stem for path in Path(migrations.__path__[0]).glob("[0-9]*.py"))


def test_what_a_migration_installs_can_be_called_before_the_next_one_is_applied() -> None:
    names = in_order()
    made = {name: set(re.findall(r"FUNCTION (engine_\w+)\(", installed(name))) for name in names}
    for number, name in enumerate(names):
        if name > SHIPPED:
            later = set().union(*(made[other] for other in names[number + 1 :]))
            there = set().union(*(made[other] for other in names[: number + 1]))
            assert not set(re.findall(r"\b(engine_\w+)\(", installed(name))) & (later - there), name


def test_what_a_migration_installs_reads_no_column_that_a_later_one_adds() -> None:
    names = [name for name in in_order() if name > SHIPPED]
    there: set[str] = set()
    for number, name in enumerate(names):
        there |= set(re.findall(r"ADD COLUMN IF NOT EXISTS (\w+)", installed(name)))
        later = set().union(*map(fields, names[number + 1 :])) - there
        read = set(re.findall(r"\b[a-z]+\.(\w+)", installed(name)))
        assert not {column for column in read if column.removesuffix("_id") in later - {"team"}}, name


def test_a_worker_of_the_version_before_reads_the_work_it_is_given() -> None:
    make_run("a")
    hands = Hands()
    hands.claim()
    work = hands.held["a"]
    for part, names in READ.items():
        assert names <= set(getattr(work, part))


def test_a_run_keeps_its_version_when_the_pipeline_gets_another_one() -> None:
    cast = factories.make_cast()
    Queue.objects.get_or_create(slug="cpu")
    text = "schema: orchestrator/v1\nname: kept\ntasks:\n  a: {{kind: shell, run: echo {word}}}\n" + (
        "  b: {{kind: shell, run: echo {word}, needs: [a]}}\n"
    )
    first = factories.make_published(text.format(word="one"), team=cast.team, owner=cast.alice)
    run = making.start(first, cast.alice)
    lease = making.make_lease()
    making.finish(making.claim(lease))
    second = factories.make_published(text.format(word="two"), team=cast.team, owner=cast.alice)
    work = making.claim(lease)
    assert (work.task["key"], work.spec["config"]["run"]) == ("b", "echo one")
    making.finish(work)
    other = making.start(second, cast.alice)
    assert making.claim(lease).spec["config"]["run"] == "echo two"
    versions = Attempt.objects.order_by("id").values_list("run__version__number", flat=True)
    assert (list(versions), run.version_id, other.version_id) == ([1, 1, 2], first.id, second.id)
