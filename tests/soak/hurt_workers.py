"""Faults of workers: killed, frozen, drained, or lost with their whole machine.

A fault that finds nobody to hurt ends without having done anything.
"""

from __future__ import annotations

import signal
import time
from contextlib import suppress
from typing import Final

import psutil

from runs.worker.processes import attempt_of, descendants
from tests.orchestrator_site.running import name_of
from tests.soak.load import SLOW
from tests.soak.machines import Machine, send
from tests.soak.scene import Busy, Late, Scene, Shot
from tests.soak.steps import Steps, pause, waited

RETAKEN: Final = 90.0  # seconds in which a second attempt must run, whatever else goes wrong meanwhile
LONGEST_FROST: Final = 8.0  # seconds; after more of them a lease may have lapsed
LEAVES: Final = 20.0  # seconds in which a thawed worker must have gone


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
    victim = scene.random.choice(busy)
    if not (family := children_of(victim.process)):
        return
    process = scene.random.choice(family)
    shot = Shot(victim.worker, attempt_of(process.pid), time.time())
    if send(process, signal.SIGKILL):
        scene.shots.append(shot)
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
    if time.time() - began > LONGEST_FROST:  # another fault kept this thread
        scene.hurt_workers.add(victim.worker)


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


def zombie_worker(scene: Scene) -> Steps:
    yield from zombie(scene, whole=False)


def zombie_whole(scene: Scene) -> Steps:
    yield from zombie(scene, whole=True)


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
    """Within these seconds; where the machine is not quiet, whoever is left is looked for at the end."""
    began = time.time()
    yield from waited(lambda: not any(is_alive(each) for each in family), seconds)
    for each in family:
        if is_alive(each) and each not in scene.frozen:
            said = f"process {each.pid} ({name_of(each)}) {words} by {seconds:g} s"
            scene.tardy.append(Late(said, began, time.time()))


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


OPEN_LEASES: Final = "SELECT worker, host FROM worker_lease WHERE state IN ('live', 'draining')"


def workers_of(scene: Scene, machine: Machine) -> set[str]:
    return {worker for worker, host in scene.rows(OPEN_LEASES) if machine.has(host)}


def lose_machine(scene: Scene) -> Steps:
    """All processes of one machine die at once; it is back when others have taken over what it did."""
    machine = scene.random.choice(scene.machines)
    victims = [busy for busy in scene.busy() if machine.has(busy.host)]
    if scene.holds_lost_before(machine):
        return
    # Who has nothing to do is hurt as well; also who comes only now, whose lease the database may still be
    # about to write down when its process is dead.
    scene.hurt_workers |= workers_of(scene, machine)
    machine.lose()
    scene.note("machine lost", *victims)
    yield from pause(0.5)
    scene.hurt_workers |= workers_of(scene, machine)
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
