from __future__ import annotations

from lineage.graph import UseEdge, downstream_of, sources, upstream_of, without_producer


def read(record: int, *artifacts: int) -> list[UseEdge]:
    return [UseEdge(record, artifact, False, f"in{artifact}") for artifact in artifacts]


def wrote(record: int, *artifacts: int) -> list[UseEdge]:
    return [UseEdge(record, artifact, True, f"out{artifact}") for artifact in artifacts]


#   1 ──[A]── 2 ──[B]── 3 ──[D]── 5
#              └──[C]── 4 ──┘
A, B, C, D = 101, 102, 103, 104
DIAMOND = [
    *wrote(100, 1),
    *read(A, 1),
    *wrote(A, 2),
    *read(B, 2),
    *wrote(B, 3),
    *read(C, 2),
    *wrote(C, 4),
    *read(D, 3, 4),
    *wrote(D, 5),
]


def test_upstream_counts_the_records_between() -> None:
    assert upstream_of(5, DIAMOND) == {5: 0, 3: 1, 4: 1, 2: 2, 1: 3}


def test_downstream_counts_the_records_between() -> None:
    assert downstream_of(2, DIAMOND) == {2: 0, 3: 1, 4: 1, 5: 2}


def test_nearest_comes_first() -> None:
    assert list(upstream_of(5, DIAMOND)) == [5, 3, 4, 2, 1]


def test_sources_are_written_by_records_that_read_nothing() -> None:
    assert sources(DIAMOND) == {1}


def test_an_artifact_that_nobody_known_wrote_is_noticed() -> None:
    assert without_producer(DIAMOND[1:]) == {1}


def test_a_long_chain_does_not_overflow() -> None:
    chain = [use for n in range(20_000) for use in (*read(n + 10**6, n), *wrote(n + 10**6, n + 1))]
    assert upstream_of(20_000, chain)[0] == 20_000
