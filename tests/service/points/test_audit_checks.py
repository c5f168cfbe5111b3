"""What `verify` says of a sealed log: nothing while it is sound; after any edit in SQL what is wrong, and where."""

from base64 import b64encode

import pytest

from common.commands import run_checks
from common.settings import settings
from services.points.audit import checks, tree
from services.points.audit.domain import head_bytes, leaf_bytes
from services.points.audit.jobs import seal_posted
from services.points.audit.signing import Signer, signer, signer_of
from services.points.database import database
from services.points.ledger.chain import details, link, opening
from services.points.service import service
from tests.points import Brand, built_once, sql, wrong

LEAVES = "every leaf is an entry, unchanged since it was sealed"
SEALED = "every entry is sealed, within a minute"
ORDER = "an account's entries are sealed in their order"
TREE = "the log has no gap, every node re-computes"
HEADS = "every head re-computes and is signed"
CHAIN = "every hash re-computes, the head is the last"
CUT = "is missing: the log says 4 heads over 70 leaves"
STRANGE = "; ".join(f"1: head {number} is signed by a key that is not listed" for number in (1, 2, 3))
MINE = "program_id = 1 AND member_id = 7 AND asset_id = 1"


@built_once
def seventy_leaves(brand: Brand) -> None:
    """Member 7 has 60 entries at leaves 0 to 59, member 8 ten at 60 to 69; heads over 20, 40, 60 and 70 leaves."""
    for number in range(60):
        brand.earn(10 + number)
        if number % 20 == 19:
            seal_posted()
    for _ in range(10):
        brand.earn(5, member_id=8)
    seal_posted()


@pytest.fixture
def log(brand: Brand) -> Brand:
    """A log of seventy leaves."""
    seventy_leaves(brand)
    return brand


def found(*names: str) -> dict[str, str]:
    """Where the named invariants are violated; of the audit log's own and the chain's unless told."""
    wanted = names or (LEAVES, SEALED, ORDER, TREE, HEADS, CHAIN)
    return {finding.name: finding.detail for finding in wrong() if finding.name in wanted}


def rechain(member: int) -> None:
    """Compute an account's hashes anew from what its entries say now, its head too: what a careful forger does."""
    previous = opening(1, member, 1)
    rows = sql(
        "SELECT *, (extract(epoch FROM at) * 1000000)::bigint AS at_us FROM points_entries"
        " WHERE program_id = 1 AND asset_id = 1 AND member_id = :member ORDER BY seq",
        member=member,
    )
    for row in rows:
        hold_id = row.hold_id.bytes if row.hold_id else None
        previous = link(
            previous,
            program_id=1,
            member_id=member,
            asset_id=1,
            seq=row.seq,
            kind=row.kind,
            amount=row.amount,
            held_delta=row.held_delta,
            balance_after=row.balance_after,
            held_after=row.held_after,
            at_us=row.at_us,
            posting_id=row.posting_id.bytes,
            moves=row.lots,
            details=details(row.cause, row.rule_version, row.reverses, row.reversed, hold_id, row.meta),
        )
        sql(
            "UPDATE points_entries SET hash = :hash WHERE asset_id = 1 AND member_id = :m AND seq = :q",
            hash=previous,
            m=member,
            q=row.seq,
        )
    sql("UPDATE points_accounts SET head = :head WHERE asset_id = 1 AND member_id = :m", head=previous, m=member)


def resign(number: int, by: Signer) -> None:
    """Sign a head anew, whatever it says now."""
    row = sql("SELECT * FROM points_audit_heads WHERE number = :n", n=number)[0]
    message = head_bytes(program_id=1, number=number, size=row.size, root=bytes(row.root), at=row.at)
    sql(
        "UPDATE points_audit_heads SET signature = :s, key_id = :k WHERE number = :n",
        s=by.sign(message),
        k=by.key_id,
        n=number,
    )


def test_a_sound_log_has_nothing_wrong_and_everything_was_looked_at(log: Brand) -> None:
    with database.reading() as session:
        findings = list(checks.check_log(session))
    assert [(finding.name, finding.checked, finding.violations, finding.detail) for finding in findings] == [
        (LEAVES, 70, 0, ""),
        (SEALED, 70, 0, ""),
        (ORDER, 70, 0, ""),
        (TREE, 74, 0, ""),
        (HEADS, 4, 0, ""),
    ]
    assert wrong() == []


def test_an_empty_log_is_sound(brand: Brand) -> None:
    assert found() == {}


def test_p16_a_changed_entry_57_fails_verification_at_57(log: Brand) -> None:
    sql(f"UPDATE points_entries SET amount = amount + 1 WHERE {MINE} AND seq = 57")
    assert found() == {CHAIN: "1/7/1/57"}


def test_p16_a_flipped_byte_in_entry_57_fails_verification_at_57(log: Brand) -> None:
    sql(f"UPDATE points_entries SET hash = set_byte(hash, 3, get_byte(hash, 3) # 1) WHERE {MINE} AND seq = 57")
    assert found() == {LEAVES: "1/7/1/57 (leaf 56)", CHAIN: "1/7/1/57; 1/7/1/58"}


@pytest.mark.parametrize(
    "edit",
    [
        "amount = amount + 1",
        "lots[2] = lots[2] + 1",
        "cause = 'x'",
        "meta = '{\"a\": 1}'",
        "at = at + interval '1 us'",
        "rule_version = 9",
        "posting_id = gen_random_uuid()",
    ],
)
def test_a_chain_rewritten_from_there_on_with_its_head_is_found_where_it_was_changed(log: Brand, edit: str) -> None:
    sql(f"UPDATE points_entries SET {edit} WHERE {MINE} AND seq = 57")
    rechain(7)
    assert found() == {LEAVES: "1/7/1/57 (leaf 56); 1/7/1/58 (leaf 57); 1/7/1/59 (leaf 58)"}


def test_the_last_entry_rewritten_with_the_accounts_head_is_found(log: Brand) -> None:
    sql(f"UPDATE points_entries SET amount = amount + 1000 WHERE {MINE} AND seq = 60")
    rechain(7)
    assert found() == {LEAVES: "1/7/1/60 (leaf 59)"}


def test_a_whole_rewritten_account_is_found_from_its_first_entry(log: Brand) -> None:
    sql("UPDATE points_entries SET cause = 'another' WHERE member_id = 8")
    rechain(8)
    assert found() == {LEAVES: "1/8/1/1 (leaf 60); 1/8/1/2 (leaf 61); 1/8/1/3 (leaf 62)"}
    assert next(finding for finding in wrong() if finding.name == LEAVES).violations == 10


def test_an_account_cut_off_at_its_end_is_found(log: Brand) -> None:
    sql(f"DELETE FROM points_entries WHERE {MINE} AND seq > 58")
    sql("DELETE FROM points_outbox WHERE program_id = 1 AND member_id = 7 AND pointer[2] > 58")
    sql(
        "UPDATE points_accounts a SET seq = 58, balance = e.balance_after, head = e.hash FROM points_entries e"
        " WHERE a.member_id = 7 AND a.asset_id = 1 AND e.member_id = 7 AND e.asset_id = 1 AND e.seq = 58"
    )
    assert found() == {LEAVES: "1/7/1/59 (leaf 58, no entry); 1/7/1/60 (leaf 59, no entry)"}


def test_a_dropped_entry_is_found(log: Brand) -> None:
    sql(f"DELETE FROM points_entries WHERE {MINE} AND seq = 30")
    assert found() == {LEAVES: "1/7/1/30 (leaf 29, no entry)", CHAIN: "1/7/1/31"}


def test_an_inserted_entry_is_found(log: Brand) -> None:
    sql(
        "INSERT INTO points_entries SELECT program_id, member_id, asset_id, 0, kind, 50, 0, 50, 0, gen_random_uuid(),"
        f" at, cause, NULL, NULL, NULL, NULL, lots, NULL, sha256('x') FROM points_entries WHERE {MINE} AND seq = 1"
    )
    assert found(SEALED) == {SEALED: "1/7/1/0"}


def test_an_entry_that_is_never_sealed_is_found(log: Brand) -> None:
    log.earn(3, member_id=9)
    assert found() == {}
    sql("UPDATE points_outbox SET at = at - interval '61 seconds' WHERE member_id = 9")
    assert found() == {SEALED: "1/9/1/1"}
    seal_posted()
    assert found() == {}


def test_a_dropped_leaf_is_found(log: Brand) -> None:
    sql("DELETE FROM points_audit_leaves WHERE position = 30")
    assert found(SEALED) == {SEALED: "1/7/1/31"}
    assert found(TREE)[TREE].startswith("1: leaf 30 is missing, the next is 31; 1: node 4/1 (leaves 16-31) stands")
    assert "head 2 is over 40 leaves, the log has 30" in found()[HEADS]


def test_a_dropped_leaf_whose_successors_moved_up_is_found(log: Brand) -> None:
    sql("DELETE FROM points_audit_leaves WHERE position = 30")
    for position in range(31, 70):
        sql("UPDATE points_audit_leaves SET position = position - 1 WHERE position = :p", p=position)
    assert found()[SEALED] == "1/7/1/31"
    assert found()[TREE].startswith("1: node 4/1 (leaves 16-31) is not the hash of its leaves")
    assert found()[HEADS].startswith("1: head 2 has another root than its 40 leaves")


def test_leaves_cut_off_at_the_end_are_found(log: Brand) -> None:
    sql("DELETE FROM points_audit_leaves WHERE position >= 68")
    sql("UPDATE points_outbox SET at = at - interval '61 seconds'")
    assert found() == {
        SEALED: "1/8/1/9; 1/8/1/10",
        HEADS: "1: head 4 is over 70 leaves, the log has 68",
    }


def test_an_invented_leaf_is_found(log: Brand) -> None:
    sql("INSERT INTO points_audit_leaves VALUES (1, 70, 8, 1, 11, sha256('x'))")
    assert found() == {
        LEAVES: "1/8/1/11 (leaf 70, no entry)",
        HEADS: "1: head 4 is the newest, but 1 leaves are behind it",
    }


def test_two_swapped_leaves_are_found(log: Brand) -> None:
    sql("UPDATE points_audit_leaves SET position = -1 WHERE position = 3")
    sql("UPDATE points_audit_leaves SET position = 3 WHERE position = 5")
    sql("UPDATE points_audit_leaves SET position = 5 WHERE position = -1")
    assert found()[ORDER] == "1/7/1/6 (leaf 3); 1/7/1/5 (leaf 4)"
    assert found()[TREE].startswith("1: node 4/0 (leaves 0-15) is not the hash of its leaves")


def test_a_changed_leaf_is_found(log: Brand) -> None:
    sql("UPDATE points_audit_leaves SET hash = sha256('x') WHERE position = 29")
    assert found(LEAVES) == {LEAVES: "1/7/1/30 (leaf 29)"}
    assert found(TREE)[TREE].startswith("1: node 4/1 (leaves 16-31)")


def test_an_entry_changed_with_its_chain_and_its_leaves_is_found_by_the_tree(log: Brand) -> None:
    sql(f"UPDATE points_entries SET cause = 'x' WHERE {MINE} AND seq = 57")
    rechain(7)
    sql(
        "UPDATE points_audit_leaves l SET hash = e.hash FROM points_entries e WHERE (e.member_id, e.asset_id, e.seq)"
        " = (l.member_id, l.asset_id, l.seq)"
    )
    assert found() == {
        TREE: "1: node 4/3 (leaves 48-63) is not the hash of its leaves",
        HEADS: "1: head 3 has another root than its 60 leaves; 1: head 4 has another root than its 70 leaves",
    }


def forge_tree() -> None:
    """Write nodes and roots anew from the leaves as they are: all that can be done without the key."""
    rows = sql("SELECT * FROM points_audit_leaves ORDER BY position")
    hashes = [tree.leaf_hash(leaf_bytes((1, row.member_id, row.asset_id, row.seq), bytes(row.hash))) for row in rows]
    for (level, position), hash_ in tree.grow(tree.Edge(), hashes):
        sql("UPDATE points_audit_nodes SET hash = :h WHERE level = :l AND position = :p", h=hash_, l=level, p=position)
    for head in sql("SELECT number, size FROM points_audit_heads"):
        edge = tree.Edge()
        tree.grow(edge, hashes[: head.size])
        sql("UPDATE points_audit_heads SET root = :r WHERE number = :n", r=tree.root(edge), n=head.number)


def test_everything_rewritten_but_without_the_key_is_found_by_the_signatures(log: Brand) -> None:
    sql(f"UPDATE points_entries SET cause = 'x' WHERE {MINE} AND seq = 57")
    rechain(7)
    sql(
        "UPDATE points_audit_leaves l SET hash = e.hash FROM points_entries e WHERE (e.member_id, e.asset_id, e.seq)"
        " = (l.member_id, l.asset_id, l.seq)"
    )
    forge_tree()
    assert found() == {HEADS: "1: head 3 is not what was signed; 1: head 4 is not what was signed"}
    other = signer_of(b64encode(bytes(range(32))).decode())
    for number in (3, 4):
        resign(number, other)
    assert "is signed by a key that is not listed" in found()[HEADS]
    sql("INSERT INTO points_audit_keys VALUES (:k, :p, now())", k=other.key_id, p=other.public_key)
    sql("UPDATE points_audit_logs SET key_id = :k", k=other.key_id)
    assert found() == {HEADS: "1: head 4 is not signed by JIFEN_AUDIT_KEY"}


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (
            "UPDATE points_audit_nodes SET hash = sha256('x') WHERE position = 2",
            {TREE: "1: node 4/2 (leaves 32-47) is not the hash of its leaves"},
        ),
        (
            "DELETE FROM points_audit_nodes WHERE position = 2",
            {TREE: "1: node 4/2 (leaves 32-47) is not the hash of its leaves"},
        ),
        (
            "INSERT INTO points_audit_nodes VALUES (1, 4, 4, sha256('x'))",
            {TREE: "1: node 4/4 (leaves 64-79) stands over leaves that are not there"},
        ),
        ("UPDATE points_audit_heads SET root = sha256('x') WHERE number = 2",
         {HEADS: "1: head 2 is not what was signed; 1: head 2 has another root than its 40 leaves"}),
        ("UPDATE points_audit_heads SET at = at + interval '1 us' WHERE number = 4",
         {HEADS: "1: head 4 is not what was signed"}),
        ("UPDATE points_audit_heads SET signature = set_byte(signature, 9, 7) WHERE number = 1",
         {HEADS: "1: head 1 is not what was signed"}),
        ("UPDATE points_audit_heads SET size = 41 WHERE number = 2",
         {HEADS: "1: head 2 is not what was signed; 1: head 2 has another root than its 41 leaves"}),
        ("DELETE FROM points_audit_heads WHERE number = 2", {HEADS: "1: head 2 is missing"}),
        ("DELETE FROM points_audit_heads WHERE number = 1", {HEADS: "1: head 1 is missing"}),
        ("DELETE FROM points_audit_heads WHERE number = 4", {HEADS: f"1: head 4 {CUT}"}),
        ("DELETE FROM points_audit_heads", {HEADS: f"1: head 1 {CUT}"}),
        ("DELETE FROM points_audit_logs", {HEADS: "1: head 5 is missing: the log says nothing"}),
        ("UPDATE points_audit_logs SET size = 71",
         {HEADS: "1: head 5 is missing: the log says 4 heads over 71 leaves"}),
        ("DELETE FROM points_audit_keys", {HEADS: STRANGE}),
        ("UPDATE points_audit_keys SET public_key = sha256('x')",
         {HEADS: STRANGE}),
    ],
)  # fmt: skip
def test_an_edit_of_the_log_is_found_and_located(log: Brand, edit: str, expected: dict[str, str]) -> None:
    sql(edit)
    assert found() == expected


def test_a_dropped_last_head_and_its_leaves_are_found_by_the_entries_they_sealed(log: Brand) -> None:
    sql("DELETE FROM points_audit_heads WHERE number = 4")
    sql("DELETE FROM points_audit_leaves WHERE position >= 60")
    sql("DELETE FROM points_audit_nodes WHERE position = 3")
    sql("UPDATE points_audit_logs SET heads = 3, size = 60")
    sql("UPDATE points_outbox SET at = at - interval '61 seconds'")
    assert found() == {SEALED: "1/8/1/1; 1/8/1/2; 1/8/1/3"}


def test_heads_that_go_back_are_found_though_signed(log: Brand) -> None:
    sql("UPDATE points_audit_heads SET at = at - interval '1 hour' WHERE number = 3")
    resign(3, signer())
    assert found() == {HEADS: "1: head 3 goes back behind its predecessor"}
    sql("UPDATE points_audit_heads SET at = at + interval '1 hour', size = 30 WHERE number = 3")
    resign(3, signer())
    assert found() == {HEADS: "1: head 3 goes back behind its predecessor"}


def test_without_a_key_at_hand_the_rest_is_checked(log: Brand, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as environment:
        environment.delenv("JIFEN_AUDIT_KEY")
        settings.cache_clear()
        assert found() == {}
        sql("UPDATE points_audit_nodes SET hash = sha256('x') WHERE position = 2")
        assert list(found()) == [TREE]
    settings.cache_clear()


def test_every_program_is_looked_at(log: Brand) -> None:
    other = Brand(log.callers, program_id=2).found()
    other.earn(5)
    other.earn(6)
    seal_posted()
    assert found() == {}
    sql("UPDATE points_audit_leaves SET hash = sha256('x') WHERE program_id = 2 AND position = 1")
    assert found(LEAVES, HEADS) == {
        LEAVES: "2/7/1/2 (leaf 1)",
        HEADS: "2: head 1 has another root than its 2 leaves",
    }


def test_a_log_longer_than_a_chunk_is_walked_to_its_end(log: Brand, monkeypatch: pytest.MonkeyPatch) -> None:
    for size in (1, 7, 16, 60, 69, 70, 71):
        monkeypatch.setattr(checks, "_AT_ONCE", size)
        assert found() == {}
    monkeypatch.setattr(checks, "_AT_ONCE", 7)
    sql("UPDATE points_audit_nodes SET hash = sha256('x') WHERE position = 3")
    assert found() == {TREE: "1: node 4/3 (leaves 48-63) is not the hash of its leaves"}


def test_verify_looks_at_the_audit_log() -> None:
    assert checks.check_log in service.checks
    assert {LEAVES, SEALED, ORDER, TREE, HEADS} <= {finding.name for finding in run_checks(service)}
