"""Carries shapes out with Prefect, in Prefect's own interpreter: a line of JSON in, a line of JSON out.

    python prefect_flows.py threads|processes

A shape is {"steps": [[name, [needs…]], …], "kind": …, "stamps": file}. The answer is {"called", "finished"},
seconds since 1970, or {"error"}.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

from prefect import flow, task
from prefect.task_runners import ProcessPoolTaskRunner, ThreadPoolTaskRunner
from stamping import work

WORKERS = 2
RUNNERS = {"threads": ThreadPoolTaskRunner, "processes": ProcessPoolTaskRunner}


@task
def step(stamps: str, name: str, kind: str) -> int:
    return work(stamps, name, kind)


@flow
def shape(steps: list[Any], kind: str, stamps: str) -> None:
    """Each step waits for those it needs; a chain is called directly, as its users would write it."""
    if all(len(needs) <= 1 for _, needs in steps) and isinstance(shape.task_runner, ThreadPoolTaskRunner):
        for name, _ in steps:
            step(stamps, name, kind)
        return
    futures: dict[str, Any] = {}
    for name, needs in steps:
        futures[name] = step.submit(stamps, name, kind, wait_for=[futures[need] for need in needs])
    futures[steps[-1][0]].result()


def carry_out(asked: dict[str, Any]) -> dict[str, Any]:
    called = time.time()
    try:
        shape(asked["steps"], asked["kind"], asked["stamps"])
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}
    return {"called": called, "finished": time.time()}


def main() -> None:
    shape.task_runner = RUNNERS[sys.argv[1]](max_workers=WORKERS)
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what Prefect prints is no answer
    for line in sys.stdin:
        answers.write(json.dumps(carry_out(json.loads(line))) + "\n")


if __name__ == "__main__":
    main()
