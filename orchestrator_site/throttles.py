"""How much the API is asked: counted for each token, person and address, dearer requests apart.

Windows of a minute, counted in Redis, so that all web processes share them; Redis's own clock ends them. What
is over the limit is answered with 429 and Retry-After. The limits are wide: they stop a program that has gone
wild, not people. Without Redis nothing is counted and requests pass: the API works on without it.
"""

from __future__ import annotations

import ipaddress
import time
from dataclasses import dataclass, field
from functools import cache
from math import ceil
from typing import Any, Final

import redis
import structlog
from django.conf import settings
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from pipelines.models import ApiToken

log = structlog.get_logger(__name__)

WINDOW: Final = 60  # seconds
PATIENCE: Final = 0.25  # seconds that a request waits for Redis
PAUSE: Final = 5.0  # seconds for which Redis is not asked again after it did not answer


@dataclass
class Counters:
    """The counters in Redis, and whether it is worth asking."""

    client: redis.Redis = field(
        default_factory=lambda: redis.Redis.from_url(
            settings.REDIS_URL, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE
        )
    )
    quiet_until: float = 0.0  # monotonic

    def over(self, limits: dict[str, int]) -> float | None:
        """Count one more under each key. Seconds until the fullest window ends, None when none is full.

        One round trip. A limit of 0 is none.
        """
        counted = {key: limit for key, limit in limits.items() if limit > 0}
        if not counted or time.monotonic() < self.quiet_until:
            return None
        try:
            answers = self._count(counted)
        except (redis.RedisError, OSError) as error:
            self.quiet_until = time.monotonic() + PAUSE
            log.warning("requests are not counted, as Redis does not answer", error=str(error))
            return None
        waits = [left for key, count, left in answers if count > counted[key]]
        return max(waits, default=None)

    def _count(self, keys: dict[str, int]) -> list[tuple[str, int, float]]:
        """(key, requests in its window, seconds left of it) for each key."""
        asked = self.client.pipeline(transaction=False)
        for key in keys:
            asked.set(_named(key), 0, ex=WINDOW, nx=True)
            asked.incr(_named(key))
            asked.pttl(_named(key))
        answers = asked.execute()
        return [
            (key, answers[at + 1], max(answers[at + 2], 0) / 1000)
            for key, at in zip(keys, range(0, len(answers), 3), strict=True)
        ]


def _named(key: str) -> str:
    return f"orchestrator:rate:{key}"


@cache
def counters() -> Counters:
    return Counters()


def rates() -> dict[str, int]:
    """Requests a minute by class: reads, writes, expensive, failures, address. 0: without limit."""
    found: dict[str, int] = settings.ORCHESTRATOR["RATES"]
    return found


class RateLimit(BaseThrottle):
    """Refuses whoever asks more than their class of requests allows, or more than their address does."""

    def __init__(self) -> None:
        self.seconds: float | None = None

    def allow_request(self, request: Request, view: Any) -> bool:
        limits = {
            **limits_of(request, view),
            f"address:{line_of(self.get_ident(request))}": rates()["address"],
        }
        self.seconds = counters().over(limits)
        return self.seconds is None

    def wait(self) -> float | None:
        return self.seconds and float(ceil(self.seconds))


class FailureLimit(BaseThrottle):
    """Refuses an address that keeps coming with tokens that are none. Asked when one was not known."""

    def __init__(self) -> None:
        self.seconds: float | None = None

    def allow_request(self, request: Request, view: Any = None) -> bool:
        key = f"failures:{line_of(self.get_ident(request))}"
        self.seconds = counters().over({key: rates()["failures"]})
        return self.seconds is None

    def wait(self) -> float | None:
        return self.seconds and float(ceil(self.seconds))


def line_of(address: str) -> str:
    """The network that one line has: an address of IPv4, and of IPv6 the /64 of which every line has all."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:  # a proxy may name anything
        return address
    if ip.version == 4 or ip.ipv4_mapped:
        return address
    return str(ipaddress.ip_network((int(ip), 64), strict=False))


def cost_of(request: Request, view: Any) -> str:
    """reads, writes, or expensive where the view says that its answer takes long to make."""
    if request.method in getattr(view, "expensive", ()):
        return "expensive"
    return "reads" if request.method in SAFE_METHODS else "writes"


def limits_of(request: Request, view: Any) -> dict[str, int]:
    """Under which names a request is counted, with how many a minute are allowed there.

    A token has half of what its person has, so that a program gone wild leaves its person room to stop it.
    """
    if not request.user or not request.user.is_authenticated:
        return {}
    cost = cost_of(request, view)
    limit = rates()[cost]
    found = {f"{cost}:user-{request.user.pk}": limit}
    if isinstance(request.auth, ApiToken):
        found[f"{cost}:token-{request.auth.pk}"] = limit // 2
    return found
