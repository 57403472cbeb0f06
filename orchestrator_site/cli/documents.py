"""Documents: checked and published."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from orchestrator_site.cli.client import Api, ApiProblem
from orchestrator_site.cli.terminal import NOT_GOOD, AsJson, Body, Team, fail, out

commands = typer.Typer()

Files = Annotated[
    list[Path], typer.Argument(help="Documents (YAML).", exists=True, dir_okay=False, readable=True)
]


@commands.command()
def validate(
    files: Files,
    offline: Annotated[
        bool, typer.Option("--offline", help="Judge by the documents alone, without a server.")
    ] = False,
    team: Team = None,
    as_json: AsJson = False,
) -> None:
    """Check documents: every problem with its line. Exit 1 when one of them has an error."""
    api = None if offline else Api()
    found = {str(path): problems_of(api, read(path), team) for path in files}
    if as_json:
        out.print_json(json.dumps(found))
    else:
        for name, problems in found.items():
            show_problems(name, problems)
    if any(is_bad(problems) for problems in found.values()):
        raise SystemExit(NOT_GOOD)


def read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        fail(f"{path} is not UTF-8.", NOT_GOOD)


def problems_of(api: Api | None, text: str, team: str | None) -> list[Body]:
    if api is None:
        from pipelines.validation import validate as judge

        return [problem.to_json() for problem in judge(text).problems]
    body = {"document": text, **({"team": team} if team else {})}
    problems: list[Body] = api.post("validate/", body)["problems"]
    return problems


def show_problems(name: str, problems: list[Body]) -> None:
    """One line each, in the form that editors and CI find again."""
    for problem in problems:
        place = f"{name}:{problem['line']}:{problem['column']}"
        style = "red" if problem["severity"] == "error" else "yellow"
        out.print(
            f"{place}: {problem['severity']}: {problem['message']} [{problem['code']}]",
            style=style,
            markup=False,
        )
    if not is_bad(problems):
        out.print(f"{name}: valid", style="green", markup=False)


def is_bad(problems: list[Body]) -> bool:
    return any(problem["severity"] == "error" for problem in problems)


@commands.command()
def apply(
    files: Files,
    team: Team = None,
    message: Annotated[str, typer.Option("--message", "-m", help="Why, for the list of versions.")] = "",
    activate: Annotated[
        bool, typer.Option("--activate/--no-activate", help="Whether plain runs use it from now on.")
    ] = True,
) -> None:
    """Publish documents, each as the pipeline it names. Nothing is published when one has an error."""
    api = Api()
    texts = {path: read(path) for path in files}
    bad = False
    for path, text in texts.items():
        problems = problems_of(api, text, team)
        bad = bad or is_bad(problems)
        if problems:
            show_problems(str(path), problems)
    if bad:
        raise SystemExit(NOT_GOOD)
    for path, text in texts.items():
        out.print(f"{path}: {publish(api, text, team, message, activate)}", markup=False)


def publish(api: Api, text: str, team: str | None, message: str, activate: bool) -> str:
    """Save a text as the draft of its pipeline and publish it; what came of it, in words."""
    name = name_of(text)
    address = store_draft(api, name, text, team)
    version = api.post(f"pipelines/{address}/versions/", {"message": message, "activate": activate})
    state = "active" if version["active"] else "not active"
    done = "published" if version["created"] else "unchanged,"
    return f"{address} {done} version {version['number']} ({state})"


def name_of(text: str) -> str:
    from pipelines.document import parse

    root = parse(text).root
    node = root.get("name") if root is not None else None
    if node is None or not isinstance(node.raw, str):
        fail("The document has no name.", NOT_GOOD)
    return node.raw


def store_draft(api: Api, name: str, text: str, team: str | None) -> str:
    """Save or create; the `team:name` of the pipeline."""
    wanted = f"{team}:{name}" if team else name
    try:
        found = api.get(f"pipelines/{wanted}/")
    except ApiProblem as problem:
        if problem.status != 404:
            raise
        body = {"name": name, "document": text, **({"team": team} if team else {})}
        made = api.post("pipelines/", body)
        return f"{made['team']}:{name}"
    address = f"{found['team']}:{name}"
    etag = api.get(f"pipelines/{address}/draft/")["etag"]
    api.ask("PUT", f"pipelines/{address}/draft/", json={"document": text}, headers={"If-Match": etag})
    return address
