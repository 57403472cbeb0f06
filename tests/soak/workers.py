"""`python -m tests.soak.workers QUEUE PROCESSES CLOCK`: the workers of one machine, which come back at once.

The product's own command, whose pauses after a death grow to 30 s: a soak that kills on and on would soon
look at pauses alone. CLOCK: seconds by which the clock of this machine is wrong.
"""

from __future__ import annotations

import os
import socket
import sys
from contextlib import suppress

from tests.soak import clock


def main() -> None:
    queue, processes, wrong = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    if wrong:
        clock.set_wrong(wrong)
    if name := os.environ.get("SOAK_HOST"):
        with suppress(OSError):
            socket.sethostname(name)
    import django
    from django.core.management import call_command

    from orchestrator_site import supervisor

    supervisor.LONGEST_DELAY = supervisor.FIRST_DELAY
    django.setup()
    call_command("worker", queue=queue, processes=processes)


if __name__ == "__main__":
    main()
