"""What the views of runs share: the visible runs, and a verb's refusal as an answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pipelines.api.base import ApiView, uuid_or_404
from pipelines.errors import Conflict, Forbidden, TooMany
from runs import queries
from runs.models import Attempt, Run, TaskRun
from runs.protocol import Refused


@contextmanager
def answered() -> Iterator[None]:
    """A verb that says no is answered with 409, 403 where nobody but another person may do it, or 429."""
    try:
        yield
    except Refused as refused:
        if refused.retry_after is not None:
            raise TooMany(refused.message, code=refused.code, retry_after=refused.retry_after) from refused
        kind = Forbidden if refused.code == "requester-may-not-approve" else Conflict
        raise kind(refused.message, code=refused.code) from refused


class RunsView(ApiView):
    """A view on runs, their tasks and their attempts; what may not be seen is not found."""

    def find_run(self, run_id: str, verb: str = "view") -> Run:
        return self.find(queries.runs(Run.objects.all()), verb, uuid=uuid_or_404(run_id, Run))

    def find_task_run(self, task_run_id: str, verb: str = "view") -> TaskRun:
        """The task with its run; rights are those of the run."""
        task_runs = TaskRun.objects.select_related(
            "task", "parent", "run__team", "run__pipeline", "run__version", "run__requested_by", "run__token"
        ).defer(*(f"run__{name}" for name in queries.HEAVY))
        return self.find(task_runs, verb, uuid=uuid_or_404(task_run_id, TaskRun))

    def find_attempt(self, attempt_id: str) -> Attempt:
        attempts = Attempt.objects.select_related("run__team").defer("provenance")
        return self.find(attempts, uuid=uuid_or_404(attempt_id, Attempt))
