"""The audit log's SQL: what is to be sealed, appending, and reading leaves, nodes and heads for proofs."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, RowMapping, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session

from common import arrays
from common.feed import Page
from common.feed.own import take_page
from common.feed.producer import Expand
from services.points.audit.domain import GONE, EntryKey, Head, Log, Sealed, leaf_bytes
from services.points.audit.models import heads, keys, leaves, logs
from services.points.audit.tree import Node, leaf_hash
from services.points.database import feed

_TOPIC = "ledger.entry"
_KEYS = "unnest(CAST(:p AS int[]), CAST(:m AS bigint[]), CAST(:s AS smallint[]), CAST(:q AS bigint[]))"


def take_entries(session: Session, *, limit: int) -> Page | None:
    """The next `ledger.entry` facts of our own feed with the hashes of their entries; None when another is at it."""
    expand: dict[str, Expand] = {_TOPIC: expand_hashes}
    return take_page(session, feed, "audit", topics=(_TOPIC,), limit=limit, expand=expand)


def expand_hashes(session: Session, rows: Sequence[RowMapping]) -> list[dict[str, Any]]:
    """The payloads of `ledger.entry` facts for sealing: asset id, seq and chain hash; `GONE` where the entry is not."""
    pointed = [(row["program_id"], row["member_id"], *row["pointer"]) for row in rows]
    found = session.execute(
        text(
            f"SELECT e.hash FROM {_KEYS} WITH ORDINALITY AS k(p, m, s, q, o) LEFT JOIN points_entries e"  # noqa: S608 - our own words only
            " ON (e.program_id, e.member_id, e.asset_id, e.seq) = (k.p, k.m, k.s, k.q) ORDER BY k.o"
        ),
        _columns(pointed),
    )
    return [
        {"asset_id": key[2], "seq": key[3], "hash": hash_ or GONE}
        for key, hash_ in zip(pointed, found.scalars(), strict=True)
    ]


def sealed_among(session: Session, wanted: Sequence[EntryKey]) -> set[EntryKey]:
    """Those of the entries that have a leaf."""
    found = session.execute(
        text(
            f"SELECT k.p, k.m, k.s, k.q FROM {_KEYS} AS k(p, m, s, q) JOIN points_audit_leaves l"  # noqa: S608 - our own words only
            " ON (l.program_id, l.member_id, l.asset_id, l.seq) = (k.p, k.m, k.s, k.q)"
        ),
        _columns(wanted),
    )
    return {(row[0], row[1], row[2], row[3]) for row in found}


def lock_log(session: Session, program_id: int, *, key_id: bytes, now: datetime) -> Log:
    """The program's log, begun when there is none; until the transaction's end nobody else appends to it."""
    begun = {"program_id": program_id, "size": 0, "heads": 0, "sealed_at": now, "key_id": key_id}
    session.execute(insert(logs).values(begun).on_conflict_do_nothing())
    row = session.execute(select(logs).where(logs.c.program_id == program_id).with_for_update()).one()
    return Log(*row)


def add_leaves(session: Session, program_id: int, first: int, sealed: Sequence[tuple[EntryKey, bytes]]) -> None:
    """Append leaves from position `first` on."""
    session.execute(
        text(
            "INSERT INTO points_audit_leaves (program_id, position, member_id, asset_id, seq, hash)"
            " SELECT :program, :first + o - 1, m, s, q, h FROM unnest(CAST(:m AS bigint[]), CAST(:s AS smallint[]),"
            " CAST(:q AS bigint[]), CAST(:h AS bytea[])) WITH ORDINALITY AS u(m, s, q, h, o) ORDER BY o"
        ),
        {
            "program": program_id,
            "first": first,
            "m": arrays.numbers(key[1] for key, _ in sealed),
            "s": arrays.numbers(key[2] for key, _ in sealed),
            "q": arrays.numbers(key[3] for key, _ in sealed),
            "h": arrays.blobs(hash_ for _, hash_ in sealed),
        },
    )


def add_nodes(session: Session, program_id: int, complete: Sequence[tuple[Node, bytes]]) -> None:
    """Store the nodes that became complete."""
    session.execute(
        text(
            "INSERT INTO points_audit_nodes (program_id, level, position, hash) SELECT :program, l, q, h FROM"
            " unnest(CAST(:l AS smallint[]), CAST(:q AS bigint[]), CAST(:h AS bytea[])) AS u(l, q, h)"
        ),
        {
            "program": program_id,
            "l": arrays.numbers(level for (level, _), _ in complete),
            "q": arrays.numbers(position for (_, position), _ in complete),
            "h": arrays.blobs(hash_ for _, hash_ in complete),
        },
    )


def add_head(session: Session, head: Head) -> None:
    """Append a head, and bring the log to it."""
    session.execute(
        insert(heads).values(
            program_id=head.program_id,
            number=head.number,
            size=head.size,
            root=head.root,
            at=head.at,
            key_id=head.key_id,
            signature=head.signature,
        )
    )
    moved = {"size": head.size, "heads": head.number, "sealed_at": head.at, "key_id": head.key_id}
    session.execute(update(logs).where(logs.c.program_id == head.program_id).values(moved))


def add_key(session: Session, *, key_id: bytes, public_key: bytes, now: datetime) -> None:
    """List a public key, once."""
    session.execute(insert(keys).values(key_id=key_id, public_key=public_key, since=now).on_conflict_do_nothing())


def last_sealed_at(session: Session) -> datetime | None:
    """When a head was signed last, of any program."""
    newest: datetime | None = session.execute(select(func.max(logs.c.sealed_at))).scalar_one()
    return newest


def logs_of_other_keys(session: Session, key_id: bytes) -> list[int]:
    """The programs whose newest head was signed by another key."""
    other = select(logs.c.program_id).where(logs.c.key_id != key_id, logs.c.size > 0).order_by(logs.c.program_id)
    return list(session.execute(other).scalars())


def stored_hashes(session: Session, program_id: int, spans: Iterable[tuple[int, int, int]]) -> dict[Node, bytes]:
    """The hashes of spans `(stored level, first position, end)`; what is missing is not in the answer."""
    wanted = [span for span in spans if span[1] < span[2]]
    if not wanted:
        return {}
    of_leaves = [span for span in wanted if span[0] == 0]
    of_nodes = [span for span in wanted if span[0] > 0]
    found: dict[Node, bytes] = {}
    ranges = "FROM unnest(CAST(:l AS int[]), CAST(:a AS bigint[]), CAST(:b AS bigint[])) AS k(l, a, b)"
    if of_leaves:
        statement = (
            f"SELECT t.position, t.member_id, t.asset_id, t.seq, t.hash {ranges} JOIN points_audit_leaves t"
            " ON t.program_id = :program AND t.position >= k.a AND t.position < k.b"
        )
        for position, member, asset, seq, hash_ in session.execute(text(statement), _spans(program_id, of_leaves)):
            found[0, position] = leaf_hash(leaf_bytes((program_id, member, asset, seq), bytes(hash_)))
    if of_nodes:
        statement = (
            f"SELECT t.level, t.position, t.hash {ranges} JOIN points_audit_nodes t"
            " ON t.program_id = :program AND t.level = k.l AND t.position >= k.a AND t.position < k.b"
        )
        for level, position, hash_ in session.execute(text(statement), _spans(program_id, of_nodes)):
            found[level, position] = bytes(hash_)
    return found


def find_leaf(session: Session, key: EntryKey) -> Sealed | None:
    """The leaf of an entry, or None."""
    row = session.execute(
        select(leaves.c.position, leaves.c.member_id, leaves.c.asset_id, leaves.c.seq, leaves.c.hash).where(
            leaves.c.program_id == key[0],
            leaves.c.member_id == key[1],
            leaves.c.asset_id == key[2],
            leaves.c.seq == key[3],
        )
    ).one_or_none()
    return Sealed(*row) if row else None


def newest_head(session: Session, program_id: int) -> Head | None:
    """The program's newest head, or None."""
    row = session.execute(
        select(heads).where(heads.c.program_id == program_id).order_by(heads.c.number.desc()).limit(1)
    ).one_or_none()
    return _head(row) if row else None


def find_head(session: Session, program_id: int, size: int) -> Head | None:
    """The newest head of that size, or None."""
    mine = select(heads).where(heads.c.program_id == program_id, heads.c.size == size)
    row = session.execute(mine.order_by(heads.c.number.desc()).limit(1)).one_or_none()
    return _head(row) if row else None


def list_heads(session: Session, program_id: int, *, before: int | None, limit: int) -> list[Head]:
    """The program's heads, newest first, below number `before`."""
    mine = select(heads).where(heads.c.program_id == program_id)
    if before is not None:
        mine = mine.where(heads.c.number < before)
    return [_head(row) for row in session.execute(mine.order_by(heads.c.number.desc()).limit(limit))]


def heads_after(session: Session, program_id: int, number: int, *, limit: int) -> list[Head]:
    """The program's heads in their order, behind `number`."""
    mine = select(heads).where(heads.c.program_id == program_id, heads.c.number > number)
    return [_head(row) for row in session.execute(mine.order_by(heads.c.number).limit(limit))]


def find_log(session: Session, program_id: int) -> Log | None:
    """How far the program's log is, or None."""
    row = session.execute(select(logs).where(logs.c.program_id == program_id)).one_or_none()
    return Log(row.program_id, row.size, row.heads, row.sealed_at, bytes(row.key_id)) if row else None


def list_keys(session: Session) -> Sequence[Row[Any]]:
    """Every public key that ever signed, oldest first."""
    return session.execute(select(keys).order_by(keys.c.since, keys.c.key_id)).all()


def find_entry(session: Session, key: EntryKey) -> RowMapping | None:
    """An entry with `at_us` and the hash `previous` of the one before it (None at the first), or None."""
    found = session.execute(
        text(
            "SELECT e.*, (extract(epoch FROM e.at) * 1000000)::bigint AS at_us, b.hash AS previous"
            " FROM points_entries e LEFT JOIN points_entries b"
            " ON (b.program_id, b.member_id, b.asset_id, b.seq) = (e.program_id, e.member_id, e.asset_id, e.seq - 1)"
            " WHERE (e.program_id, e.member_id, e.asset_id, e.seq) = (:p, :m, :s, :q)"
        ),
        {"p": key[0], "m": key[1], "s": key[2], "q": key[3]},
    )
    return found.mappings().one_or_none()


def _head(row: Row[Any]) -> Head:
    return Head(row.program_id, row.number, row.size, bytes(row.root), row.at, bytes(row.key_id), bytes(row.signature))


def _columns(wanted: Sequence[tuple[int, ...]]) -> Mapping[str, str]:
    return {name: arrays.numbers(key[place] for key in wanted) for place, name in enumerate("pmsq")}


def _spans(program_id: int, spans: Sequence[tuple[int, int, int]]) -> dict[str, Any]:
    made: dict[str, Any] = {name: arrays.numbers(span[place] for span in spans) for place, name in enumerate("lab")}
    return {**made, "program": program_id}
