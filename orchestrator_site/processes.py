"""What Linux offers for keeping processes together: death with the parent, adoption, children, names."""

from __future__ import annotations

import ctypes
import os
import pwd
import shutil
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_NAME = 15
PR_SET_CHILD_SUBREAPER = 36
LOG_LIMIT = 10_000_000  # bytes
# Accounts that servers may run as when we are root, the first that exists.
UNPRIVILEGED = ("orchestrator", "postgres", "nobody")

_libc = ctypes.CDLL(None, use_errno=True)


def prctl(option: int, argument: int | bytes) -> None:
    if _libc.prctl(option, argument, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def adopt_orphans() -> None:
    """Descendants whose parent dies become children of this process, not of init."""
    prctl(PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent(parent: int, how: signal.Signals) -> None:
    """Have the kernel send `how` when `parent` ends; ends here and now when it already has.

    Called in a child after its user was changed, which would take the wish back.
    """
    prctl(PR_SET_PDEATHSIG, how)
    if os.getppid() != parent:
        os._exit(1)


def hide_memory() -> None:
    """Keep other processes of the same user from reading this one's memory, where keys and passwords are."""
    prctl(PR_SET_DUMPABLE, 0)


def name_process(name: str) -> None:
    """The name that ps and top show for the process, at most 15 bytes."""
    prctl(PR_SET_NAME, name.encode()[:15])


@dataclass(frozen=True)
class Account:
    """The user that a server runs as."""

    name: str
    uid: int
    gid: int


def own_account() -> Account:
    uid = os.geteuid()
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = str(uid)
    return Account(name, uid, os.getegid())


def server_account(folder: Path) -> Account:
    """Who runs the embedded servers: ourselves, or as root an unprivileged user.

    Once a server's `folder` belongs to such a user, it stays with that user.
    """
    if os.geteuid() != 0:
        return own_account()
    if folder.exists() and (owner := folder.stat().st_uid) != 0:
        return Account(pwd.getpwuid(owner).pw_name, owner, folder.stat().st_gid)
    for name in UNPRIVILEGED:
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        if found.pw_uid:
            return Account(name, found.pw_uid, found.pw_gid)
    raise LookupError(f"none of the users {', '.join(UNPRIVILEGED)} exists")


def spawn(
    command: Sequence[str],
    *,
    account: Account,
    log: int,
    at_parents_death: signal.Signals,
    environment: Mapping[str, str],
    folder: Path,
    stdin: str = "",
) -> int:
    """Start a program whose standard input is the given text; returns its process id.

    It has a session of its own, so that a Ctrl-C in the terminal passes it by. Not `subprocess`, which reaps
    children behind the back of whoever waits for all of them.
    """
    given = os.memfd_create("stdin")
    os.write(given, stdin.encode())
    os.lseek(given, 0, os.SEEK_SET)
    parent = os.getpid()
    pid = os.fork()
    if pid:
        os.close(given)
        return pid
    try:
        os.setsid()
        for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores these, and exec would pass that on
            signal.signal(number, signal.SIG_DFL)
        for source, target in ((given, 0), (log, 1), (log, 2)):
            os.dup2(source, target)
        become(account)
        os.umask(0o077)
        os.chdir(folder)
        die_with_parent(parent, at_parents_death)
        os.execve(command[0], list(command), environment)
    except BaseException as error:
        os.write(2, f"{command[0]} could not be started: {error}\n".encode())
    finally:
        os._exit(127)
    raise AssertionError("unreachable")


def become(account: Account) -> None:
    """Give up root for good; nothing to do when we are that user already."""
    if account.uid == os.geteuid():
        return
    os.setgroups([])
    os.setgid(account.gid)
    os.setuid(account.uid)


def open_log(path: Path) -> int:
    """A descriptor that appends to a log of mode 0600."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)


def trim_log(path: Path, limit: int = LOG_LIMIT) -> None:
    """Set a log that outgrew `limit` bytes aside as `.1`, in place of the one set aside before.

    It is copied and emptied, for its writers keep it open; a line they write in between is lost.
    """
    try:
        if path.stat().st_size <= limit:
            return
    except FileNotFoundError:
        return
    aside = path.with_name(f"{path.name}.1")
    shutil.copyfile(path, aside)
    aside.chmod(0o600)
    os.truncate(path, 0)


def last_lines(path: Path, count: int = 3) -> str:
    """The end of a log, for a sentence that says why something failed."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 4096))
            lines = file.read().decode("utf-8", "replace").strip().splitlines()
    except OSError:
        return ""
    return " | ".join(line.strip() for line in lines[-count:])


def own_children() -> list[int]:
    """The process ids of the direct children of this process, which has one thread; zombies too."""
    own = os.getpid()
    try:
        return [int(word) for word in Path(f"/proc/{own}/task/{own}/children").read_text().split()]
    except FileNotFoundError:  # a kernel without CONFIG_PROC_CHILDREN
        return children_of(own)


def children_of(parent: int) -> list[int]:
    """The same for any process, by looking at all of them."""
    found: list[int] = []
    for entry in os.scandir("/proc"):
        if entry.name.isdecimal() and parent_of(int(entry.name)) == parent:
            found.append(int(entry.name))
    return found


def parent_of(pid: int) -> int | None:
    """The parent's process id; None when there is no such process."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The name, in parentheses, may hold anything; state and parent follow its last closing one.
    return int(stat.rpartition(")")[2].split()[1])


def ending(status: int) -> str:
    """A wait status in words: `exit code 1` or `killed by SIGKILL`."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        try:
            return f"killed by {signal.Signals(number).name}"
        except ValueError:
            return f"killed by signal {number}"
    return f"exit code {os.waitstatus_to_exitcode(status)}"


def fork(body: Callable[[], None], *, name: str, log: int | None) -> int:
    """Fork a child that does `body` and ends; returns its process id.

    The child has a session of its own, default signals, its output in `log` (None: where its parent's goes),
    and dies with its parent.
    """
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        os.setsid()
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGCHLD, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        die_with_parent(parent, signal.SIGKILL)
        name_process(name)
        redirect_output(log)
        body()
        code = 0
    except SystemExit as end:
        code = exit_code(end)
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        flush_output()
        os._exit(code)
    raise AssertionError("unreachable")


def exit_code(end: SystemExit) -> int:
    """What the interpreter would make of it: None is 0, a number itself, a text is printed and 1."""
    if end.code is None:
        return 0
    if isinstance(end.code, int):
        return end.code
    os.write(2, f"{end.code}\n".encode())
    return 1


def redirect_output(log: int | None) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    if log is not None:
        os.dup2(log, 1)
        os.dup2(log, 2)


def flush_output() -> None:
    import logging
    import sys

    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
