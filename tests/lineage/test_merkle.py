from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineage.merkle import root_and_paths, root_of


def digests(count: int) -> list[str]:
    return [hashlib.sha256(str(number).encode()).hexdigest() for number in range(count)]


@given(st.integers(1, 70))
def test_every_digest_leads_to_the_root(count: int) -> None:
    leaves = digests(count)
    root, paths = root_and_paths(leaves)
    assert {root_of(leaf, path) for leaf, path in zip(leaves, paths, strict=True)} == {root}


def test_another_digest_leads_elsewhere() -> None:
    leaves = digests(5)
    root, paths = root_and_paths(leaves)
    assert root_of(leaves[1], paths[0]) != root
    assert root_and_paths(leaves[::-1])[0] != root


def test_the_tree_is_that_of_rfc_6962() -> None:
    first, second = digests(2)
    left, right = (hashlib.sha256(b"\x00" + bytes.fromhex(leaf)).digest() for leaf in (first, second))
    assert root_and_paths([first, second])[0] == hashlib.sha256(b"\x01" + left + right).hexdigest()


def test_there_is_no_root_over_nothing() -> None:
    with pytest.raises(ValueError, match="nothing"):
        root_and_paths([])
