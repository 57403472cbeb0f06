"""What a hostile task gets hold of at the level `own user`: nothing of the product or of another team."""

from __future__ import annotations

import json
import os
import textwrap
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from orchestrator_site.embedded.home import Home, Secrets
from runs.worker.processes import attempt_processes
from tests.runs.trials import marked
from tests.walks.product import Product

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
HOSTILE = Path(__file__).with_name("hostile_task.py").read_text()
VICTIM = """\
  make:
    kind: python
    source: |
      import pathlib
      def make() -> pathlib.Path:
          pathlib.Path("words").write_text("CANARY-OF-THE-VICTIM")
          return pathlib.Path("words")
  hold:
    kind: python
    with: {words: "${{ tasks.make.outputs.result }}"}
    source: |
      import os, pathlib, time
      def hold(words: pathlib.Path) -> int:
          os.environ["CANARY"] = words.read_text()
          pathlib.Path("own").write_text(words.read_text())
          print("at", os.path.realpath(words), os.getcwd(), flush=True)
          time.sleep(600)
          return 0
"""


@pytest.fixture(scope="module")
def strict(shop: Product) -> Product:
    """The product whose queues give every team a user of its own; skipped where they cannot."""
    (queue,) = [row for row in shop.get("queues/")["results"] if row["slug"] == "cpu"]
    if os.geteuid() != 0:
        pytest.skip("`own user` needs root: what a hostile task gets hold of was NOT looked at")
    if queue["isolation"] != "own user":
        pytest.skip("this machine gives no `own user`: what a hostile task gets hold of was NOT looked at")
    return shop


@pytest.fixture(scope="module")
def victim(strict: Product) -> Iterator[dict[str, Any]]:
    """A running task of another team."""
    strict.manage(
        "shell", "-c",
        "from pipelines import people; from pipelines.bootstrap import site_admin;"
        "from pipelines.models import Role;"
        "admin = site_admin(); team = people.make_team('victims', 'Victims', actor=admin);"
        "people.set_roles(team, admin, Role.values, actor=admin)",
    )  # fmt: skip
    with running_victim(strict) as found:
        yield found


@contextmanager
def running_victim(shop: Product) -> Iterator[dict[str, Any]]:
    """A running task of the team `victims`, with an input: where it works and what it is called."""
    run = shop.start(publish_for(shop, "victims", VICTIM))
    shop.wait_task(run, "hold", "running")
    shop.until(lambda: "at " in log_of(shop, run, "hold"), "it says where it is", 30, run)
    attempt = shop.details(run, "hold")["attempts"][-1]
    _, lent, work = log_of(shop, run, "hold").split()
    (made,) = shop.details(run, "make")["outputs"]
    (pid,) = [pid for pid, token in attempt_processes().items() if token == attempt["id"]]
    yield {"run": run, "pid": pid, "lent": lent, "work": work, "made": made}
    shop.post(f"runs/{run}/cancel/")
    shop.wait(run)


def publish_for(shop: Product, team: str, tasks: str) -> str:
    name = f"walk-{uuid.uuid4().hex[:8]}"
    document = f"schema: orchestrator/v1\nname: {name}\ntasks:\n{tasks}"
    shop.post("pipelines/", {"name": name, "team": team, "document": document})
    shop.post(f"pipelines/{team}:{name}/versions/", {"message": "first"})
    return f"{team}:{name}"


def log_of(shop: Product, run: str, key: str) -> str:
    attempts = shop.details(run, key)["attempts"]
    return shop.log(attempts[-1]["id"]) if attempts else ""


def hints(shop: Product, victim: dict[str, Any], mark: str, only: str = "") -> dict[str, Any]:
    """All that an insider could know of the product and of the victim. `only`: how the attacks begin."""
    home = Home(shop.up.home)
    known: Secrets | None = home.read_secrets()
    assert known is not None
    sha256 = victim["made"]["sha256"]
    stored = home.path / "store" / "sha256" / sha256[:2] / sha256
    assert stored.read_bytes() == b"CANARY-OF-THE-VICTIM"
    workers = [row for row in shop.get("workers/")["results"] if row["queue"] == "cpu"]
    snapshot = home.path / "snapshots" / ("0" * 64)
    snapshot.mkdir(parents=True, exist_ok=True)
    (snapshot / "code.py").write_text("CODE_OF_ANOTHER_TEAM = 1")
    closed = [
        home.secrets_file, home.secret_keys_file, home.logs, home.postgres, home.data, home.redis,
        home.path / "store", stored, snapshot, Path(victim["work"]),
        Path(victim["work"], "own"), Path(victim["lent"]), Path(victim["lent"]).parent,
        ROOT / ".venv-tasks" / "uv", Path("/root/.bashrc"),
    ]  # fmt: skip
    assert all(path.exists() for path in closed if path.name not in ("uv", ".bashrc"))
    return {
        "home": str(home.path),
        "mark": mark,
        "only": only,
        "closed": [str(path) for path in closed],
        "unchangeable": [
            str(ROOT / "runs/worker/runner.py"), str(ROOT / "manage.py"),
            str(ROOT / "runs/worker/__pycache__/hostile.pyc"), "/etc/passwd",
            str(snapshot / "code.py"), str(home.path / "work" / "hostile"),
        ],
        "sockets": [
            str(home.postgres_socket_folder / ".s.PGSQL.5432"), str(home.redis_socket),
        ],
        "worker": workers[0]["pid"],
        "victim": victim["pid"],
        "marks": ["CANARY-OF-THE-VICTIM", known.application, known.redis, known.site_key, "manage.py"],
    }  # fmt: skip


def attack(given: dict[str, Any], queue: str = "cpu") -> str:
    """A document whose task `t` carries out every attack."""
    source = textwrap.indent(HOSTILE, "      ")
    return (
        "  make:\n    kind: python\n    source: |\n      import pathlib\n      def make() -> pathlib.Path:\n"
        "          pathlib.Path('own').write_text('own')\n          return pathlib.Path('own')\n"
        f"  t:\n    kind: python\n    queue: {queue}\n"
        f"    with:\n      hints: {json.dumps(given)}\n"
        '      own: "${{ tasks.make.outputs.result }}"\n'
        f"    source: |\n{source}\n"
    )


def attack_in_vain(shop: Product, victim: dict[str, Any], level: str) -> dict[str, Any]:
    """Let a hostile task try everything at a level; its attempt, after nothing has come of it."""
    mark = f"hostile-{uuid.uuid4().hex}"
    run = shop.start(shop.publish(attack(hints(shop, victim, mark))))
    ended = shop.wait(run)
    assert ended["state"] == "succeeded", log_of(shop, run, "t")
    attempt: dict[str, Any]
    (attempt,) = shop.details(run, "t")["attempts"]
    (output,) = shop.details(run, "t")["outputs"]
    seen = output["value"]
    assert attempt["isolation"] == level
    assert seen["succeeded"] == {}
    assert seen["tried"] > 60
    assert 1 in seen["processes"]
    assert len(seen["processes"]) < 10
    assert marked(mark) == []
    for folder in ("/dev/shm", "/tmp", "/var/tmp"):
        assert not Path(folder, mark).exists()
    assert shop.tasks(victim["run"])["hold"]["state"] == "running"
    return attempt


def test_a_hostile_task_reaches_nothing_of_the_product_or_of_another_team(
    strict: Product, victim: dict[str, Any]
) -> None:
    attack_in_vain(strict, victim, "own user")


def test_the_same_ways_are_open_at_shared_user(strict: Product, victim: dict[str, Any]) -> None:
    """Or the attacks would prove nothing: root's tasks read whatever there is."""
    change = (
        "from runs import queues; from runs.models import Queue; from pipelines.bootstrap import site_admin;"
    )
    strict.manage(
        "shell",
        "-c",
        f"{change} queues.isolate(Queue.objects.get(slug='gpu'), 'shared user', actor=site_admin())",
    )
    run = strict.start(strict.publish(attack(hints(strict, victim, "unmarked", only="reach"), "gpu")))
    assert strict.wait(run)["state"] == "succeeded", log_of(strict, run, "t")
    (attempt,) = strict.details(run, "t")["attempts"]
    (output,) = strict.details(run, "t")["outputs"]
    assert attempt["isolation"] == "shared user"
    assert output["value"]["tried"] - len(output["value"]["succeeded"]) <= 2
