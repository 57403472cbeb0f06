"""What tests of runs may ask for: attempts carried out for real, without the database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runs.worker.zygotes import ZygotePool
from tests.runs.trials import Trials


@pytest.fixture(scope="session")
def warm_pool() -> Iterator[ZygotePool]:
    """Zygotes that many tests share."""
    pool = ZygotePool()
    yield pool
    pool.close()


@pytest.fixture
def trials(tmp_path: Path, warm_pool: ZygotePool) -> Trials:
    """Attempts in warm zygotes."""
    return Trials(tmp_path, warm_pool)


@pytest.fixture
def own_trials(tmp_path: Path) -> Iterator[Trials]:
    """Attempts whose zygotes belong to this test alone: it may kill them."""
    pool = ZygotePool()
    yield Trials(tmp_path, pool)
    pool.close()
