"""The demo's tasks in the demo's own environment: from scikit-learn's data to a model on an endpoint."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from pipelines import snapshots
from pipelines.context import CodeSeen, Context
from pipelines.signatures import read_folder
from pipelines.store import Store
from pipelines.validation import validate
from runs.environments import venvs
from runs.worker.builtin import __file__ as builtin
from runs.worker.zygotes import ZygotePool
from tests.runs.trials import Ended, Trials, value

DEMO = Path(snapshots.__file__).parent / "demo_code"
LOCK = "requirements.lock"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def demo_python() -> str:
    cache = Path(settings.ORCHESTRATOR["CACHE"])
    digest = venvs.remember_lock(cache, (DEMO / LOCK).read_bytes())
    try:
        return str(venvs.interpreter(cache, digest))
    except venvs.BuildFailed as problem:
        pytest.skip(f"THE DEMO IS NOT TESTED: its environment could not be built: {problem}")


@pytest.fixture(scope="module")
def demo_pool() -> Iterator[ZygotePool]:
    pool = ZygotePool()
    yield pool
    pool.close()


@pytest.fixture
def demo(tmp_path: Path, demo_pool: ZygotePool, demo_python: str) -> Trials:
    return Trials(tmp_path, demo_pool, tuple(snapshots.preload_modules(DEMO) or ()), demo_python)


@pytest.fixture
def code(tmp_path: Path) -> str:
    """The demo as a run sees it: a read-only checkout of a snapshot."""
    store = Store(tmp_path / "store")
    return str(
        snapshots.materialise(store, snapshots.take(store, DEMO, LOCK).tree_sha256, tmp_path / "checkouts")
    )


def step(demo: Trials, code: str, entry: str, outputs: dict[str, str], **inputs: Any) -> Ended:
    given = {
        name: item if isinstance(item, dict) and "path" in item else value(item)
        for name, item in inputs.items()
    }
    return demo.run(entry=entry, code_path=code, inputs=given, outputs=outputs)


TABLE, MODEL = {"table": "table"}, {"model": "model"}
JUDGED = {"accuracy": "number", "metrics": "json"}


def test_digits_are_learned_and_the_same_seed_gives_the_same_model(demo: Trials, code: str) -> None:
    raw = step(demo, code, "digits:ingest", TABLE).outputs["table"]
    assert raw["meta"]["rows"] == 1797
    table = step(demo, code, "digits:features", TABLE, table=raw).outputs["table"]
    trained = [step(demo, code, "digits:train", MODEL, table=table, epochs=20) for _ in range(2)]
    assert "epoch 20/20" in trained[0].log
    assert trained[0].result["seeds"]["numpy"] == 7
    first, second = (Path(each.outputs["model"]["path"]).read_bytes() for each in trained)
    assert first == second
    judged = step(demo, code, "digits:evaluate", JUDGED, model=trained[0].outputs["model"], table=table)
    assert judged.outputs["accuracy"] > 0.95
    assert judged.outputs["metrics"]["pictures"] == 450


def check(trials: Trials, table: dict[str, Any], rule: dict[str, Any]) -> Ended:
    inputs = {"table": table, "checks": value([rule]), "on_failure": value("block")}
    folder = str(Path(builtin).parent)
    return trials.run(entry="check:run", code_path=folder, inputs=inputs, outputs={"report": "json"})


def test_the_nightly_check_fails_when_rows_are_corrupted_on_purpose(
    demo: Trials, code: str, tmp_path: Path, demo_pool: ZygotePool
) -> None:
    ours = Trials(tmp_path, demo_pool, interpreter=sys.executable)
    rule = {"title": "a radius is a length", "column": "mean_radius", "between": [0, 100]}
    good = step(demo, code, "cancer:ingest", TABLE).outputs["table"]
    bad = step(demo, code, "cancer:ingest", TABLE, corrupt_share=0.1).outputs["table"]
    assert check(ours, good, rule).outputs["report"]["passed"]
    ended = check(ours, bad, rule)
    assert ended.error["reason"] == "validation"
    assert "57 of 569 rows are not" in ended.error["message"]


def test_tumours_are_judged(demo: Trials, code: str) -> None:
    raw = step(demo, code, "cancer:ingest", TABLE).outputs["table"]
    table = step(demo, code, "cancer:features", TABLE, table=raw).outputs["table"]
    model = step(demo, code, "cancer:train", MODEL, table=table, trees=50).outputs["model"]
    assert model["meta"]["library"] == "sklearn"
    assert step(demo, code, "cancer:evaluate", JUDGED, model=model, table=table).outputs["accuracy"] > 0.9


def test_the_documents_of_the_demo_are_without_a_problem() -> None:
    seen = CodeSeen("0" * 64, "1" * 64, read_folder(DEMO).blocks)
    context = Context(
        locations={"demo": seen},
        queues={"cpu": "", "gpu": ""},
        endpoints={"digits-prod": "demo"},
        users=[],
        secrets=[],
    )
    for document in sorted((DEMO.parent / "demo").glob("*.yaml")):
        result = validate(document.read_text(), context)
        assert [problem.message for problem in result.problems] == []
        assert result.graph is not None
