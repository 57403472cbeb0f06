"""The API as the commands ask it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Any, Final

import httpx

from orchestrator_site.cli.terminal import REFUSED, Body, fail

# Seconds to wait before asking again when a connection broke, as when a server or a proxy before it restarts.
AGAIN: Final = (0.2, 1.0)


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
        answer = self._answer(method, f"/api/v1/{path}", headers=headers, **options)
        if answer.is_success:
            return answer.json() if answer.content else None
        raise ApiProblem(problem_of(answer))

    def _answer(self, method: str, where: str, **options: Any) -> httpx.Response:
        """Questions are asked again when the connection broke; what changes something may have arrived."""
        for pause in AGAIN if method == "GET" else ():
            try:
                return self.client.request(method, where, **options)
            except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
                time.sleep(pause)
        return self.client.request(method, where, **options)

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
