"""A browser's end of the live socket, for tests: the whole ASGI application and real Redis behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from channels.testing import WebsocketCommunicator

from pipelines.models import User
from tests import factories

HOST = "localhost:8000"
Json = dict[str, Any]


def session_of(user: User) -> str:
    """The cookie of somebody who has just signed in."""
    return str(factories.client(user).cookies["sessionid"].value)


class Browser:
    """One socket. ``hear`` waits for a message, ``silent`` makes sure that none comes."""

    def __init__(self, session: str = "", origin: str | None = f"http://{HOST}", host: str = HOST) -> None:
        from orchestrator_site.asgi import application

        headers = [(b"host", host.encode())]
        if origin is not None:
            headers.append((b"origin", origin.encode()))
        if session:
            headers.append((b"cookie", f"sessionid={session}".encode()))
        self.socket = WebsocketCommunicator(application, "/ws/live/", headers=headers)

    async def open(self) -> bool:
        connected, _ = await self.socket.connect(timeout=5)
        return bool(connected)

    async def say(self, **message: Any) -> None:
        await self.socket.send_json_to(message)

    async def hear(self) -> Json:
        found: Json = await self.socket.receive_json_from(timeout=5)
        return found

    async def ask(self, **message: Any) -> Json:
        await self.say(**message)
        return await self.hear()

    async def subscribe(self, kind: str, name: Any) -> Json:
        return await self.ask(verb="subscribe", kind=kind, id=str(name))

    async def silent(self, seconds: float = 0.4) -> bool:
        return bool(await self.socket.receive_nothing(timeout=seconds, interval=0.02))

    async def closed_with(self) -> int:
        """The code with which the server ends the socket."""
        output = await self.socket.receive_output(timeout=5)
        assert output["type"] == "websocket.close", output
        return int(output["code"])

    async def close(self) -> None:
        await self.socket.disconnect()


@asynccontextmanager
async def browser(session: str) -> AsyncIterator[Browser]:
    """An open socket of a person."""
    found = Browser(session)
    assert await found.open()
    try:
        yield found
    finally:
        await found.close()


async def tell(group: str, **message: Any) -> None:
    """What the engine does after a commit."""
    await get_channel_layer().group_send(group, message)


def run(story: Callable[[], Awaitable[None]]) -> None:
    """Carry out an async story within a sync test, with the test's own database connection."""

    async def bounded() -> None:
        await asyncio.wait_for(story(), 60)

    async_to_sync(bounded)()
