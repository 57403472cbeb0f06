"""Python, packages, operating system and hardware, as the interpreter of the task sees them.

Standard library only, Python >= 3.9; loaded by the zygote, which asks once in its life.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # importing `typing` would cost every fork of the zygote its pages
if TYPE_CHECKING:
    from typing import Any

GIB = 1024**3


def facts() -> dict[str, Any]:
    """{"python", "implementation", "packages", "platform", "hardware", "gaps"}, JSON only."""
    gaps: list[str] = []
    return {
        "python": sys.version.split()[0],
        "implementation": sys.implementation.name,
        "packages": packages(),
        "platform": platform(),
        "hardware": hardware(gaps),
        "gaps": gaps,
    }


def packages() -> list[dict[str, str]]:
    """Name and version of every installed distribution, sorted; the first on the path wins, as for import.

    Read from the first lines of the metadata files: importlib.metadata parses all of them, at twenty times
    the cost.
    """
    found: dict[str, dict[str, str]] = {}
    for folder in sys.path:
        for path in metadata_files(folder):
            entry = read_metadata(path)
            if entry:
                found.setdefault(normal_name(entry["name"]), entry)
    return [found[name] for name in sorted(found)]


def metadata_files(folder: str) -> list[str]:
    """The metadata files of the distributions in one folder of the path; none for an archive."""
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return []
    files = {".dist-info": "METADATA", ".egg-info": "PKG-INFO"}
    paths = [os.path.join(folder, name, files.get(os.path.splitext(name)[1], "\0")) for name in names]
    return [path for path in paths if not path.endswith("\0") and os.path.isfile(path)]


def normal_name(name: str) -> str:
    """A distribution's name as package indexes compare it."""
    return "-".join(part for part in name.lower().replace("_", "-").replace(".", "-").split("-") if part)


def read_metadata(path: str) -> dict[str, str] | None:
    entry: dict[str, str] = {}
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            key, _, value = line.partition(":")
            if key in ("Name", "Version"):
                entry[key.lower()] = value.strip()
            if len(entry) == 2:
                return entry
            if not line.strip():
                return None
    return None


def platform() -> dict[str, str]:
    """Operating system, kernel, C library."""
    system = os.uname()
    try:
        libc = os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (ValueError, OSError):
        libc = ""
    return {
        "system": system.sysname,
        "distribution": distribution(),
        "kernel": system.release,
        "machine": system.machine,
        "libc": libc,
    }


def distribution() -> str:
    for path in ("/etc/os-release", "/usr/lib/os-release"):
        try:
            with open(path, encoding="utf-8") as file:
                lines = dict(line.rstrip("\n").split("=", 1) for line in file if "=" in line)
        except OSError:
            continue
        return lines.get("PRETTY_NAME", "").strip("\"'")
    return ""


def hardware(gaps: list[str]) -> dict[str, Any]:
    """{"cpu", "cores", "memory_class" (GiB, a power of two), "gpus", "gpu_driver"}."""
    gpus, driver = graphics(gaps)
    return {
        "cpu": cpu_model(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_class": memory_class(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")),
        "gpus": gpus,
        "gpu_driver": driver,
    }


def cpu_model() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            for line in file:
                key, _, value = line.partition(":")
                if key.strip() in ("model name", "Model", "cpu model"):
                    return value.strip()
    except OSError:
        pass
    return os.uname().machine


def memory_class(size: int) -> int:
    """Memory in GiB, rounded to the next power of two: machines of one class differ by a few pages."""
    power = 1
    while power * GIB < size:
        power *= 2
    return power


def graphics(gaps: list[str]) -> tuple[list[dict[str, Any]], str | None]:
    """The NVIDIA devices and their driver; a tool that is there and fails is a gap, not "no device"."""
    import shutil
    import subprocess  # both are needed here only, and every fork would pay for their pages

    tool = shutil.which("nvidia-smi")
    if tool is None:
        if os.path.exists("/proc/driver/nvidia/version"):
            gaps.append("a NVIDIA driver is loaded, but nvidia-smi is not on the path")
        return [], None
    query = [tool, "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader,nounits"]
    try:
        output = subprocess.run(query, capture_output=True, text=True, timeout=10, check=True).stdout
    except (OSError, subprocess.SubprocessError) as problem:
        gaps.append(f"nvidia-smi failed: {type(problem).__name__}")
        return [], None
    return read_devices(output)


def read_devices(output: str) -> tuple[list[dict[str, Any]], str | None]:
    """Parse lines of `name, MiB, driver`."""
    devices: list[dict[str, Any]] = []
    driver = None
    for line in output.splitlines():
        fields = [field.strip() for field in line.split(",")]
        if len(fields) == 3:
            devices.append(
                {"model": fields[0], "memory_mib": int(fields[1]) if fields[1].isdigit() else None}
            )
            driver = fields[2]
    return devices, driver
