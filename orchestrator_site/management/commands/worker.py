"""`manage.py worker --queue gpu --processes 2`: workers of one queue on this machine."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from orchestrator_site import joining
from orchestrator_site.joining import Findings
from orchestrator_site.processes import hide_memory
from orchestrator_site.supervisor import ChildFailed, Forked, Message, Stopped, Supervisor
from runs.worker import devices
from runs.worker.worker import main

ASK_AGAIN = 3.0  # seconds between two looks at what may be over soon


class Command(BaseCommand):
    help = (
        "Carry out the tasks of one queue. TERM finishes the attempts at hand first. It needs DATABASE_URL, "
        "REDIS_URL and ORCHESTRATOR_STORE on a machine where `manage.py up` does not run."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--queue", required=True, help="the queue to take tasks from, as cpu, gpu or system"
        )
        parser.add_argument("--processes", type=int, default=1, help="attempts at a time (default 1)")
        parser.add_argument(
            "--gpus",
            default="auto",
            help="the GPUs of this machine that its tasks may have: auto (all), none, or numbers as 0,1",
        )
        parser.add_argument(
            "--check", action="store_true", help="say what is missing on this machine, and start nothing"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        queue, processes = options["queue"], options["processes"]
        if not 1 <= processes <= 256:
            raise CommandError("--processes must be between 1 and 256.")
        check_gpus(options["gpus"])
        hide_memory()  # its children, forked from it, have the same passwords in memory
        # Beyond the drain, a worker stops its attempt within its kill grace.
        patience = settings.ORCHESTRATOR["DRAIN_TIMEOUT"] + settings.ORCHESTRATOR["KILL_GRACE"] + 5.0
        with Supervisor(self.say, patience=patience) as supervisor:
            try:
                if options["check"]:
                    self._check(supervisor, queue, options["gpus"])
                    return
                self._wait_until_possible(supervisor, queue)
                for number in range(1, processes + 1):
                    supervisor.start(
                        Forked(f"worker-{queue}-{number}", lambda: main(queue, options["gpus"]), None)
                    )
                supervisor.watch()
                self.say("All workers that were started here have left.")
            except Stopped:
                self.say("Stopping when the attempts at hand are finished; a second signal stops them now.")

    def _check(self, supervisor: Supervisor, queue: str, gpus: str) -> None:
        """Raises CommandError when something is missing."""
        found = look(supervisor, queue)
        self._tell(found.remarks)
        if found.lasting or found.passing:
            raise CommandError("\n".join([*found.lasting, *found.passing]))
        if offered := offered_gpus(gpus):
            self.say(f"GPUs that it would offer: {offered}.")
        if found.remarks:
            self.say(f"Apart from that nothing is missing for the queue {queue}.")
        else:
            self.say(f"Nothing is missing: this machine can serve the queue {queue}.")

    def _wait_until_possible(self, supervisor: Supervisor, queue: str) -> None:
        """Returns when nothing is missing. Raises CommandError when somebody must correct something."""
        told: list[str] = []
        while True:
            found = look(supervisor, queue)
            if found.lasting:
                raise CommandError("\n".join([*found.lasting, *found.passing]))
            if not found.passing:
                self._tell(found.remarks)
                return
            self._tell(f"{sentence} Waiting for it." for sentence in found.passing if sentence not in told)
            told = found.passing
            supervisor.sleep(ASK_AGAIN)

    def _tell(self, sentences: Iterable[str]) -> None:
        for sentence in sentences:
            self.say(sentence)

    def say(self, sentence: str) -> None:
        self.stderr.write(sentence)
        self.stderr.flush()


def check_gpus(text: str) -> None:
    """Raises CommandError when this machine cannot offer what was asked for by number."""
    try:
        choice = devices.Choice.read(text)
        if choice.numbers:
            choice.check(devices.look())
    except devices.Unusable as problem:
        raise CommandError(str(problem)) from None


def offered_gpus(text: str) -> str:
    """`0 NVIDIA H100, 1 NVIDIA H100`: those that a choice of `--gpus` leaves; "" for none."""
    try:
        found = devices.Choice.read(text).of(devices.look())
    except devices.Unusable as problem:
        return f"none, as {problem}"
    return ", ".join(f"{device.position} {device.name}" for device in found)


def look(supervisor: Supervisor, queue: str) -> Findings:
    """What a child finds missing. Raises CommandError when it cannot tell, Stopped."""
    message = Message()
    body = Forked("worker-check", lambda: message.send(joining.look(queue).as_json()), None)
    try:
        supervisor.run_to_end(body)
    except ChildFailed as problem:
        raise CommandError(f"What this machine lacks could not be found out: {problem}.") from None
    return Findings(**message.receive())
