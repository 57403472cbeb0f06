"""A browser without pages: it signs in by the addresses that the pages use."""

from __future__ import annotations

import base64
import hashlib
import hmac
import struct
import time
from typing import Any

from django.test import Client

from pipelines.models import AuditEvent, User
from tests.factories import PASSWORD

HERE = "/_allauth/browser/v1/"


class Browser(Client):
    def at(self, path: str, **options: Any) -> Any:
        return self.get(HERE + path, **options)

    def tell(self, path: str, method: str = "POST", **body: Any) -> Any:
        return self.generic(method, HERE + path, _json(body), content_type="application/json")

    def sign_in(self, username: str, password: str = PASSWORD) -> Any:
        return self.tell("auth/login", username=username, password=password)

    @property
    def signed_in_as(self) -> str | None:
        answer = self.get("/api/v1/me/")
        return str(answer.json()["username"]) if answer.status_code == 200 else None

    def add_authenticator(self) -> str:
        """Set up an authenticator app; its secret."""
        secret = str(self.at("account/authenticators/totp").json()["meta"]["secret"])
        answer = self.tell("account/authenticators/totp", code=code_of(secret))
        assert answer.status_code == 200, answer.content
        return secret


def _json(body: Any) -> str:
    import json

    return json.dumps(body)


def code_of(secret: str, steps: int = 0) -> str:
    """The six digits that an authenticator app shows (RFC 6238), ``steps`` of 30 s away from now."""
    counter = struct.pack(">Q", int(time.time()) // 30 + steps)
    digest = hmac.new(base64.b32decode(secret), counter, hashlib.sha1).digest()
    start = digest[-1] & 15
    number = int.from_bytes(digest[start : start + 4], "big") & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"


def told(verb: str) -> list[dict[str, Any]]:
    """The payloads of the audit rows of a verb, oldest first."""
    rows = AuditEvent.objects.select_related("payload").filter(verb=verb).order_by("pk")
    bodies = [row.payload.body or {} for row in rows if row.payload is not None]
    return [{key: value for key, value in body.items() if key != "~"} for body in bodies]


def code_in(answer: Any) -> str:
    """The code of a refusal, ours or allauth's."""
    body = answer.json()
    return str(body["errors"][0]["code"] if body.get("errors") else body.get("code"))


def refreshed(person: User) -> User:
    return User.objects.get(pk=person.pk)
