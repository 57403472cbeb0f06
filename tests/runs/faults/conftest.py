"""What tests of faults may ask for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from redis import Redis

from runs.worker import zygotes
from tests.runs.faults.bench import Bench


@pytest.fixture
def bench(transactional_db: None, redis_connection: Redis) -> Iterator[Bench]:
    """A worker's station in this process, with a queue and a database of its own."""
    zygotes.become_subreaper()
    made = Bench()
    yield made
    made.close()
