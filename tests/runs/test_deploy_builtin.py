"""The kinds `deploy` and `register`: bytes arrive at the endpoint's folder, whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from runs.worker.builtin import __file__ as builtin
from tests.runs.trials import Ended, Trials, value


def carry_out(trials: Trials, kind: str, model: Path, outputs: dict[str, str], **inputs: Any) -> Ended:
    given: dict[str, Any] = {
        "model": {"type": "model", "path": str(model), "media_type": "application/x-joblib"}
    }
    given |= {name: value(item) for name, item in inputs.items()}
    code = str(Path(builtin).parent)
    return trials.run(entry=f"{kind}:run", code_path=code, inputs=given, outputs=outputs)


def deploy(trials: Trials, model: Path, address: Path | str, key: str = "7:12:0") -> Ended:
    inputs = {
        "endpoint": "digits-prod",
        "address": str(address),
        "key": key,
        "media_type": "application/x-joblib",
    }
    return carry_out(trials, "deploy", model, {"address": "string"}, **inputs)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model"
    path.write_bytes(b"weights")
    return path


def test_the_bytes_arrive_and_current_points_to_them(trials: Trials, model: Path, tmp_path: Path) -> None:
    endpoint = tmp_path / "endpoint"
    ended = deploy(trials, model, endpoint)
    assert (endpoint / "current" / "model.joblib").read_bytes() == b"weights"
    assert (endpoint / "current").resolve() == Path(ended.outputs["address"])
    facts = json.loads((endpoint / "current" / "deployment.json").read_text())
    assert facts["sha256"] == hashlib.sha256(b"weights").hexdigest()
    assert facts["endpoint"] == "digits-prod"
    assert facts["key"] == "7:12:0"


def test_doing_it_again_changes_nothing(trials: Trials, model: Path, tmp_path: Path) -> None:
    endpoint = tmp_path / "endpoint"
    first = deploy(trials, model, endpoint)
    before = os.stat(first.outputs["address"]).st_mtime_ns
    second = deploy(trials, model, endpoint)
    assert second.outputs == first.outputs
    assert os.stat(first.outputs["address"]).st_mtime_ns == before
    assert len(list((endpoint / "versions").iterdir())) == 1


def test_an_older_model_stays_and_current_moves(trials: Trials, model: Path, tmp_path: Path) -> None:
    endpoint = tmp_path / "endpoint"
    first = deploy(trials, model, endpoint, key="1:1:0")
    model.write_bytes(b"better weights")
    deploy(trials, model, f"file://{endpoint}", key="2:1:0")
    assert (Path(first.outputs["address"]) / "model.joblib").read_bytes() == b"weights"
    assert (endpoint / "current" / "model.joblib").read_bytes() == b"better weights"


def test_a_model_may_be_a_folder(trials: Trials, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    (folder / "layers").mkdir(parents=True)
    (folder / "layers" / "one").write_text("1")
    deploy(trials, folder, tmp_path / "endpoint")
    assert (tmp_path / "endpoint/current/model.joblib/layers/one").read_text() == "1"


@pytest.mark.parametrize("address", ["s3://bucket/models", "relative/folder"])
def test_an_address_that_is_no_folder_is_refused_in_words(trials: Trials, model: Path, address: str) -> None:
    ended = deploy(trials, model, address)
    assert ended.error["reason"] == "validation"
    assert "is no folder" in ended.error["message"]


def test_a_half_written_deployment_is_never_current(trials: Trials, model: Path, tmp_path: Path) -> None:
    endpoint = tmp_path / "endpoint"
    deploy(trials, model, endpoint, key="1:1:0")
    (endpoint / "versions" / ".making-left").mkdir()  # as an attempt that was killed leaves it
    deploy(trials, model, endpoint, key="2:1:0")
    assert (endpoint / "current" / "model.joblib").exists()
    assert os.readlink(endpoint / "current").startswith("versions/2-1-0-")


def test_the_model_is_not_opened(trials: Trials, tmp_path: Path) -> None:
    evil = tmp_path / "evil"
    evil.write_bytes(b"cos\nsystem\n(S'touch " + str(tmp_path / "opened").encode() + b"'\ntR.")
    deploy(trials, evil, tmp_path / "endpoint")
    assert not (tmp_path / "opened").exists()


def test_register_passes_the_name_and_metrics_on(trials: Trials, model: Path) -> None:
    ended = carry_out(
        trials, "register", model, {"version": "json"}, name="digits", metrics={"accuracy": 0.9}
    )
    assert ended.outputs["version"] == {"name": "digits", "metrics": {"accuracy": 0.9}}
    assert "registering digits, 7 bytes" in ended.log


def test_an_empty_model_is_not_registered(trials: Trials, model: Path) -> None:
    model.write_bytes(b"")
    ended = carry_out(trials, "register", model, {"version": "json"}, name="digits")
    assert ended.error["message"] == "the model to register as digits is empty"
