"""The faults of a soak, how likely each is, and the plan of a short one."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import redis

from tests.soak.hurt_servers import (
    crash_database,
    cut_sessions,
    flush_redis,
    hang_leader,
    kill_backend,
    kill_redis,
    kill_sweep,
    kill_web,
    redis_away,
    redis_hangs,
    restart_database,
    stall_database,
)
from tests.soak.hurt_workers import (
    drain_worker,
    freeze_briefly,
    kill_runner,
    kill_worker,
    lose_machine,
    zombie_whole,
    zombie_worker,
)
from tests.soak.load import SLOW
from tests.soak.scene import Scene
from tests.soak.steps import Steps, waited


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
