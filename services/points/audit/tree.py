"""An append-only Merkle tree in the shape of RFC 6962, over hashes only: growing, roots, and what proofs are made of.

leaf hash = SHA-256(0x00 ‖ leaf), node = SHA-256(0x01 ‖ left ‖ right). A `Node` names the complete subtree over the
leaves `[position << level, (position + 1) << level)`. Of these only every fourth level is stored (4, 8, 12, …): a
fifteenth of the rows, and any other is at most 15 hashes away. Leaves themselves are level 0.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

#: How many levels lie between two that are stored, and how many children a stored node has.
STRIDE = 4
FAN = 1 << STRIDE

Node = tuple[int, int]
Span = tuple[int, int]


@dataclass(slots=True)
class Edge:
    """The right edge of a tree: at each stored level, the hashes that are under no stored node yet (fewer than 16)."""

    size: int = 0
    tails: dict[int, list[bytes]] = field(default_factory=dict)


def leaf_hash(leaf: bytes) -> bytes:
    """The hash of a leaf's bytes."""
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash over two subtrees."""
    return sha256(b"\x01" + left + right).digest()


def grow(edge: Edge, fresh: Sequence[bytes]) -> list[tuple[Node, bytes]]:
    """Append leaf hashes, in place; returns the nodes that are complete now and to be stored."""
    complete: list[tuple[Node, bytes]] = []
    level, first, hashes = 0, edge.size, list(fresh)
    edge.size += len(hashes)
    while hashes:
        tail = edge.tails.get(level, [])
        row, above = tail + hashes, (first - len(tail)) >> STRIDE
        cut = len(row) - len(row) % FAN
        edge.tails[level] = row[cut:]
        hashes = [merge(row[start : start + FAN]) for start in range(0, cut, FAN)]
        level, first = level + STRIDE, above
        complete += [((level, above + offset), made) for offset, made in enumerate(hashes)]
    return complete


def root(edge: Edge) -> bytes:
    """The root over all leaves; of no leaves, SHA-256 of nothing."""
    parts = (part for level in sorted(edge.tails) for part in _pieces(edge.tails[level]))
    return join(parts)


def join(parts: Iterable[bytes]) -> bytes:
    """The hash over neighbouring subtrees, given from the right: the smaller, right ones are joined first."""
    joined = b""
    for part in parts:
        joined = node_hash(part, joined) if joined else part
    return joined or sha256().digest()


def merge(hashes: Sequence[bytes]) -> bytes:
    """The hash over 2ⁿ subtrees of equal size."""
    while len(hashes) > 1:
        pairs = zip(hashes[::2], hashes[1::2], strict=True)
        hashes = [sha256(b"\x01" + left + right).digest() for left, right in pairs]
    return hashes[0]


def edge_spans(size: int) -> Iterator[tuple[int, int, int]]:
    """Where the edge of a tree of that size stands: level, first position, position behind the last."""
    level = 0
    while size >> level:
        end = size >> level
        yield level, end - end % FAN, end
        level += STRIDE


def inclusion(index: int, size: int) -> list[Span]:
    """The spans whose hashes prove, bottom up, that leaf `index` is in the tree of `size` (RFC 6962 2.1.1)."""
    low, high, spans = 0, size, []
    while high - low > 1:
        middle = low + _half(high - low)
        if index < middle:
            spans.append((middle, high))
            high = middle
        else:
            spans.append((low, middle))
            low = middle
    return spans[::-1]


def consistency(first: int, second: int) -> list[Span]:
    """The spans whose hashes prove that the tree of `second` leaves begins with that of `first` (RFC 6962 2.1.2)."""
    low, high, spans = 0, second, []
    while first < high:
        middle = low + _half(high - low)
        if first <= middle:
            spans.append((middle, high))
            high = middle
        else:
            spans.append((low, middle))
            low = middle
    return ([] if low == 0 else [(low, high)]) + spans[::-1]


def split(span: Span) -> list[Node]:
    """The complete subtrees that make up a span of a proof, from the left."""
    low, high = span
    nodes = []
    while low < high:
        level = (high - low).bit_length() - 1
        if low:
            level = min(level, (low & -low).bit_length() - 1)
        nodes.append((level, low >> level))
        low += 1 << level
    return nodes


def base(node: Node) -> tuple[int, int, int]:
    """The stored level below a node, and the positions `[first, end)` there that make it up."""
    level, position = node
    up = level % STRIDE
    return level - up, position << up, (position + 1) << up


def hash_span(span: Span, stored: Mapping[Node, bytes]) -> bytes:
    """The hash over a span, from what is stored below it. Raises `KeyError` when something of it is missing."""
    return join(_hash_node(node, stored) for node in reversed(split(span)))


def _hash_node(node: Node, stored: Mapping[Node, bytes]) -> bytes:
    level, first, end = base(node)
    return merge([stored[level, position] for position in range(first, end)])


def _pieces(tail: Sequence[bytes]) -> Iterator[bytes]:
    """The complete subtrees in a tail of fewer than 16, from the right: its length in binary."""
    end = len(tail)
    while end:
        start = end & (end - 1)
        yield merge(tail[start:end])
        end = start


def _half(count: int) -> int:
    """The largest power of two below `count`."""
    return 1 << ((count - 1).bit_length() - 1)
