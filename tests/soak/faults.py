"""The faults of a soak: each a generator that does its harm, waits in steps, and puts right what it can.

`yield` gives the others their turn. A fault that finds nobody to hurt ends without having done anything.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import psutil
import psycopg
import redis

from runs.worker.processes import attempt_of, descendants
from tests.orchestrator_site.running import ROOT, name_of
from tests.soak.load import SLOW
from tests.soak.machines import send
from tests.soak.scene import Busy, Scene

TTL: Final = 15.0
RETAKEN: Final = 90.0  # seconds in which a second attempt must run, whatever else goes wrong meanwhile
LEAVES: Final = 20.0  # seconds in which a thawed worker must have gone
Steps = Iterator[None]


def pause(seconds: float) -> Steps:
    """Let the others go on for so long."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        yield


def waited(condition: Callable[[], bool], seconds: float) -> Generator[None, None, bool]:
    """Until the condition holds; `yield from` it gives whether it did in time."""
    until = time.monotonic() + seconds
    while not (held := condition()) and time.monotonic() < until:
        yield
    return held


# --- workers ----------------------------------------------------------------------------------------------


def kill_worker(scene: Scene) -> Steps:
    """SIGKILL to a worker at work: whatever it started is dead within a second."""
    if not (busy := scene.busy()):
        return
    victim = scene.random.choice(busy)
    if not seized(scene, victim):
        return
    family = children_of(victim.process)
    scene.note("worker SIGKILL", victim)
    send(victim.process, signal.SIGKILL)
    yield from must_die(scene, family, 2.0, "outlived its killed worker")


def kill_runner(scene: Scene) -> Steps:
    """SIGKILL to a process that carries a task out; its worker sees it and says so."""
    if not (busy := scene.busy()):
        return
    if not (family := children_of(scene.random.choice(busy).process)):
        return
    process = scene.random.choice(family)
    token = attempt_of(process.pid)
    if send(process, signal.SIGKILL):
        scene.killed |= {token} - {None}
        scene.note("zygote or runner SIGKILL")
    yield


def freeze_briefly(scene: Scene) -> Steps:
    """SIGSTOP to a worker for some seconds, less than a lease lasts: nobody loses anything."""
    if not (busy := scene.busy()):
        return
    victim = scene.random.choice(busy)
    scene.freeze(victim.process)
    scene.note("worker frozen for 5 s")
    began = time.time()
    yield from pause(5.0)
    scene.thaw(victim.process)
    scene.deaf.append((began, time.time()))


def zombie(scene: Scene, *, whole: bool) -> Steps:
    """Stop a worker inside an attempt, wait until the second attempt runs, thaw it.

    ``whole``: with its zygotes and runners, which then cannot see its silence.
    """
    started = scene.load.start_one(SLOW, spared=True)
    if not started.id:
        return
    yield from waited(lambda: bool(scene.busy(started.id)), 30.0)
    if not (busy := scene.busy(started.id)):
        return
    victim = busy[0]
    if not seized(scene, victim):
        return
    family = [victim.process, *(children_of(victim.process) if whole else [])]
    scene.freeze(*family)
    scene.note(f"zombie: worker{' and runner' if whole else ''} frozen and thawed", victim)
    if not (yield from waited(lambda: not still_held(scene, victim) and moved_on(scene, victim), RETAKEN)):
        scene.violations.append(f"attempt {victim.token} of a frozen worker was not retaken in {RETAKEN:g} s")
    scene.say("… retaken, thawed")
    scene.finish_late(victim.token)
    scene.thaw(*family)
    yield from must_die(scene, family, LEAVES, "lives on although its lease is lost")


def moved_on(scene: Scene, victim: Busy) -> bool:
    """Another attempt of its task is or was there; or none is needed, as it ended before the frost."""
    attempts = scene.attempts(victim.task)
    return attempts[-1][0] != victim.token or attempts[-1][1] in ("succeeded", "failed")


def seized(scene: Scene, victim: Busy) -> bool:
    """Stop a worker; False, and nothing has happened, when it has gone on to another attempt by then."""
    send(victim.process, signal.SIGSTOP)
    if still_held(scene, victim):
        return True
    send(victim.process, signal.SIGCONT)
    return False


def still_held(scene: Scene, victim: Busy) -> bool:
    return (victim.token, "running") in scene.attempts(victim.task)


def children_of(process: psutil.Process) -> list[psutil.Process]:
    found = []
    for pid in descendants(process.pid):
        with suppress(psutil.NoSuchProcess):
            found.append(psutil.Process(pid))
    return found


def must_die(scene: Scene, family: list[psutil.Process], seconds: float, words: str) -> Steps:
    yield from waited(lambda: not any(is_alive(each) for each in family), seconds)
    for each in family:
        if is_alive(each) and each not in scene.frozen:
            scene.violations.append(f"process {each.pid} ({name_of(each)}) {words} by {seconds:g} s")


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def lose_machine(scene: Scene) -> Steps:
    """All processes of one machine die at once; it is back when others have taken over what it did."""
    machine = scene.random.choice(scene.machines)
    victims = [busy for busy in scene.busy() if machine.apart == (busy.host == machine.name)]
    if scene.holds_lost_before(machine):
        return
    # Who had nothing to do is hurt as well.
    scene.hurt_workers |= {
        worker
        for worker, host in scene.rows("SELECT worker, host FROM worker_lease WHERE state = 'live'")
        if machine.apart == (host == machine.name)
    }
    machine.lose()
    scene.note("machine lost", *victims)
    if not (yield from waited(lambda: not any(still_held(scene, each) for each in victims), RETAKEN)):
        scene.violations.append(f"what a lost machine did was not taken from it in {RETAKEN:g} s")
    scene.say("… what it did was taken from it, and it is back")
    machine.start()


def drain_worker(scene: Scene) -> Steps:
    """TERM to a worker at work: it ends what it has in hand and goes."""
    if busy := scene.busy():
        victim = scene.random.choice(busy)
        if send(victim.process, signal.SIGTERM):
            scene.note("worker TERM")
    yield


# --- servers ----------------------------------------------------------------------------------------------


def troubled(scene: Scene, began: float) -> None:
    """No lease lapses within one TTL of the database's return."""
    scene.troubles.append((began, time.time() + TTL + 4.0))


def database(scene: Scene, number: signal.Signals, words: str) -> Steps:
    began = time.time()
    try:
        scene.product.up.child("postgres").send_signal(number)
    except (StopIteration, psutil.NoSuchProcess):
        return
    scene.note(words)
    yield from pause(1.0)
    scene.rows("SELECT 1")
    troubled(scene, began)


def crash_database(scene: Scene) -> Steps:
    """An immediate end of PostgreSQL: what was committed without waiting for the disk may be gone."""
    yield from database(scene, signal.SIGQUIT, "PostgreSQL immediate restart")


def restart_database(scene: Scene) -> Steps:
    yield from database(scene, signal.SIGINT, "PostgreSQL fast restart")


def kill_backend(scene: Scene) -> Steps:
    """SIGKILL to one session's process: PostgreSQL ends all of them and recovers."""
    began = time.time()
    server = scene.product.up.child("postgres")
    pids = [pid for (pid,) in scene.rows("SELECT pid FROM pg_stat_activity WHERE usename = 'orchestrator'")]
    backends = [each for each in server.children() if each.pid in pids]
    if backends and send(scene.random.choice(backends), signal.SIGKILL):
        scene.note("PostgreSQL backend SIGKILL")
        yield from pause(1.0)
        scene.rows("SELECT 1")
        troubled(scene, began)


def stall_database(scene: Scene) -> Steps:
    """Every process of PostgreSQL stands still for longer than a lease lasts."""
    began, seconds = time.time(), TTL + 4.0
    server = scene.product.up.child("postgres")
    family = [server, *server.children(recursive=True)]
    for process in family:
        send(process, signal.SIGSTOP)
    scene.note("PostgreSQL stalled for 19 s")
    thaw = scene.later(seconds, lambda: [send(process, signal.SIGCONT) for process in reversed(family)])
    while thaw.is_alive():
        yield
    troubled(scene, began)


def cut_sessions(scene: Scene) -> Steps:
    """Every connection to the database is cut, as by a network that forgets them."""
    began = time.time()
    with suppress(psycopg.OperationalError), scene.superuser() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'orchestrator'"
        )
        scene.note("database connections cut")
    troubled(scene, began)
    yield


def flush_redis(scene: Scene) -> Steps:
    with suppress(redis.RedisError):
        scene.redis().flushall()
        scene.note("Redis FLUSHALL")
    yield


def kill_redis(scene: Scene) -> Steps:
    began = time.time()
    with suppress(StopIteration, psutil.NoSuchProcess):
        scene.product.up.child("redis-server").kill()
        scene.note("Redis SIGKILL")
    yield from pause(5.0)
    scene.away.append((began, time.time() + 5.0))


def redis_away(scene: Scene) -> Steps:
    """Redis cannot be reached for 10 s: its socket is gone and its connections are cut."""
    began, socket = time.time(), scene.home.redis_socket
    aside = socket.with_suffix(".aside")
    with suppress(redis.RedisError, OSError):
        client = scene.redis()
        client.ping()
        socket.rename(aside)
        for kind in ("pubsub", "normal"):
            client.execute_command("CLIENT", "KILL", "TYPE", kind)
        scene.note("Redis away for 10 s")
    yield from pause(10.0)
    if aside.exists() and not socket.exists():
        aside.rename(socket)
    scene.away.append((began, time.time() + 5.0))


def redis_hangs(scene: Scene) -> Steps:
    began = time.time()
    server = scene.product.up.child("redis-server")
    send(server, signal.SIGSTOP)
    scene.note("Redis hangs for 10 s")
    yield from pause(10.0)
    send(server, signal.SIGCONT)
    scene.away.append((began, time.time() + 5.0))


def kill_sweep(scene: Scene) -> Steps:
    began = time.time()
    with suppress(StopIteration, psutil.NoSuchProcess):
        scene.product.up.child("sweep").kill()
        scene.note("sweep SIGKILL")
    yield from pause(3.0)
    scene.troubles.append((began, time.time() + 30.0))


def hang_leader(scene: Scene) -> Steps:
    """The sweep that leads stands still; a second one must lead within 60 s."""
    began = time.time()
    second = subprocess.Popen(
        [sys.executable, "manage.py", "sweep"],
        cwd=ROOT,
        env=scene.product.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    yield from pause(5.0)
    before = leader(scene)
    first = scene.product.up.child("sweep")
    send(first, signal.SIGSTOP)
    scene.note("leader of the sweeps hangs")
    if not (yield from waited(lambda: leader(scene) not in (0, before), 60.0)):
        scene.violations.append("the sweep that led hung, and no other one led within 60 s")
    send(first, signal.SIGCONT)
    yield from pause(2.0)
    second.terminate()
    second.wait(10)
    scene.troubles.append((began, time.time() + 35.0))


def leader(scene: Scene) -> int:
    """The database session of the sweep that leads; 0 for none."""
    found = scene.rows("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted")
    return int(found[0][0]) if found else 0


def kill_web(scene: Scene) -> Steps:
    with suppress(StopIteration, psutil.NoSuchProcess):
        scene.product.up.child("web").kill()
        scene.note("web SIGKILL")
    yield


# --- messages and people ----------------------------------------------------------------------------------


def ring_a_hundred_times(scene: Scene) -> Steps:
    from runs import dispatch

    with suppress(redis.RedisError):
        client = scene.redis()
        line = dispatch.rq_queue(scene.queue, client)
        for _ in range(100):
            dispatch._send(line, "runs.jobs.wake", scene.queue)
        scene.note("100 rings at once")
    yield


def repeat_finishes(scene: Scene) -> Steps:
    """The last word of attempts that have ended comes once more."""
    ended = scene.rows(
        "SELECT uuid::text FROM attempt WHERE state <> 'running' ORDER BY finished_at DESC LIMIT 20"
    )
    for (token,) in ended:
        scene.finish_late(token)
    scene.note("20 finishes repeated")
    yield


def cancel_storm(scene: Scene) -> Steps:
    """Some runs are cancelled at once, among them some whose tasks run for long."""
    slow = {scene.load.start_one(SLOW).id for _ in range(2)} - {""}
    yield from waited(lambda: all(scene.busy(run) for run in slow), 10.0)
    scene.note("cancel storm")
    scene.load.storm(8)


@dataclass(frozen=True)
class Fault:
    """``chance``: its weight among the others; ``rest``: seconds until one of its group may come again.

    Of a group one is under way at a time; faults of the group "" do not mind each other.
    """

    act: Callable[[Scene], Steps]
    chance: int
    group: str = ""
    rest: float = 0.0


def zombie_worker(scene: Scene) -> Steps:
    yield from zombie(scene, whole=False)


def zombie_whole(scene: Scene) -> Steps:
    yield from zombie(scene, whole=True)


# A server that dies twice within a minute is started again after a longer pause each time.
FAULTS: Final = (
    Fault(kill_worker, 20),
    Fault(kill_runner, 6),
    Fault(freeze_briefly, 4, "brief", 3.0),
    Fault(zombie_worker, 10, "zombie"),
    Fault(zombie_whole, 10, "whole zombie"),
    Fault(lose_machine, 5, "machine", 30.0),
    Fault(drain_worker, 4),
    Fault(crash_database, 12, "servers", 62.0),
    Fault(restart_database, 6, "servers", 62.0),
    Fault(kill_backend, 6, "servers", 40.0),
    Fault(stall_database, 4, "servers", 40.0),
    Fault(cut_sessions, 8, "servers", 40.0),
    Fault(kill_sweep, 4, "servers", 40.0),
    Fault(hang_leader, 4, "servers", 62.0),
    Fault(flush_redis, 6, "redis", 5.0),
    Fault(kill_redis, 4, "redis", 62.0),
    Fault(redis_away, 3, "redis", 15.0),
    Fault(redis_hangs, 3, "redis", 15.0),
    Fault(kill_web, 3, "web", 62.0),
    Fault(ring_a_hundred_times, 5),
    Fault(repeat_finishes, 5),
    Fault(cancel_storm, 6, "storm", 8.0),
)
# Of a soak of half a minute: (seconds from its begin, fault). What waits for leases to lapse comes first,
# and before the database goes away, which makes all leases last longer.
SHORT: Final = (
    (0.0, zombie_worker),
    (0.0, zombie_whole),
    (1.0, flush_redis),
    (1.5, kill_worker),
    (2.0, lose_machine),
    (4.0, ring_a_hundred_times),
    (6.0, cancel_storm),
    (8.0, kill_runner),
    (9.0, repeat_finishes),
    (11.0, freeze_briefly),
    (14.0, cancel_storm),
    (17.5, redis_away),
    (20.0, crash_database),
    (23.0, repeat_finishes),
    (24.0, cut_sessions),
    *((3.0 + 1.5 * n, kill_worker) for n in range(17)),
)
