"""Every way a run is born. Each checks what it was given and ends in ``protocol.start_run``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from pipelines.errors import Conflict, Invalid, TooLarge
from pipelines.models import ApiToken, Pipeline, PipelineVersion, User
from pipelines.parameters import check_parameters
from runs import protocol
from runs.models import Run

# Bytes of the parameters of a run, as JSON.
MAX_PARAMETERS: Final = 256 * 1024


def by_person(
    pipeline: Pipeline,
    *,
    user: User,
    token: ApiToken | None,
    parameters: dict[str, Any],
    version: int | None = None,
    only: Sequence[str] | None = None,
    key: str | None = None,
) -> Run:
    """Start a run that a person, or a program with their token, asks for.

    ``version`` is a number, the active one when None; ``only`` names tasks, which run with all they need.
    The same ``key`` gives the same run. Raises Refusals: too many bytes, unknown version or task, wrong
    parameters (all of them at once), nothing published, a key that was used for something else.
    """
    refuse_large(parameters)
    chosen = version_of(pipeline, version)
    checked = checked_parameters(chosen, parameters)
    tasks = with_what_they_need(chosen.spec, only) if only is not None else None
    run = protocol.start_run(
        chosen,
        parameters=checked,
        trigger="api" if token is not None else "manual",
        requested_by=user,
        token=token,
        idempotency_key=key,
        only=tasks,
    )
    refuse_other_use(run, chosen, checked, tasks)
    return run


def refuse_large(parameters: dict[str, Any]) -> None:
    size = len(
        json.dumps(parameters, separators=(",", ":"), ensure_ascii=False).encode(errors="surrogatepass")
    )
    if size > MAX_PARAMETERS:
        raise TooLarge(
            f"The parameters have {size:,} bytes; at most {MAX_PARAMETERS:,} are taken. "
            "Put large values into a file or table and pass its address.",
            code="parameters-too-large",
        )


def version_of(pipeline: Pipeline, number: int | None) -> PipelineVersion:
    """The version of that number, the active one for None; 422 or 409 when there is none."""
    if number is not None:
        found = PipelineVersion.objects.filter(pipeline=pipeline, number=number).first()
        if found is None:
            message = f"{pipeline.name} has no version {number}."
            raise Invalid(message, code="version-unknown", errors=[("version", message)])
        return found
    if pipeline.active_version is None:
        raise Conflict(
            f"{pipeline.name} has no active version: publish its draft first.", code="not-published"
        )
    pipeline.active_version.pipeline = pipeline  # it is at hand: nobody has to ask for it
    return pipeline.active_version


def checked_parameters(version: PipelineVersion, given: dict[str, Any]) -> dict[str, Any]:
    """The parameters of the run, defaults applied; 422 with every problem otherwise."""
    values, problems = check_parameters(version.spec.get("parameters") or {}, given)
    if problems:
        raise Invalid(
            " ".join(problem.message for problem in problems[:5]),
            code="parameters-invalid",
            errors=[(problem.path, problem.message) for problem in problems],
        )
    return values


def with_what_they_need(spec: dict[str, Any], only: Sequence[str]) -> list[str]:
    """The keys of the named tasks, of all before them, of the scopes around and of the tasks inside."""
    parents = {task["key"]: task["parent"] for task in spec["tasks"]}
    unknown = [key for key in only if key not in parents]
    if unknown:
        message = f"There is no task {', '.join(unknown[:5])} in this version."
        raise Invalid(message, code="task-unknown", errors=[("only", message)])
    inside: dict[str, list[str]] = {}
    before: dict[str, list[str]] = {}
    for key, parent in parents.items():
        inside.setdefault(parent or "", []).append(key)
    for edge in spec["edges"]:
        before.setdefault(edge["down"], []).append(edge["up"])
    whole: set[str] = set()  # taken with all that is inside
    around: set[str] = set()  # taken because something inside is
    waiting = list(only)
    while waiting:
        key = waiting.pop()
        if key in whole:
            continue
        whole.add(key)
        waiting += inside.get(key, [])
        waiting += _before(key, parents, before, around)
    return [key for key in parents if key in whole or key in around]


def _before(
    key: str, parents: dict[str, str | None], before: dict[str, list[str]], around: set[str]
) -> list[str]:
    """The upstreams of a task and of the scopes around it, which are added to ``around``."""
    found = list(before.get(key, []))
    parent = parents[key]
    while parent is not None and parent not in around:
        around.add(parent)
        found += before.get(parent, [])
        parent = parents[parent]
    return found


def refuse_other_use(
    run: Run,
    version: PipelineVersion,
    parameters: dict[str, Any],
    only: list[str] | None,
    rerun: protocol.Rerun | None = None,
) -> None:
    """A key names one request: the same key with another one is a mistake, not a repetition."""
    same = run.version_id == version.pk and run.params == parameters and run.only == only
    asked = (rerun.of.pk, rerun.from_task, rerun.reuse) if rerun else (None, "", True)
    if not same or (run.rerun_of_id, run.rerun_from, run.reuse) != asked:
        raise Invalid(
            "This Idempotency-Key was used for another run, with other parameters, version or tasks. "
            "Use a fresh key for a new run.",
            code="idempotency-key-reused",
            errors=[("Idempotency-Key", "Used before for something else.")],
        )
