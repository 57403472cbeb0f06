"""Runs: started, listed, followed, paused."""

from __future__ import annotations

import json
import uuid
from typing import Annotated, Any

import typer
from rich.table import Table

from orchestrator_site.cli.client import Api
from orchestrator_site.cli.following import (
    COLOURS,
    ENDED,
    Following,
    explain_lines,
    label,
    print_new_lines,
    starter,
)
from orchestrator_site.cli.terminal import NOT_GOOD, REFUSED, AsJson, Body, fail, out, wait_a_moment

commands = typer.Typer()


@commands.command()
def run(
    name: Annotated[str, typer.Argument(help="A pipeline: name or team:name.")],
    param: Annotated[list[str] | None, typer.Option("--param", "-p", help="name=value, repeatable.")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for its end, and exit with it.")] = False,
    version: Annotated[int | None, typer.Option("--version", help="Another than the active one.")] = None,
    only: Annotated[list[str] | None, typer.Option("--only", help="This task and what it needs.")] = None,
    key: Annotated[str | None, typer.Option("--key", help="The same key never starts a second run.")] = None,
    as_json: AsJson = False,
) -> None:
    """Start a run. With --wait: exit 0 when it succeeded, 1 when it failed or was cancelled."""
    api = Api()
    body: Body = {"parameters": parameters(api, name, param or [])}
    body |= {"version": version} if version is not None else {}
    body |= {"only": only} if only else {}
    started = api.post(f"pipelines/{name}/runs/", body, {"Idempotency-Key": key or str(uuid.uuid4())})
    if not as_json:
        begun = "queued" if started["state"] == "queued" else "started"
        out.print(f"{label(started)} {begun}: {api.address}/runs/{started['id']}", markup=False)
        if started.get("queued"):
            out.print(f"  {started['queued']['words']}", markup=False)
    ended = Following(api, started, quiet=as_json).to_the_end() if wait else started
    if as_json:
        out.print_json(json.dumps(ended))
    if wait and ended["state"] != "succeeded":
        raise SystemExit(NOT_GOOD)


def parameters(api: Api, name: str, given: list[str]) -> Body:
    """`name=value` pairs with each value read as its declaration says: text stays text."""
    if not given:
        return {}
    declared = api.get(f"pipelines/{name}/")["parameters"]
    found: Body = {}
    for pair in given:
        key, separator, text = pair.partition("=")
        if not separator:
            fail(f"--param {pair}: write name=value.", REFUSED)
        found[key] = value_of(text, declared.get(key, {}).get("type"))
    return found


def value_of(text: str, kind: str | None) -> Any:
    if kind == "string":
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


@commands.command()
def runs(
    name: Annotated[str | None, typer.Argument(help="Of this pipeline only.")] = None,
    state: Annotated[str | None, typer.Option("--state", help="In this state only.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=500)] = 20,
    as_json: AsJson = False,
) -> None:
    """List runs, the newest first."""
    rows = Api().get("runs/", pipeline=name, state=state, page_size=limit)["results"]
    if as_json:
        out.print_json(json.dumps(rows))
        return
    if not out.is_terminal:
        for row in rows:
            print(
                label(row),
                row["state"],
                f"v{row['version']}",
                starter(row),
                row["created_at"],
                row["id"],
                sep="\t",
            )
        return
    table = Table(box=None)
    for heading in ("run", "state", "version", "started by", "created", "id"):
        # What is copied from here is never cut.
        table.add_column(heading, no_wrap=heading in ("run", "id"), overflow="fold")
    for row in rows:
        shade = COLOURS.get(row["state"], "default")
        cells = [
            label(row),
            f"[{shade}]{row['state']}[/]",
            str(row["version"]),
            starter(row),
            row["created_at"],
            row["id"],
        ]
        table.add_row(*cells)
    out.print(table)


@commands.command()
def logs(
    which: Annotated[
        str, typer.Argument(metavar="RUN", help="An id, PIPELINE#NUMBER, or PIPELINE for its last.")
    ],
    task: Annotated[str | None, typer.Argument(help="One task only.")] = None,
    follow_it: Annotated[bool, typer.Option("--follow", "-f", help="Until the run has ended.")] = False,
) -> None:
    """Print what the attempts of a run said."""
    api = Api()
    run_id = find_run(api, which)
    offsets: dict[str, int] = {}
    while True:
        ended = api.get(f"runs/{run_id}/")["state"] in ENDED
        tasks = [row for row in api.every(f"runs/{run_id}/tasks/") if task in (None, row["key"])]
        if task is not None and not tasks:
            fail(f"The run has no task {task}.", REFUSED)
        for row in tasks:
            print_new_lines(api, row, offsets, prefix=task is None)
        if ended or not follow_it:
            return
        wait_a_moment()


@commands.command()
def explain(
    which: Annotated[str, typer.Argument(metavar="RUN", help="As for logs.")],
    task: Annotated[str, typer.Argument(help="The task, as in the document.")],
    as_json: AsJson = False,
) -> None:
    """Say why a task is not running: each thing in its way, where to look and what to do."""
    api = Api()
    run_id = find_run(api, which)
    found = [row for row in api.every(f"runs/{run_id}/tasks/") if row["key"] == task]
    if not found:
        fail(f"The run has no task {task}.", REFUSED)
    why = api.get(f"task-runs/{found[0]['id']}/explain/")
    if as_json:
        out.print_json(json.dumps(why))
    else:
        for line in explain_lines(api, task, why):
            out.print(line, markup=False)


Pausable = Annotated[
    str, typer.Argument(metavar="WHAT", help="A run by its id or PIPELINE#NUMBER, or PIPELINE.")
]


@commands.command()
def pause(
    what: Pausable,
    reason: Annotated[str, typer.Option("--reason", "-r", help="Shown to everybody whose tasks wait.")],
    until: Annotated[str | None, typer.Option("--until", help="Such as 2030-03-01T10:00:00Z.")] = None,
) -> None:
    """Have no further task of a run or a pipeline begin; what runs goes on to its end."""
    api = Api()
    found = api.post(f"{pausable(api, what)}pause/", {"reason": reason, "until": until})
    end = f"until {found['paused_until']}" if found["paused_until"] else "until somebody lets it go on"
    out.print(f"{what}: paused {end}", markup=False)


@commands.command()
def unpause(what: Pausable) -> None:
    """Let a run or a pipeline go on."""
    api = Api()
    api.post(f"{pausable(api, what)}unpause/", {})
    out.print(f"{what}: goes on", markup=False)


def pausable(api: Api, what: str) -> str:
    """The address of a run or a pipeline in the API."""
    try:
        return f"runs/{uuid.UUID(what)}/"
    except ValueError:
        return f"runs/{find_run(api, what)}/" if "#" in what else f"pipelines/{what}/"


def find_run(api: Api, which: str) -> str:
    """The id of a run: given as such, as PIPELINE#NUMBER, or as a pipeline for its newest run."""
    try:
        return str(uuid.UUID(which))
    except ValueError:
        name, _, number = which.partition("#")
    rows = api.every("runs/", pipeline=name)
    found = (str(row["id"]) for row in rows if number in ("", str(row["number"])))
    return next(found, None) or fail(f"There is no run {which}.", REFUSED)
