"""The GPUs that a worker may give to its tasks: found by nvidia-smi, registered with every beat."""

from __future__ import annotations

import re
import shutil
import subprocess
import threading
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import structlog

from runs import slots
from runs.models.slot import GPU
from runs.protocol import Json
from runs.slots import Device

log = structlog.get_logger()

TOOL: Final = "nvidia-smi"
QUERY: Final = "--query-gpu=index,uuid,name,memory.total,mig.mode.current"
PATIENCE: Final = 30.0  # seconds; a driver that has to be woken first takes several
LOOK_EVERY: Final = 60.0  # seconds between two looks at what the host has
# Which of them CUDA shows to a process; all when it is not set, none when it is empty.
VISIBLE: Final = "CUDA_VISIBLE_DEVICES"


class Unusable(Exception):
    """What was asked for cannot be offered; the message is a sentence."""


@dataclass(frozen=True)
class Choice:
    """Which of the host's GPUs a worker offers. ``numbers``: None for all there are."""

    numbers: frozenset[int] | None = None

    @classmethod
    def read(cls, text: str) -> Choice:
        """``auto``, ``none`` or numbers as nvidia-smi counts: ``0,1``. Raises :class:`Unusable`."""
        if text == "auto":
            return cls()
        if text == "none":
            return cls(frozenset())
        if not re.fullmatch(r"\d{1,4}(,\d{1,4})*", text):
            raise Unusable(f"--gpus takes auto, none, or numbers such as 0,1: '{text}' is none of these.")
        return cls(frozenset(int(number) for number in text.split(",")))

    def of(self, found: list[Device]) -> list[Device]:
        return [device for device in found if self.numbers is None or device.position in self.numbers]

    def check(self, found: list[Device]) -> None:
        """Raises :class:`Unusable` when a number is named that this machine has not."""
        there = {device.position for device in found}
        if missing := sorted((self.numbers or frozenset()) - there):
            has = ", ".join(map(str, sorted(there))) or "none"
            raise Unusable(
                f"--gpus names {', '.join(map(str, missing))}, and {TOOL} lists {has} on this machine."
            )


def look() -> list[Device]:
    """The GPUs of this host; none where there is no nvidia-smi. Raises :class:`Unusable` when it fails.

    One that is cut into MIG instances is left out: CUDA does not take it as a whole.
    """
    tool = shutil.which(TOOL)
    if tool is None:
        return []
    try:
        done = subprocess.run(
            [tool, QUERY, "--format=csv,noheader,nounits"],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as problem:
        said = str(getattr(problem, "stdout", "") or problem).strip().splitlines()
        raise Unusable(f"{TOOL} failed: {said[-1] if said else problem}") from None
    return [device for line in done.stdout.splitlines() if (device := _device(line)) is not None]


def _device(line: str) -> Device | None:
    """One line of `index, uuid, name, MiB, MIG mode`; None for what cannot be given out."""
    fields = [field.strip() for field in line.split(",")]
    if len(fields) != 5 or not fields[0].isdigit() or not fields[1]:
        return None
    number, device, name, memory, mig = fields
    if mig == "Enabled":
        log.warning("a GPU is cut into MIG instances and is not given out", device=device)
        return None
    return Device(device, int(number), name, int(memory) if memory.isdigit() else None)


class Devices:
    """What one worker offers. `offer` is called with every beat; the host is looked at in another thread."""

    def __init__(self, choice: Choice) -> None:
        self._choice = choice
        self._ended = threading.Event()
        self._offered = False
        # Known for certain only where nvidia-smi has said so, or is not there.
        self._has_none = True
        self.found: list[Device] = []
        self._look()
        if self._watched:
            threading.Thread(target=self._keep_looking, name="devices", daemon=True).start()

    @property
    def _watched(self) -> bool:
        return self._choice.numbers != frozenset() and shutil.which(TOOL) is not None

    def _look(self) -> None:
        try:
            self.found = look()
            self._has_none = self._has_none and not self.found
        except Unusable as problem:
            # A device that cannot be asked for is given to nobody; those who hold one keep it.
            log.warning("the GPUs of this host are not known", because=str(problem))
            self.found = []
            self._has_none = False

    def _keep_looking(self) -> None:
        while not self._ended.wait(LOOK_EVERY):
            self._look()

    def offer(self, lease: UUID) -> None:
        """Say to the database what is offered. Raises what the database raises."""
        offered = self._choice.of(self.found)
        if offered or self._offered:
            slots.register(lease, offered)
            self._offered = bool(offered)

    def variables(self, held: list[Json]) -> dict[str, str]:
        """What an attempt that holds these slots sees of the GPUs; nothing is said where there are none."""
        own = gpus(held)
        return {VISIBLE: ",".join(own)} if own or not self._has_none else {}

    def close(self) -> None:
        self._ended.set()


def gpus(held: list[Json]) -> list[str]:
    """The UUIDs of the GPUs among the slots of an attempt."""
    return [slot["device"] for slot in held if slot["kind"] == GPU]
