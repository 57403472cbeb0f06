"""`manage.py worker --queue gpu --processes 2`: workers of one queue on this machine."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from orchestrator_site.supervisor import Forked, Stopped, Supervisor
from runs.worker.worker import main


class Command(BaseCommand):
    help = "Carry out the tasks of one queue. TERM finishes the attempts at hand first."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--queue", required=True, help="the queue to take tasks from, as cpu, gpu or system"
        )
        parser.add_argument("--processes", type=int, default=1, help="attempts at a time (default 1)")

    def handle(self, *args: Any, **options: Any) -> None:
        queue, processes = options["queue"], options["processes"]
        if not 1 <= processes <= 256:
            raise CommandError("--processes must be between 1 and 256.")
        # Beyond the drain, a worker stops its attempt within its kill grace.
        patience = settings.ORCHESTRATOR["DRAIN_TIMEOUT"] + settings.ORCHESTRATOR["KILL_GRACE"] + 5.0
        with Supervisor(self.say, patience=patience) as supervisor:
            for number in range(1, processes + 1):
                supervisor.start(Forked(f"worker-{queue}-{number}", lambda: main(queue), None))
            try:
                supervisor.watch()
            except Stopped:
                self.say("Stopping when the attempts at hand are finished; a second signal stops them now.")

    def say(self, sentence: str) -> None:
        self.stderr.write(sentence)
        self.stderr.flush()
