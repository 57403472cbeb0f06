"""One installation serves every walk of a session; each walk brings its own pipelines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.orchestrator_site.running import folder_for_all
from tests.walks.product import Product, product


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A folder that the test and tasks at every level of isolation read and write."""
    with folder_for_all() as folder:
        folder.chmod(0o777)
        yield folder


@pytest.fixture(scope="session")
def shop() -> Iterator[Product]:
    """The product with its demo."""
    with folder_for_all() as folder, product(folder / "home") as running:
        yield running
