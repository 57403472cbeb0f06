"""Walks over a large graph: one artifact read by many records, and one long chain."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from lineage import graph, queries
from lineage.models import Artifact, Content, ParameterSet, Record
from tests.factories import Cast, client, make_cast
from tests.lineage.factories import make_attempt, make_lease, make_run, make_version, task
from tests.planning import analyze

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.timeout(300)]

CHAIN = 20_000
READERS = 50_000

# Every number is one finished attempt of one task, with its record and the artifact that it wrote.
ATTEMPTS = """
    INSERT INTO attempt (uuid, team_id, run_id, task_run_id, lease_id, no, resume_no, state, reason, cause,
        isolation, started_at, finished_at, code_sha256, environment_sha256, cache_key, dropped_bytes)
    SELECT gen_random_uuid(), a.team_id, a.run_id, a.task_run_id, a.lease_id, n, 0, 'succeeded', '', '',
        'shared user', a.started_at, a.finished_at, '', '', '', 0
    FROM attempt a, generate_series(2, %s) n WHERE a.id = %s
"""
RECORDS = """
    INSERT INTO record (uuid, team_id, source, attempt_id, run_id, task_run_id, version_id, job, task, kind,
        attempt_no, resume_no, state, reason, started_at, finished_at, partition, parameters_id, actor,
        isolation, cache_key, gaps, grade, digest)
    SELECT a.uuid, a.team_id, 'native', a.id, a.run_id, a.task_run_id, %s, 'large.step', 'step', 'python',
        a.no, 0, a.state, '', a.started_at, a.finished_at, '', %s, '', '', '', '[]', 'B', repeat('0', 64)
    FROM attempt a WHERE a.run_id = %s ORDER BY a.no
"""
ARTIFACTS = """
    INSERT INTO artifact (uuid, team_id, kind, name, content_id, metadata)
    SELECT r.uuid, r.team_id, 'table', 'large.step.' || r.attempt_no, %s, '{}' FROM record r
    ORDER BY r.attempt_no
"""
WROTE = """
    INSERT INTO use (record_id, artifact_id, direction, slot, position, binding, torn)
    SELECT r.id, a.id, 1, 'out', 0, 'explicit', false FROM record r JOIN artifact a ON a.uuid = r.uuid
"""
# The first CHAIN records follow each other; the rest all read what the first wrote.
READ = """
    INSERT INTO use (record_id, artifact_id, direction, slot, position, binding, torn)
    SELECT r.id, a.id, 0, 'in', 0, 'explicit', false FROM record r
    JOIN record before ON before.attempt_no = CASE WHEN r.attempt_no <= %s THEN r.attempt_no - 1 ELSE 1 END
    JOIN artifact a ON a.uuid = before.uuid
    WHERE r.attempt_no > 1
"""


@pytest.fixture
def cast() -> Cast:
    return make_cast()


@pytest.fixture
def large(cast: Cast) -> None:
    version = make_version(cast.team, [task("step")])
    run = make_run(version, cast.alice)
    first = make_attempt(run, "step", lease=make_lease())
    content = Content.objects.create(sha256="a" * 64, size=1)
    parameters = ParameterSet.objects.create(sha256="b" * 64, values={})
    with connection.cursor() as cursor:
        cursor.execute(ATTEMPTS, [CHAIN + READERS, first.pk])
        cursor.execute(RECORDS, [version.pk, parameters.pk, run.pk])
        cursor.execute(ARTIFACTS, [content.pk])
        analyze("record", "artifact")
        cursor.execute(WROTE)
        cursor.execute(READ, [CHAIN])
        cursor.execute("UPDATE record SET sealed_at = created_at")
    # Every table of the walk: what the planner knows of the others is what earlier tests left.
    analyze("record", "artifact", "use", "attempt", "task_run", "run", "pipeline_version", "content")


def artifact(number: int) -> Artifact:
    return Artifact.objects.get(name=f"large.step.{number}")


def quickest(call: Callable[[], Any], times: int = 7) -> float:
    """Seconds of the middle of some calls, which a busy machine does not blur much."""
    taken = []
    for _ in range(times):
        begin = time.perf_counter()
        call()
        taken.append(time.perf_counter() - begin)
    return sorted(taken)[times // 2]


def test_first_answers_do_not_depend_on_the_size_of_the_graph(cast: Cast, large: None) -> None:
    assert Record.objects.count() == CHAIN + READERS
    end, beginning, leaf = artifact(CHAIN).pk, artifact(1), artifact(CHAIN + READERS).pk
    address = f"/api/v1/artifacts/{beginning.uuid}/downstream/?page_size=50"
    alice = client(cast.alice)
    figures = {
        "up a chain": quickest(lambda: queries.walk_up([end])),
        "up from a reader": quickest(lambda: queries.walk_up([leaf])),
        "down to readers": quickest(lambda: queries.walk_down([beginning.pk])),
        "page of readers": quickest(lambda: alice.get(address)),
    }
    print({name: f"{seconds * 1000:.1f} ms" for name, seconds in figures.items()})
    assert max(figures.values()) < 0.3, figures
    walk = queries.walk_up([end])
    assert (len(walk.artifacts), walk.truncated) == (queries.FIRST_ANSWER, True)


def test_a_long_chain_is_walked_to_its_end(large: None) -> None:
    end, beginning = artifact(CHAIN).pk, artifact(1).pk
    walk = queries.walk_up([end], limit=CHAIN + 1)
    assert (len(walk.artifacts), walk.truncated) == (CHAIN, False)
    assert graph.upstream_of(end, walk.uses)[beginning] == CHAIN - 1
    assert graph.sources(walk.uses) == {beginning}
