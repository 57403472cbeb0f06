"""Whether a worker should take tasks: a disk with room, a store that answers. If not, its lease says why."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final
from uuid import UUID

import structlog
from django.conf import settings

from pipelines.store import Store, StoreError, configured
from runs import protocol
from runs.worker import folders
from runs.worker.limits import free_disk

log = structlog.get_logger()

MIB: Final = 1024 * 1024
ASK_EVERY: Final = 2.0  # seconds between two questions to a store that is away
# The claim that follows an attempt that failed for its surroundings is left to other workers.
MODESTY: Final = "It lets other workers go first: a task has just met trouble here."


class Fitness:
    """`trouble()` is asked before each claim and is cheap as a rule; the store is asked in another thread."""

    def __init__(self, store: Store, of_image: Callable[[], str] = str) -> None:
        """`of_image`: says why its tasks get no container, "" when they do or need none."""
        self.store = store
        self._of_image = of_image
        self.folders = watched(store)
        self.least = settings.ORCHESTRATOR["FREE_DISK_MIB"] * MIB
        self._doubt = ""
        self._told = ""
        self._asking = threading.Lock()
        self._ended = threading.Event()

    def trouble(self) -> str:
        """Why this worker should claim nothing, as a sentence; "" when it may."""
        return low_disk(self.folders, self.least) or self._doubt or self._of_image()

    def doubt(self) -> None:
        """After an attempt that failed for its surroundings: claim nothing until the store has answered."""
        if self._asking.acquire(blocking=False):
            self._doubt = MODESTY
            threading.Thread(target=self._find_out, name="fitness", daemon=True).start()

    def _find_out(self) -> None:
        try:
            while not self._ended.wait(ASK_EVERY):
                self._doubt = self._asked()
                if not self._doubt:
                    return
        finally:
            self._asking.release()

    def _asked(self) -> str:
        try:
            self.store.check()
        except StoreError as problem:
            log.warning("the store cannot be used", error=str(problem))
            return f"The store cannot be used: {problem}."
        except Exception as problem:  # a thread that ended here would leave the doubt for ever
            log.exception("the store could not be asked")
            return f"The store cannot be asked: {type(problem).__name__}: {problem}."
        return ""

    def tell(self, lease: UUID) -> None:
        """Write on the lease what has changed since. Raises what the database raises."""
        trouble = self.trouble()
        if trouble != self._told:
            log.warning("this worker claims nothing", because=trouble) if trouble else log.info(
                "claims again"
            )
            protocol.label_lease(lease, {"trouble": trouble} if trouble else {}, without=["trouble"])
            self._told = trouble

    def close(self) -> None:
        self._ended.set()


def machine_trouble() -> str:
    """Why workers of this machine would take no tasks, as a sentence; "" when they would. For `/readyz`."""
    least = settings.ORCHESTRATOR["FREE_DISK_MIB"] * MIB
    return low_disk(watched(configured.store()), least) or configured.trouble()


def watched(store: Store) -> tuple[Path, ...]:
    """Where tasks work, and where the store, or its copies, lie on this machine."""
    return (folders.root(), store.disk)


def low_disk(folders: Sequence[Path], least: int) -> str:
    """Which of these folders lies on a disk with less than `least` bytes free, as a sentence; "" if none."""
    for folder in folders:
        try:
            free = free_bytes(folder)
        except OSError as problem:
            return f"Its disk cannot be used: {folder}: {problem.strerror}."
        if free < least:
            return (
                f"Its disk is full: {folder} has {free // MIB:,} MiB left, and at least {least // MIB:,} MiB "
                "must be free (ORCHESTRATOR_FREE_DISK_MIB)."
            )
    return ""


def free_bytes(folder: Path) -> int:
    """What may still be written where this folder lies, or will lie."""
    try:
        return free_disk(str(folder))
    except FileNotFoundError:
        return free_bytes(folder.parent)
