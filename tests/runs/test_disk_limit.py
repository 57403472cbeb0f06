"""What stands in an attempt's folders is counted, in bytes and in files, up to the limits and no further."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runs.worker import limits, reports
from runs.worker.limits import Limits

MIB = 1024 * 1024


def watched(folder: Path, disk: int) -> Limits:
    return Limits({"disk": disk, "work": str(folder)}, 0.0)


def test_bytes_count(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(os.urandom(2 * MIB))
    passed = watched(tmp_path, MIB).passed([], 100.0)
    assert passed is not None
    assert (passed["what"], passed["limit"]) == ("disk", MIB)


def test_files_without_a_byte_count_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_FILES", 100)
    for number in range(100):
        (tmp_path / str(number)).touch()
    assert watched(tmp_path, 100 * MIB).passed([], 100.0) is None
    (tmp_path / "one more").touch()
    passed = watched(tmp_path, 100 * MIB).passed([], 100.0)
    assert passed is not None
    error = reports.passed_limit(passed)
    assert error["message"] == "the task made more than 100 files and folders"
    assert error["reason"] == "validation"


def test_nobody_counts_on_once_a_limit_is_passed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_FILES", 10)
    for number in range(500):
        (tmp_path / str(number)).touch()
    passed = watched(tmp_path, 100 * MIB).passed([], 100.0)
    assert passed is not None
    assert passed["held"] == 11
