"""Are the bytes of earlier results there? Asked of the store outside transactions, remembered for a while."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Collection

import structlog

from pipelines.clock import EngineNow
from pipelines.store import Damaged, Store, StoreError, configured
from runs.models import Attempt, AttemptOutput, Run, TaskKey, TaskRun
from runs.reuse.keys import DONE
from runs.worker.serializers import FOLDER

log = structlog.get_logger()

REHASH_ONE_IN = 100
# Seconds for which bytes that were there are believed to be there.
BELIEVED_FOR = 600.0
# Seconds after which nothing more is asked of the store while somebody waits.
PATIENCE = 5.0
# Attempts from which on those are forgotten that are not believed any more.
REMEMBERED = 10_000

# Attempt -> monotonic time until which its bytes are believed to be there, or not to be.
_there: dict[int, tuple[float, bool]] = {}


def at_hand(attempts: Collection[int]) -> tuple[set[int], set[int]]:
    """Those of the attempts whose outputs are whole, and those for which the store was not asked lately."""
    now = time.monotonic()
    known = {attempt: _there.get(attempt, (0.0, False)) for attempt in attempts}
    there = {attempt for attempt, (until, found) in known.items() if found and now < until}
    unsure = {attempt for attempt, (until, _) in known.items() if now >= until}
    if not unsure:
        return there, unsure
    stored = AttemptOutput.objects.filter(attempt_id__in=unsure).exclude(sha256="")
    unasked = set(stored.values_list("attempt_id", flat=True))
    return there | (unsure - unasked), unasked


def ask_store(keys: dict[int, str], patience: float = math.inf) -> None:
    """Ask the store for the bytes of these attempts (attempt -> key) and remember the answers.

    After ``patience`` seconds nothing more is asked, but one answer there is always. Never within a
    transaction of the engine. One attempt in a hundred has its bytes hashed again; damaged ones put the key
    in quarantine.
    """
    _forget()
    store = configured.store()
    of_attempt: dict[int, list[AttemptOutput]] = {attempt: [] for attempt in keys}
    for output in AttemptOutput.objects.filter(attempt_id__in=keys).exclude(sha256=""):
        of_attempt[output.attempt_id].append(output)
    until = time.monotonic() + patience
    for attempt, outputs in of_attempt.items():
        rehash = random.randrange(REHASH_ONE_IN) == 0  # noqa: S311
        there = all(_is_there(store, output, keys[attempt], rehash) for output in outputs)
        _there[attempt] = (time.monotonic() + BELIEVED_FOR, there)
        if time.monotonic() > until:
            return


def _forget() -> None:
    if len(_there) > REMEMBERED:
        now = time.monotonic()
        for attempt in [attempt for attempt, (until, _) in list(_there.items()) if until < now]:
            _there.pop(attempt, None)


def _is_there(store: Store, output: AttemptOutput, key: str, rehash: bool) -> bool:
    digests = [output.sha256]
    try:
        if output.media_type == FOLDER:
            # Links have no bytes of their own.
            digests += [entry.sha256 for entry in store.manifest(output.sha256) if entry.link is None]
        if rehash:
            for sha256 in digests:
                store.verify(sha256)
        return all(store.has(sha256) or store.restore(sha256) for sha256 in digests)
    except Damaged as error:
        quarantine(key, str(error))
    except StoreError as error:
        log.warning("a result is not reused: its bytes are not to be had", output=output.pk, error=str(error))
    return False


def quarantine(key: str, reason: str) -> None:
    """Take nothing over by this key any more."""
    log.error("stored bytes are damaged; results with this key are not reused", key=key, reason=reason)
    TaskKey.objects.filter(sha256=key, quarantined_at=None).update(
        quarantined_at=EngineNow(), quarantine_reason=reason
    )


def gone(attempts: Collection[int]) -> set[int]:
    """Those of the attempts whose bytes were not there when the store was asked."""
    return {attempt for attempt in attempts if not _there.get(attempt, (0.0, True))[1]}


def ask_store_ahead(run: Run, patience: float = math.inf) -> None:
    """Are the bytes of all that a rerun of ``run`` may take over there? Saves asking one by one.

    ``patience``: as of :func:`ask_store`.
    """
    rows = TaskRun.objects.filter(run=run, state=DONE).values_list("reused_from_id", "pk", "cache_key")
    taken = {source: key for source, _, key in rows if source is not None}
    own = {pk: key for source, pk, key in rows if source is None}
    made = Attempt.objects.filter(task_run_id__in=own, state=DONE).values_list("pk", "task_run_id")
    keys = {**taken, **{attempt: own[task_run] for attempt, task_run in made}}
    now = time.monotonic()
    unsure = {attempt: key for attempt, key in keys.items() if now >= _there.get(attempt, (0.0, True))[0]}
    ask_store(unsure, patience)
