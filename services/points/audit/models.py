"""The tables of the audit log. A log is its program's, not a member's: leaves are numbered through the program.

Of the tree only every fourth level is stored (`tree.py`). Nothing here is ever changed but `points_audit_logs`.
"""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Integer, LargeBinary, SmallInteger
from sqlalchemy import UniqueConstraint as Unique

from common.database import core
from services.points import columns
from services.points.database import Table


class LeafRow(Table, table=True):
    """One sealed entry: its key and the chain hash it had when it was sealed."""

    __tablename__ = "points_audit_leaves"
    __table_args__ = (
        Unique("program_id", "member_id", "asset_id", "seq", name="leaves_seal_an_entry_once"),
        CheckConstraint("octet_length(hash) = 32", name="leaves_hold_a_hash"),
    )

    program_id: int = columns.key(Integer)
    position: int = columns.key(BigInteger)
    member_id: int = columns.value()
    asset_id: int = columns.value(SmallInteger)
    seq: int = columns.value()
    hash: bytes = columns.value(LargeBinary)


class NodeRow(Table, table=True):
    """The hash over a complete subtree, of level 4, 8, 12, …"""

    __tablename__ = "points_audit_nodes"
    __table_args__ = (CheckConstraint("level > 0 AND level & 3 = 0", name="nodes_stand_on_every_fourth_level"),)

    program_id: int = columns.key(Integer)
    level: int = columns.key(SmallInteger)
    position: int = columns.key(BigInteger)
    hash: bytes = columns.value(LargeBinary)


class HeadRow(Table, table=True):
    """A signed head; `number` counts from 1 without gaps and is signed too, so a dropped one shows."""

    __tablename__ = "points_audit_heads"
    __table_args__ = (
        Unique("program_id", "size", "number", name="heads_are_found_by_size"),
        CheckConstraint("size > 0", name="heads_stand_over_leaves"),
    )

    program_id: int = columns.key(Integer)
    number: int = columns.key(BigInteger)
    size: int = columns.value()
    root: bytes = columns.value(LargeBinary)
    at: datetime = columns.instant()
    key_id: bytes = columns.value(LargeBinary)
    signature: bytes = columns.value(LargeBinary)


class LogRow(Table, table=True):
    """How far a program's log is. Its row lock lets one at a time append."""

    __tablename__ = "points_audit_logs"

    program_id: int = columns.key(Integer)
    size: int = columns.value()
    heads: int = columns.value()
    sealed_at: datetime = columns.instant()
    key_id: bytes = columns.value(LargeBinary)


class KeyRow(Table, table=True):
    """A public key that ever signed; of the installation, not of a program. Old ones stay: their heads stay true."""

    __tablename__ = "points_audit_keys"

    key_id: bytes = columns.key(LargeBinary)
    public_key: bytes = columns.value(LargeBinary)
    since: datetime = columns.instant()


leaves = core(LeafRow)
nodes = core(NodeRow)
heads = core(HeadRow)
logs = core(LogRow)
keys = core(KeyRow)
