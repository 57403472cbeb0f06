"""At its start a worker ends processes of attempts that are no longer running."""

from __future__ import annotations

import signal

import structlog

from runs.models import Attempt
from runs.worker import processes

log = structlog.get_logger()


def kill_leftovers() -> int:
    """Kill every process of this host that names an ended attempt in its environment; returns how many."""
    found = {pid: name for pid, name in processes.attempt_processes().items() if name != processes.NO_ATTEMPT}
    if not found:
        return 0
    # Only attempts that this database knows: another installation may share the host.
    ended = {
        str(token)
        for token in Attempt.objects.filter(uuid__in=set(found.values()))
        .exclude(state="running")
        .values_list("uuid", flat=True)
    }
    left = [pid for pid, name in found.items() if name in ended]
    processes.signal_all(left, signal.SIGKILL)
    if left:
        log.warning("processes of ended attempts were killed", pids=left)
    return len(left)
