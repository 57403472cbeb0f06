"""A new run made from an old one: what is asked for, what would happen, and its start."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipelines import references, secrets
from pipelines.errors import Conflict, Invalid
from pipelines.models import ApiToken, PipelineVersion, User
from runs import code, fingerprints, planner, protocol, triggers
from runs.fingerprints import Ingredients, Json, NotKnown
from runs.models import Attempt, Run, RunCode, TaskKey, TaskRun
from runs.planner import Foreseen, RerunTask
from runs.reuse import keys, results, stored, surroundings


@dataclass(frozen=True)
class Wish:
    """A rerun as it was asked for, checked and complete.

    ``only``: the tasks of the new run, None for all. ``fresh``: those that run whatever was done before, with
    the code of the reason.
    """

    old: Run
    version: PipelineVersion
    parameters: Json
    only: list[str] | None
    fresh: dict[str, str]
    from_task: str
    reuse: bool


def wish(
    old: Run,
    *,
    parameters: Json | None = None,
    version: int | None = None,
    from_task: str = "",
    only: Sequence[str] | None = None,
    reuse: bool = True,
) -> Wish:
    """What is asked for, checked. Raises Refusals as starting a run does.

    Parameters that are not given are those of the old run, as far as the version has them, else the defaults.
    ``version``: a number, that of the old run when None.
    """
    pipeline = old.pipeline
    if pipeline.archived_at is not None:
        raise Conflict(f"{pipeline.name} is archived: nothing of it can be run.", code="archived")
    if from_task and only is not None:
        message = "Choose either the task to run from or a selection of tasks, not both."
        raise Invalid(message, code="from-and-only", errors=[("from", message)])
    chosen = triggers.version_of(pipeline, version if version is not None else old.version.number)
    known = chosen.spec.get("parameters") or {}
    kept = {name: value for name, value in old.params.items() if name in known}
    given = {**kept, **(parameters or {})}
    triggers.refuse_large(given)
    return Wish(
        old=old,
        version=chosen,
        parameters=triggers.checked_parameters(chosen, given),
        only=triggers.with_what_they_need(chosen.spec, only) if only is not None else None,
        fresh=_fresh(chosen.spec, from_task, only),
        from_task=from_task,
        reuse=reuse,
    )


def _fresh(spec: Json, from_task: str, only: Sequence[str] | None) -> dict[str, str]:
    """The tasks that run whatever was done before: those chosen, or one and all after it."""
    tasks = [(task["key"], task["parent"]) for task in spec["tasks"]]
    if from_task:
        if from_task not in dict(tasks):
            message = f"There is no task {from_task} in this version."
            raise Invalid(message, code="task-unknown", errors=[("from", message)])
        return planner.afresh(tasks, [(edge["up"], edge["down"]) for edge in spec["edges"]], from_task)
    chosen: dict[str, str] = {}
    for key in only or ():
        chosen |= planner.afresh(tasks, (), key)
    return chosen


def start(asked: Wish, *, user: User, token: ApiToken | None, key: str | None) -> Run:
    """Start the rerun. The same ``key`` gives the same run; Refusal when it was used for something else."""
    rerun = protocol.Rerun(asked.old, frozenset(asked.fresh), asked.reuse, asked.from_task)
    run = protocol.start_run(
        asked.version,
        parameters=asked.parameters,
        trigger="api" if token is not None else "manual",
        requested_by=user,
        token=token,
        idempotency_key=key,
        only=asked.only,
        rerun=rerun,
    )
    triggers.refuse_other_use(run, asked.version, asked.parameters, asked.only, rerun)
    return run


def plan(asked: Wish) -> list[Foreseen]:
    """What each task of the rerun will do. A fixed number of queries; the store is asked for the bytes.

    Bytes that a slow store was not asked about in a few seconds are taken to be there, as most are: the run
    asks again.
    """
    spec = asked.version.spec
    chosen = [task for task in spec["tasks"] if asked.only is None or task["key"] in asked.only]
    old = Past(asked.old)
    new = Prospect(asked)
    tasks = [_beside(task, old, new) for task in chosen]
    edges = [(edge["up"], edge["down"], edge["rule"]) for edge in spec["edges"]]
    return planner.rerun_plan(tasks, edges, asked.fresh, reuse=asked.reuse)


def _beside(spec: Json, old: Past, new: Prospect) -> RerunTask:
    """A task of the new run beside the same of the old one."""
    key, kind = spec["key"], spec["kind"]
    task = RerunTask(
        key,
        kind,
        spec["parent"],
        known="",
        reads=fingerprints.tasks_read(spec),
        condition=spec["when"] is not None,
        cached=results.cached(spec),
    )
    if not results.reusable(spec):
        return task
    if why_not := old.why_not(key):
        return task._replace(known=why_not)
    try:
        before, after = old.outline(key), new.outline(spec)
    except NotKnown as unknown:
        return task._replace(known="not_known", details=(str(unknown),))
    found = fingerprints.differences(before, after)
    apart = [one for one in found if one.part != "inputs"]
    if apart:
        return task._replace(known="differs", details=tuple(one.words for one in apart))
    return task._replace(wired=not found)


class Past:
    """What the old run knows of its tasks, in a fixed number of queries."""

    def __init__(self, run: Run) -> None:
        stored.ask_store_ahead(run, stored.PATIENCE)
        rows = TaskRun.objects.filter(run=run).select_related("task", "reused_from")
        self._params = run.params
        self._tasks = {row.key: row for row in rows}
        own = Attempt.objects.filter(run=run, state="succeeded")
        self._own = {attempt.task_run_id: attempt for attempt in own}
        self._code = keys.code_of_run(run)
        named = {row.cache_key for row in self._tasks.values()} - {""}
        self._documents = dict(TaskKey.objects.filter(sha256__in=named).values_list("sha256", "document"))
        self._damaged = set(
            TaskKey.objects.filter(sha256__in=named, quarantined_at__isnull=False).values_list(
                "sha256", flat=True
            )
        )
        surroundings.told_by({keys.fact_of(source) for source in self._sources()})  # all at once
        self._gone = stored.gone([source.pk for source in self._sources()])

    def _sources(self) -> list[Attempt]:
        found = (self._source(row) for row in self._tasks.values())
        return [source for source in found if source is not None]

    def _source(self, row: TaskRun) -> Attempt | None:
        return row.reused_from if row.reused_from_id is not None else self._own.get(row.pk)

    def why_not(self, key: str) -> str:
        """The code of the reason for which a task gives nothing to take over, whatever it is given now."""
        row = self._tasks.get(key)
        if row is None:
            return "new"
        source = self._source(row)
        if row.state != "succeeded" or source is None:
            return "not_succeeded"
        return "gone" if source.pk in self._gone or row.cache_key in self._damaged else ""

    def outline(self, key: str) -> Json:
        """Raises NotKnown where its surroundings were not captured."""
        row = self._tasks[key]
        source = self._source(row)
        spec = row.task.spec
        told = (source.provenance if source else None) or {}
        document = self._documents.get(row.cache_key)
        fact = keys.fact_of(source) if source else ""
        environment = (
            surroundings.as_told(document["environment"], fact)
            if document
            else self._environment(spec, told, fact)
        )
        versions = told.get("secrets") or {}
        code = keys.code_of(spec, self._code)
        return fingerprints.outline(
            Ingredients(spec, _params_only(self._params), code, environment, versions)
        )

    def _environment(self, spec: Json, told: Json, fact: str) -> Json:
        keys.refuse_container(spec, {spec["queue"]} if told.get("image") else ())
        return surroundings.environment_told(spec, self._code, fact)


class Prospect:
    """What the tasks of the new run would be made from."""

    def __init__(self, asked: Wish) -> None:
        self._params = asked.parameters
        self._code = _code(asked)
        self._python = surroundings.python_of(self._code) if self._code else ""
        self._contained = keys.contained(asked.version.spec["tasks"])
        queues = {task["queue"] for task in asked.version.spec["tasks"]}
        self._architectures = surroundings.Architectures(queues)
        named = {
            name for task in asked.version.spec["tasks"] for name in references.secrets_named(task).values()
        }
        self._secrets = secrets.versions_of(asked.old.team_id, named) if named else {}

    def outline(self, spec: Json) -> Json:
        keys.refuse_container(spec, self._contained)
        made = Ingredients(
            spec=spec,
            lookup=_params_only(self._params),
            code=keys.code_of(spec, self._code),
            environment=surroundings.environment_of(
                spec, self._code, self._python, self._architectures.of(spec["queue"])
            ),
            secrets=self._secrets,
        )
        return fingerprints.outline(made)


def _code(asked: Wish) -> RunCode | None:
    """The code as the new run would fix it. Raises Conflict where it could not."""
    try:
        found = code.chosen(asked.old.team_id, asked.version.spec)
    except code.CodeMissing as missing:
        raise Conflict(missing.message, code=missing.code) from missing
    return RunCode(snapshot=found, lock_sha256=found.lock_sha256) if found else None


def _params_only(params: Json) -> Any:
    def lookup(ref: Any) -> Any:
        root, _, name = ref["ref"].partition(".")
        if root == "params":
            return params[name]
        raise KeyError(ref["ref"])

    return lookup
