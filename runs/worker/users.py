"""Which unprivileged user carries out the tasks of a team, and whether this worker can become it."""

from __future__ import annotations

import os
import pwd
import sys
from functools import cache
from typing import Final

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Max

from runs.models import TaskUser
from runs.worker.requests import CannotRun
from runs.worker.view import Confined
from runs.worker.zygotes import Unfit, Zygote

NOT_ROOT: Final = "the workers do not run as root"
NEW_USER_LOCK = 0x7461736B  # any number that no other advisory lock has


@cache
def user_of(team_id: int) -> Confined:
    """The user of a team, given to it now if it has none. Raises CannotRun when there is none left."""
    found = TaskUser.objects.filter(team_id=team_id).values_list("uid", flat=True).first()
    return Confined(found if found is not None else _assign(team_id))


def _assign(team_id: int) -> int:
    uid = _next()
    while True:
        # The machine may ask others for its accounts, which takes time: nobody waits for a lock meanwhile.
        while uid <= settings.ORCHESTRATOR["TASK_UIDS"][1] and is_known(uid):
            uid += 1
        if (given := _give(team_id, uid)) is not None:
            return given
        uid = _next()


@transaction.atomic
def _give(team_id: int, uid: int) -> int | None:
    """The user of the team, this one unless it had one; None when others have it, or later ones."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [NEW_USER_LOCK])
    if found := TaskUser.objects.filter(team_id=team_id).first():
        return found.uid
    if uid < _next():
        return None
    first, last = settings.ORCHESTRATOR["TASK_UIDS"]
    if uid > last:
        raise CannotRun(
            "infrastructure",
            f"all users from {first} to {last} belong to teams already: give the workers a larger range in "
            "ORCHESTRATOR_TASK_UIDS",
        )
    return TaskUser.objects.create(team_id=team_id, uid=uid).uid


def _next() -> int:
    """The first number that no team has been given, nor any below it."""
    newest = TaskUser.objects.aggregate(Max("uid"))["uid__max"]
    first: int = settings.ORCHESTRATOR["TASK_UIDS"][0]
    return first if newest is None else max(first, newest + 1)


def is_known(uid: int) -> bool:
    """Does this machine have an account with this number? Then it is somebody else's."""
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def why_not() -> str:
    """Why this process cannot give `own user`, or "" when it can: tried out, in words otherwise."""
    if os.geteuid() != 0:
        return NOT_ROOT
    try:
        tried = Zygote.start(sys.executable, confined=Confined(settings.ORCHESTRATOR["TASK_UIDS"][0]))
    except (Unfit, OSError) as problem:
        return str(problem)
    tried.process.kill()
    tried.close()
    return ""
