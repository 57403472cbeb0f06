"""Whose result a task may take over.

Asked within transactions that settle a run, for many tasks at once; so nothing here reads the store while it
looks: whether bytes are there is found out before, outside, and remembered for a while.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import QuerySet

from runs.fingerprints import REUSABLE_KINDS, Json, NotKnown
from runs.models import Attempt, Run, TaskRun
from runs.reuse import stored, surroundings
from runs.reuse.keys import DONE, Key, Making, fact_of, lookup_of, put_right, told_key
from runs.transitions import execute

# --- what may be reused -----------------------------------------------------------------------------------


def cached(spec: Json) -> bool:
    """Does the task ask for equal results of any run (`cache: true`)?"""
    return bool(spec["config"].get("cache"))


def reusable(spec: Json) -> bool:
    """Is the task of a kind whose result can be told from what it is given?"""
    return spec["kind"] in REUSABLE_KINDS


def candidates(spec: Json, old_keys: Collection[str] = (), fresh: Collection[str] = ()) -> list[str]:
    """The tasks of a version that may take over a result.

    Those with `cache: true` and those that the old run had; none that is to be done afresh.
    """
    return [
        task["key"]
        for task in spec["tasks"]
        if (task["key"] in old_keys or cached(task)) and task["key"] not in fresh and reusable(task)
    ]


# --- whose result is taken over ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Looked:
    """What is known of tasks that are about to begin, by their ids.

    ``keys``: what they are made from, where that is known; ``sources``: the attempts to take over;
    ``unasked``: those whose bytes may be there or not, which the store must be asked about first.
    """

    keys: dict[int, Key]
    sources: dict[int, int]
    unasked: dict[int, int]

    def ask(self) -> None:
        """Ask the store, for a while, for what is unasked. Never within a transaction of the engine."""
        stored.ask_store(
            {source: self.keys[task].sha256 for task, source in self.unasked.items()}, stored.PATIENCE
        )


def look(run: Run, tasks: Sequence[TaskRun]) -> Looked:
    """The equal results for pending tasks of a run that may take one over; remembers their keys.

    First those of the run it repeats, then, with `cache: true`, the newest of the team. A fixed number of
    queries, none for no tasks.
    """
    keys = _keys_now(run, tasks)
    barred = _keep({key.sha256: key.document for key in keys.values()})
    free = [task for task in tasks if task.pk in keys and keys[task.pk].sha256 not in barred]
    wanted = {task.key: keys[task.pk].sha256 for task in free}
    old = _of_old_run(run.rerun_of, wanted)
    rest = [task for task in free if task.key not in old and cached(task.task.spec)]
    newest = of_team(run.team_id, {wanted[task.key] for task in rest})
    sources = {task.pk: old[task.key] for task in free if task.key in old}
    sources |= {task.pk: newest[wanted[task.key]] for task in rest if wanted[task.key] in newest}
    sources = _as_foreseen(sources, keys)
    there, unasked = stored.at_hand(set(sources.values()))
    return Looked(
        keys,
        {task: source for task, source in sources.items() if source in there},
        {task: source for task, source in sources.items() if source in unasked},
    )


def _as_foreseen(sources: Mapping[int, int], keys: Mapping[int, Key]) -> dict[int, int]:
    """Those whose attempt told that it ran with what its key says. Two queries at most, none for none.

    Where a task will run is foreseen when its key is made; another machine may have been quicker.
    """
    if not sources:
        return {}
    rows = Attempt.objects.filter(pk__in=set(sources.values()))
    facts = {pk: fact or "" for pk, fact in rows.values_list("pk", "provenance__environment")}
    surroundings.told_by(set(facts.values()))  # all at once
    found = {}
    for task, source in sources.items():
        with suppress(NotKnown):
            if put_right(keys[task].document, facts[source]).sha256 == keys[task].sha256:
                found[task] = source
    return found


def _keys_now(run: Run, tasks: Sequence[TaskRun]) -> dict[int, Key]:
    """The keys of the tasks of which all is known."""
    keys: dict[int, Key] = {}
    if not tasks:
        return keys
    making = Making(run, tasks)
    for task in tasks:
        with suppress(NotKnown):
            keys[task.pk] = making.key(task)
    return keys


# The rows that were written just now are not seen by their own statement: they are not in quarantine.
_KEEP = """
    WITH kept AS (
        INSERT INTO task_key (sha256, document)
        SELECT g.sha256, g.document::jsonb FROM unnest(%s::text[], %s::text[]) AS g (sha256, document)
        ON CONFLICT DO NOTHING
    )
    SELECT sha256 FROM task_key WHERE sha256 = ANY (%s) AND quarantined_at IS NOT NULL
"""


def _keep(documents: Mapping[str, Json]) -> set[str]:
    """Store the documents of keys; returns those of the keys that are in quarantine."""
    if not documents:
        return set()
    keys = sorted(documents)  # two that keep the same wait for one another in one order
    with connection.cursor() as cursor:
        cursor.execute(_KEEP, [keys, [json.dumps(documents[key]) for key in keys], keys])
        return {sha256 for (sha256,) in cursor.fetchall()}


def _of_old_run(old: Run | None, wanted: Mapping[str, str]) -> dict[str, int]:
    """The attempts of the same tasks in the run that is repeated, where they were made from the same.

    ``wanted``: path of a task -> its key now.
    """
    if old is None or not wanted:
        return {}
    done = _done_in(old.uuid)
    if unread := wanted.keys() - done.keys():
        done |= _read_done(old, TaskRun.objects.filter(key__in=unread))
    return {
        key: done[key].source for key, sha256 in wanted.items() if key in done and done[key].key == sha256
    }


class _Done(NamedTuple):
    """What a succeeded task was made from, and the attempt that did the work."""

    key: str
    source: int


@lru_cache(maxsize=16)
def _done_in(run: UUID) -> dict[str, _Done]:
    """Path -> what is known of a succeeded task of a run; that never changes, so it is read once."""
    return {}


def recall(old: Run) -> None:
    """Read at once what all tasks of a run were made from, for a rerun of it."""
    _done_in(old.uuid).update(_read_done(old, TaskRun.objects.filter(kind__in=REUSABLE_KINDS)))


def _read_done(old: Run, tasks: QuerySet[TaskRun]) -> dict[str, _Done]:
    rows = list(tasks.filter(run=old, state=DONE).select_related("task"))
    own = [row for row in rows if row.reused_from_id is None]
    made = {made.task_run_id: made for made in Attempt.objects.filter(task_run__in=own, state=DONE)}
    then = _keys_then(old, [row for row in own if not row.cache_key], made)
    found = {}
    for row in rows:
        if key := row.cache_key or then.get(row.pk):
            found[row.key] = _Done(key, row.reused_from_id or made[row.pk].pk)
    return found


def _keys_then(old: Run, rows: Sequence[TaskRun], made: Mapping[int, Attempt]) -> dict[int, str]:
    """The keys of succeeded tasks from what their attempts told, where that was enough."""
    surroundings.told_by({fact_of(made[row.pk]) for row in rows})  # all at once
    lookup = lookup_of(old, rows)
    keys: dict[int, str] = {}
    for row in rows:
        row.run = old
        with suppress(NotKnown):
            keys[row.pk] = told_key(row, made[row.pk], lookup).sha256
    return keys


_NEWEST = """
    SELECT k.key, a.id FROM unnest(%s::text[]) AS k (key) CROSS JOIN LATERAL (
        SELECT a.id, a.finished_at FROM attempt a
        WHERE a.team_id = %s AND a.cache_key = k.key AND a.cache_key <> '' AND a.state = 'succeeded'
        ORDER BY a.id DESC LIMIT 1
    ) a WHERE a.finished_at > engine_now() - make_interval(secs => %s)
"""


def of_team(team_id: int, keys: Collection[str]) -> dict[str, int]:
    """Key -> the newest attempt of a team with it, if it is young enough. One look into an index for each."""
    if not keys:
        return {}
    oldest = float(settings.ORCHESTRATOR["REUSE_MAX_DAYS"]) * 86400
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST, [list(keys), team_id, oldest])
        return dict(cursor.fetchall())


_MARK = """
    UPDATE task_run t SET cache_key = g.key FROM unnest(%s::bigint[], %s::text[]) AS g (task, key)
    WHERE t.id = g.task AND t.state = 'pending'
"""


def mark(tasks: Sequence[TaskRun], keys: Mapping[int, Key]) -> None:
    """Tasks begin although they might have taken a result over: remember what they are made from."""
    if tasks:
        known = [keys[task.pk].sha256 if task.pk in keys else "" for task in tasks]
        execute(_MARK, ([task.pk for task in tasks], known))
