"""What workers need of their machine, asked before they start: what is missing, in words, with a way out.

A worker on a machine of its own has the addresses of database, Redis and store, and nothing else. Asked in a
child that ends, as the parent of workers opens no connection. No sentence holds a password.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from lineage import tenants
from orchestrator_site.embedded.home import WAYS_OUT
from orchestrator_site.starting import CannotStart, check_database, check_redis
from pipelines import sealing
from pipelines.models import CodeSnapshot, Secret, SecretSource
from pipelines.store import Store, StoreAway, StoreError, StoreFull, configured
from runs import isolation
from runs.dispatch import SYSTEM_QUEUE
from runs.environments import building, uv
from runs.models import AttemptOutput, Queue
from runs.worker import container, users

Step = Callable[[], None]


@dataclass
class Findings:
    """``lasting``: somebody must correct it; ``passing``: it may be over soon; ``remarks``: works without."""

    lasting: list[str] = field(default_factory=list)
    passing: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def look(queue: str) -> Findings:
    """What keeps, or would keep, workers of this machine from serving ``queue``."""
    findings = Findings()
    if not _take(findings, check_addresses, _check_home):
        return findings
    _ask_bell(findings)
    if _take(findings, lambda: check_database("default", "DATABASE_URL"), _check_tables):
        if queue != SYSTEM_QUEUE:
            _take(findings, lambda: _check_queue(queue))
        _take(findings, _check_store)
        findings.remarks += [words for words in (_of_secrets(), _of_isolation(queue)) if words]
    findings.remarks += [words for words in (_of_environments(),) if words]
    return findings


def _take(findings: Findings, *steps: Step) -> bool:
    """Take the steps until one raises CannotStart, which is noted; True when all were taken."""
    for step in steps:
        try:
            step()
        except CannotStart as trouble:
            (findings.passing if trouble.passing else findings.lasting).append(str(trouble))
            return False
    return True


def check_addresses() -> None:
    """Somebody said where the servers are, or they are those of a home here. Raises CannotStart."""
    if settings.EMBEDDED and not settings.HOME.secrets_file.exists():
        raise CannotStart(
            f"DATABASE_URL and REDIS_URL are not set, and {settings.HOME.path} was never started by "
            "`manage.py up`: set both, and ORCHESTRATOR_STORE, to what the other machines use, or "
            "ORCHESTRATOR_HOME to the home that runs here."
        )


def _check_home() -> None:
    """There is a folder to work in. Raises CannotStart."""
    home = settings.HOME.path
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.access(home, os.W_OK | os.X_OK):
            raise PermissionError(13, "Permission denied")
    except OSError as error:
        way_out = WAYS_OUT.get(error.errno or 0, "change its permissions")
        raise CannotStart(
            f"ORCHESTRATOR_HOME: tasks work in {home}, which is not writable ({error.strerror}): {way_out}, "
            "or name a folder of your own."
        ) from None


def _ask_bell(findings: Findings) -> None:
    """While Redis does not answer, workers find their tasks all the same."""
    try:
        check_redis()
    except CannotStart as trouble:
        if trouble.passing:
            findings.remarks.append(f"{trouble} Until it answers tasks begin later than they could.")
        else:
            findings.lasting.append(str(trouble))


def _check_tables() -> None:
    """The tables are at least as new as this version. Raises CannotStart."""
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        raise CannotStart(
            f"The tables are older than this version ({len(missing)} migrations are missing): run `manage.py "
            "migrate` where DATABASE_OWNER_URL is set, or start the version that the other machines have.",
            passing=True,
        )


def _check_queue(queue: str) -> None:
    known = list(Queue.objects.filter(archived_at=None).values_list("slug", flat=True))
    if queue not in known:
        there = f"there are {', '.join(sorted(known))}" if known else "there is none yet"
        raise CannotStart(
            f"--queue: no queue is called {queue}; {there}. A site admin makes queues in the admin console."
        )


def _check_store() -> None:
    """The store answers, and it is the one that everybody else uses. Raises CannotStart."""
    address = settings.ORCHESTRATOR["STORE"]
    where = f"ORCHESTRATOR_STORE: the store at {address}"
    try:
        with configured.store() as store:
            known = _known_digest()
            if known and not store.remote and not store.disk.is_dir():
                raise CannotStart(f"{where} is not on this machine: mount it there, or correct the address.")
            store.check()
            if known and not _is_ours(store, known):
                raise CannotStart(
                    f"{where} is not the one that the other machines use, as what they have stored is not in "
                    "it: name the same one, and mount it first if it is a folder."
                )
    except StoreError as problem:
        passing = isinstance(problem, StoreAway | StoreFull)
        raise CannotStart(f"{where} cannot be used: {problem}.", passing=passing) from None


def _known_digest() -> str:
    """Bytes that must be in the store; "" while it is empty."""
    snapshot = CodeSnapshot.objects.order_by("-id").values_list("tree_sha256", flat=True).first()
    output = AttemptOutput.objects.exclude(sha256="").order_by("-id").values_list("sha256", flat=True)
    return snapshot or output.first() or ""


def _is_ours(store: Store, known: str) -> bool:
    return tenants.here() in store.place.tenants() or store.has(known)


# --- remarks --------------------------------------------------------------------------------------------


def _of_secrets() -> str:
    """Why tasks that take stored secrets would fail here; "" when they would not."""
    stored = Secret.objects.filter(archived_at=None, source=SecretSource.VALUE)
    needed = set(stored.values_list("key_id", flat=True).distinct())
    if not needed:
        return ""
    try:
        absent = needed - set(sealing.key_ring().ids)
    except sealing.KeyMissing as problem:
        return f"Tasks that take stored secrets fail on this machine. {problem}"
    if absent:
        keys = f"the keys {', '.join(sorted(absent))}, which some secrets are sealed with"
        return f"Some tasks fail on this machine: ORCHESTRATOR_SECRET_KEYS is without {keys}."
    return ""


def _of_isolation(queue: str) -> str:
    """Why this machine would get no task of the queue; "" when it would."""
    level = Queue.objects.filter(slug=queue).values_list("isolation", flat=True).first()
    if level in (None, isolation.SHARED):
        return ""
    problem = users.why_not()
    why = container.why_not(problem) if level == isolation.CONTAINER else problem
    return (
        f"This machine gets no tasks of the queue {queue}, which are kept at '{level}': {why}." if why else ""
    )


def _of_environments() -> str:
    """Why no environment of a lock file can be built here; "" when one can."""
    cache = building.cache_folder()
    try:
        uv.program()
        cache.mkdir(parents=True, exist_ok=True)
        if not os.access(cache, os.W_OK | os.X_OK):
            return f"ORCHESTRATOR_CACHE: environments of tasks are built in {cache}, which is not writable."
    except (uv.BuildFailed, OSError) as problem:
        return f"No environment of a lock file can be built on this machine: {problem}."
    return ""
