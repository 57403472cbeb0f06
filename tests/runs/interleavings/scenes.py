"""The two runs in which verbs meet: one that goes on, one that has ended and may be resumed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import connection

from pipelines.models import User
from runs import protocol, sweeps
from runs.models import Run, TaskRun
from runs.transitions import call
from tests.runs.factories import Hands, make_run, make_user, state_line

ASKS = {"kind": "approval", "config": {"by": ["approver"], "deadline": None}}


class Scene:
    """A run, the worker that held a task of it when its lease lapsed, and another that holds nothing."""

    run: Run
    before: str  # its line as the scene begins

    def __init__(self) -> None:
        self.holder, self.idle = Hands(), Hands()
        self.person: User = make_user()

    # --- the verbs; each answers what can be compared ---

    def claim(self) -> str | None:
        return self.idle.claim()

    def finish(self) -> str:
        """The holder gives its result back, whether or not it still may."""
        work = self.work
        return _said(protocol.finish(work.token, protocol.Outcome("succeeded"), work=work))

    def cancel(self) -> bool:
        return protocol.cancel_run(self.run.pk, actor=self.person)

    def sweep(self) -> int:
        """What the sweep does about a worker that answers no more; how many leases it took."""
        lapsed = sweeps.expire_leases()
        sweeps.settle_orphans()
        return lapsed

    def lose(self) -> str:
        return _said(protocol.lose(self.work.token, "lease"))

    def resume(self) -> int:
        return protocol.resume_run(self.run.pk, actor=self.person).resume_no

    def beat(self) -> list[bool] | None:
        """For each attempt of the holder whether it is to be cancelled; None when its lease is gone."""
        running = call("engine_beat", self.holder.lease.uuid, protocol.LEASE_TTL)
        return None if running is None else [each["cancel"] for each in running]

    def approve(self) -> int:
        task = TaskRun.objects.get(run=self.run, key="ok")
        made = protocol.decide(task.pk, "approved", actor=self.person, role="approver", comment="")
        return made.resume_no

    # --- what is left of it ---

    def line(self) -> str:
        """``run=running a=succeeded``, in order of the graph."""
        return f"run={Run.objects.get(pk=self.run.pk).state} {state_line(self.run)}"

    def changes(self) -> str:
        """The words of the line that are not as they were."""
        return " ".join(word for word in self.line().split() if word not in self.before.split())

    def wind_up(self) -> str:
        """Everybody does what is left to do; the state in which the run ends."""
        for hands in (self.holder, self.idle):
            for work in list(hands.held.values()):
                protocol.finish(work.token, protocol.Outcome("succeeded"), work=work)
        for _ in range(4):
            Hands().work_off()
            if TaskRun.objects.filter(run=self.run, key="ok", state="awaiting_approval").exists():
                self.approve()
        return str(Run.objects.get(pk=self.run.pk).state)

    @property
    def work(self) -> protocol.Work:
        return self.holder.held["a"]


def _said(finished: protocol.Finished) -> str:
    return "fenced" if finished.fenced else finished.task_state


class Going(Scene):
    """``a`` is held by a worker that has not beaten for long, ``c`` is ready, ``ok`` waits for a person."""

    def __init__(self) -> None:
        super().__init__()
        self.run = make_run("a > b, c, ok > d", tasks={"ok": ASKS})
        assert self.holder.claim() == "a"
        _lapse(self.holder.lease.uuid)
        self.before = self.line()


class Ended(Scene):
    """It was cancelled while ``ok`` waited; the worker that lost an attempt of ``a`` lives on as a zombie."""

    def __init__(self) -> None:
        super().__init__()
        self.run = make_run("a > ok > d, a > e", tasks={"ok": ASKS})
        assert self.holder.claim() == "a"
        protocol.lose(self.work.token, "lease")
        other = Hands()
        assert other.claim() == "a"
        other.end("a")
        protocol.cancel_run(self.run.pk, actor=self.person)
        self.before = self.line()


def _lapse(lease: UUID) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE worker_lease SET expires_at = engine_now() - interval '1 s' WHERE uuid = %s", [lease]
        )


def verb(scene: Scene, name: str) -> Any:
    """The verb of a scene by its name."""
    return getattr(scene, name)
