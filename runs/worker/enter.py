"""The first words inside a container, said by the image's own Python; then it becomes the zygote.

Standard library only, Python >= 3.7. Arguments are those of `zygote.py`, which lies beside this file.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import sys
from typing import NoReturn


def main() -> None:
    number = int(sys.argv[1])
    end = socket.socket(fileno=number)
    if sys.version_info < (3, 9):  # noqa: UP036 - the image's, which may be any
        words = f"the Python of the image is {sys.version.split()[0]}, and 3.9 is the oldest that will do"
        refuse(end, words)
    # A private one, with the rights that the image gives to its own.
    if not os.access("/tmp", os.W_OK):  # noqa: S108
        refuse(end, "the folder /tmp of the image is not for everybody to write in (chmod 1777)")
    say(end, {"event": "entered"})
    # What the engine would have to hand on, nobody reads from now on.
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    end.set_inheritable(True)
    zygote = os.path.join(os.path.dirname(os.path.abspath(__file__)), "zygote.py")
    os.execv(sys.executable, [sys.executable, "-s", zygote, *sys.argv[1:]])


def refuse(end: socket.socket, words: str) -> NoReturn:
    say(end, {"event": "refused", "message": words})
    sys.exit(1)


def say(end: socket.socket, message: dict[str, str]) -> None:
    body = json.dumps(message).encode()
    end.sendall(struct.pack("!I", len(body)) + body)


if __name__ == "__main__":
    main()
