"""The entry points that RQ may call, and the job class that allows no others."""

from __future__ import annotations

from typing import Any

from rq.job import Job


class AllowedJob(Job):
    """A job that can only name one of our entry points, and carries no callbacks."""

    ENTRIES = frozenset({"runs.jobs.wake", "runs.jobs.nudge", "runs.jobs.chore"})

    def restore(self, raw_data: Any) -> None:
        """What was read from Redis, without anything that RQ would call beside the entry itself."""
        super().restore(raw_data)
        self._success_callback_name = self._failure_callback_name = self._stopped_callback_name = None
        self.webhooks = []

    def perform(self) -> Any:
        if self.func_name not in self.ENTRIES:
            raise PermissionError(f"{self.func_name} is not an entry point of the product")
        return super().perform()


def wake(queue: str) -> None:
    """Carry out what is runnable on ``queue``, in the worker that was rung."""
    from runs.worker.worker import current

    current().serve(queue)


def nudge(name: str) -> None:
    """Run one registered piece of catching up (see ``runs.chores.register_nudge``)."""
    from runs import chores

    chores.run_nudge(name)


def chore(chore_id: str) -> None:
    """Carry out one chore, unless somebody else has it."""
    from runs import chores

    chores.carry_out(int(chore_id))
