"""Whose second factor is being sealed or opened: allauth's adapter is given the text alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any

from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP

from pipelines.models import User

# Without a person nothing is sealed and nothing opened: LookupError.
_person: ContextVar[User] = ContextVar("the person of a second factor")


def install() -> None:
    """Have allauth say whose it is wherever it seals a second factor or opens one."""
    for kind in (TOTP, RecoveryCodes):
        kind.activate = classmethod(_made_for(kind.activate.__func__))
    TOTP.validate_code = _of_its_person(TOTP.validate_code)
    RecoveryCodes.generate_codes = _of_its_person(RecoveryCodes.generate_codes)


def person() -> User:
    """Whose second factor allauth is at work on."""
    return _person.get()


def _made_for(activate: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(activate)
    def bound(kind: Any, user: User, *args: Any) -> Any:
        with _at_work_on(user):
            return activate(kind, user, *args)

    return bound


def _of_its_person(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def bound(factor: Any, *args: Any) -> Any:
        with _at_work_on(factor.instance.user):
            return method(factor, *args)

    return bound


@contextmanager
def _at_work_on(user: User) -> Iterator[None]:
    before = _person.set(user)
    try:
        yield
    finally:
        _person.reset(before)
