"""What the audit log does, one function a sentence."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

import structlog
from sqlmodel import Session

from common.errors import NotFound
from common.feed import Fact
from services.points.audit import repository, tree
from services.points.audit.domain import (
    Consistency,
    EntryKey,
    Head,
    HeadsReversed,
    Inclusion,
    LogDamaged,
    NothingSealed,
    NotSealedYet,
    NotUnderHead,
    UnknownFirstHead,
    UnknownHead,
    UnknownSecondHead,
    head_bytes,
    leaf_bytes,
)
from services.points.audit.receipts import Receipt
from services.points.audit.signing import Signer
from services.points.programs.use_cases import program_book

log = structlog.get_logger()

#: However often it is woken, sealing rests that long between heads: each is a row for ever.
REST = timedelta(seconds=3)


def seal_next(session: Session, *, signer: Signer, now: datetime, limit: int) -> tuple[int, bool]:
    """Seal the next entries of our own feed: append each to its program's log, in commit order, and sign a head there.

    The feed's cursor moves in the same transaction, so every entry is sealed exactly once, whatever is killed. Returns
    how many facts that were, and whether more stand ready; nothing while another worker is at it.
    """
    page = repository.take_entries(session, limit=limit)
    if page is None or not page.facts:
        return 0, bool(page and page.more)
    ordered = sorted(_entries(page.facts), key=lambda entry: entry[0][0])  # stable: commit order within a program
    done = repository.sealed_among(session, [key for key, _ in ordered])
    repository.add_key(session, key_id=signer.key_id, public_key=signer.public_key, now=now)
    for program_id, mine in groupby(ordered, key=lambda entry: entry[0][0]):
        _append(session, program_id, list(_unsealed(mine, done)), signer=signer, now=now)
    return len(page.facts), page.more


def renew_heads(session: Session, *, signer: Signer, now: datetime) -> int:
    """After the key was changed: sign each log once more, by the new key. Returns how many heads that made."""
    programs = repository.logs_of_other_keys(session, signer.key_id)
    if programs:
        repository.add_key(session, key_id=signer.key_id, public_key=signer.public_key, now=now)
    for program_id in programs:
        _append(session, program_id, [], signer=signer, now=now)
    return len(programs)


def has_rested(session: Session, *, now: datetime) -> bool:
    """Whether the newest head is old enough for another one."""
    newest = repository.last_sealed_at(session)
    return newest is None or now - newest >= REST


def newest_head(session: Session, *, program_id: int) -> Head:
    """The newest head. Raises `NothingSealed`."""
    head = repository.newest_head(session, program_id)
    if head is None:
        raise NothingSealed()
    return head


def list_heads(session: Session, *, program_id: int, before: int | None, limit: int) -> dict[str, Any]:
    """A page of heads, newest first, and the number to go on below (None at the end)."""
    found = repository.list_heads(session, program_id, before=before, limit=limit)
    return {"heads": found, "next": found[-1].number if len(found) == limit else None}


def list_keys(session: Session) -> dict[str, Sequence[Any]]:
    """Every public key that ever signed a head, oldest first."""
    return {"keys": repository.list_keys(session)}


def prove_inclusion(
    session: Session, *, program_id: int, member_id: int, asset: str, seq: int, size: int | None
) -> Inclusion:
    """That an entry is under a head: the one of `size` leaves, or the newest.

    Raises `UnknownAsset`, `NotFound`, `NotSealedYet`, `UnknownHead`, `NotUnderHead`, `LogDamaged`.
    """
    key = (program_id, member_id, program_book(session, program_id).asset(asset).id, seq)
    return _prove(session, key, size)


def prove_consistency(session: Session, *, program_id: int, first: int, second: int) -> Consistency:
    """That the log under the head of `second` leaves begins with the log under the head of `first`.

    Raises `HeadsReversed`, `UnknownHead`, `LogDamaged`.
    """
    if first > second:
        raise HeadsReversed()
    earlier = repository.find_head(session, program_id, first)
    if earlier is None:
        raise UnknownFirstHead(size=first)
    later = repository.find_head(session, program_id, second)
    if later is None:
        raise UnknownSecondHead(size=second)
    return Consistency(earlier, later, _hashes(session, program_id, tree.consistency(first, second)))


def receipt(session: Session, *, program_id: int, member_id: int, asset: str, seq: int) -> Receipt:
    """All that proves one entry to somebody without access to us (docs/receipts.md).

    Raises `UnknownAsset`, `NotFound`, `NotSealedYet`, `LogDamaged`.
    """
    key = (program_id, member_id, program_book(session, program_id).asset(asset).id, seq)
    proof = _prove(session, key, None)
    entry = repository.find_entry(session, key)
    public = {bytes(row.key_id): bytes(row.public_key) for row in repository.list_keys(session)}
    if entry is None or proof.head.key_id not in public:
        raise LogDamaged()
    return Receipt(dict(entry), proof, public[proof.head.key_id])


def _entries(facts: Iterable[Fact]) -> Iterator[tuple[EntryKey, bytes]]:
    for fact in facts:
        told = fact.payload
        yield (fact.program_id, fact.member_id or 0, told["asset_id"], told["seq"]), bytes(told["hash"])


def _unsealed(entries: Iterable[tuple[EntryKey, bytes]], done: set[EntryKey]) -> Iterator[tuple[EntryKey, bytes]]:
    """Those without a leaf. A second fact of an entry is nothing of ours: `verify` tells of it; sealing goes on."""
    for key, hash_ in entries:
        if key in done:
            log.warning("entry_told_twice", entry="/".join(map(str, key)))
            continue
        done.add(key)
        yield key, hash_


def _append(
    session: Session, program_id: int, fresh: list[tuple[EntryKey, bytes]], *, signer: Signer, now: datetime
) -> None:
    state = repository.lock_log(session, program_id, key_id=signer.key_id, now=now)
    if not fresh and state.key_id == signer.key_id:
        return  # nothing but second facts
    edge = _edge(session, program_id, state.size)
    complete = tree.grow(edge, [tree.leaf_hash(leaf_bytes(key, hash_)) for key, hash_ in fresh])
    repository.add_leaves(session, program_id, state.size, fresh)
    repository.add_nodes(session, program_id, complete)
    number, at, root = state.heads + 1, max(now, state.sealed_at), tree.root(edge)
    message = head_bytes(program_id=program_id, number=number, size=edge.size, root=root, at=at)
    repository.add_head(session, Head(program_id, number, edge.size, root, at, signer.key_id, signer.sign(message)))


def _edge(session: Session, program_id: int, size: int) -> tree.Edge:
    spans = list(tree.edge_spans(size))
    stored = repository.stored_hashes(session, program_id, spans)
    try:
        tails = {level: [stored[level, place] for place in range(first, end)] for level, first, end in spans}
    except KeyError as error:
        raise LogDamaged() from error
    return tree.Edge(size, tails)


def _prove(session: Session, key: EntryKey, size: int | None) -> Inclusion:
    leaf = repository.find_leaf(session, key)
    if leaf is None:
        raise NotFound() if repository.find_entry(session, key) is None else NotSealedYet()
    head = newest_head(session, program_id=key[0]) if size is None else _head(session, key[0], size)
    if leaf.position >= head.size:
        raise NotUnderHead(size=head.size, index=leaf.position)
    return Inclusion(leaf, head, _hashes(session, key[0], tree.inclusion(leaf.position, head.size)))


def _head(session: Session, program_id: int, size: int) -> Head:
    head = repository.find_head(session, program_id, size)
    if head is None:
        raise UnknownHead(size=size)
    return head


def _hashes(session: Session, program_id: int, spans: Sequence[tree.Span]) -> list[bytes]:
    wanted = {tree.base(node) for span in spans for node in tree.split(span)}
    stored = repository.stored_hashes(session, program_id, wanted)
    try:
        return [tree.hash_span(span, stored) for span in spans]
    except KeyError as error:
        raise LogDamaged() from error
