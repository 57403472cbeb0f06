"""A result is that of the machine and the Python it was made with: another's is not taken over."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from runs import protocol, reruns
from runs.fingerprints import NotKnown
from runs.models import CapturedFact, Run, TaskKey, WorkerLease
from runs.protocol import Rerun
from runs.reuse import keys, stored, surroundings, words
from runs.worker.leftovers import identity
from tests.runs import test_reuse as reuse
from tests.runs.factories import Hands
from tests.runs.test_reuse import CACHED, chain_version, start, task

pytestmark = pytest.mark.django_db
HERE, ELSEWHERE = "x86_64", "aarch64"


@pytest.fixture(autouse=True)
def nothing_believed() -> Iterator[None]:
    stored._there.clear()
    yield
    stored._there.clear()


def worker(architecture: str) -> Hands:
    """A worker on such a machine."""
    hands = Hands()
    WorkerLease.objects.filter(pk=hands.lease.pk).update(labels={"architecture": architecture})
    return hands


def gone(hands: Hands) -> None:
    assert protocol.move_lease(hands.lease.uuid, ("live",), "closed")


def work_off(hands: Hands, told: dict[str, str]) -> list[str]:
    """Carry out what is runnable; each attempt tells ``told`` of its surroundings."""
    order = []
    while (key := hands.claim()) is not None:
        order.append(key)
        hands.end(key, outputs=[{"name": "result", "type": "number", "value": 7}], provenance=told)
    return order


def done_by(hands: Hands, told: dict[str, str], **train: Any) -> Run:
    run = start(chain_version(train={**CACHED, **train}))
    assert work_off(hands, told) == ["load", "train", "report"]
    return run


def test_a_worker_says_on_what_machine_it_runs() -> None:
    assert identity()["architecture"] == platform.machine()


def test_a_result_of_another_architecture_is_not_taken_over() -> None:
    first = worker(HERE)
    old = done_by(first, reuse.surroundings(HERE))
    gone(first)
    other = worker(ELSEWHERE)
    again = start(old.version)
    assert work_off(other, reuse.surroundings(ELSEWHERE)) == ["load", "train", "report"]
    said = words.explain(task(again, "train"))
    assert [found.words for found in said.differences] == ["Environment architecture: x86_64 → aarch64"]
    gone(other)
    start(old.version)
    assert work_off(worker(ELSEWHERE), reuse.surroundings(ELSEWHERE)) == ["load", "report"]


def test_while_no_worker_is_there_the_last_one_counts() -> None:
    first = worker(ELSEWHERE)
    old = done_by(first, reuse.surroundings(ELSEWHERE))
    gone(first)
    start(old.version)
    assert work_off(worker(ELSEWHERE), reuse.surroundings(ELSEWHERE)) == ["load", "report"]


def test_a_queue_with_workers_of_two_architectures_takes_nothing_over_and_says_why() -> None:
    first = worker(HERE)
    old = done_by(first, reuse.surroundings(HERE))
    worker(ELSEWHERE)
    again = start(old.version, Rerun(old))
    assert work_off(first, reuse.surroundings(HERE)) == ["load", "train", "report"]
    assert words.explain(task(again, "train")).sentence == (
        "Not reused: The workers of the queue cpu run on several architectures (aarch64, x86_64), "
        "and which one it would meet is not known."
    )


def test_what_an_attempt_told_counts_more_than_what_was_foreseen_of_it() -> None:
    hands = worker(HERE)
    old = done_by(hands, reuse.surroundings(ELSEWHERE))
    document = TaskKey.objects.get(sha256=task(old, "train").cache_key).document
    assert document["environment"] == surroundings.environment_of({"kind": "python"}, None, "", HERE)
    wish = replace(reruns.wish(old, parameters={}), parameters=old.params)
    planned = {each.key: each for each in reruns.plan(wish)}
    assert planned["train"].details == ("Environment architecture: aarch64 → x86_64",)
    again = start(old.version, Rerun(old))
    assert work_off(hands, reuse.surroundings(HERE)) == ["load", "train", "report"]
    said = words.explain(task(again, "train"))
    assert [found.words for found in said.differences] == ["Environment architecture: aarch64 → x86_64"]
    later = start(old.version)
    work_off(hands, reuse.surroundings(HERE))
    assert task(later, "train").reason == "reused"


@pytest.mark.parametrize("body", [{}, {"packages": 3}, {"packages": [{}], "python": "3", "platform": {}}])
def test_facts_of_another_shape_were_not_captured(body: dict[str, Any]) -> None:
    """Who may write into the process that captures them is the code of the task's team."""
    CapturedFact.objects.create(sha256="f" * 64, kind="environment", body=body)
    hands = worker(HERE)
    old = done_by(hands, {"environment": "f" * 64})
    start(old.version, Rerun(old))
    assert work_off(hands, reuse.surroundings(HERE)) == ["load", "train", "report"]
    with pytest.raises(NotKnown, match="not captured"):
        keys.key_then(task(old, "load"))
