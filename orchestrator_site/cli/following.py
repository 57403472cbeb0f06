"""What a terminal shows of runs: their states in words, their changes until they have ended, their logs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, Final

import httpx

from orchestrator_site.cli.client import Api
from orchestrator_site.cli.terminal import Body, out, wait_a_moment

ENDED: Final = frozenset({"succeeded", "failed", "cancelled"})
OUTAGE: Final = 60.0  # seconds without an answer before waiting is given up
WORDS: Final = {
    "ready": "queued",
    "pending": "queued",
    "upstream_failed": "not run",
    "retry_wait": "retrying",
    "awaiting_approval": "needs approval",
}
COLOURS: Final = {"succeeded": "green", "failed": "red", "running": "blue", "cancelled": "yellow"}


class Following:
    """Looks at a run until it has ended, telling each change of a task and what it waits for."""

    def __init__(self, api: Api, started: Body, *, quiet: bool) -> None:
        self.api = api
        self.run = started
        self.quiet = quiet
        self.states: dict[str, str] = {}
        # What stood in the way at the last look, and what was said last: the same thing, and in which words.
        self.seen = ""
        self.said = started["queued"]["words"] if started["queued"] else ""

    def to_the_end(self) -> Body:
        """The run as it ended. Patient with short outages."""
        answered = time.monotonic()
        while True:
            try:
                self.run = self.api.get(f"runs/{self.run['id']}/")
                if not self.quiet:
                    self.tell()
                if self.run["state"] in ENDED:
                    return self.run
                answered = time.monotonic()
            except httpx.TransportError:
                if time.monotonic() - answered > OUTAGE:
                    raise
            wait_a_moment()

    def tell(self) -> None:
        tasks = list(self.api.every(f"runs/{self.run['id']}/tasks/"))
        for task in tasks:
            self.tell_change(task)
        if self.run["state"] in ENDED:
            tell_end(self.run)
        else:
            self.tell_wait(*self.in_the_way(tasks))

    def tell_change(self, task: Body) -> None:
        state, known = task["state"], self.states.get(task["key"])
        self.states[task["key"]] = state
        if state == known or state in ("pending", "ready"):
            return
        out.print(f"  {task['key']}: {worded(state)}", style=COLOURS.get(state), markup=False)
        if state == "awaiting_approval":
            out.print(f"    decide at {self.api.address}/runs/{self.run['id']}", markup=False)

    def tell_wait(self, what: str, words: str) -> None:
        """Once, when it is still in the way at a second look: what passes at once is not worth a line."""
        if what and what == self.seen and what != self.said:
            out.print(f"  {words}", markup=False)
            self.said = what
        self.seen = what

    def in_the_way(self, tasks: list[Body]) -> tuple[str, str]:
        """What a run of which nothing runs waits for: what tells it from others, and in words."""
        if self.run["queued"]:
            words = self.run["queued"]["words"]
            return words, words
        at_work = any(task["state"] in ("running", "awaiting_approval") for task in tasks)
        waits = next((task for task in tasks if task["state"] in ("ready", "retry_wait")), None)
        if at_work or waits is None:
            return "", ""
        blockers = self.api.get(f"task-runs/{waits['id']}/explain/")["blockers"]
        if not blockers:
            return "", ""
        return f"{waits['key']} {blockers[0]['code']}", f"{waits['key']}: {blockers[0]['words']}"


def tell_end(ended: Body) -> None:
    out.print(f"{label(ended)} {ended['state']}", style=COLOURS.get(ended["state"]), markup=False)
    if ended["cause"]:
        out.print(f"  {ended['cause']['task']}: {ended['cause']['message']}", markup=False)


def label(found: Body) -> str:
    return f"{found['pipeline']['team']}:{found['pipeline']['name']} #{found['number']}"


def worded(state: str) -> str:
    return WORDS.get(state, state)


def starter(row: dict[str, Any]) -> str:
    return str(row["requested_by"]["username"] if row["requested_by"] else row["trigger"])


def explain_lines(api: Api, task: str, why: Body) -> Iterator[str]:
    """The state, then each thing in the way with its times, its pages and the way out."""
    yield f"{task}: {worded(why['state'])}"
    if not why["blockers"]:
        yield f"  {why['words']}"
    for blocker in why["blockers"]:
        yield f"  {blocker['words']}"
        times = ((name, blocker[name]) for name in ("since", "until"))
        yield from (f"    {name} {at}" for name, at in times if at)
        yield from (f"    {link['name']}: {api.address}{link['href']}" for link in blocker["links"])
        if blocker["remedy"]:
            yield f"    {blocker['remedy']}"


def print_new_lines(api: Api, task: Body, offsets: dict[str, int], *, prefix: bool) -> None:
    attempts = api.get(f"task-runs/{task['id']}/")["attempts"] if task["attempt"] else []
    for attempt in attempts:
        while True:
            offset = offsets.get(attempt["id"], 0)
            part = api.get(f"attempts/{attempt['id']}/log/", offset=offset, limit=1000)
            head = f"{task['key']} [{attempt['no']}] " if prefix else ""
            for line in part["lines"]:
                out.print(f"{head}{line}", markup=False)
            offsets[attempt["id"]] = part["next"]
            if not part["lines"]:
                break
