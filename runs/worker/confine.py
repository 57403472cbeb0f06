"""The door to `own user`: root comes in, an unprivileged user with a narrow view of the machine goes on.

Standard library only. Started by `runs/worker/zygotes.py` as root, in a process of its own, with one
argument, JSON:

    {"uid": number, "name": its name, "socket": descriptor of the zygote's end,
     "processes": at most so many, "hidden": [paths that shall seem empty],
     "scratch": [folders that shall be private], "scratch_bytes": in all of them,
     "read": [folders needed], "write": [folders needed], "command": [words of the zygote]}

It makes a mount, process and IPC namespace of its own. In it `hidden` and `scratch` are covered by empty
folders, and so is each folder on the way to a needed one that is not for everybody, such as root's home;
what is needed is put back in its place. Then it becomes the user for good and executes the command, as
process 1 of its namespace: whatever it leaves behind ends with it.

It says {"event": "entered"}, or {"event": "refused", "message": …}, as a message of the zygote's protocol.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import socket
import struct
import sys
from typing import Any, NoReturn

CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWPID = 0x00020000, 0x08000000, 0x20000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT = 1, 2, 4, 8, 32
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
PR_SET_PDEATHSIG, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 1, 24, 38
ACCOUNTS = ("/etc/passwd", "/etc/group")
LIBC = ctypes.CDLL(None, use_errno=True)


class Refused(Exception):
    """The user cannot be given what the command needs; the message says what and why."""


def main() -> None:
    plan = json.loads(sys.argv[1])
    end = socket.socket(fileno=plan["socket"])
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        enter_namespaces()
        needed = [Needed(path, MS_RDONLY) for path in plan["read"]]
        needed += [Needed(path, 0) for path in plan["write"]]
        unwanted = to_cover(plan)
        private = make_private(plan)
        cover(unwanted, private)
        for item in needed:
            item.put_back()
        name_account(plan, private["accounts"])
        child = os.fork()
        if child:
            wait_for(child, end)
        mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
        become(plan)
        check(plan)
        say(end, {"event": "entered"})
        os.execv(plan["command"][0], plan["command"])
    except (OSError, Refused) as problem:
        say(end, {"event": "refused", "message": str(problem)})
        os._exit(1)


def enter_namespaces() -> None:
    if LIBC.unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC) != 0:
        number = ctypes.get_errno()
        raise Refused(
            f"this machine lets its root make no namespaces ({os.strerror(number)}): give the workers the "
            "capability CAP_SYS_ADMIN"
        )
    os.umask(0o022)
    mount("none", "/", None, MS_REC | MS_PRIVATE)


def mount(source: str, target: str, kind: str | None, flags: int, options: str | None = None) -> None:
    texts = [None if text is None else os.fsencode(text) for text in (source, target, kind, options)]
    if LIBC.mount(texts[0], texts[1], texts[2], ctypes.c_ulong(flags), texts[3]) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{target} cannot be mounted: {os.strerror(number)}")


def bind(number: int, target: str, flags: int) -> None:
    """Show what the descriptor stands for at another path."""
    mount(f"/proc/self/fd/{number}", target, None, MS_BIND | MS_REC)
    mount("none", target, None, MS_BIND | MS_REMOUNT | MS_NOSUID | MS_NODEV | flags)


class Needed:
    """A folder that the command must find at its path, whatever covers it."""

    def __init__(self, path: str, flags: int) -> None:
        self.path = path
        self.flags = flags
        self.number = os.open(path, os.O_PATH | os.O_CLOEXEC)

    def put_back(self) -> None:
        if self._is_there():
            return
        os.makedirs(self.path, mode=0o755, exist_ok=True)
        bind(self.number, self.path, self.flags)

    def _is_there(self) -> bool:
        try:
            return os.path.samestat(os.stat(self.path), os.fstat(self.number))
        except OSError:
            return False


def make_private(plan: dict[str, Any]) -> dict[str, int]:
    """One file system in memory for all private folders and the list of accounts, by descriptor.

    It is covered by one of its own folders in the end, so that nothing but those can be seen of it.
    """
    top = plan["scratch"][0]
    mount("tmpfs", top, "tmpfs", MS_NOSUID | MS_NODEV, f"mode=0755,size={plan['scratch_bytes']}")
    parts = {}
    for place, path in enumerate([*plan["scratch"], "accounts"]):
        folder = os.path.join(top, str(place))
        os.mkdir(folder)
        os.chmod(folder, 0o755 if path == "accounts" else 0o1777)
        parts[path] = os.open(folder, os.O_PATH | os.O_CLOEXEC)
    return parts


def to_cover(plan: dict[str, Any]) -> list[str]:
    """All that the user shall not see or may not enter, outer folders first."""
    closed = {folder for path in [*plan["read"], *plan["write"]] for folder in closed_folders(path)}
    return sorted({os.path.realpath(path) for path in [*plan["hidden"], *closed]} | set(plan["scratch"]))


def cover(paths: list[str], private: dict[str, int]) -> None:
    """Put something empty over each path; what lies inside one that is covered already needs nothing."""
    covered: list[str] = []
    for path in paths:
        if path in private:
            os.makedirs(path, exist_ok=True)
            bind(private[path], path, 0)
        elif any(path.startswith(outer + os.sep) for outer in covered):
            continue
        elif os.path.isdir(path):
            mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=1m")
        elif os.path.exists(path):
            mount("/dev/null", path, None, MS_BIND)
        covered.append(path)


def closed_folders(path: str) -> list[str]:
    """On each way to a path the outermost folder that others may not enter and list, if there is one.

    One that they may pass through only, as `up` leaves root's home, is not theirs to look around in either.
    """
    found = []
    for way in {path, os.path.realpath(path)}:
        parts = os.path.dirname(way).split(os.sep)
        above = (os.sep.join(parts[:count]) for count in range(2, len(parts) + 1))
        found += [folder for folder in above if os.stat(folder).st_mode & 0o005 != 0o005][:1]
    return found


def name_account(plan: dict[str, Any], folder: int) -> None:
    """Let the user have a name in this view: many programs ask for it and fail without."""
    uid, name = plan["uid"], plan["name"]
    lines = (f"{name}:x:{uid}:{uid}::/tmp:/bin/sh\n", f"{name}:x:{uid}:\n")
    for path, line in zip(ACCOUNTS, lines, strict=True):
        if not os.path.isfile(path):
            continue
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            text = file.read()
        copy = f"/proc/self/fd/{folder}/{os.path.basename(path)}"
        with open(copy, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(text.rstrip("\n") + "\n" + line)
        mount(copy, path, None, MS_BIND)
        mount("none", path, None, MS_BIND | MS_REMOUNT | MS_NOSUID | MS_NODEV | MS_RDONLY)


def wait_for(child: int, end: socket.socket) -> NoReturn:
    """Outside the new namespace: end as the child ends."""
    end.close()
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        os.kill(os.getpid(), os.WTERMSIG(status))
    os._exit(os.WEXITSTATUS(status))


def become(plan: dict[str, Any]) -> None:
    """Give up root for good: no groups, no capabilities, nothing that could give them back."""
    resource.setrlimit(resource.RLIMIT_NPROC, (plan["processes"], plan["processes"]))
    capability = 0
    while LIBC.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0:
        capability += 1
    try:
        os.setgroups([])
        os.setresgid(plan["uid"], plan["uid"], plan["uid"])
        os.setresuid(plan["uid"], plan["uid"], plan["uid"])
    except PermissionError:
        raise Refused(
            "this machine does not let its root become another user: give the workers the capabilities "
            "CAP_SETUID and CAP_SETGID"
        ) from None
    if LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "this kernel has no no_new_privs")
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    os.umask(0o077)


def check(plan: dict[str, Any]) -> None:
    """As the user: can it reach what it is to execute, read and write?"""
    rights = [(path, os.R_OK | os.X_OK) for path in [*plan["read"], plan["command"][0]]]
    rights += [(path, os.X_OK) for path in plan["write"]]
    for path, right in rights:
        if not os.access(path, right):
            raise Refused(
                f"{path} cannot be read by the user {plan['name']} ({plan['uid']}): "
                "let others than its owner read it (chmod -R o+rX), or choose the isolation 'shared user'"
            )


def say(end: socket.socket, message: dict[str, Any]) -> None:
    body = json.dumps(message).encode()
    end.sendall(struct.pack("!I", len(body)) + body)


if __name__ == "__main__":
    main()
