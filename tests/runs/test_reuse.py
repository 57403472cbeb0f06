"""Taking over what an equal task has made: reruns and ``cache: true``, on the real schema."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import IntegrityError, connection
from django.test import override_settings

from pipelines.models import PipelineVersion
from pipelines.store import Store
from runs import invariants, protocol
from runs.fingerprints import differences
from runs.models import Attempt, CapturedFact, Reuse, Run, RunEvent, TaskKey, TaskRun
from runs.protocol import Rerun
from runs.reuse import keys, stored
from runs.transitions import call
from runs.worker.capture import facts
from tests.runs.factories import Hands, make_version, state_line

pytestmark = pytest.mark.django_db

CACHED = {"config": {"source": "def task():\n    pass\n", "cache": True}}


@pytest.fixture(autouse=True)
def nothing_believed() -> Iterator[None]:
    stored._there.clear()
    yield
    stored._there.clear()


@cache
def packages() -> list[dict[str, str]]:
    return facts.packages()


def surroundings(architecture: str = platform.machine()) -> dict[str, str]:
    """The provenance of an attempt that ran in this very environment, on such a machine."""
    body = {
        "python": platform.python_version(),
        "packages": packages(),
        "platform": {"machine": architecture},
    }
    digest = hashlib.sha256(json.dumps(body).encode()).hexdigest()
    CapturedFact.objects.get_or_create(sha256=digest, kind="environment", defaults={"body": body})
    return {"environment": digest}


def chain_version(**tasks: dict[str, Any]) -> PipelineVersion:
    """``load > train > report``, each reading the one before; ``train`` takes the parameter ``rate``."""
    own: dict[str, dict[str, Any]] = {
        "load": {"outputs": [{"name": "result", "type": "number"}]},
        "train": {
            "with": {
                "rows": {"ref": "tasks", "task": "load", "output": "result"},
                "rate": {"ref": "params.rate"},
            },
            "outputs": [{"name": "result", "type": "number"}],
        },
        "report": {"with": {"model": {"ref": "tasks", "task": "train", "output": "result"}}},
    }
    merged = {key: {**entry, **tasks.get(key, {})} for key, entry in own.items()}
    return make_version("load > train, train > report", tasks=merged)


def start(version: PipelineVersion, rerun: Rerun | None = None, **params: Any) -> Run:
    return protocol.start_run(
        version,
        parameters={"rate": 1, **params},
        trigger="manual",
        requested_by=version.created_by,
        rerun=rerun,
    )


def work_off(hands: Hands | None = None, value: Any = 7, **given: Any) -> list[str]:
    """Carry out whatever is runnable; every task gives ``value`` as its result."""
    hands = hands or Hands()
    order = []
    while (key := hands.claim()) is not None:
        order.append(key)
        output = {"name": "result", "type": "number", "value": value, **given}
        hands.end(key, outputs=[output], provenance=surroundings())
    return order


def done(version: PipelineVersion, **params: Any) -> Run:
    run = start(version, **params)
    work_off()
    run.refresh_from_db()
    assert run.state == "succeeded"
    return run


def task(run: Run, key: str) -> TaskRun:
    return TaskRun.objects.select_related("task", "run").get(run=run, key=key)


def reasons(run: Run) -> dict[str, str]:
    return dict(TaskRun.objects.filter(run=run).values_list("key", "reason"))


class TestRerun:
    def test_an_equal_run_takes_over_everything_and_ends_at_once(self) -> None:
        version = chain_version()
        old = done(version)
        again = start(version, Rerun(old))
        assert state_line(again) == "load=succeeded train=succeeded report=succeeded"
        assert set(reasons(again).values()) == {"reused"}
        assert (again.state, again.rerun_of_id) == ("succeeded", old.pk)
        assert not Attempt.objects.filter(run=again).exists()

    def test_what_a_changed_parameter_reaches_runs_and_what_stands_before_it_is_taken_over(self) -> None:
        version = chain_version()
        again = start(version, Rerun(done(version)), rate=2)
        assert state_line(again) == "load=succeeded train=ready report=pending"
        assert work_off(value=8) == ["train", "report"]

    def test_a_task_is_taken_over_when_one_before_it_ran_again_and_gave_the_same(self) -> None:
        version = chain_version()
        again = start(version, Rerun(done(version)), rate=2)
        assert work_off(value=7) == ["train"]
        assert reasons(again) == {"load": "reused", "train": "", "report": "reused"}

    def test_what_is_to_be_done_afresh_runs_although_it_is_equal(self) -> None:
        version = chain_version()
        again = start(version, Rerun(done(version), fresh=frozenset({"train", "report"})))
        assert state_line(again) == "load=succeeded train=ready report=pending"
        assert work_off() == ["train", "report"]

    def test_without_reuse_everything_runs(self) -> None:
        version = chain_version()
        start(version, Rerun(done(version), reuse=False))
        assert work_off() == ["load", "train", "report"]

    def test_other_code_runs_again(self) -> None:
        old = done(chain_version())
        newer = chain_version(load={"config": {"source": "def task():\n    return 1\n"}})
        again = start(newer, Rerun(old))
        assert state_line(again).startswith("load=ready")

    def test_a_task_whose_surroundings_were_not_captured_runs_again(self) -> None:
        version = chain_version()
        run, hands = start(version), Hands()
        hands.claim()
        hands.end("load", outputs=[{"name": "result", "type": "number", "value": 7}])
        work_off(hands)
        assert state_line(start(version, Rerun(run))).startswith("load=ready")

    def test_a_failed_run_gives_what_succeeded_in_it(self) -> None:
        version = chain_version()
        run, hands = start(version), Hands()
        hands.claim()
        hands.end(
            "load",
            outputs=[{"name": "result", "type": "number", "value": 7}],
            provenance=surroundings(),
        )
        hands.claim()
        hands.end("train", "failed")
        again = start(version, Rerun(run))
        assert state_line(again) == "load=succeeded train=ready report=pending"

    def test_a_rerun_of_a_rerun_names_the_attempt_that_did_the_work(self) -> None:
        version = chain_version()
        old = done(version)
        second = start(version, Rerun(old))
        third = start(version, Rerun(second))
        made = Attempt.objects.get(run=old, task_run__key="train")
        assert task(third, "train").reused_from_id == made.pk

    def test_what_reads_a_result_that_was_taken_over_names_the_output_of_its_maker(self) -> None:
        version = chain_version()
        old = done(version)
        again, hands = start(version, Rerun(old), rate=2), Hands()
        assert hands.claim() == "train"
        assert hands.held["train"].upstream["load"]["result"]["id"] == (
            Attempt.objects.get(run=old, task_run__key="load").outputs.get().pk
        )
        assert again.has_conditions

    def test_the_moves_are_told_without_gaps_and_nothing_that_must_hold_is_broken(self) -> None:
        version = chain_version()
        again = start(version, Rerun(done(version)))
        seqs = list(RunEvent.objects.filter(run_id=again.pk).order_by("seq").values_list("seq", flat=True))
        assert seqs == list(range(1, again.last_seq + 1))
        moved = RunEvent.objects.filter(run_id=again.pk, reason="reused")
        assert list(moved.values_list("from_state", "to_state")) == [("pending", "succeeded")] * 3
        assert invariants.check_all() == {}

    def test_a_false_condition_comes_before_reuse(self) -> None:
        when = {"text": "params.rate > 0", "refs": {"params.rate": {"ref": "params.rate"}}}
        version = chain_version(report={"when": when})
        again = start(version, Rerun(done(version)), rate=-1)
        work_off(value=7)
        assert task(again, "report").reason == "condition_false"

    def test_a_task_of_a_group_is_taken_over_and_the_group_ends_with_it(self) -> None:
        version = make_version("g/a > g/b")
        old = done(version)
        again = start(version, Rerun(old))
        assert state_line(again) == "g=succeeded g/a=succeeded g/b=succeeded"
        assert reasons(again) == {"g": "", "g/a": "reused", "g/b": "reused"}

    def test_a_resume_looks_again_for_what_may_be_taken_over(self) -> None:
        version = chain_version(load=CACHED, train=CACHED)
        run, hands = start(version), Hands()
        hands.claim()
        hands.end("load", outputs=[{"name": "result", "type": "number", "value": 7}])
        hands.claim()
        hands.end("train", "failed")
        done(version)
        assert version.created_by
        protocol.resume_run(run.pk, actor=version.created_by)
        assert reasons(run) == {"load": "", "train": "reused", "report": ""}
        assert invariants.check_all() == {}


class TestCache:
    def test_a_task_with_cache_takes_over_an_equal_result_of_any_run(self) -> None:
        version = chain_version(train=CACHED)
        done(version)
        again = start(version)
        assert work_off() == ["load", "report"]
        assert reasons(again) == {"load": "", "train": "reused", "report": ""}

    def test_its_key_and_document_are_kept_with_the_attempt(self) -> None:
        version = chain_version(train=CACHED)
        run = done(version)
        attempt = Attempt.objects.get(run=run, task_run__key="train")
        document = TaskKey.objects.get(sha256=attempt.cache_key).document
        assert document["parameters"] == {"rate": 1}
        assert document["inputs"] == {"rows": {"type": "number", "value": 7}}
        assert Attempt.objects.get(run=run, task_run__key="load").cache_key == ""

    def test_another_parameter_is_another_key(self) -> None:
        version = chain_version(train=CACHED)
        old = done(version)
        again = done(version, rate=2)
        before, after = keys.key_then(task(old, "train")), keys.key_then(task(again, "train"))
        assert [found.words for found in differences(before.document, after.document)] == [
            "Parameter rate: 1 → 2"
        ]

    def test_a_key_made_when_it_began_equals_one_made_from_what_its_attempt_told(self) -> None:
        version = chain_version(train=CACHED)
        run = done(version)
        kept = task(run, "train")
        known = kept.cache_key
        kept.cache_key = ""
        assert keys.key_then(kept).sha256 == known

    def test_a_result_that_is_too_old_is_not_taken_over(self) -> None:
        version = chain_version(train=CACHED)
        done(version)
        with override_settings(ORCHESTRATOR={**settings.ORCHESTRATOR, "REUSE_MAX_DAYS": 0}):
            start(version)
            assert work_off() == ["load", "train", "report"]

    def test_teams_never_share_results(self) -> None:
        done(chain_version(train=CACHED))
        start(chain_version(train=CACHED))
        assert work_off() == ["load", "train", "report"]

    def test_a_key_in_quarantine_gives_nothing(self) -> None:
        version = chain_version(train=CACHED)
        run = done(version)
        stored.quarantine(task(run, "train").cache_key, "its bytes are damaged")
        start(version)
        assert work_off() == ["load", "train", "report"]

    def test_the_newest_equal_result_is_found_by_index(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute(
                "EXPLAIN SELECT id FROM attempt WHERE team_id = 1 AND cache_key = 'x' AND cache_key <> ''"
                " AND state = 'succeeded' ORDER BY id DESC LIMIT 1"
            )
            plan = "\n".join(row[0] for row in cursor.fetchall())
        assert "attempt_of_key" in plan
        assert "Sort" not in plan


class TestBytes:
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Store]:
        with override_settings(ORCHESTRATOR={**settings.ORCHESTRATOR, "STORE": str(tmp_path)}):
            yield Store(str(tmp_path))

    def made(self, store: Store, data: bytes) -> tuple[PipelineVersion, str]:
        """A finished run whose tasks all gave these bytes."""
        kept = store.put_bytes(data)
        version = chain_version(train=CACHED)
        start(version)
        work_off(value=None, sha256=kept.sha256, address=kept.address, size=kept.size)
        return version, kept.sha256

    def again(self, version: PipelineVersion, store: Store) -> list[str]:
        start(version)
        kept = store.put_bytes(b"model")
        return work_off(value=None, sha256=kept.sha256, address=kept.address, size=kept.size)

    def test_bytes_that_are_there_are_taken_over(self, store: Store) -> None:
        version, _ = self.made(store, b"model")
        assert self.again(version, store) == ["load", "report"]

    def test_bytes_that_are_gone_are_made_again(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        version, _ = self.made(store, b"model")
        monkeypatch.setattr(Store, "has", lambda *_: False)
        monkeypatch.setattr(Store, "restore", lambda *_: False)
        assert self.again(version, store) == ["load", "train", "report"]

    def test_one_in_a_hundred_is_hashed_again_and_damage_puts_its_key_in_quarantine(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        version, sha256 = self.made(store, b"model")
        path = store.local_path(sha256)
        path.chmod(0o600)
        path.write_bytes(b"rot")
        monkeypatch.setattr(stored, "REHASH_ONE_IN", 1)
        start(version)
        hands = Hands()
        hands.claim()
        hands.end(
            "load",
            outputs=[{"name": "result", "type": "number", "sha256": sha256, "address": str(path), "size": 5}],
        )
        assert hands.claim() == "train"
        assert TaskKey.objects.filter(quarantined_at__isnull=False).count() == 1


class TestGuards:
    def test_an_attempt_of_another_team_cannot_be_taken_over(self) -> None:
        foreign = Attempt.objects.get(run=done(chain_version()), task_run__key="load")
        version = chain_version()
        again = start(version, Rerun(done(version)), rate=2)
        with pytest.raises(Exception, match="of another team"):
            call("engine_reuse", again.pk, [task(again, "report").pk], [foreign.pk], ["x"])

    def test_only_a_pending_task_that_may_reuse_takes_anything_over(self) -> None:
        version = chain_version()
        old = done(version)
        source = Attempt.objects.get(run=old, task_run__key="load")
        run = start(version)
        assert call("engine_reuse", run.pk, [task(run, "load").pk], [source.pk], ["x"]) is None
        assert call("engine_reuse", run.pk, [task(run, "report").pk], [source.pk], ["x"]) is None

    def test_what_was_taken_over_is_written_once_and_stays(self) -> None:
        version = chain_version()
        again = start(version, Rerun(done(version)))
        taken = Reuse.objects.get(task_run=task(again, "load"))
        assert taken.source.run_id == again.rerun_of_id
        with pytest.raises(Exception, match=r"permission denied|never changed"):
            Reuse.objects.filter(pk=taken.pk).update(cache_key="x")

    def test_the_document_of_a_key_stays(self) -> None:
        run = done(chain_version(train=CACHED))
        rows = TaskKey.objects.filter(sha256=task(run, "train").cache_key)
        with pytest.raises(IntegrityError, match="cannot change"):
            rows.update(document={})
