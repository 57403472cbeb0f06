"""Code locations: read again."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator_site.cli.client import Api
from orchestrator_site.cli.terminal import NOT_GOOD, REFUSED, Body, err, fail, out, wait_a_moment

commands = typer.Typer()


@commands.command()
def sync(
    name: Annotated[str, typer.Argument(help="A code location: NAME or TEAM:NAME.")],
    wait: Annotated[bool, typer.Option(help="Until a repository was read.")] = True,
) -> None:
    """Have a code location read again, and say what it stands at."""
    api = Api()
    location = api.post(f"code-locations/{find_location(api, name)['id']}/sync/", {})
    while wait and location["syncing"]:
        wait_a_moment()
        location = api.get(f"code-locations/{location['id']}/")
    if location["sync_error"] and not location["syncing"]:
        fail(location["sync_error"], NOT_GOOD)
    commit = location["commit"]
    out.print(f"{location['name']}: {standing_of(location)}", markup=False)
    if commit:
        out.print(f"{commit['sha']} {commit['subject']}", markup=False)
    for note in location["notes"]:
        err.print(note, style="yellow", markup=False)


def find_location(api: Api, which: str) -> Body:
    """The one code location of a name. Ends the command when there is none, or several."""
    team, _, name = which.rpartition(":")
    found = [row for row in api.every("code-locations/", team=team or None) if row["name"] == name]
    if len(found) != 1:
        teams = " or ".join(f"{row['team']}:{name}" for row in found)
        fail(f"Write {teams}." if found else f"There is no code location {which}.", REFUSED)
    return found[0]


def standing_of(location: Body) -> str:
    if location["syncing"]:
        return str(location["syncing"]["words"])
    return str(location["state"]).replace("-", " ")
