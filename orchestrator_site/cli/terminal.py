"""What all commands share: exit codes, options, the terminal."""

from __future__ import annotations

import time
from typing import Annotated, Any, Final, NoReturn

import typer
from rich.console import Console

NOT_GOOD: Final = 1
REFUSED: Final = 2
UNREACHABLE: Final = 3

POLL: Final = 1.0  # seconds between two looks at a run

out = Console(soft_wrap=True, highlight=False)
err = Console(stderr=True, soft_wrap=True, highlight=False)

Body = dict[str, Any]
Team = Annotated[str | None, typer.Option("--team", help="The team, where you are in several.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def wait_a_moment() -> None:
    """Between two looks at what goes on."""
    time.sleep(POLL)


def fail(sentence: str, code: int) -> NoReturn:
    err.print(sentence, style="red", markup=False)
    raise SystemExit(code)
