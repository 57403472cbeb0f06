"""What keeps a worker from giving an isolation level may pass; its lease then says so, without a restart."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from runs import isolation
from runs.models import WorkerLease
from runs.worker import abilities, container, users
from tests.runs.faults.bench import Bench
from tests.runs.trials import until

pytestmark = pytest.mark.django_db(transaction=True)

SLOW = "it had not become the user of its team after 20 s: is the machine overloaded?"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(abilities, "FIRST_WAIT", 0.02)


def answers(*texts: str) -> Callable[..., str]:
    """Answers one after the other, the last for ever."""
    left = list(texts)
    return lambda *_: left.pop(0) if len(left) > 1 else left[0]


def labels(bench: Bench) -> dict[str, Any]:
    """What the lease of the station says after a beat."""
    bench.station._compare([])
    found: dict[str, Any] = WorkerLease.objects.get(uuid=bench.station.lease).labels
    return found


@pytest.fixture
def no_podman(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "why_not", answers("podman is not installed"))


def test_a_worker_that_was_too_slow_to_try_its_users_gives_them_once_it_could(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, no_podman: None
) -> None:
    monkeypatch.setattr(users, "why_not", answers(SLOW, SLOW, ""))
    first = WorkerLease.objects.get(uuid=bench.station.lease).labels
    assert (first["isolation"], first["no_own_user"]) == (["shared user"], SLOW)
    until(lambda: isolation.OWN in labels(bench)["isolation"], 5, "it gives users")
    said = labels(bench)
    assert (said["no_own_user"], said["no_container"]) == ("", "podman is not installed")
    assert said["architecture"] == first["architecture"]


def test_what_is_given_is_not_taken_back_while_the_rest_is_tried(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(users, "why_not", answers("", SLOW))
    monkeypatch.setattr(container, "why_not", answers("podman does not answer within 20 s", ""))
    first = WorkerLease.objects.get(uuid=bench.station.lease).labels  # a beat would have the rest tried
    assert first["isolation"] == ["shared user", "own user"]
    until(lambda: isolation.CONTAINER in labels(bench)["isolation"], 5, "it gives containers")
    assert labels(bench)["isolation"] == ["shared user", "own user", "container"]


def test_a_worker_that_is_not_root_does_not_try_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(users, "why_not", answers(users.NOT_ROOT, ""))
    assert labels(bench)["no_own_user"] == "the workers do not run as root"
    time.sleep(0.1)
    assert labels(bench)["no_own_user"] == "the workers do not run as root"


def test_what_it_was_not_prepared_for_does_not_end_the_trying(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, no_podman: None
) -> None:
    answer = answers(SLOW, "unforeseen", "")

    def why_not() -> str:
        if (said := answer()) == "unforeseen":
            raise RuntimeError(said)
        return said

    monkeypatch.setattr(users, "why_not", why_not)
    until(lambda: isolation.OWN in labels(bench)["isolation"], 5, "it gives users")
