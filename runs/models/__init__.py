"""The rows of ``runs``: import them from here."""

from runs.models.attempt import Attempt, AttemptInput, AttemptOutput, CapturedFact, LogChunk, RunEvent
from runs.models.environment import Environment, Machine
from runs.models.queue import Chore, Queue, WorkerLease
from runs.models.run import Approval, Run, RunCode, TaskEdge, TaskRun

__all__ = [
    "Approval",
    "Attempt",
    "AttemptInput",
    "AttemptOutput",
    "CapturedFact",
    "Chore",
    "Environment",
    "LogChunk",
    "Machine",
    "Queue",
    "Run",
    "RunCode",
    "RunEvent",
    "TaskEdge",
    "TaskRun",
    "WorkerLease",
]
