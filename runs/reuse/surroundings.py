"""The machine, Python and packages that a task runs with: those it would find now, and those it told of."""

from __future__ import annotations

import platform
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from typing import Any

from django.db import connection

from pipelines.canonical import digest
from runs.fingerprints import Json, NotKnown
from runs.models import CapturedFact, Environment, RunCode
from runs.worker.capture import facts

# --- foreseen ---------------------------------------------------------------------------------------------


def environment_of(spec: Json, code: RunCode | None, python: str, architecture: str) -> Json:
    """What a task would run with now: the environment of its code with this Python, or the product's own.

    Raises :class:`NotKnown` when its Python is not known because nothing has been built yet.
    """
    machine = {"architecture": architecture}
    if code is None or not has_own(spec, code):
        return {"packages": _own_packages(), "python": platform.python_version(), **machine}
    if not python:
        raise NotKnown("Its environment was not built yet.")
    return {"lock": code.lock_sha256, "python": python, **machine}


def python_of(code: RunCode) -> str:
    """The Python of the environment of some code; "" when that was not built yet."""
    wanted = code.snapshot.python
    built = Environment.objects.filter(lock_sha256=code.lock_sha256, wanted=wanted).exclude(python="")
    python = built.values_list("python", flat=True).first()
    return python or ("" if wanted else platform.python_version())


def has_own(spec: Json, code: RunCode) -> bool:
    return spec["kind"] != "check" and bool(code.lock_sha256 or code.snapshot.python)


@cache
def _own_packages() -> str:
    return packages_sha256(facts.packages())


def packages_sha256(packages: Iterable[Json]) -> str:
    """The digest of a list of {"name", "version"}."""
    return digest([[package["name"], package["version"]] for package in packages])


# A worker of an older version does not say where it runs.
_OF_WORKERS = """
    SELECT q.slug, CASE WHEN cardinality(w.here) > 0 THEN w.here ELSE ARRAY(
        SELECT coalesce(l.labels ->> 'architecture', %s) FROM worker_lease l
        WHERE l.queue = q.slug ORDER BY l.id DESC LIMIT 1) END
    FROM unnest(%s::text[]) AS q (slug) CROSS JOIN LATERAL (SELECT ARRAY(
        SELECT DISTINCT coalesce(l.labels ->> 'architecture', %s) FROM worker_lease l
        WHERE l.queue = q.slug AND l.state IN ('live', 'draining')) AS here) w
"""


class Architectures:
    """On what machines tasks of these queues would run. One query."""

    def __init__(self, queues: Collection[str]) -> None:
        own = platform.machine()
        with connection.cursor() as cursor:
            cursor.execute(_OF_WORKERS, [own, sorted(queues), own])
            self._found = {slug: found or [own] for slug, found in cursor.fetchall()}

    def of(self, queue: str) -> str:
        """That of its workers, or of the last one it had. Raises :class:`NotKnown` for several."""
        found = sorted(self._found[queue])
        if len(found) > 1:
            raise NotKnown(
                f"The workers of the queue {queue} run on several architectures ({', '.join(found)}), "
                "and which one it would meet is not known."
            )
        return str(found[0])


# --- told -------------------------------------------------------------------------------------------------


def environment_told(spec: Json, code: RunCode | None, fact: str) -> Json:
    """What a task ran with, by the fact that its interpreter told. Raises NotKnown when none was captured."""
    found = _told_of(fact)
    if code is not None and has_own(spec, code):
        return {"lock": code.lock_sha256, **{name: found[name] for name in ("python", "architecture")}}
    return found


def as_told(environment: Json, fact: str) -> Json:
    """What was foreseen, put right by the fact that the interpreter told. Raises :class:`NotKnown`."""
    found = _told_of(fact)
    return {name: found.get(name, foreseen) for name, foreseen in environment.items()}


def _told_of(fact: str) -> Json:
    found = told_by([fact]).get(fact)
    if found is None:
        raise NotKnown("What it ran with was not captured.")
    return found


# Captured fact -> {"packages", "python", "architecture"} of it, None for one of another shape. A fact never
# changes, and reading one costs milliseconds.
_told: dict[str, Json | None] = {}


def told_by(facts_told: Collection[str]) -> dict[str, Json]:
    """Fact -> the digest of its packages, its Python and its machine, for those kept. At most one query."""
    unread = set(facts_told) - _told.keys() - {""}
    if unread:
        rows = CapturedFact.objects.filter(sha256__in=unread).values_list("sha256", "body")
        for sha256, body in rows:
            _told[sha256] = _read(body)
    known = {fact: _told.get(fact) for fact in facts_told}
    return {fact: found for fact, found in known.items() if found is not None}


def _read(body: Mapping[str, Any]) -> Json | None:
    """Code of the task's team may have had a hand in it, so nothing is taken for granted."""
    try:
        return {
            "packages": packages_sha256(body["packages"]),
            "python": str(body["python"]),
            "architecture": str(body["platform"]["machine"]),
        }
    except (KeyError, TypeError, ValueError):
        return None
