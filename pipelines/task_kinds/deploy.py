"""deploy: a model, or a registered version of one, moves to an endpoint."""

from __future__ import annotations

from typing import Any

from pipelines.context import PRODUCTION
from pipelines.ports import Port
from pipelines.problems import listed, shorten
from pipelines.task_kinds.base import VALUES, Desk, Draft, Kind, Ports, named

_NEEDED_FOR_PRODUCTION = ("purpose", "owner", "deputy", "runbook")


class Deploy(Kind):
    """`with` takes `model` (a model or the `version` of a register task) and `endpoint`; gives `address`."""

    name = "deploy"
    label = "a deploy task"
    title = "Deploy a model"
    description = "Moves a model, or a registered version of one, to an endpoint."
    category = "Models"
    keys = {"with": VALUES}

    def ports(self, task: Draft, desk: Desk) -> Ports:
        inputs = (Port("model", "model", accepts=("json",)), Port("endpoint", "string"))
        return Ports(named(inputs), named((Port("address", "string"),)))

    def check(self, task: Draft, desk: Desk) -> None:
        endpoint = task.literal("endpoint")
        endpoints = desk.context.endpoints
        if not isinstance(endpoint, str) or endpoints is None:
            return
        at, path = task.place("with", "endpoint"), f"{task.path}.with.endpoint"
        if endpoint not in endpoints:
            known = f"The team has {listed(endpoints)}." if endpoints else "Register it first."
            hint, params = desk.problems.hint(endpoint, endpoints, known)
            message = f"There is no endpoint '{shorten(endpoint)}'.{hint}"
            desk.problems.error("unknown-endpoint", at, path, message, **params)
        elif endpoints[endpoint] == PRODUCTION:
            self._check_production(endpoint, task, desk)

    def _check_production(self, endpoint: str, task: Draft, desk: Desk) -> None:
        fields = desk.context.pipeline_fields
        if fields is None:
            return
        have = {**fields, "purpose": desk.purpose or fields.get("purpose")}
        missing = [name for name in _NEEDED_FOR_PRODUCTION if not have.get(name)]
        if missing:
            message = (
                f"'{endpoint}' is in production, and the pipeline has no {listed(missing)}: "
                "fill them in on the pipeline's page first."
            )
            at = task.place("with", "endpoint")
            path = f"{task.path}.with.endpoint"
            desk.problems.error("production-needs", at, path, message, missing=missing)

    def config(self, task: Draft) -> dict[str, Any]:
        return {}
