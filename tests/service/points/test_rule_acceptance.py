"""The worked examples of the requirements that rules answer for, with other numbers too: P5, P7, L1, G11."""

from datetime import UTC, datetime

import pytest

from common.feed import Fact
from services.points.audiences import use_cases as audiences
from services.points.database import transaction
from tests.earning import Shop, event, paid, refunded


def test_p5_rate_floor_level_multiplier_caps_validity_and_freeze_days_in_one_channel(shop: Shop) -> None:
    since = datetime(2026, 4, 1, tzinfo=UTC)
    gold = {"from": None, "to": "gold", "at": since.isoformat(), "cause": "points:1"}
    with transaction() as session:
        audiences.learn_tiers(session, [Fact("levels", 1, "tier.changed", 1, 7, since, gold)])
    caps = [{"per": "day", "of": "member", "amount": 200}, {"per": "month", "of": "member", "amount": 300}]
    shop.publish("order", caps=caps, validity="365D", pending="366D")
    shop.publish("gold", kind="multiplier", formula=None, factor="1.5", audience={"tiers": ["gold"]})
    orders = [("A1", 12_890, 3), ("A2", 5_000, 3), ("A3", 9_999, 4), ("A4", 100, 4)]
    results = [shop.send_one(paid(name, fen, time=f"2026-05-{day:02}T12:00:00+08:00")) for name, fen, day in orders]
    awarded = [one["decisions"][-1] for one in results]
    assert [(one["rule"], one["amount"], one["reason"]) for one in awarded] == [
        ("order", 192, "awarded"),
        ("order", 8, "capped: day"),
        ("order", 100, "capped: month"),
        ("order", 0, "capped: month"),
    ]
    # Each step rounds down: 128 points of ¥128.90, times 1.5. Another level has no multiplier, and caps of its own.
    assert shop.send_one(paid("B1", 12_890, member_id=8))["decisions"][-1]["amount"] == 128
    account = shop.account()
    assert (account["pending"], account["available"]) == (300, 0)
    assert account["next_activation"]["available_at"] == "2027-05-04T04:00:00Z"
    june = shop.send_one(paid("A5", 1_000, time="2026-06-01T00:00:00+08:00"))
    assert june["decisions"][-1]["amount"] == 15
    shop.assert_sound()


@pytest.mark.parametrize(("amount", "finished", "expected"), [(30, 2, 30), (7, 5, 7)])
def test_p7_an_assessment_gives_energy_once_a_day(shop: Shop, amount: int, finished: int, expected: int) -> None:
    shop.put_asset("energy")
    caps = [{"per": "day", "of": "member", "amount": amount}]
    shop.publish("assess", trigger="assessment.finished", formula=str(amount), asset="energy", caps=caps)
    shop.send(*(event(f"e{number}", "assessment.finished") for number in range(finished)))
    assert shop.balance(asset="energy") == expected
    shop.send(event("next", "assessment.finished", time="2026-05-04T00:00:00+08:00"))
    assert shop.balance(asset="energy") == expected + amount


def test_p7_a_share_pays_only_when_the_invitee_completes(shop: Shop) -> None:
    shop.put_asset("energy")
    refused = shop.draft("share", trigger="share.opened", formula="20", asset="energy")
    assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, "/trigger")
    shop.publish("share", trigger="share.converted", formula="20", asset="energy")
    assert shop.send_one(event("opened", "share.opened"))["decisions"] == []
    assert shop.balance(asset="energy") == 0
    shop.send(event("done", "share.converted"))
    assert shop.balance(asset="energy") == 20


@pytest.mark.parametrize(
    ("fen", "interactions", "invites", "expected"),
    [(30_000, 15, 2, 300 + 20 + 100), (12_345, 4, 0, 123 + 8), (99, 10, 1, 0 + 20 + 50)],
)
def test_l1_growth_comes_from_spending_interactions_and_invites(
    shop: Shop, fen: int, interactions: int, invites: int, expected: int
) -> None:
    caps = [{"per": "day", "of": "member", "amount": 20}]
    shop.publish("spend-growth", asset="growth")
    shop.publish("interact-growth", trigger="review.posted", formula="2", asset="growth", caps=caps)
    shop.publish("invite-growth", trigger="invitation.qualified", formula="50", asset="growth")
    shop.send(
        paid("A1", fen),
        *(event(f"i{number}") for number in range(interactions)),
        *(event(f"q{number}", "invitation.qualified") for number in range(invites)),
    )
    assert shop.balance(asset="growth") == expected
    shop.send(refunded(fen, "A1"))
    assert shop.balance(asset="growth") == expected - fen // 100


def test_g11_new_events_use_the_new_version_and_old_entries_keep_theirs(shop: Shop) -> None:
    for points in (1, 2, 3):
        version = shop.publish(formula=str(points))
        assert shop.send_one(paid(f"A{points}"))["decisions"][0]["version"] == version == points
    ids = {one["version"]: one["id"] for one in shop.marketer.get("/v1/rules/order").json["versions"]}
    assert [(entry["amount"], entry["rule_version"]) for entry in shop.entries()] == [
        (number, ids[number]) for number in (1, 2, 3)
    ]
