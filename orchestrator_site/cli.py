"""`orchestrator`: a client of the API for terminals and CI.

    export ORCHESTRATOR_URL=http://localhost:8000 ORCHESTRATOR_TOKEN=…
    orchestrator validate pipelines/*.yaml
    orchestrator apply pipelines/*.yaml
    orchestrator run digits-training --param learning_rate=0.1 --wait

Exit codes: 0 done and good; 1 done and not good (problems in a document, a run that did not succeed);
2 the command was written wrongly, or the server refuses it; 3 the server cannot be reached.
"""

from __future__ import annotations

import json
import os
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn

import httpx
import typer
from rich.console import Console
from rich.table import Table

NOT_GOOD: Final = 1
REFUSED: Final = 2
UNREACHABLE: Final = 3

ENDED: Final = frozenset({"succeeded", "failed", "cancelled"})
POLL: Final = 1.0  # seconds between two looks at a run
OUTAGE: Final = 60.0  # seconds without an answer before waiting is given up
WORDS: Final = {
    "ready": "queued",
    "pending": "queued",
    "upstream_failed": "not run",
    "retry_wait": "retrying",
    "awaiting_approval": "needs approval",
}
COLOURS: Final = {"succeeded": "green", "failed": "red", "running": "blue", "cancelled": "yellow"}

app = typer.Typer(
    help="Check, publish, run and trace pipelines over the API.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
out = Console(soft_wrap=True, highlight=False)
err = Console(stderr=True, soft_wrap=True, highlight=False)

Body = dict[str, Any]
Team = Annotated[str | None, typer.Option("--team", help="The team, where you are in several.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class ApiProblem(Exception):
    """What the server answered instead: an RFC 9457 problem."""

    def __init__(self, body: Body) -> None:
        super().__init__(body.get("detail") or body.get("title") or "The server refuses.")
        self.body = body

    @property
    def status(self) -> int:
        return int(self.body.get("status", 0))


class Api:
    """The API of one server, with one token."""

    def __init__(self, transport: httpx.BaseTransport | None = None) -> None:
        self.address = os.environ.get("ORCHESTRATOR_URL", "http://localhost:8000").rstrip("/")
        token = os.environ.get("ORCHESTRATOR_TOKEN", "")
        if not token:
            fail(
                "ORCHESTRATOR_TOKEN is not set: make a token with `manage.py token NAME` on the server.",
                REFUSED,
            )
        self.client = httpx.Client(
            base_url=self.address,
            headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
            timeout=httpx.Timeout(30.0, connect=5.0),
            transport=transport or httpx.HTTPTransport(retries=2),
        )

    def ask(self, method: str, path: str, *, headers: dict[str, str] | None = None, **options: Any) -> Any:
        """The JSON of an answer. Raises ApiProblem, and httpx.TransportError when there is none."""
        answer = self.client.request(method, f"/api/v1/{path}", headers=headers, **options)
        if answer.is_success:
            return answer.json() if answer.content else None
        raise ApiProblem(problem_of(answer))

    def get(self, path: str, **query: Any) -> Any:
        given = {name: value for name, value in query.items() if value is not None}
        return self.ask("GET", path, params=given)

    def post(self, path: str, body: Body, headers: dict[str, str] | None = None) -> Any:
        return self.ask("POST", path, json=body, headers=headers)

    def every(self, path: str, **query: Any) -> Iterator[Body]:
        """All rows of a list, page after page."""
        page = self.get(path, page_size=200, **query)
        while True:
            yield from page["results"]
            if not page["next"]:
                return
            page = self.get(path, **{**query, **dict(httpx.URL(page["next"]).params)})


def problem_of(answer: httpx.Response) -> Body:
    try:
        body = answer.json()
    except ValueError:
        body = None
    if isinstance(body, dict) and "detail" in body:
        return body
    return {"status": answer.status_code, "detail": f"The server answered {answer.status_code}."}


def fail(sentence: str, code: int) -> NoReturn:
    err.print(sentence, style="red", markup=False)
    raise SystemExit(code)


def main() -> None:
    """The entry point: what goes wrong becomes one sentence and an exit code."""
    try:
        app()
    except ApiProblem as problem:
        tell(problem)
        sys.exit(REFUSED)
    except httpx.TransportError as error:
        address = os.environ.get("ORCHESTRATOR_URL", "http://localhost:8000")
        fail(f"{address} cannot be reached: {error}. Is ORCHESTRATOR_URL right?", UNREACHABLE)
    except KeyboardInterrupt:
        sys.exit(130)


def tell(problem: ApiProblem) -> None:
    err.print(str(problem), style="red", markup=False)
    for error in problem.body.get("errors", []):
        if error["message"] not in str(problem):
            err.print(f"  {error['field']}: {error['message']}", markup=False)


# --- documents ------------------------------------------------------------------------------------------

Files = Annotated[
    list[Path], typer.Argument(help="Documents (YAML).", exists=True, dir_okay=False, readable=True)
]


@app.command()
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


@app.command()
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


# --- runs -----------------------------------------------------------------------------------------------


@app.command()
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
            time.sleep(POLL)

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


@app.command()
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


@app.command()
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
        time.sleep(POLL)


@app.command()
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


Pausable = Annotated[
    str, typer.Argument(metavar="WHAT", help="A run by its id or PIPELINE#NUMBER, or PIPELINE.")
]


@app.command()
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


@app.command()
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
    for row in api.every("runs/", pipeline=name):
        if number in ("", str(row["number"])):
            return str(row["id"])
    fail(f"There is no run {which}.", REFUSED)


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


# --- code -----------------------------------------------------------------------------------------------


@app.command()
def sync(
    name: Annotated[str, typer.Argument(help="A code location: NAME or TEAM:NAME.")],
    wait: Annotated[bool, typer.Option(help="Until a repository was read.")] = True,
) -> None:
    """Have a code location read again, and say what it stands at."""
    api = Api()
    location = api.post(f"code-locations/{find_location(api, name)['id']}/sync/", {})
    while wait and location["syncing"]:
        time.sleep(POLL)
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


# --- what came of it ------------------------------------------------------------------------------------


@app.command()
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


if __name__ == "__main__":
    main()
