"""Faults of PostgreSQL, Redis, the sweep and web."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from contextlib import suppress

import psutil
import psycopg
import redis

from tests.orchestrator_site.running import ROOT
from tests.soak.machines import send
from tests.soak.scene import TTL, Scene
from tests.soak.steps import Steps, pause, waited


def troubled(scene: Scene, began: float) -> None:
    """The database is back; no lease lapses within one TTL of its return."""
    scene.outages.append((began, time.time()))
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
