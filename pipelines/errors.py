"""Why a verb refuses: one family of exceptions, so that every door answers them alike. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar


class Refusal(Exception):
    """A verb could not be carried out, and the person who asked can do something about it.

    message: one sentence, what and how to fix it. code: stable kebab-case. status: the HTTP status that
    says the same. errors: (field, message) pairs. extra: further JSON members of the answer.
    """

    status: ClassVar[int] = 409
    default_code: ClassVar[str] = "conflict"

    def __init__(
        self, message: str, *, code: str = "", errors: Sequence[tuple[str, str]] = (), **extra: Any
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.errors = list(errors)
        self.extra = extra


class Conflict(Refusal):
    """The thing is not in a state in which this can be done, or its name is taken or ambiguous."""


class Stale(Refusal):
    """Somebody else saved in between."""

    status = 412
    default_code = "stale"


class TooLarge(Refusal):
    """More bytes than are taken."""

    status = 413
    default_code = "too-large"


class Invalid(Refusal):
    """What was sent can be read but does not make sense; ``errors`` name the fields."""

    status = 422
    default_code = "invalid"


class Forbidden(Refusal):
    """The person sees the thing and may not do this with it."""

    status = 403
    default_code = "forbidden"


class NotFound(Refusal):
    """There is no such thing, or the person may not know of it."""

    status = 404
    default_code = "not-found"


class TooMany(Refusal):
    """There is as much of it as may be for now; after ``retry_after`` seconds there may be room again."""

    status = 429
    default_code = "too-many"

    def __init__(self, message: str, *, retry_after: int, code: str = "") -> None:
        super().__init__(message, code=code)
        self.retry_after = retry_after
