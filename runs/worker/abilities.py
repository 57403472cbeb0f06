"""Which levels of isolation a worker gives: tried out at its start, and again while one of them is lacking.

What keeps it from one may pass: a machine that was too busy, an engine of containers that was not there yet.
"""

from __future__ import annotations

import math
import threading
import time
from typing import Any, Final
from uuid import UUID

import structlog

from runs import isolation, protocol
from runs.worker import container, users

log = structlog.get_logger()

FIRST_WAIT: Final = 30.0  # seconds until it is tried again, each time twice as long
LONGEST_WAIT: Final = 600.0


def tried(given: list[str]) -> dict[str, Any]:
    """What the lease says of the levels; those that are ``given`` already are not tried."""
    no_own_user = "" if isolation.OWN in given else users.why_not()
    return isolation.label(no_own_user, container.why_not(no_own_user))


class Abilities:
    """``labels`` are those of the lease; ``tell`` is called with every beat and says what has changed."""

    def __init__(self) -> None:
        self.labels = tried([])
        self._told = self.labels
        self._wait = FIRST_WAIT
        self._due = time.monotonic() + self._wait

    def tell(self, lease: UUID) -> None:
        """Write on the lease what has changed since. Raises what the database raises."""
        if self._may_change and time.monotonic() >= self._due:
            self._due = math.inf
            threading.Thread(target=self._try_again, name="abilities", daemon=True).start()
        labels = self.labels
        if labels != self._told:
            log.info("this worker gives other isolation levels", levels=isolation.given(labels))
            protocol.label_lease(lease, labels)
            self._told = labels

    @property
    def _may_change(self) -> bool:
        lacking = set(isolation.LEVELS) - set(isolation.given(self.labels))
        return bool(lacking) and self.labels["no_own_user"] != users.NOT_ROOT

    def _try_again(self) -> None:
        """In a thread of its own: it takes seconds on a machine that is busy."""
        try:
            self.labels = tried(isolation.given(self.labels))
        except Exception:
            log.exception("the isolation levels could not be tried")
        self._wait = min(2 * self._wait, LONGEST_WAIT)
        self._due = time.monotonic() + self._wait
