"""Which fault comes when: by a plan for a short soak, by chance and its seed for a long one."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from tests.soak.faults import FAULTS, SHORT, Fault
from tests.soak.scene import Scene
from tests.soak.steps import Steps

SHORTEST: Final = 120.0  # seconds; a soak that is shorter goes by its plan
PAUSE: Final = (0.3, 2.0)  # seconds between two faults


class Chaos:
    """Begins faults and lets each of those that are under way take its next step."""

    def __init__(self, scene: Scene, seconds: float) -> None:
        self.scene = scene
        self.began = time.monotonic()
        self.until = self.began + seconds
        self.under_way: dict[Steps, Fault | None] = {}
        self.resting: dict[str, float] = {}
        self.next_at = self.began + 2.0
        self.plan = [(self.began + at * seconds / 30.0, act) for at, act in sorted(SHORT, key=by_time)]
        self.short = seconds < SHORTEST

    def tick(self) -> None:
        """One turn; begins nothing any more when the time is over."""
        now = time.monotonic()
        if now < self.until:
            self._begin_planned(now) if self.short else self._begin_by_chance(now)
        for steps, fault in list(self.under_way.items()):
            if next(steps, self) is self:  # a step gives None, and the end ourselves
                del self.under_way[steps]
                if fault is not None and fault.group:
                    self.resting[fault.group] = time.monotonic() + fault.rest

    @property
    def over(self) -> bool:
        return time.monotonic() >= self.until and not self.under_way

    def _begin_planned(self, now: float) -> None:
        while self.plan and self.plan[0][0] <= now:
            _, act = self.plan.pop(0)
            self.under_way[act(self.scene)] = None

    def _begin_by_chance(self, now: float) -> None:
        if now < self.next_at:
            return
        self.next_at = now + self.scene.random.uniform(*PAUSE)
        busy = {fault.group for fault in self.under_way.values() if fault} - {""}
        free = [
            each for each in FAULTS if each.group not in busy and self.resting.get(each.group, 0.0) <= now
        ]
        (fault,) = self.scene.random.choices(free, [each.chance for each in free])
        self.under_way[fault.act(self.scene)] = fault


def by_time(planned: tuple[float, Callable[[Scene], Steps]]) -> float:
    return planned[0]
