"""`python -m tests.soak.sockets`: 2,000 browsers at one web process, of which a tenth never reads.

SOCKETS=2000 RUNS=20 for others: so many runs are followed by equal shares of the sockets, and do their work.
Measured: from the moment of an event, by the database's clock, until a socket has the message, and what the
web process grows by. Exits 1 beyond the limits.
"""

from __future__ import annotations

import asyncio
import base64
import json
import math
import os
import resource
import struct
import sys
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

import psutil

from tests.benchmarks.machine import Meter
from tests.orchestrator_site.running import folder_for_all
from tests.walks.product import Product, product

OF_ONE_PERSON: Final = 40  # sockets; the product allows 50
DEAF_SHARE: Final = 0.1
DELIVERED: Final = 1.0  # seconds, p99
GROWTH: Final = 64.0  # MiB that the web process may grow by after all sockets are open
CROWDED: Final = 0.5  # cores; where others use more, times say nothing
TASKS: Final = 6  # of each run
TOGETHER: Final = 50  # sockets that are opened at a time

# People and their sessions; what it prints last is JSON.
PEOPLE: Final = """
import json
from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY, BACKEND_SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from pipelines.models import Team, User
from tests import factories
team, keys = Team.objects.get(slug="demo"), []
for number in range({many}):
    user = factories.make_user(f"watcher-{{number}}")
    factories.join(team, user, "viewer")
    store = SessionStore()
    store[SESSION_KEY], store[HASH_SESSION_KEY] = str(user.pk), user.get_session_auth_hash()
    store[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    store.save()
    keys.append(store.session_key)
print(json.dumps(keys))
"""


@dataclass
class Watcher:
    """One socket. A deaf one opens, subscribes and never reads again."""

    session: str
    run: str
    deaf: bool
    heard: list[tuple[int, float]] = field(default_factory=list)  # (event, wall clock)
    reader: asyncio.StreamReader | None = None
    writer: asyncio.StreamWriter | None = None

    async def open(self, address: str) -> None:
        host = urlsplit(address).netloc
        name, _, port = host.partition(":")
        # Little is buffered on our side, so that what is not read stays with the server.
        self.reader, self.writer = await asyncio.open_connection(name, int(port), limit=2**16)
        key = base64.b64encode(os.urandom(16)).decode()
        self.writer.write(
            (
                f"GET /ws/live/ HTTP/1.1\r\nHost: {host}\r\nOrigin: {address}\r\nUpgrade: websocket\r\n"
                f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
                f"Cookie: sessionid={self.session}\r\n\r\n"
            ).encode()
        )
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 60)
        if not head.startswith(b"HTTP/1.1 101"):
            raise RuntimeError(f"the socket was refused: {head[:200]!r}")
        self.say({"verb": "subscribe", "kind": "run", "id": self.run})
        await asyncio.wait_for(self.frame(), 60)

    def say(self, message: dict[str, Any]) -> None:
        assert self.writer is not None
        body, mask = json.dumps(message).encode(), os.urandom(4)
        assert len(body) < 126, "longer ones have another head"
        masked = bytes(byte ^ mask[place % 4] for place, byte in enumerate(body))
        self.writer.write(bytes((0x81, 0x80 | len(body))) + mask + masked)

    async def frame(self) -> dict[str, Any]:
        """The next message of the server, of at most 64 KiB; control frames are passed over."""
        assert self.reader is not None
        while True:
            first, second = await self.reader.readexactly(2)
            length = second & 127
            if length == 126:
                (length,) = struct.unpack("!H", await self.reader.readexactly(2))
            body = await self.reader.readexactly(length)
            if first & 15 == 1:
                found: dict[str, Any] = json.loads(body)
                return found

    async def listen(self) -> None:
        while True:
            message = await self.frame()
            for one in message.get("messages", [message]):
                if one.get("type") == "run":
                    self.heard.append((one["seq"], time.time()))


def main() -> None:
    many, runs = int(os.environ.get("SOCKETS") or 2000), int(os.environ.get("RUNS") or 20)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 4 * many)), hard))
    with folder_for_all() as folder, product(folder / "home") as running:
        problems = asyncio.run(measure(running, many, runs))
    sys.exit("\n".join(problems) or 0)


async def measure(running: Product, many: int, runs: int) -> list[str]:
    """What is beyond its limit; the figures are printed."""
    people = PEOPLE.format(many=math.ceil(many / OF_ONE_PERSON))
    sessions = json.loads(running.manage("shell", "--no-imports", "-c", people).splitlines()[-1])
    followed = [start_waiting(running, number) for number in range(runs)]
    watchers = [
        Watcher(sessions[n // OF_ONE_PERSON], followed[n % runs], n < many * DEAF_SHARE) for n in range(many)
    ]
    began = time.monotonic()
    for at in range(0, many, TOGETHER):
        await asyncio.gather(*(each.open(running.up.address) for each in watchers[at : at + TOGETHER]))
    print(f"{many} sockets opened in {time.monotonic() - began:.1f} s", flush=True)
    listening = [asyncio.create_task(each.listen()) for each in watchers if not each.deaf]
    web = psutil.Process(running.up.child("web").pid)
    before = web.memory_info().rss / 2**20
    opened, meter = time.time(), Meter()
    told = await asyncio.to_thread(move, running, followed)
    told = {event: at for event, at in told.items() if at > opened}
    await asyncio.sleep(3)
    grown = web.memory_info().rss / 2**20 - before
    for task in listening:
        task.cancel()
    problems = judged(watchers, told, before, grown)
    print(meter.text)
    if problems and meter.others() >= CROWDED:
        print(f"NOT JUDGED, as other processes use the machine: {'; '.join(problems)}")
        return []
    return problems


def start_waiting(running: Product, number: int) -> str:
    """A run that waits until all sockets are open, and then has work for some seconds."""
    tasks = "  ok: {kind: approval, by: [approver], requester_may_approve: true}\n" + "".join(
        f"  t{n}: {{kind: shell, queue: cpu, run: sleep 0.2, needs: [{f't{n - 1}' if n else 'ok'}]}}\n"
        for n in range(TASKS)
    )
    return running.start(running.publish(tasks, name=f"watched-{number}"))


def move(running: Product, followed: list[str]) -> dict[tuple[str, int], float]:
    """Let all runs go on to their ends; (run, event) -> when it was written."""
    for run in followed:
        running.post(f"task-runs/{running.tasks(run)['ok']['id']}/approve/", {"comment": ""})
    for run in followed:
        running.wait(run, patience=300)
    told = {}
    for run in followed:
        for event in running.get(f"runs/{run}/events/", page_size=200)["results"]:
            told[run, int(event["seq"])] = datetime.fromisoformat(event["at"]).timestamp()
    return told


def judged(
    watchers: list[Watcher], told: dict[tuple[str, int], float], before: float, grown: float
) -> list[str]:
    late, missed = [], 0
    for watcher in (each for each in watchers if not each.deaf):
        heard: dict[int, float] = {}
        for seq, at in watcher.heard:
            heard.setdefault(seq, at)
        for (run, seq), at in told.items():
            if run == watcher.run:
                # A later message says all that an earlier one did.
                times = [when for number, when in heard.items() if number >= seq]
                missed += not times
                late += [max(0.0, min(times) - at)] if times else []
    late.sort()
    worst = late[math.ceil(0.99 * len(late)) - 1] if late else math.inf
    print(
        f"{len(late)} messages: p50 {late[len(late) // 2]:.3f} s, p99 {worst:.3f} s, worst {late[-1]:.3f} s; "
        f"{missed} missed; web process {before:.0f} MiB, grown by {grown:.0f}"
    )
    problems = [f"{missed} messages never came"] if missed else []
    problems += [f"p99 {worst:.2f} s; {DELIVERED:g} s are allowed"] if worst > DELIVERED else []
    problems += [f"web grew by {grown:.0f} MiB; {GROWTH:g} are allowed"] if grown > GROWTH else []
    return problems


if __name__ == "__main__":
    main()
