"""What stands behind a deployment."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated

import typer

from orchestrator_site.cli.client import Api
from orchestrator_site.cli.terminal import NOT_GOOD, AsJson, Body, out

commands = typer.Typer()


@commands.command()
def trace(
    endpoint: Annotated[str, typer.Argument(help="An endpoint: name or team:name.")],
    at: Annotated[str | None, typer.Option("--at", help="What was live at this time (ISO 8601).")] = None,
    as_json: AsJson = False,
) -> None:
    """From the deployed model to the data, code and people behind it. Exit 1 while records are missing."""
    found = Api().get(f"deployments/{endpoint}/trace/", at=at)
    if as_json:
        out.print_json(json.dumps(found))
    else:
        for line in trace_lines(found):
            out.print(line, markup=False)
    if not found["complete"]:
        raise SystemExit(NOT_GOOD)


def trace_lines(found: Body) -> Iterator[str]:
    """The trace, one fact a line."""
    model, approval = found["model"], found["approval"]
    if model:
        yield f"model        {model['name']} version {model['version']}  sha256 {model['sha256']}"
        yield from (f"metric       {name} = {value}" for name, value in sorted(model["metrics"].items()))
    if approval:
        yield f"approval     {approval['decision']} by {approval['by']['username']} at {approval['at']}"
    yield from (f"data         {row['name']}  sha256 {row['sha256']}" for row in found["data"])
    yield from (
        f"code         {row['location']}  {row['entry'] or ''}  snapshot {row['snapshot']}"
        for row in found["code"]
    )
    yield from (
        f"parameter    {name} = {json.dumps(value)}" for name, value in sorted(found["parameters"].items())
    )
    for row in found["environment"]:
        yield f"environment  Python {row['python']}, {len(row['packages'])} packages, {row['fingerprint']}"
    yield from (f"gap          {row['message']}" for row in found["gaps"])
    yield from (f"missing      {row}" for row in found["missing"])
