"""`orchestrator`: a client of the API for terminals and CI.

    export ORCHESTRATOR_URL=http://localhost:8000 ORCHESTRATOR_TOKEN=…
    orchestrator validate pipelines/*.yaml
    orchestrator apply pipelines/*.yaml
    orchestrator run digits-training --param learning_rate=0.1 --wait

Exit codes: 0 done and good; 1 done and not good (problems in a document, a run that did not succeed);
2 the command was written wrongly, or the server refuses it; 3 the server cannot be reached.
"""

from __future__ import annotations

import os
import sys

import httpx
import typer

from orchestrator_site.cli import code, documents, runs, traces
from orchestrator_site.cli.client import ApiProblem
from orchestrator_site.cli.terminal import REFUSED, UNREACHABLE, err, fail

app = typer.Typer(
    help="Check, publish, run and trace pipelines over the API.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for part in (documents, runs, code, traces):
    app.add_typer(part.commands)


def main() -> None:
    """The entry point: what goes wrong becomes one sentence and an exit code."""
    try:
        app()
    except ApiProblem as problem:
        tell(problem)
        sys.exit(REFUSED)
    except httpx.TransportError as error:
        address = os.environ.get("ORCHESTRATOR_URL", "http://localhost:8000")
        words = str(error).rstrip(".")
        fail(f"{address} cannot be reached: {words}. Is ORCHESTRATOR_URL right?", UNREACHABLE)
    except KeyboardInterrupt:
        sys.exit(130)


def tell(problem: ApiProblem) -> None:
    err.print(str(problem), style="red", markup=False)
    for error in problem.body.get("errors", []):
        if error["message"] not in str(problem):
            err.print(f"  {error['field']}: {error['message']}", markup=False)
