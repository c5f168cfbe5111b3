"""Every check of `verify` finds the break it is there for, and nothing on a healthy database."""

from collections.abc import Iterator

import pytest

from common.commands import run_checks
from services.referrals.checks import CHECKS
from tests.referrals import Referrals

BREAKS = {
    "nobody is bound to themselves": [
        "ALTER TABLE referrals_bindings DROP CONSTRAINT bindings_never_to_oneself",
        "UPDATE referrals_bindings SET inviter_id = member_id WHERE member_id = 2",
    ],
    "every qualified binding granted both sides once, and still does; no other does": [
        "DELETE FROM referrals_grants WHERE grant_id = 'referrals:invitation:2-1:invitee'"
    ],
    "no inviter has more rewarded invitations in a month than the cap": [
        "UPDATE referrals_invitation_campaigns SET monthly_cap = 1"
    ],
    "no member has two bindings that count": [
        "INSERT INTO referrals_bindings (program_id, member_id, number, inviter_id, campaign, version, code, state,"
        " bound_at, protected_until) SELECT program_id, member_id, 2, inviter_id, campaign, version, code, 'bound',"
        " bound_at, protected_until FROM referrals_bindings WHERE member_id = 2"
    ],
    "no group has more seats than its size, and a filled one has exactly that many paid": [
        "UPDATE referrals_groupbuy_seats SET state = 'lapsed', order_id = NULL, held_until = now() WHERE holder_id = 11"
    ],
    "every seat of a filled group was granted its rewards once": [
        "DELETE FROM referrals_grants WHERE grant_id LIKE '%seat-1'"
    ],
    "every paid seat of an expired group has its refund request": ["DELETE FROM referrals_groupbuy_refunds"],
    "nothing that was asked back still pays for a seat of a group that can be filled": [
        "UPDATE referrals_groupbuys SET state = 'open', closed_at = NULL WHERE state = 'expired'"
    ],
    "what was refunded of an order is the sum of its refunds": [
        "UPDATE referrals_orders SET refunded_fen = refunded_fen + 1 WHERE order_id = 'o4'"
    ],
}


@pytest.fixture
def busy(referrals: Referrals) -> Iterator[Referrals]:
    """A program with two qualified, one held and one revoked binding, a filled group and an expired one."""
    referrals.campaign(hourly_limit=3, monthly_cap=10)
    code = referrals.code(1)
    for member_id in (2, 3, 4, 5):
        referrals.bind(member_id, code)
        referrals.later(seconds=1)
        referrals.paid(member_id, f"o{member_id}", 100)
    referrals.refunded(4, "o4", 100)
    referrals.groupbuy_campaign(size=2, per_member_limit=9)
    referrals.filled(11, 12)
    group = referrals.open(13).json["id"]
    referrals.take_and_pay(13, group, "o13")
    referrals.later(days=1)
    from services.referrals.jobs import expire_groupbuys

    expire_groupbuys()
    yield referrals
    referrals.sql("ALTER TABLE referrals_bindings DROP CONSTRAINT IF EXISTS bindings_never_to_oneself")
    referrals.sql("TRUNCATE referrals_bindings, referrals_groupbuys, referrals_groupbuy_seats, referrals_grants")
    referrals.sql("TRUNCATE referrals_orders, referrals_order_refunds")
    referrals.sql(
        "ALTER TABLE referrals_bindings ADD CONSTRAINT bindings_never_to_oneself CHECK (member_id <> inviter_id)"
    )


def test_a_healthy_database_passes_and_everything_was_looked_at(busy: Referrals) -> None:
    findings = run_checks(busy.service)
    assert [finding.violations for finding in findings] == [0] * len(CHECKS)
    assert all(finding.checked for finding in findings)


def test_every_check_is_broken_once() -> None:
    assert len(BREAKS) == len(CHECKS)


@pytest.mark.parametrize("name", BREAKS)
def test_a_broken_database_is_found(busy: Referrals, name: str) -> None:
    for statement in BREAKS[name]:
        busy.sql(statement)
    assert busy.violations()[name]
