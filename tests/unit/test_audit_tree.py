"""Laws of the sealed log's tree: RFC 6962's own definitions, written down as they stand there, against ours."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.points.audit import tree
from services.points.audit.tree import Edge, Node

LEAVES = [number.to_bytes(4, "big") for number in range(1200)]
HASHES = [tree.leaf_hash(leaf) for leaf in LEAVES]

#: The leaves and roots by which certificate transparency logs test themselves.
KNOWN_LEAVES = [
    *("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"),
]
KNOWN_ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def mth(hashes: list[bytes]) -> bytes:
    """RFC 6962 2.1: the Merkle Tree Hash."""
    if len(hashes) < 2:
        return hashes[0] if hashes else sha256().digest()
    k = half(len(hashes))
    return sha256(b"\x01" + mth(hashes[:k]) + mth(hashes[k:])).digest()


def path(m: int, hashes: list[bytes]) -> list[bytes]:
    """RFC 6962 2.1.1: the audit path."""
    if len(hashes) == 1:
        return []
    k = half(len(hashes))
    if m < k:
        return [*path(m, hashes[:k]), mth(hashes[k:])]
    return [*path(m - k, hashes[k:]), mth(hashes[:k])]


def subproof(m: int, hashes: list[bytes], known: bool) -> list[bytes]:
    """RFC 6962 2.1.2: the consistency proof."""
    if m == len(hashes):
        return [] if known else [mth(hashes)]
    k = half(len(hashes))
    if m <= k:
        return [*subproof(m, hashes[:k], known), mth(hashes[k:])]
    return [*subproof(m - k, hashes[k:], False), mth(hashes[:k])]


def half(n: int) -> int:
    """The largest power of two below n."""
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def stored(hashes: list[bytes]) -> dict[Node, bytes]:
    """All that the database would hold of a tree."""
    return {**{(0, place): hash_ for place, hash_ in enumerate(hashes)}, **dict(tree.grow(Edge(), hashes))}


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_that_every_transparency_log_computes(size: int) -> None:
    edge = Edge()
    tree.grow(edge, [tree.leaf_hash(bytes.fromhex(leaf)) for leaf in KNOWN_LEAVES[:size]])
    assert tree.root(edge).hex() == KNOWN_ROOTS[size]


@given(st.lists(st.integers(0, 300), max_size=8))
def test_it_does_not_matter_in_how_many_steps_a_tree_grew(steps: list[int]) -> None:
    edge, complete = Edge(), []
    for step in steps:
        complete += tree.grow(edge, HASHES[edge.size : edge.size + step])
        assert tree.root(edge) == mth(HASHES[: edge.size])
    size = min(sum(steps), len(HASHES))
    once = Edge()
    assert sorted(complete) == sorted(tree.grow(once, HASHES[:size]))
    assert (once.size, {level: tail for level, tail in once.tails.items() if tail}) == (
        edge.size,
        {level: tail for level, tail in edge.tails.items() if tail},
    )


@given(st.integers(0, 1200))
def test_what_is_stored_is_every_complete_subtree_of_every_fourth_level(size: int) -> None:
    wanted = {
        (level, place): mth(HASHES[place << level : (place + 1) << level])
        for level in (4, 8)
        for place in range(size >> level)
    }
    assert dict(tree.grow(Edge(), HASHES[:size])) == wanted


@given(st.integers(0, 1200))
def test_the_edge_is_read_back_from_what_is_stored(size: int) -> None:
    known, edge = stored(HASHES[:size]), Edge()
    tree.grow(edge, HASHES[:size])
    read = {level: [known[level, at] for at in range(low, end)] for level, low, end in tree.edge_spans(size)}
    assert {level: tail for level, tail in read.items() if tail} == {
        level: tail for level, tail in edge.tails.items() if tail
    }


def check_inclusion(index: int, size: int) -> None:
    spans = tree.inclusion(index, size)
    assert [tree.hash_span(span, stored(HASHES[:size])) for span in spans] == path(index, HASHES[:size])


def check_consistency(first: int, second: int) -> None:
    spans = tree.consistency(first, second)
    assert [tree.hash_span(span, stored(HASHES[:second])) for span in spans] == subproof(first, HASHES[:second], True)


def test_every_proof_of_small_trees_is_the_one_of_the_rfc() -> None:
    for size in range(1, 40):
        for index in range(size):
            check_inclusion(index, size)
            check_consistency(index + 1, size)


@given(st.integers(1, 1200), st.data())
def test_every_proof_is_the_one_of_the_rfc(size: int, data: st.DataObject) -> None:
    check_inclusion(data.draw(st.integers(0, size - 1)), size)
    check_consistency(data.draw(st.integers(1, size)), size)


@given(st.integers(1, 1200), st.data())
def test_a_proof_under_an_older_head_comes_from_what_stands_there_now(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    known = stored(HASHES)
    assert [tree.hash_span(span, known) for span in tree.inclusion(index, size)] == path(index, HASHES[:size])


@given(st.integers(1, 10**12), st.data())
def test_a_proof_needs_few_rows_however_large_the_log(size: int, data: st.DataObject) -> None:
    spans = tree.inclusion(data.draw(st.integers(0, size - 1)), size)
    rows = sum(end - low for span in spans for node in tree.split(span) for _, low, end in [tree.base(node)])
    assert len(spans) <= 40
    assert rows <= 40 * 15


def test_what_is_missing_is_an_error_not_a_guess() -> None:
    known = stored(HASHES[:40])
    del known[4, 0]
    with pytest.raises(KeyError):
        tree.hash_span((0, 32), known)


def test_a_leaf_can_not_be_taken_for_a_node() -> None:
    left, right = HASHES[:2]
    assert tree.leaf_hash(left + right) != tree.node_hash(left, right)
