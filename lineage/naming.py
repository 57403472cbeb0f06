"""How jobs and artifacts are named. Pure."""

from __future__ import annotations


def job_name(pipeline: str, task: str) -> str:
    """``pipeline.group/task``: the same step under the same name in every run."""
    return f"{pipeline}.{task}"


def artifact_name(pipeline: str, task: str, output: str, position: int = 0) -> str:
    """``pipeline.group/task.output``, with ``[n]`` for a further item of the same output.

    It is the name a document uses in ``artifact:``.
    """
    suffix = f"[{position}]" if position else ""
    return f"{job_name(pipeline, task)}.{output}{suffix}"


def short(digest: str) -> str:
    """A digest as people read it: its first twelve characters."""
    return digest[:12]
