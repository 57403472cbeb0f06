"""Who makes room rings for those that waited for it, beside what the sweep does two seconds later."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import TestCase
from redis import Redis

from runs import dispatch, slots, team_limits
from runs.models import TeamLimits
from runs.team_limits import Limits
from tests.runs.factories import Hands, make_run, make_team, make_user
from tests.runs.test_slots import wanting

pytestmark = pytest.mark.django_db


def rings(redis: Redis, deed: Callable[[], object]) -> int:
    line = dispatch.rq_queue("cpu", redis)
    before = line.connection.llen(line.key)
    with TestCase.captureOnCommitCallbacks(execute=True):
        deed()
    return int(line.connection.llen(line.key)) - before


def test_a_pool_that_becomes_larger(redis_connection: Redis) -> None:
    root = make_user()
    slots.set_pool("seat", 1, actor=root)
    make_run("a, b", tasks={key: wanting(0, "cpu", seat=1) for key in "ab"})
    assert Hands().claim() == "a"
    idle = Hands()
    assert idle.claim() is None
    assert rings(redis_connection, lambda: slots.set_pool("seat", 2, actor=root)) == 1
    assert idle.claim() == "b"


def test_a_limit_of_a_team_that_is_raised(redis_connection: Redis) -> None:
    team, root = make_team(), make_user()
    TeamLimits.objects.create(team=team, running_tasks=1)
    make_run("a, b", team=team)
    assert Hands().claim() == "a"
    idle = Hands()
    assert idle.claim() is None
    more = {"": Limits(running_tasks=2)}
    assert rings(redis_connection, lambda: team_limits.set_for(team, more, actor=root)) == 1
    assert idle.claim() == "b"
