"""The addresses of pages, as this site knows them: what a person opens to see more. Without the host."""

from __future__ import annotations

from urllib.parse import quote
from uuid import UUID

from runs.models import Environment, Run


def of_run(run: Run) -> str:
    return f"/runs/{run.uuid}"


def of_task(run: UUID, key: str) -> str:
    """The page of a run with one of its tasks open."""
    return f"/runs/{run}?task={quote(key, safe='')}"


def of_pipeline(team: str, name: str) -> str:
    return f"/pipelines/{team}:{name}"


def of_environment(environment: Environment) -> str:
    return f"/environments/{environment.uuid}"
