"""The rows of ``runs``: import them from here."""

from runs.models.admission import Quarantine, TeamLimits
from runs.models.attempt import Attempt, AttemptInput, AttemptOutput, CapturedFact, LogChunk, RunEvent
from runs.models.environment import Environment
from runs.models.queue import Chore, Queue, TaskUser, WorkerLease
from runs.models.retention import DroppedPartition, LogArchive
from runs.models.run import Approval, Reuse, Run, RunCode, TaskEdge, TaskKey, TaskRun
from runs.models.slot import AttemptSlot, Slot

__all__ = [
    "Approval",
    "Attempt",
    "AttemptInput",
    "AttemptOutput",
    "AttemptSlot",
    "CapturedFact",
    "Chore",
    "DroppedPartition",
    "Environment",
    "LogArchive",
    "LogChunk",
    "Quarantine",
    "Queue",
    "Reuse",
    "Run",
    "RunCode",
    "RunEvent",
    "Slot",
    "TaskEdge",
    "TaskKey",
    "TaskRun",
    "TaskUser",
    "TeamLimits",
    "WorkerLease",
]
