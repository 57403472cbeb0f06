"""How the verbs of runs say no."""

from __future__ import annotations


class Refused(Exception):
    """A verb says no. ``code`` is for programs, the text says what, where and how to go on.

    ``retry_after``: seconds after which the same may be tried again, None where waiting alone does not help.
    """

    def __init__(self, code: str, message: str, *, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.retry_after = retry_after
