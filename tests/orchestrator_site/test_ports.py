"""Who has a port that is taken."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

from orchestrator_site.ports import holder_of

# Listens on a port that the kernel chooses, says which, and opens and closes files until it is killed.
RESTLESS = """
import os, socket
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
while True:
    for descriptor in [os.open("/dev/null", os.O_RDONLY) for _ in range(20)]:
        os.close(descriptor)
"""


def test_a_program_that_opens_and_closes_files_all_the_time_is_named() -> None:
    with subprocess.Popen([sys.executable, "-c", RESTLESS], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        try:
            port = int(other.stdout.readline())
            named = {holder_of(port) for _ in range(30)}
        finally:
            other.kill()
    assert {name.partition(" (")[0] for name in named} == {f"process {other.pid}"}


def test_a_port_that_nobody_listens_on_is_nobody_s() -> None:
    with socket.create_server(("127.0.0.1", 0)) as once:
        port = once.getsockname()[1]
        assert holder_of(port).startswith(f"process {os.getpid()} (")
    assert holder_of(port) == ""
