"""Queues: made, named, paused and archived by site admins. The only writer of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any, Final

from django.db import IntegrityError, connection, transaction

from pipelines import audit
from pipelines.clock import EngineNow
from pipelines.errors import Conflict, Invalid
from pipelines.models import ApiToken, Pipeline, User
from pipelines.problems import listed
from runs import dispatch, isolation
from runs.limits import check as check_limits
from runs.models import Queue, TaskRun
from runs.states import OPEN_RUN, TERMINAL_TASK

_SLUG: Final = re.compile(r"[a-z0-9-]{1,63}")
_IMAGE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@-]{0,499}")


def make(
    slug: str,
    title: str = "",
    *,
    isolated: str = "",
    actor: User | None,
    token: ApiToken | None = None,
) -> Queue:
    """A new queue, which tasks may name at once; a worker has to be started for it. Conflict: name taken.

    ``isolated``: one of ``runs.isolation.LEVELS``; empty: that of the first queue. A container waits for
    :func:`isolate` to name its image.
    """
    if not _SLUG.fullmatch(slug):
        raise Invalid("Small letters, digits and hyphens only.", errors=[("slug", "Not a name.")])
    try:
        with transaction.atomic():
            queue = Queue.objects.create(slug=slug, title=title, isolation=isolated or usual_isolation())
            facts = {"slug": slug, "title": title, "isolation": queue.isolation}
            audit.write(actor, "queue.create", queue, facts, team=None, token=token)
    except IntegrityError:
        raise Conflict(
            f"There is, or was, a queue '{slug}': choose another name.", code="name-taken"
        ) from None
    return queue


def usual_isolation() -> str:
    """The level that a queue gets of which nothing else is said: a container would need an image."""
    found = Queue.objects.order_by("id").values_list("isolation", flat=True).first()
    return isolation.OWN if found == isolation.CONTAINER else found or isolation.SHARED


@transaction.atomic
def rename(queue: Queue, title: str, *, actor: User, token: ApiToken | None = None) -> bool:
    """Give a queue another title; its name stays, as documents hold it. False when it has that title."""
    changed = Queue.objects.filter(pk=queue.pk).exclude(title=title).update(title=title)
    if changed:
        audit.write(actor, "queue.rename", queue, {"title": title}, team=None, token=token)
    return bool(changed)


@transaction.atomic
def set_limits(
    queue: Queue, limits: Mapping[str, Any], *, actor: User, token: ApiToken | None = None
) -> bool:
    """What its tasks may use, as ``runs.limits`` reads it; tasks that begin within 10 s may not know it yet.

    False when nothing changes. Invalid names each limit that makes no sense.
    """
    kept = check_limits(limits)
    row = Queue.objects.select_for_update().get(pk=queue.pk)
    if row.limits == kept:
        return False
    Queue.objects.filter(pk=row.pk).update(limits=kept)
    audit.write(actor, "queue.limits", row, {"before": row.limits, "limits": kept}, team=None, token=token)
    return True


@transaction.atomic
def isolate(
    queue: Queue,
    level: str,
    *,
    image: str = "",
    network: bool = False,
    actor: User | None,
    token: ApiToken | None = None,
) -> bool:
    """Have tasks isolated at another level from now on; what runs keeps its own. False when nothing changes.

    ``image``, ``network``: of containers, see :class:`~runs.models.Queue`. Invalid: a level that there is
    not, a container without an image, or one of these for another level.
    """
    if level not in isolation.LEVELS:
        raise Invalid(
            f"Choose one of: {listed(isolation.LEVELS, 5)}.", errors=[("isolation", "Not a level.")]
        )
    _check_container(level, image, network)
    row = Queue.objects.select_for_update().get(pk=queue.pk)
    if (row.isolation, row.image, row.network) == (level, image, network):
        return False
    Queue.objects.filter(pk=row.pk).update(isolation=level, image=image, network=network)
    contained = {"image": image, "network": network} if level == isolation.CONTAINER else {}
    audit.write(actor, "queue.isolate", row, {"isolation": level, **contained}, team=None, token=token)
    return True


def _check_container(level: str, image: str, network: bool) -> None:
    """What is said of containers has to fit the level. Raises Invalid."""
    if level != isolation.CONTAINER:
        if image or network:
            words = f"Image and network are for the level '{isolation.CONTAINER}' alone: leave them empty."
            raise Invalid(words, errors=[("image" if image else "network", "Not at this level.")])
    elif not _IMAGE.fullmatch(image):
        words = "Name the image as podman knows it, such as registry.example.org/team/image:1."
        raise Invalid(words, errors=[("image", "Not the name of an image." if image else "Missing.")])


@transaction.atomic
def pause(
    queue: Queue,
    *,
    reason: str = "",
    until: datetime | None = None,
    actor: User,
    token: ApiToken | None = None,
) -> bool:
    """Hand out no further task; what runs goes on to its end. ``until`` None: until somebody resumes it.

    False when it is paused with the same reason and end. Invalid when the end has passed.
    """
    row = Queue.objects.select_for_update().get(pk=queue.pk)
    if row.paused_at is not None and (row.paused_reason, row.paused_until) == (reason, until):
        return False
    # A claim that has seen the queue unpaused gives out its task first.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('queue'), hashtext(%s))", [row.slug])
    rows = Queue.objects.filter(pk=row.pk)
    rows.update(paused_at=EngineNow(), paused_by=actor, paused_reason=reason, paused_until=until)
    if until is not None and not rows.filter(paused_until__gt=EngineNow()).exists():
        raise Invalid("The end of the pause has passed.", errors=[("until", "In the past.")])
    audit.write(actor, "queue.pause", row, {"reason": reason, "until": until}, team=None, token=token)
    return True


@transaction.atomic
def unpause(queue: Queue, *, actor: User, token: ApiToken | None = None) -> bool:
    """Hand out tasks again: its idle workers are rung. False when it was not paused."""
    paused = Queue.objects.filter(pk=queue.pk).exclude(paused_at=None)
    changed = paused.update(paused_at=None, paused_by=None, paused_reason="", paused_until=None)
    if changed:
        audit.write(actor, "queue.unpause", queue, {}, team=None, token=token)
        ring = partial(dispatch.ring, queue.slug, dispatch.MOST_RINGS)
        transaction.on_commit(ring, robust=True)
    return bool(changed)


@transaction.atomic
def archive(queue: Queue, *, actor: User, token: ApiToken | None = None) -> bool:
    """Let no document name this queue any more. Conflict while anything still needs it."""
    needed = Pipeline.objects.filter(archived_at=None, active_version__tasks__queue=queue.slug)
    if names := [str(row) for row in needed.select_related("team").distinct()]:
        raise Conflict(
            f"Tasks of {listed(names, 5)} wait in {queue.slug}: publish them with another queue first.",
            code="queue-in-use",
        )
    open_tasks = TaskRun.objects.filter(queue=queue.slug, run__state__in=OPEN_RUN)
    if open_tasks.exclude(state__in=TERMINAL_TASK).exists():
        raise Conflict(
            f"Tasks of unfinished runs wait in {queue.slug}: let them end or cancel them first.",
            code="queue-in-use",
        )
    changed = Queue.objects.filter(pk=queue.pk, archived_at=None).update(archived_at=EngineNow())
    if changed:
        audit.write(actor, "queue.archive", queue, {}, team=None, token=token)
    return bool(changed)


@transaction.atomic
def restore(queue: Queue, *, actor: User, token: ApiToken | None = None) -> bool:
    """Let documents name an archived queue again. False when it was not archived."""
    changed = Queue.objects.filter(pk=queue.pk).exclude(archived_at=None).update(archived_at=None)
    if changed:
        audit.write(actor, "queue.restore", queue, {}, team=None, token=token)
    return bool(changed)
