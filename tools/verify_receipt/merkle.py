"""The tree over all leaves of a log (RFC 6962, proofs as RFC 9162 has them). Hashes are 32 bytes."""

from hashlib import sha256


def leaf_hash(leaf):
    """The hash of a leaf."""
    return sha256(b"\x00" + leaf).digest()


def node_hash(left, right):
    """The hash over two subtrees."""
    return sha256(b"\x01" + left + right).digest()


def is_included(leaf, index, path, size, root):
    """Whether the path leads from the leaf at an index to the root of a tree of that size (2.1.3.2)."""
    reached, place, last = leaf_hash(leaf), index, size - 1
    for step in path:
        if not last:
            return False
        if place & 1 or place == last:
            reached = node_hash(step, reached)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            reached = node_hash(reached, step)
        place, last = place >> 1, last >> 1
    return not last and reached == root


def is_consistent(first_size, first_root, second_size, second_root, path):
    """Whether the second tree begins with the first, smaller one (2.1.4.2)."""
    place, last = first_size - 1, second_size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    if place:
        if not path:
            return False
        old = new = path[0]
        path = path[1:]
    else:
        old = new = first_root
    for step in path:
        if not last:
            return False
        if place & 1 or place == last:
            old, new = node_hash(step, old), node_hash(step, new)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, step)
        place, last = place >> 1, last >> 1
    return not last and (old, new) == (first_root, second_root)
