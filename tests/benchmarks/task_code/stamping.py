"""What every measured task does, whoever starts it: stamp, compute, stamp. Standard library only."""

from __future__ import annotations

import os
import time


def work(stamps: str, task: str, kind: str = "nothing") -> int:
    """`stamps`: the file to append to. `kind`: nothing, fib:<n> or sleep:<seconds>."""
    stamp(stamps, task, "start")
    word, _, number = kind.partition(":")
    found = fib(int(number)) if word == "fib" else 0
    if word == "sleep":
        time.sleep(float(number))
    stamp(stamps, task, "end")
    return found


def fib(n: int) -> int:
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def stamp(path: str, task: str, event: str) -> None:
    """One line by one write in append mode, so that many processes may share the file."""
    # A process is known by its number and the namespace in which it has it.
    line = f"{time.time():.6f}\t{task}\t{event}\t{os.readlink('/proc/self/ns/pid')}{os.getpid()}\n"
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    try:
        os.write(descriptor, line.encode())
    finally:
        os.close(descriptor)
