"""The Python and the packages that a task runs with: those it would find now, and those it told of."""

from __future__ import annotations

import platform
from collections.abc import Collection, Iterable
from functools import cache

from pipelines.canonical import digest
from runs.fingerprints import Json, NotKnown
from runs.models import CapturedFact, Environment, RunCode
from runs.worker.capture import facts


def environment_of(spec: Json, code: RunCode | None, python: str) -> Json:
    """What a task would run with now: the environment of its code with this Python, or the product's own.

    Raises :class:`NotKnown` when its Python is not known because nothing has been built yet.
    """
    if code is None or not has_own(spec, code):
        return {"packages": _own_packages(), "python": platform.python_version()}
    if not python:
        raise NotKnown("Its environment was not built yet.")
    return {"lock": code.lock_sha256, "python": python}


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


def environment_told(spec: Json, code: RunCode | None, fact: str) -> Json:
    """What a task ran with, by the fact that its interpreter told. Raises NotKnown when none was captured."""
    found = told_by([fact]).get(fact)
    if found is None:
        raise NotKnown("What it ran with was not captured.")
    if code is not None and has_own(spec, code):
        return {"lock": code.lock_sha256, "python": found["python"]}
    return found


# Captured fact -> {"packages", "python"} of it. A fact never changes, and reading one costs milliseconds.
_told: dict[str, Json] = {}


def told_by(facts_told: Collection[str]) -> dict[str, Json]:
    """Fact -> the digest of its packages and its Python, for those that are kept. At most one query."""
    unread = set(facts_told) - _told.keys() - {""}
    if unread:
        rows = CapturedFact.objects.filter(sha256__in=unread).values_list("sha256", "body")
        for sha256, body in rows:
            _told[sha256] = {"packages": packages_sha256(body["packages"]), "python": body["python"]}
    return {fact: _told[fact] for fact in facts_told if fact in _told}
