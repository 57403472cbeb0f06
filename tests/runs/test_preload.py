"""Heavy modules are imported once per zygote, ahead of its tasks; one that cannot be stops nobody."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from runs.environments import building, venvs
from runs.models import Environment, RunCode
from tests.runs.test_building import cache as cache
from tests.runs.test_building import folder as folder
from tests.runs.test_building import location_of
from tests.runs.test_environments import locked, make_wheel
from tests.runs.test_environments import no_network as no_network
from tests.runs.trials import Trials

IMPORT = 0.5  # seconds that importing the heavy module takes
TRAIN = """
import time
began = time.perf_counter()
import heavy
took = time.perf_counter() - began
def main() -> float:
    return took
"""


@pytest.fixture
def heavy(tmp_path: Path, own_trials: Trials) -> Trials:
    """Attempts in an environment, built by uv, with a module that takes its time."""
    wheels = tmp_path / "wheels"
    wheel = make_wheel(wheels, "heavy", source=f"import time\ntime.sleep({IMPORT})\n")
    cache = tmp_path / "cache"
    lock = venvs.remember_lock(cache, locked(wheel))
    own_trials.interpreter = str(venvs.interpreter(cache, lock))
    return own_trials


def import_of(trials: Trials) -> float:
    """Seconds that a task spent importing."""
    return float(trials.source(TRAIN, outputs={"result": "number"}).outputs["result"])


def test_the_second_task_does_not_pay_for_the_import_again(heavy: Trials) -> None:
    assert import_of(heavy) >= IMPORT
    heavy.preload = ("heavy",)
    first = time.monotonic()
    assert import_of(heavy) < 0.05
    second = time.monotonic()
    assert import_of(heavy) < 0.05
    assert second - first >= IMPORT, "the zygote imported it before the first task"
    assert time.monotonic() - second < IMPORT


@pytest.mark.parametrize(
    "source, says",
    [
        ("raise RuntimeError('no GPU here')", "RuntimeError: no GPU here"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("import not_there", "ModuleNotFoundError: No module named 'not_there'"),
    ],
)
def test_a_module_that_fails_to_import_is_named_and_the_task_goes_on(
    tmp_path: Path, own_trials: Trials, source: str, says: str
) -> None:
    wheels = [
        make_wheel(tmp_path / "wheels", "broken", source=source),
        make_wheel(tmp_path / "wheels", "fine"),
    ]
    lock = venvs.remember_lock(tmp_path / "cache", locked(*wheels))
    own_trials.interpreter = str(venvs.interpreter(tmp_path / "cache", lock))
    own_trials.preload = ("broken", "fine")
    check = "import sys\ndef main() -> bool:\n    return 'fine' in sys.modules\n"
    trial = own_trials.start(source=check, outputs={"result": "boolean"})
    started = trial.running.poll(20)
    assert started is not None
    assert started["preload_problems"] == {"broken": says}
    assert trial.wait().outputs == {"result": True}


@pytest.mark.django_db
def test_what_could_not_be_preloaded_stands_at_the_environment(cache: Path, folder: Path) -> None:
    from tests.runs.factories import make_run

    location = location_of(folder)
    snapshot = location.last_snapshot
    assert snapshot is not None
    run = make_run("a")
    RunCode.objects.create(run=run, location=location, snapshot=snapshot, lock_sha256=snapshot.lock_sha256)
    Environment.objects.create(lock_sha256=snapshot.lock_sha256, state="ready")
    building.note_preload(run.id, {"sklearn": "ModuleNotFoundError: No module named 'sklearn'"})
    assert Environment.objects.get().preload_problems == {
        "sklearn": "ModuleNotFoundError: No module named 'sklearn'"
    }
