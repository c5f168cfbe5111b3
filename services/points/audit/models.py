"""The tables of the audit log. A log is its program's, not a member's: leaves are numbered through the program.

Of the tree only every fourth level is stored (`tree.py`). Nothing here is ever changed but `points_audit_logs`.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, DateTime, Integer, LargeBinary, SmallInteger
from sqlalchemy import UniqueConstraint as Unique
from sqlmodel import Field

from common.database import core
from services.points.database import Table


def _key(kind: Any) -> Any:
    return Field(sa_column=Column(kind, primary_key=True, autoincrement=False))


def _is(kind: Any) -> Any:
    return Field(sa_column=Column(kind, nullable=False))


class LeafRow(Table, table=True):
    """One sealed entry: its key and the chain hash it had when it was sealed."""

    __tablename__ = "points_audit_leaves"
    __table_args__ = (
        Unique("program_id", "member_id", "asset_id", "seq", name="leaves_seal_an_entry_once"),
        CheckConstraint("octet_length(hash) = 32", name="leaves_hold_a_hash"),
    )

    program_id: int = _key(Integer)
    position: int = _key(BigInteger)
    member_id: int = _is(BigInteger)
    asset_id: int = _is(SmallInteger)
    seq: int = _is(BigInteger)
    hash: bytes = _is(LargeBinary)


class NodeRow(Table, table=True):
    """The hash over a complete subtree, of level 4, 8, 12, …"""

    __tablename__ = "points_audit_nodes"
    __table_args__ = (CheckConstraint("level > 0 AND level & 3 = 0", name="nodes_stand_on_every_fourth_level"),)

    program_id: int = _key(Integer)
    level: int = _key(SmallInteger)
    position: int = _key(BigInteger)
    hash: bytes = _is(LargeBinary)


class HeadRow(Table, table=True):
    """A signed head; `number` counts from 1 without gaps and is signed too, so a dropped one shows."""

    __tablename__ = "points_audit_heads"
    __table_args__ = (
        Unique("program_id", "size", "number", name="heads_are_found_by_size"),
        CheckConstraint("size > 0", name="heads_stand_over_leaves"),
    )

    program_id: int = _key(Integer)
    number: int = _key(BigInteger)
    size: int = _is(BigInteger)
    root: bytes = _is(LargeBinary)
    at: datetime = _is(DateTime(timezone=True))
    key_id: bytes = _is(LargeBinary)
    signature: bytes = _is(LargeBinary)


class LogRow(Table, table=True):
    """How far a program's log is. Its row lock lets one at a time append."""

    __tablename__ = "points_audit_logs"

    program_id: int = _key(Integer)
    size: int = _is(BigInteger)
    heads: int = _is(BigInteger)
    sealed_at: datetime = _is(DateTime(timezone=True))
    key_id: bytes = _is(LargeBinary)


class KeyRow(Table, table=True):
    """A public key that ever signed; of the installation, not of a program. Old ones stay: their heads stay true."""

    __tablename__ = "points_audit_keys"

    key_id: bytes = _key(LargeBinary)
    public_key: bytes = _is(LargeBinary)
    since: datetime = _is(DateTime(timezone=True))


leaves = core(LeafRow)
nodes = core(NodeRow)
heads = core(HeadRow)
logs = core(LogRow)
keys = core(KeyRow)
