"""At its start a worker clears the ground: what workers of this machine left behind when they died.

A worker that was killed is found by the sweep when its lease lapses. On its own machine that can be known at
once: its process is gone.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog

from runs import protocol
from runs.models import Attempt, WorkerLease
from runs.worker import container, folders, processes

log = structlog.get_logger()

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def machine() -> str:
    """This boot of this machine and this namespace of process numbers: where a pid means one process."""
    return f"{BOOT_ID.read_text().strip()}:{os.stat('/proc/self/ns/pid').st_ino}"


def identity() -> dict[str, Any]:
    """What the lease of this process says about it: its death can be told from here, and where it runs."""
    process = {"machine": machine(), "began": processes.began(os.getpid())}
    return {**process, "architecture": os.uname().machine, "drains": True}


def clear_the_ground() -> None:
    """End what is left of dead workers of this machine, and hand their attempts back."""
    bury_dead_leases()
    kill_leftovers()
    if removed := container.remove_left():
        log.warning("containers of dead workers were removed", containers=removed)
    remove_leftovers()


def bury_dead_leases() -> int:
    """Leases of this machine whose process is gone are lost, their attempts runnable; returns how many."""
    open_leases = WorkerLease.objects.filter(state__in=["live", "draining"], labels__machine=machine())
    dead = [lease for lease in open_leases if processes.began(lease.pid) != lease.labels.get("began")]
    for lease in dead:
        if protocol.move_lease(lease.uuid, ("live", "draining"), "lost"):
            log.warning("a worker of this machine had died", worker=lease.worker)
            for token in protocol.held_by(lease.uuid):
                protocol.lose(token, "lease")
    return len(dead)


def kill_leftovers() -> int:
    """Kill every process of this machine that names an ended attempt in its environment; returns how many."""
    found = {pid: name for pid, name in processes.attempt_processes().items() if name != processes.NO_ATTEMPT}
    if not found:
        return 0
    # Only attempts that this database knows: another installation may share the machine.
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


def remove_leftovers() -> int:
    """Remove the folders of ended attempts that their worker could not remove; returns how many."""
    found = [entry for entry in folders.left() if _is_token(_token_of(entry))]
    tokens = {_token_of(entry) for entry in found}
    rows = Attempt.objects.filter(uuid__in=tokens).exclude(state="running").values_list("uuid", flat=True)
    ended = {str(token) for token in rows}
    left = [entry for entry in found if _token_of(entry) in ended]
    for folder in left:
        folders.remove_left(folder)
    return len(left)


def _token_of(entry: Path) -> str:
    return entry.name.partition(".")[0]


def _is_token(name: str) -> bool:
    try:
        return str(UUID(name)) == name
    except ValueError:
        return False
