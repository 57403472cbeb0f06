"""Secrets in a worker's hands: opened for the one attempt that names them, kept out of all that it leaves."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Final

from pipelines import secrets
from pipelines.secrets import NotReleased, Opened
from runs.protocol import Json
from runs.worker.masking import Mask
from runs.worker.requests import CannotRun

MOST: Final = 256 * 1024  # bytes of all secrets of one attempt: hiding more would take the worker minutes


class Released:
    """The secrets of one attempt. ``named``: input -> name of the secret; ``opened``: by name."""

    def __init__(self, named: Mapping[str, str], opened: Mapping[str, Opened]) -> None:
        self._named = named
        self._opened = opened

    @cached_property
    def mask(self) -> Mask:
        return Mask({name: secret.value for name, secret in self._opened.items()})

    @property
    def versions(self) -> dict[str, int | None]:
        """Which version of each was given; None where the value stands outside and has no known version."""
        return {name: secret.version for name, secret in sorted(self._opened.items())}

    def put_into(self, request: Json) -> None:
        """Add the values to what goes through the runner's pipe, and nowhere else."""
        for name, secret in self._named.items():
            request["inputs"][name] = {"type": "string", "value": self._opened[secret].value}

    def cleared(self, result: Json) -> Json:
        """A runner's report without secrets: hidden in words and names, refused in outputs.

        What the zygote found about its surroundings stays as it is: no secret ever comes there.
        """
        surroundings = {"provenance": result.get("provenance")}
        if refusal := self._refusal(result.get("outputs") or []):
            said = {name: result[name] for name in ("metrics", "seeds", "series") if name in result}
            return {**self.mask.json(said), "error": refusal, **surroundings}
        outputs = {"outputs": result["outputs"]} if "outputs" in result else {}
        rest = {name: value for name, value in result.items() if name not in ("outputs", "provenance")}
        return {**self.mask.json(rest), **outputs, **surroundings}

    def _refusal(self, outputs: list[Json]) -> Json | None:
        """The error of an attempt whose outputs hold a secret."""
        for output in outputs:
            path = output.get("path")
            found = self.mask.found({name: value for name, value in output.items() if name != "path"})
            found = found or (self.mask.found_in_file(path) if path else None)
            if found:
                name = self.mask.text(str(output["name"]))
                message = (
                    f"the output {name} contains the secret '{found}': outputs are kept and shown, so it was "
                    "refused. Leave the secret out of what the task returns."
                )
                return {"reason": "validation", "type": "SecretInOutput", "message": message}
        return None


def release(team_id: int, named: Mapping[str, str]) -> Released:
    """Open what an attempt names. Raises CannotRun when something cannot be given to it."""
    try:
        opened = secrets.release(team_id, set(named.values()))
    except NotReleased as problem:
        reason = "infrastructure" if problem.retryable else "validation"
        raise CannotRun(reason, problem.message) from None
    if sum(len(secret.value.encode()) for secret in opened.values()) > MOST:
        message = (
            f"The task names more than {MOST // 1024} KiB of secrets: share them out among several tasks."
        )
        raise CannotRun("validation", message)
    return Released(named, opened)
