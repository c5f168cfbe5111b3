"""The audit log's invariants (ledger.md §6.14), checked over the whole log: what `verify` prints.

Together with the chain's own check these find any edit of what was sealed. The chain re-computes every entry's hash;
here every hash is compared with what was sealed, the tree is computed again from the leaves, the heads from the tree.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from struct import Struct

from sqlalchemy import text
from sqlmodel import Session

from common.service import Finding, examine
from common.settings import settings
from services.points.audit import repository, tree
from services.points.audit.domain import Head, head_bytes, key_id
from services.points.audit.signing import is_signed, signer

#: Sealing takes seconds; an entry that is older and has no leaf was forgotten, or taken out of the log.
_LAG = "interval '60 seconds'"
_AT_ONCE = 32_768
_NAMED = 3

_LEAF = Struct(">q54s")
_KEY = "program_id, member_id, asset_id"

# Whoever rewrites entries with good hashes, heads of accounts and all, still has other hashes than the sealed ones.
_CHANGED = f"""
SELECT concat_ws('/', {_KEY}, seq) || ' (leaf ' || l.position
       || CASE WHEN e.hash IS NULL THEN ', no entry)' ELSE ')' END
  FROM points_audit_leaves l LEFT JOIN points_entries e USING ({_KEY}, seq)
 WHERE e.hash IS DISTINCT FROM l.hash ORDER BY program_id, l.position"""

# Unsealed although a later one of the account is sealed, or for longer than sealing takes.
_UNSEALED = f"""
WITH unsealed AS (
  SELECT {_KEY}, seq, e.at FROM points_entries e
   WHERE NOT EXISTS (SELECT FROM points_audit_leaves l
                      WHERE (l.program_id, l.member_id, l.asset_id, l.seq)
                          = (e.program_id, e.member_id, e.asset_id, e.seq))),
told AS (
  SELECT program_id, member_id, pointer[1]::smallint AS asset_id, pointer[2] AS seq, min(at) AS at
    FROM points_outbox WHERE topic = 'ledger.entry' AND EXISTS (SELECT FROM unsealed) GROUP BY 1, 2, 3, 4)
SELECT concat_ws('/', {_KEY}, seq) FROM unsealed u LEFT JOIN told t USING ({_KEY}, seq)
 WHERE coalesce(t.at, u.at) < clock_timestamp() - {_LAG}
    OR EXISTS (SELECT FROM points_audit_leaves l
                WHERE (l.program_id, l.member_id, l.asset_id) = (u.program_id, u.member_id, u.asset_id)
                  AND l.seq > u.seq)
 ORDER BY {_KEY}, seq"""

_DISORDERED = f"""
SELECT concat_ws('/', {_KEY}, seq) || ' (leaf ' || position || ')' FROM (
  SELECT *, lag(position) OVER (PARTITION BY {_KEY} ORDER BY seq) AS before FROM points_audit_leaves) l
 WHERE position < before ORDER BY program_id, position"""

_PROGRAMS = """
SELECT program_id FROM points_audit_logs UNION SELECT program_id FROM points_audit_heads
 UNION SELECT program_id FROM points_audit_nodes UNION
SELECT program_id FROM (SELECT DISTINCT program_id FROM points_audit_leaves) l ORDER BY 1"""

_LEAVES = """
SELECT coalesce(string_agg(int8send(position) || int4send(program_id) || int8send(member_id) || int2send(asset_id)
                           || int8send(seq) || hash, '' ORDER BY position), '')
  FROM points_audit_leaves WHERE program_id = :program AND position >= :low AND position < :high"""

_BEHIND = """
SELECT min(position) FROM points_audit_leaves WHERE program_id = :program AND (position >= :size OR position < 0)"""

_SURPLUS = """
SELECT level, position FROM points_audit_nodes
 WHERE program_id = :program AND (position < 0 OR position >= :size >> level) ORDER BY 1, 2"""


@dataclass(slots=True)
class _Found:
    """What a check looked at, and what is wrong."""

    name: str
    checked: int = 0
    violations: int = 0
    named: list[str] = field(default_factory=list)

    def note(self, where: str) -> None:
        self.violations += 1
        if len(self.named) < _NAMED:
            self.named.append(where)

    def finding(self) -> Finding:
        return Finding(self.name, self.checked, self.violations, "; ".join(self.named))


def check_log(session: Session) -> Iterable[Finding]:
    """Leaves against entries both ways, then the tree and its heads from the leaves, program by program."""
    yield examine(
        session,
        "every leaf is an entry, unchanged since it was sealed",
        among="points_audit_leaves",
        offenders=_CHANGED,
    )
    yield examine(session, "every entry is sealed, within a minute", among="points_entries", offenders=_UNSEALED)
    yield examine(
        session, "an account's entries are sealed in their order", among="points_audit_leaves", offenders=_DISORDERED
    )
    nodes, heads = _Found("the log has no gap, every node re-computes"), _Found("every head re-computes and is signed")
    keys = {bytes(row.key_id): bytes(row.public_key) for row in repository.list_keys(session)}
    for (program_id,) in session.execute(text(_PROGRAMS)).all():
        _Walk(session, program_id, keys, nodes, heads).run()
    yield nodes.finding()
    yield heads.finding()


class _Walk:
    """One pass over a program's leaves, which grows the tree again and looks at it wherever a head was signed."""

    def __init__(
        self, session: Session, program_id: int, keys: dict[bytes, bytes], nodes: _Found, heads: _Found
    ) -> None:
        self.session, self.program_id, self.keys = session, program_id, keys
        self.nodes, self.heads = nodes, heads
        self.edge = tree.Edge()
        self.newest: Head | None = None

    def run(self) -> None:
        heads = self._sound_heads()
        head = next(heads, None)
        for hashes in self._chunks():
            complete: list[tuple[tree.Node, bytes]] = []
            while hashes:
                cut = len(hashes) if head is None else min(head.size - self.edge.size, len(hashes))
                complete += tree.grow(self.edge, hashes[:cut])
                hashes = hashes[cut:]
                while head is not None and head.size == self.edge.size:
                    self._compare_root(head)
                    head = next(heads, None)
            self._compare_nodes(complete)
        while head is not None:
            self._wrong_head(head.number, f"is over {head.size} leaves, the log has {self.edge.size}")
            head = next(heads, None)
        self._look_behind()

    def _chunks(self) -> Iterator[list[bytes]]:
        """The hashes of the leaves, up to the first gap."""
        while True:
            low = self.edge.size
            span = {"program": self.program_id, "low": low, "high": low + _AT_ONCE}
            packed = bytes(self.session.execute(text(_LEAVES), span).scalar_one())
            hashes: list[bytes] = []
            for position, leaf in _LEAF.iter_unpack(packed):
                if position != low + len(hashes):
                    break
                hashes.append(tree.leaf_hash(leaf))
            if not hashes:
                return
            self.nodes.checked += len(hashes)
            yield hashes

    def _sound_heads(self) -> Iterator[Head]:
        """The heads whose size can be looked at in passing; of every one its number, order and signature is checked."""
        for head in self._heads():
            self.heads.checked += 1
            before, self.newest = self.newest, head
            for number in range(before.number + 1 if before else 1, head.number):
                self._wrong_head(number, "is missing")
            public_key = self.keys.get(head.key_id)
            if public_key is None or key_id(public_key) != head.key_id:
                self._wrong_head(head.number, "is signed by a key that is not listed")
            elif not is_signed(_message(head), signature=head.signature, public_key=public_key):
                self._wrong_head(head.number, "is not what was signed")
            if before and (head.size < before.size or head.at < before.at):
                self._wrong_head(head.number, "goes back behind its predecessor")
            if head.size >= self.edge.size:
                yield head

    def _heads(self) -> Iterator[Head]:
        after = 0
        while page := repository.heads_after(self.session, self.program_id, after, limit=5_000):
            yield from page
            after = page[-1].number

    def _compare_root(self, head: Head) -> None:
        if tree.root(self.edge) != head.root:
            self._wrong_head(head.number, f"has another root than its {head.size} leaves")

    def _compare_nodes(self, complete: list[tuple[tree.Node, bytes]]) -> None:
        self.nodes.checked += len(complete)
        spans: dict[int, tuple[int, int, int]] = {}
        for (level, position), _ in complete:
            _, low, _ = spans.get(level, (level, position, 0))
            spans[level] = (level, low, position + 1)
        stored = repository.stored_hashes(self.session, self.program_id, spans.values())
        for (level, position), hash_ in sorted(complete):
            if stored.get((level, position)) != hash_:
                self._wrong_node(level, position, "is not the hash of its leaves")

    def _look_behind(self) -> None:
        """What stands behind the end: after a gap, or put there."""
        place = {"program": self.program_id, "size": self.edge.size}
        behind = self.session.execute(text(_BEHIND), place).scalar_one()
        if behind is not None:
            self.nodes.note(f"{self.program_id}: leaf {self.edge.size} is missing, the next is {behind}")
        for level, position in self.session.execute(text(_SURPLUS), place):
            self._wrong_node(level, position, "stands over leaves that are not there")
        self._compare_log()

    def _compare_log(self) -> None:
        """The newest head covers all, is the one that the log says, and is signed by this installation's own key."""
        newest, log = self.newest, repository.find_log(self.session, self.program_id)
        said = (log.size, log.heads, log.key_id) if log else None
        if newest is None or said != (newest.size, newest.number, newest.key_id):
            self._wrong_head(newest.number + 1 if newest else 1, f"is missing: the log says {_told(said)}")
        elif newest.size < self.edge.size:
            self._wrong_head(newest.number, f"is the newest, but {self.edge.size - newest.size} leaves are behind it")
        elif settings().audit_key is not None and newest.key_id != signer().key_id:
            self._wrong_head(newest.number, "is not signed by JIFEN_AUDIT_KEY")

    def _wrong_head(self, number: int, how: str) -> None:
        self.heads.note(f"{self.program_id}: head {number} {how}")

    def _wrong_node(self, level: int, position: int, how: str) -> None:
        low, high = position << level, (position + 1 << level) - 1
        self.nodes.note(f"{self.program_id}: node {level}/{position} (leaves {low}-{high}) {how}")


def _message(head: Head) -> bytes:
    return head_bytes(program_id=head.program_id, number=head.number, size=head.size, root=head.root, at=head.at)


def _told(said: tuple[int, int, bytes] | None) -> str:
    return "nothing" if said is None else f"{said[1]} heads over {said[0]} leaves"
