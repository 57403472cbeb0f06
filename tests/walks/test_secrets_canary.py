"""A secret is said in every way a task can say it; afterwards nobody finds it anywhere.

Beside the secret each task says a marker of the same shape that is none, in the same ways: what searches for
the secret must find the marker, or it would find nothing at all.
"""

from __future__ import annotations

import base64
import itertools
import re
import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from orchestrator_site.embedded.home import DATABASE_NAME, OWNER_ROLE, Home, Secrets
from tests.orchestrator_site.running import folder_for_all
from tests.walks.product import Product, product

pytestmark = pytest.mark.slow

NIL = "00000000-0000-4000-8000-000000000000"

SPEAKING = ("speak", "shell", "raises", "class_name", "long_cause", "leaves", "returns", "writes", "forges")
TASKS = """\
  speak:
    kind: python
    with: &VALUES
    source: |
      import base64, html, json, logging, os, shlex, subprocess, sys, time, urllib.parse
      from orchestrator_task import log_metric, progress

      def speak(token: str, key: str, marker: str) -> int:
          for value in (token, marker):
              print("plain", value)
              for part in (value[:9], value[9:20], value[20:]):
                  sys.stdout.write(part); sys.stdout.flush(); time.sleep(0.3)
              print()
              for byte in value.encode():
                  os.write(2, bytes([byte]))
              for before in ("", "u", "us"):
                  print("base64", base64.b64encode(f"{before}{value}".encode()).decode())
                  print("urlsafe", base64.urlsafe_b64encode(f"{before}{value}?".encode()).decode())
              print("quoted", urllib.parse.quote(value, safe=""), urllib.parse.quote_plus(value))
              print("json", json.dumps({"a": value}), json.dumps(json.dumps([value])))
              print("repr", repr(value), {"b": value.encode()}, [value])
              print("hex", value.encode().hex(), value.encode().hex().upper())
              print("html", html.escape(value), "shell", shlex.quote(value))
              logging.warning("logged %s", value)
              script = 'echo "child $V"; echo "$V" | base64'
              subprocess.run(["sh", "-c", script], env={**os.environ, "V": value})
              progress(0.5, message=value)
              log_metric(f"loss of {value}", 0.5)
          print(f"{'x' * 65530}{token}", flush=True)
          for line in key.splitlines():
              print("    |", line)
          return 1
  shell:
    kind: shell
    with: &VALUES
    run: |
      env
      set -x
      : "$IN_TOKEN" "$IN_MARKER"
      printf '%s\\n' "$IN_TOKEN" "$IN_MARKER"
      echo "$IN_MARKER" > "$OUT/kept"
    outputs: {kept: file}
  raises:
    kind: python
    with: &VALUES
    source: |
      def raises(token: str, key: str, marker: str) -> int:
          try:
              raise KeyError(token, marker)
          except KeyError as problem:
              raise ValueError(f"cannot use {token} nor {marker}, {token!r}, {token.encode()!r}") from problem
  class_name:
    kind: python
    with: &VALUES
    source: |
      def class_name(token: str, key: str, marker: str) -> int:
          raise type(token, (Exception,), {})(marker)
  long_cause:
    kind: python
    with: &VALUES
    source: |
      def long_cause(token: str, key: str, marker: str) -> int:
          raise ValueError(marker + "x" * (4096 - len(marker) - 40) + token)
  leaves:
    kind: python
    with: &VALUES
    source: |
      import sys

      def leaves(token: str, key: str, marker: str) -> int:
          sys.exit(f"{marker} {token}")
  returns:
    kind: python
    with: &VALUES
    source: |
      def returns(token: str, key: str, marker: str) -> dict:
          return {"nested": [marker, {"deep": token}]}
  writes:
    kind: python
    with: &VALUES
    source: |
      import base64, pathlib

      def writes(token: str, key: str, marker: str) -> pathlib.Path:
          path = pathlib.Path("out.bin")
          path.write_bytes(b"x" * 1000 + base64.b64encode(f"{marker} {token}".encode()))
          return path
  forges:
    kind: python
    with: &VALUES
    source: |
      import json, os

      def forges(token: str, key: str, marker: str) -> int:
          said = {"metrics": {token: 1, marker: 2}, "seeds": {"s": token}, "extra": token}
          output = {"name": "result", "type": "integer", "value": 1, "meta": {"note": token}}
          os.write(3, json.dumps({"outputs": [output], **said}).encode() + b"\\n")
          os._exit(0)
  hold:
    kind: shell
    needs: &OTHERS
    with: &VALUES
    run: while [ ! -e "$IN_GATE" ]; do sleep 0.1; done
  plain:
    kind: shell
    run: env
""".replace(
    "&VALUES",
    '{token: "${{ secrets.canary }}", key: "${{ secrets.canary-key }}", marker: "${{ params.marker }}"}',
).replace("&OTHERS", "[" + ", ".join(f"{{task: {key}, on: always}}" for key in SPEAKING) + "]")
FAIL = {"raises", "class_name", "long_cause", "leaves", "returns", "writes", "forges"}


@dataclass(frozen=True)
class Said:
    """A value with odd characters around a core by which it is known in whatever form it is left."""

    core: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def value(self) -> str:
        return f"pä ss'/{self.core}+\"&<$w\\d?~"

    @property
    def several_lines(self) -> str:
        return f"-----BEGIN-----\nfirst{self.core}\nsecond{self.core}\n-----END-----\n"

    def forms(self) -> list[bytes]:
        raw = self.core.encode()
        in_base64 = [base64.b64encode(b"a" * before + raw)[4 if before else 0 : -4] for before in range(3)]
        return [raw, raw.hex().encode(), raw.hex().upper().encode(), *in_base64]

    def seen_in(self, data: bytes) -> list[int]:
        """The numbers of the forms that stand in some bytes."""
        return [number for number, form in enumerate(self.forms()) if form in data]


@dataclass
class Scene:
    """The product after the run, and what was heard meanwhile."""

    product: Product
    canary: Said
    marker: Said
    run: str
    heard: bytes
    processes: dict[int, bool]

    @property
    def home(self) -> Home:
        return Home(self.product.up.home)

    @property
    def known(self) -> Secrets:
        found = self.home.read_secrets()
        assert found
        return found

    def database(self) -> psycopg.Connection:
        """A connection of the owner, who sees every table."""
        return psycopg.connect(
            host=str(self.home.postgres_socket_folder),
            user=OWNER_ROLE,
            password=self.known.owner,
            dbname=DATABASE_NAME,
        )


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    canary, marker = Said(), Said()
    with folder_for_all() as folder, product(folder / "home") as shop:
        for name, value in (("canary", canary.value), ("canary-key", canary.several_lines)):
            made = shop.api.post("secrets/", json={"name": name, "team": "demo", "value": value})
            assert made.status_code == 201, made.text
        gate = folder / "gate"
        tasks = TASKS.replace("$IN_GATE", str(gate))
        name = shop.publish(tasks, head="parameters:\n  marker: {type: string}\ndefaults: {queue: cpu}\n")
        with listening(Home(shop.up.home)) as heard:
            run = shop.start(name, marker=marker.value)
            shop.wait_task(run, "hold", "running")
            processes = seen_in_processes(canary, shop, run)
            gate.touch()
            shop.wait(run)
            recorded(shop, run)
        yield Scene(shop, canary, marker, run, bytes(heard), processes)


@contextmanager
def listening(home: Home) -> Iterator[bytearray]:
    """Everything that anybody says to Redis."""
    known = home.read_secrets()
    assert known
    heard = bytearray()
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(str(home.redis_socket))
        line.sendall(f"AUTH {known.redis}\r\nMONITOR\r\n".encode())

        def listen() -> None:
            while data := line.recv(65536):
                heard.extend(data)

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        yield heard
        line.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def seen_in_processes(canary: Said, shop: Product, run: str) -> dict[int, bool]:
    """Processes with the secret in their command line or environment -> whether it is the attempt's own."""
    (attempt,) = shop.details(run, "hold")["attempts"]
    found = {}
    for pid in psutil.pids():
        try:
            environ = Path(f"/proc/{pid}/environ").read_bytes()
            words = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            continue
        if canary.seen_in(environ + words):
            found[pid] = f"ORCHESTRATOR_ATTEMPT={attempt['id']}".encode() in environ
    return found


def recorded(shop: Product, run: str) -> None:
    """Wait for the lineage of the run, which is written after it."""
    (output,) = shop.details(run, "shell")["outputs"]
    shop.until(lambda: bool(shop.get(f"artifacts/{output['artifact']}/")), "its record", 30, run)


# --- what the run was -------------------------------------------------------------------------------------


def test_every_task_ended_as_it_was_meant_to(scene: Scene) -> None:
    states = {key: task["state"] for key, task in scene.product.tasks(scene.run).items()}
    assert {key for key, state in states.items() if state == "failed"} == FAIL
    assert {state for key, state in states.items() if key not in FAIL} == {"succeeded"}


@pytest.mark.parametrize("key", ["returns", "writes", "forges"])
def test_an_output_that_contains_a_secret_is_refused_with_the_reason(scene: Scene, key: str) -> None:
    (attempt,) = scene.product.details(scene.run, key)["attempts"]
    assert attempt["reason"] == "validation"
    assert "contains the secret 'canary'" in attempt["cause"]
    assert "contains the secret 'canary'" in scene.product.log(attempt["id"])


def test_a_cause_keeps_all_but_the_secret(scene: Scene) -> None:
    (attempt,) = scene.product.details(scene.run, "raises")["attempts"]
    assert attempt["cause"].startswith(f"ValueError: cannot use *** nor {scene.marker.value}")


def test_the_log_shows_the_marker_in_every_form_and_the_secret_in_none(scene: Scene) -> None:
    (attempt,) = scene.product.details(scene.run, "speak")["attempts"]
    log = scene.product.log(attempt["id"]).encode()
    assert scene.marker.seen_in(log) == [0, 1, 2, 3, 4, 5]
    assert scene.canary.seen_in(log) == []
    assert log.count(b"***") >= 25


# --- where it is not --------------------------------------------------------------------------------------


def test_no_table_holds_it(scene: Scene) -> None:
    control, found = set(), set()
    with scene.database() as connection:
        tables = connection.execute(
            "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        assert len(tables) > 40
        for (table,) in tables:
            with connection.cursor().copy(f"COPY {table} TO STDOUT") as rows:
                content = with_bytes_decoded(b"".join(bytes(part) for part in rows))
            control |= {table} if scene.marker.seen_in(content) else set()
            found |= {table} if scene.canary.seen_in(content) else set()
    assert found == set()
    assert {"run", "attempt", "record"} <= {re.sub(r"_p?\d+$", "", table) for table in control}
    assert any(table.startswith("log_chunk") for table in control)


def with_bytes_decoded(rows: bytes) -> bytes:
    """Rows as COPY writes them, followed by what stands in their columns of bytes."""
    columns = re.findall(rb"\\\\x((?:[0-9a-f]{2})+)", rows)
    return rows + b"\n".join(bytes.fromhex(column.decode()) for column in columns)


def test_redis_never_heard_of_it(scene: Scene) -> None:
    assert scene.run.encode() in scene.heard, "it was listened to"
    assert scene.canary.seen_in(scene.heard) == []
    client = redis.Redis(unix_socket_path=str(scene.home.redis_socket), password=scene.known.redis)
    with client:
        assert not any(scene.canary.seen_in(key + (client.dump(key) or b"")) for key in client.scan_iter())


def test_no_file_of_the_home_holds_it(scene: Scene) -> None:
    """Logs of the processes, artifacts, the database's own files and whatever attempts left behind."""
    files = [path for path in scene.product.up.home.rglob("*") if path.is_file() and not path.is_symlink()]
    control = {path for path in files if scene.marker.seen_in(path.read_bytes())}
    home = scene.product.up.home
    assert any(path.is_relative_to(home / "store") for path in control), "the artifact with the marker"
    assert {path for path in files if scene.canary.seen_in(path.read_bytes())} == set()


def test_only_the_task_that_names_it_has_it_in_its_environment(scene: Scene) -> None:
    assert scene.processes, "the shell of the task has it"
    assert all(scene.processes.values())


def test_no_answer_of_the_api_holds_it(scene: Scene) -> None:
    shop = scene.product
    paths = shop.get("schema/", format="json")["paths"]
    known, control, answered = names(scene), set(), 0
    for path in (path for path, methods in paths.items() if "get" in methods):
        for address in addresses(path, known):
            answer = shop.api.get(f"{shop.up.address}{address}")
            assert scene.canary.seen_in(answer.content) == [], address
            answered += answer.is_success
            control |= {path} if scene.marker.seen_in(answer.content) else set()
    assert answered > 50
    assert {
        "/api/v1/runs/{id}/",
        "/api/v1/task-runs/{id}/",
        "/api/v1/attempts/{id}/log/",
    } <= control


def names(scene: Scene) -> dict[str, list[str]]:
    """What may stand after a noun in an address, for this run."""
    shop = scene.product
    tasks = shop.tasks(scene.run)
    details = [shop.details(scene.run, key) for key in tasks]
    outputs = [output for detail in details for output in detail["outputs"]]
    return {
        "runs": [scene.run],
        "task-runs": [task["id"] for task in tasks.values()],
        "attempts": [attempt["id"] for detail in details for attempt in detail["attempts"]],
        "artifacts": [output["artifact"] for output in outputs if output["artifact"]],
        "secrets": [secret["id"] for secret in shop.get("secrets/")["results"]],
        "pipelines": [shop.get(f"runs/{scene.run}/")["pipeline"]["name"]],
        "versions": ["1"],
    }


def addresses(path: str, known: dict[str, list[str]]) -> Iterator[str]:
    """Every address that a path of the contract has for this run."""
    nouns = re.findall(r"([a-z-]+)/{\w+}", path)
    pattern = re.sub(r"{\w+}", "{}", path)
    for values in itertools.product(*(known.get(noun, [NIL]) for noun in nouns)):
        yield pattern.format(*values)


def test_the_record_names_it_by_name_and_version(scene: Scene) -> None:
    with scene.database() as connection:
        rows = connection.execute(
            "SELECT p.values FROM record r JOIN parameter_set p ON p.id = r.parameters_id "
            "JOIN attempt a ON a.id = r.attempt_id JOIN task_run t ON t.id = a.task_run_id "
            "WHERE t.key = 'speak'"
        ).fetchall()
    ((values,),) = rows
    assert values["token"] == {"$secrets": {"canary": 1}}
    assert values["key"] == {"$secrets": {"canary-key": 1}}


# --- a secret that is not there any more ------------------------------------------------------------------

WAITING = """\
  wait:
    kind: shell
    run: while [ ! -e GATE ]; do sleep 0.1; done
  use:
    kind: shell
    needs: [wait]
    with: {token: "${{ secrets.fleeting }}"}
    run: echo "never"
"""


def test_a_secret_archived_under_a_run_fails_its_task_and_refuses_the_next_run(
    scene: Scene,
) -> None:
    shop = scene.product
    made = shop.post("secrets/", {"name": "fleeting", "team": "demo", "value": "here-for-a-moment"})
    gate = scene.home.path.parent / "second-gate"
    name = shop.publish(WAITING.replace("GATE", str(gate)), head="defaults: {queue: cpu}\n")
    run = shop.start(name)
    shop.wait_task(run, "wait", "running")
    assert shop.api.delete(f"secrets/{made['id']}/").status_code == 204
    gate.touch()
    assert shop.wait(run)["state"] == "failed"
    (attempt,) = shop.details(run, "use")["attempts"]
    assert attempt["reason"] == "validation"
    assert "The team has no secret 'fleeting': it was archived, or never stored." in attempt["cause"]
    assert "no secret 'fleeting'" in shop.log(attempt["id"])
    refused = shop.api.post(f"pipelines/{name}/runs/", json={})
    assert refused.status_code == 409
    assert "no secret 'fleeting'" in refused.text
