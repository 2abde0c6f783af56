"""Promise: a tree's root is that of RFC 9162, and a path leads to it from its own leaf alone."""

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.access.audit.tree import EMPTY, Paths, Tree, climbed, leaf, node

entries = st.lists(st.binary(min_size=1, max_size=4), min_size=1, max_size=70)


def by_definition(part: Sequence[bytes]) -> bytes:
    """Return a root as RFC 9162 §2.1.1 defines it, recursively."""
    if not part:
        return hashlib.sha256().digest()
    if len(part) == 1:
        return leaf(part[0])
    half = 1
    while half * 2 < len(part):
        half *= 2
    return node(by_definition(part[:half]), by_definition(part[half:]))


def grown(part: Sequence[bytes]) -> Tree:
    tree = Tree()
    for entry in part:
        tree.add(entry)
    return tree


def test_that_the_tree_of_nothing_is_the_hash_of_nothing() -> None:
    assert Tree().root() == EMPTY == by_definition([])


@given(entries)
def test_that_a_tree_grows_to_its_definition(part: list[bytes]) -> None:
    tree = Tree()
    for count, entry in enumerate(part, 1):
        tree.add(entry)
        assert tree.root() == by_definition(part[:count])


@given(entries, st.data())
def test_that_paths_lead_to_the_root_in_any_pages(part: list[bytes], data: st.DataObject) -> None:
    indexes = data.draw(st.sets(st.integers(0, len(part) - 1), min_size=1, max_size=5))
    page = data.draw(st.integers(1, len(part)))
    paths = Paths(indexes, len(part))
    for start in range(0, len(part), page):
        paths.add(part[start : start + page])
    for index in indexes:
        assert climbed(part[index], paths.path(index)) == paths.root() == by_definition(part)
        assert climbed(part[index] + b"x", paths.path(index)) != paths.root()


# https://www.rfc-editor.org/rfc/rfc9162#section-2.1.1 by the vectors of Certificate Transparency,
# https://github.com/google/certificate-transparency/blob/master/cpp/merkletree/merkle_tree_test.cc
@pytest.mark.parametrize(
    ("count", "root"),
    [
        (1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
        (2, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
        (3, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"),
        (8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"),
    ],
)
def test_that_known_trees_have_their_known_roots(count: int, root: str) -> None:
    known = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657",
             "606162636465666768696a6b6c6d6e6f"]  # fmt: skip
    assert grown([bytes.fromhex(text) for text in known[:count]]).root().hex() == root
