"""A real mail server within the test, on loopback."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


class Postman:
    """A mail server that keeps what it is given; ``refuse`` first answers that it cannot now."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.to: list[str] = []
        self.refuse = 0
        self.port = 0

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.refuse:
            self.refuse -= 1
            return "451 Try again later"
        assert isinstance(envelope.content, bytes)
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        self.to += envelope.rcpt_tos
        return "250 OK"

    def text(self) -> str:
        """The plain part of the only mail."""
        (mail,) = self.mails
        return part(mail, "plain")


def part(mail: EmailMessage, kind: str) -> str:
    body = mail.get_body((kind,))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


@contextmanager
def working_postman() -> Iterator[Postman]:
    """A mail server that answers on ``port``."""
    found = Postman()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        found.port = probe.getsockname()[1]
    server = Controller(found, hostname="127.0.0.1", port=found.port)
    server.start()
    try:
        yield found
    finally:
        server.stop()
