"""A worker on another machine, with the addresses of database, Redis and store and nothing else.

Each test says in its name through what it went: a network namespace that is cut off and healed, or a proxy.
"""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.conf import LazySettings, settings
from django.db import connection
from redis import Redis

from pipelines import code
from runs import invariants, logs, protocol, sweeps
from runs.models import Attempt, Queue, Run, TaskRun, WorkerLease
from tests import factories
from tests.orchestrator_site.running import ROOT, environment_for
from tests.runs import making
from tests.runs.far_machine import Namespace, Network, NotPermitted, network
from tests.runs.faults.bench import python, told
from tests.runs.trials import until
from tests.s3 import KEYS, S3Server, s3_server
from tests.servers import Servers

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400), pytest.mark.django_db(transaction=True)]
QUEUE = "far"
WAYS = {"network namespace": Namespace, "TCP proxy": Network}
BLOCKS = """
from pathlib import Path

def shout(word: str) -> str:
    print(f"{word} is being shouted")
    return word.upper()

def write(word: str) -> Path:
    path = Path("written.txt")
    path.write_text(word * 100_000)
    return path
"""


class Machines:
    """This machine, where the servers are, and the far one."""

    def __init__(self, way: Network, s3: S3Server, folder: Path) -> None:
        self.way, self.s3, self.folder = way, s3, folder
        self.cast = factories.make_cast()
        Queue.objects.create(slug=QUEUE)

    @property
    def far_environment(self) -> dict[str, str]:
        """What somebody sets on the far machine."""
        known, host = settings.SECRETS, self.way.host
        return {
            **environment_for(self.folder / "far-home"),
            "DATABASE_URL": f"postgres://orchestrator:{known.application}"
            f"@{host}:{self.way.postgres.port}/orchestrator",
            "REDIS_URL": f"redis://:{known.redis}@{host}:{self.way.redis.port}/0",
            "ORCHESTRATOR_STORE": self.s3.address().replace(
                f"127.0.0.1:{self.s3.port}", f"{host}:{self.way.s3.port}"
            ),
            "ORCHESTRATOR_STORE_ACCESS_KEY": KEYS["access_key"],
            "ORCHESTRATOR_STORE_SECRET_KEY": KEYS["secret_key"],
            "ORCHESTRATOR_CACHE": str(self.folder / "far-cache"),
            "UV_OFFLINE": "1",
        }

    @property
    def near_environment(self) -> dict[str, str]:
        return {
            **environment_for(settings.HOME.path),
            "ORCHESTRATOR_STORE": self.s3.address(),
            "ORCHESTRATOR_STORE_ACCESS_KEY": KEYS["access_key"],
            "ORCHESTRATOR_STORE_SECRET_KEY": KEYS["secret_key"],
        }

    @contextmanager
    def far_worker(self, processes: int = 1) -> Iterator[subprocess.Popen[bytes]]:
        words = self.way.command(*worker_words("--processes", str(processes)))
        with program(words, self.far_environment, self.folder / "far.log") as worker:
            until(lambda: leases("live").count() >= processes, 30, f"it serves: {self.far_log}")
            yield worker

    @contextmanager
    def near_worker(self) -> Iterator[subprocess.Popen[bytes]]:
        with program(worker_words(), self.near_environment, self.folder / "near.log") as worker:
            yield worker

    @property
    def far_log(self) -> str:
        path = self.folder / "far.log"
        return path.read_text()[-3000:] if path.exists() else ""

    def start(self, *tasks: dict[str, Any], edges: Any = (), **fields: Any) -> Run:
        whole = [{**each, "queue": QUEUE} for each in tasks]
        version = making.make_version(self.cast.team, self.cast.alice, whole, edges, **fields)
        return making.start(version, self.cast.alice)

    def ends(self, run: Run, seconds: float) -> None:
        """Wait until a run has ended."""
        deadline = time.monotonic() + seconds
        while not Run.objects.filter(pk=run.pk, state__in=["succeeded", "failed", "cancelled"]).exists():
            if time.monotonic() > deadline:
                pytest.fail(f"{making.states(run)} after {seconds} s; {self.far_log}")
            time.sleep(0.05)


def worker_words(*options: str) -> list[str]:
    return [sys.executable, "manage.py", "worker", "--queue", QUEUE, *options]


@contextmanager
def program(words: list[str], environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A program of the product and all that it started, gone at the end."""
    with log.open("ab") as out:
        process = subprocess.Popen(words, cwd=ROOT, env=environment, stdout=out, stderr=out)
    try:
        yield process
    finally:
        everybody = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            for each in everybody:
                with_no_fuss(each.kill)
            process.wait()


def with_no_fuss(act: Any) -> None:
    try:
        act()
    except psutil.NoSuchProcess:
        return


def leases(*states: str) -> Any:
    return WorkerLease.objects.filter(queue=QUEUE, state__in=states)


@contextmanager
def sweeping() -> Iterator[None]:
    """The sweep of the near machine."""
    over = threading.Event()

    def sweep() -> None:
        while not over.wait(0.5):
            sweeps.sweep_once()
        connection.close()

    thread = threading.Thread(target=sweep)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(20)


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Server]:
    with s3_server() as server:
        yield server


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> type[Network]:
    return WAYS[request.param]


@pytest.fixture
def machines(
    way: type[Network], transactional_db: None, servers: Servers, s3: S3Server, tmp_path: Path,
    redis_connection: Redis, settings: LazySettings,
) -> Iterator[Machines]:  # fmt: skip
    home = servers.home
    settings.ORCHESTRATOR = {
        **settings.ORCHESTRATOR, "STORE": s3.address(), "STORE_CACHE": tmp_path / "near-copies",
        "STORE_ACCESS_KEY": KEYS["access_key"], "STORE_SECRET_KEY": KEYS["secret_key"],
    }  # fmt: skip
    database = str(home.postgres_socket_folder / ".s.PGSQL.5432")
    try:
        with network(way, database, str(home.redis_socket), s3.port) as made:
            yield Machines(made, s3, tmp_path)
    except NotPermitted as problem:
        pytest.skip(f"No network namespace may be made here ({problem}): the TCP proxy stands in for it.")


def block(name: str, gives: str) -> dict[str, Any]:
    """A task that calls a function of the snapshot with one word."""
    config = {"run": f"blocks:{name}"}
    outputs = [{"name": "result", "type": gives}]
    return making.task(name, "python", config=config, outputs=outputs, **{"with": {"word": {"lit": "hello"}}})


def quick(number: int) -> dict[str, Any]:
    source = f"import time\ndef main() -> int:\n    time.sleep(0.3)\n    return {number}\n"
    return python(source, key=f"t{number}", result="integer")


def patient(go: Path) -> dict[str, Any]:
    """A task that says something every 0.1 s, and touches a file of its pid, and ends when `go` is there."""
    return python(
        "import os, pathlib, time\n"
        f"go = pathlib.Path({str(go)!r})\n"
        "def main() -> int:\n    count = 0\n"
        "    while not go.exists():\n        print('line', count, flush=True)\n"
        "        go.with_name(f'alive-{os.getpid()}').touch()\n"
        "        count += 1\n        time.sleep(0.1)\n    print('the end', count)\n    return count\n",
        result="integer",
    )


def alive(go: Path) -> set[str]:
    """The processes of patient tasks that are at work."""
    now = time.time()
    return {each.name for each in go.parent.glob("alive-*") if now - each.stat().st_mtime < 2.0}


def running(run: Run) -> list[Attempt]:
    return list(Attempt.objects.filter(run=run, state="running"))


def nothing_is_broken() -> None:
    broken = {name: rows for name, rows in invariants.check_all().items() if name != "runs-move"}
    assert broken == {}


def test_a_worker_with_nothing_but_addresses_carries_out_code_of_the_store(
    machines: Machines, tmp_path: Path
) -> None:
    folder = tmp_path / "blocks"
    folder.mkdir()
    (folder / "blocks.py").write_text(BLOCKS)
    (folder / "requirements.lock").write_text("# nothing but Python\n")
    location = code.register(
        machines.cast.team, "blocks", str(folder), actor=None, lock_file="requirements.lock"
    )
    assert location.last_snapshot is not None
    checked = subprocess.run(
        machines.way.command(*worker_words("--check")),
        cwd=ROOT,
        env=machines.far_environment,
        capture_output=True,
        text=True,
    )
    assert checked.returncode == 0, checked.stderr
    assert checked.stderr.strip() == f"Nothing is missing: this machine can serve the queue {QUEUE}."
    tree = location.last_snapshot.tree_sha256
    with machines.far_worker():
        run = machines.start(
            block("shout", "string"),
            block("write", "file"),
            edges=[("shout", "write")],
            code={"location": "blocks", "snapshot": tree, "follow": "published"},
        )
        machines.ends(run, 120)
    causes = list(Attempt.objects.filter(run=run).values_list("cause", flat=True))
    assert causes == ["", ""], machines.far_log
    tasks = {task.key: task for task in TaskRun.objects.filter(run=run)}
    attempts = {key: Attempt.objects.get(task_run=task) for key, task in tasks.items()}
    assert attempts["shout"].outputs.get().value == "HELLO"
    assert logs.tail(attempts["shout"], 10) == ["hello is being shouted"]
    # Built there, and not with the product's own packages; its bytes lie in the one store.
    assert list((tmp_path / "far-cache" / "envs").glob("*/.complete"))
    assert not (tmp_path / "far-home" / "store").exists()
    written = attempts["write"].outputs.get()
    assert any(written.sha256 in key for key in machines.s3.keys("store/"))
    nothing_is_broken()


def test_a_worker_that_starts_before_its_network_waits_for_it(machines: Machines) -> None:
    machines.way.cut()
    words = machines.way.command(*worker_words())
    with program(words, machines.far_environment, machines.folder / "far.log") as worker:
        waiting = "DATABASE_URL: PostgreSQL at "
        until(lambda: waiting in machines.far_log, 60, "it says what it waits for")
        assert "it does not answer" in machines.far_log
        assert "Waiting for it." in machines.far_log
        assert worker.poll() is None
        machines.way.heal()
        until(leases("live").exists, 60, "it serves")


def test_a_short_cut_costs_nothing_and_the_log_is_whole(machines: Machines, tmp_path: Path) -> None:
    go = tmp_path / "go"
    with machines.far_worker(), sweeping():
        run = machines.start(patient(go))
        until(lambda: running(run) != [], 20, "it runs")
        time.sleep(1)
        machines.way.cut()
        time.sleep(5)
        machines.way.heal()
        time.sleep(1)
        go.touch()
        machines.ends(run, 40)
    ended = told(run)
    assert [each.state for each in ended.attempts] == ["succeeded"], machines.far_log
    assert ended.last.dropped_bytes == 0
    count = ended.outputs["result"].value
    assert logs.read_all(ended.last, 0, 10_000) == [f"line {n}" for n in range(count)] + [f"the end {count}"]
    nothing_is_broken()


def test_a_worker_that_is_cut_off_is_replaced_and_its_late_end_does_not_count(
    machines: Machines, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    with machines.far_worker(), sweeping():
        run = machines.start(patient(go))
        until(lambda: running(run) != [], 20, "it runs")
        until(lambda: alive(go) != set(), 20, "it says so")
        first = alive(go)
        # Before the cut: at its start a worker ends what lost attempts have left on its own machine.
        with machines.near_worker():
            until(lambda: leases("live").count() == 2, 40, "another worker is there")
            machines.way.cut()
            cut_at = time.monotonic()
            until(lambda: leases("lost").exists(), 60, "its lease is lost")
            until(lambda: len(alive(go)) == 2, 60, "another has taken the task, and both are at work")
            # Only the machine is cut off, and it may come back: its runner has gone on for all that time.
            assert time.monotonic() - cut_at > protocol.LEASE_TTL - 5
            assert first < alive(go)
            go.touch()
            machines.ends(run, 60)
        assert not leases("live").exists()
        machines.way.heal()
        until(leases("live").exists, 90, "the far worker is back")
        again = machines.start(python("def main() -> int:\n    return 7\n", result="integer"))
        machines.ends(again, 60)
    ended = told(run)
    assert [each.state for each in ended.attempts] == ["lost", "succeeded"]
    assert told(again).task.state == "succeeded", machines.far_log
    nothing_is_broken()


@pytest.mark.parametrize("way", ["TCP proxy"], indirect=True)
def test_connections_that_stall_are_reset_and_half_closed_cost_time_and_no_result(machines: Machines) -> None:
    chance = random.Random(20261122)
    with machines.far_worker(processes=2), sweeping():
        run = machines.start(*[quick(number) for number in range(16)])
        faults: dict[str, int] = {}
        while not Run.objects.filter(pk=run.pk, state__in=["succeeded", "failed"]).exists():
            assert sum(faults.values()) < 60, f"it never ends: {making.states(run)}"
            fault = chance.choice(["stall", "reset", "half_close", "delay"])
            faults[fault] = faults.get(fault, 0) + 1
            misbehave(chance.choice(machines.way.proxies), fault)
            time.sleep(1.0)
    assert set(making.states(run).values()) == {"succeeded"}, faults
    succeeded = Attempt.objects.filter(run=run, state="succeeded")
    assert succeeded.count() == 16
    assert {attempt.outputs.get().value for attempt in succeeded} == set(range(16))
    nothing_is_broken()


def misbehave(proxy: Any, fault: str) -> None:
    if fault == "stall":
        proxy.stall()
        time.sleep(2.0)
        proxy.go_on()
    elif fault == "delay":
        proxy.delay = 0.2
        time.sleep(2.0)
        proxy.delay = 0.0
    else:
        getattr(proxy, fault)()
