"""Pending earnings over HTTP: by instant, by the asset's rule, moved, taken back, released by time (P5, B5)."""

from datetime import UTC, datetime, timedelta

import pytest

from services.points.jobs import settle_due_accounts
from services.points.ledger.domain import Kind, Status
from tests.points import Brand, Clock, done, pointers, refused, sql, wrong

EARNED = datetime(2126, 5, 3, 4, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def text(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")


def test_128_pending_confirm_plus_7_days_and_a_refund_of_28_before_releases_100(brand: Brand, clock: Clock) -> None:
    clock.set(EARNED)
    brand.set_asset(pending="order.confirmed+7D")
    order = brand.earn(128)
    assert brand.figures() == (128, 0, 0, 0)
    assert brand.account()["pending"] == 128
    clock.set(EARNED + 2 * DAY)
    assert done(brand.confirm(order, available_at=text(EARNED + 9 * DAY)))["expires_at"] == text(EARNED + 9 * DAY)
    assert done(brand.reverse(order, amount=28))["balance"] == 100
    clock.set(EARNED + 9 * DAY - timedelta(microseconds=1))
    assert refused(brand.send("postings", kind="spend", amount=1)) == (422, "insufficient_points")
    clock.set(EARNED + 9 * DAY)
    assert brand.figures() == (100, 100, 0, 0)
    assert brand.spend(100)["balance"] == 0
    assert brand.kinds() == [("earn", 128), ("defer", 0), ("reverse", -28), ("release", 0), ("spend", -100)]
    assert wrong() == []


@pytest.mark.parametrize(("days", "amount"), [(1, 7), (30, 4321)])
def test_an_assets_pending_days_hold_for_every_earning_that_says_nothing(
    brand: Brand, clock: Clock, days: int, amount: int
) -> None:
    clock.set(EARNED)
    brand.set_asset(pending=f"{days}D")
    posted = brand.earn(amount)
    hold = done(brand.shop.get(f"/v1/holds/{posted['posting_id']}", member_id=7))
    assert (hold["purpose"], hold["state"], hold["expires_at"]) == ("pending", "open", text(EARNED + days * DAY))
    brand.earn(5, available_at=text(EARNED))
    assert brand.figures()[1] == 5
    clock.set(EARNED + days * DAY)
    assert done(brand.shop.get(f"/v1/holds/{posted['posting_id']}", member_id=7))["state"] == "released"
    assert brand.figures()[1] == amount + 5


def test_validity_counts_from_the_day_on_which_it_becomes_available(brand: Brand, clock: Clock) -> None:
    clock.set(EARNED)
    posted = brand.earn(50, validity="10D", available_at=text(EARNED + 7 * DAY))
    clock.set(EARNED + 7 * DAY)
    assert brand.account()["next_expiry"] == {"on": "2126-05-20", "amount": 50}
    other = brand.earn(
        20, asset="energy", validity="1Y_D", available_at=text(datetime(2126, 12, 31, 15, 59, tzinfo=UTC))
    )
    done(brand.confirm(other, available_at=text(datetime(2126, 12, 31, 16, 0, tzinfo=UTC))))
    clock.set(datetime(2126, 12, 31, 16, 0, tzinfo=UTC))
    assert brand.account("energy")["next_expiry"] == {"on": "2127-12-31", "amount": 20}
    assert posted["available"] == 0


def test_the_sweeper_releases_what_nobody_touches(brand: Brand, clock: Clock) -> None:
    clock.set(datetime.now(UTC))
    posted = brand.earn(50, available_at=text(datetime.now(UTC) + timedelta(milliseconds=200)))
    clock.set(datetime.now(UTC) + timedelta(seconds=1))
    while sql("SELECT count(*) FROM points_accounts WHERE due_at <= clock_timestamp()")[0][0] == 0:
        pass
    settle_due_accounts()
    assert sql("SELECT state, captured FROM points_holds") == [(4, 0)]
    assert brand.kinds() == [("earn", 50), ("release", 0)]
    assert posted["held"] == 50
    assert wrong() == []


def test_without_an_instant_it_becomes_available_now(brand: Brand) -> None:
    posted = brand.earn(50, available_at="2150-01-01T00:00:00Z")
    answer = done(brand.confirm(posted, key="now"))
    assert (answer["state"], answer["purpose"]) == ("released", "pending")
    assert brand.figures() == (50, 50, 0, 0)
    again = brand.confirm(posted, key="now")
    assert again.headers["Idempotency-Replayed"] == "true"
    assert refused(brand.confirm(posted)) == (409, "not_pending")


def test_a_pending_earning_is_no_reservation_and_a_reservation_no_pending_earning(brand: Brand) -> None:
    posted = brand.earn(50, available_at="2150-01-01T00:00:00Z")
    for what in ("capture", "void"):
        assert refused(brand.send(f"holds/{posted['posting_id']}/{what}")) == (409, "hold_is_pending")
    brand.earn(10)
    held = brand.hold(10)
    assert refused(brand.send(f"/v1/postings/{held['hold_id']}/deferral")) == (409, "not_pending")
    assert refused(brand.confirm(posted, member_id=8)) == (404, "not_found")
    answer = brand.confirm(posted, available_at="soon")
    assert refused(answer) == (422, "invalid_request")
    assert pointers(answer) == ["/available_at"]


def test_reversals_up_to_take_what_is_left_also_when_it_is_sent_again(brand: Brand) -> None:
    posted = brand.earn(50)
    assert done(brand.reverse(posted, amount=30))["amount"] == -30
    assert refused(brand.reverse(posted, amount=30)) == (422, "reversal_exceeded")
    assert done(brand.reverse(posted, amount=30, up_to=True, key="u"))["amount"] == -20
    assert done(brand.reverse(posted, amount=30, up_to=True, key="u"))["amount"] == -20
    assert refused(brand.reverse(posted, amount=30, key="u")) == (422, "idempotency_key_reused")
    assert refused(brand.reverse(posted, amount=1, up_to=True)) == (422, "reversal_exceeded")
    assert brand.figures() == (0, 0, 0, 0)


def test_a_frozen_account_is_told_so_and_goes_on_earning(brand: Brand) -> None:
    brand.earn(50)
    held = brand.hold(10)
    assert brand.turn(Kind.FREEZE).status == Status.POSTED
    assert brand.turn(Kind.FREEZE).status == Status.ALREADY_FROZEN
    assert refused(brand.send("postings", kind="spend", amount=1)) == (409, "account_frozen")
    assert refused(brand.send("holds", amount=1)) == (409, "account_frozen")
    assert done(brand.capture(held))["state"] == "captured"
    assert brand.earn(5)["balance"] == 45
    assert brand.turn(Kind.UNFREEZE).status == Status.POSTED
    assert brand.turn(Kind.UNFREEZE).status == Status.NOT_FROZEN
    assert brand.spend(45)["balance"] == 0
    assert wrong() == []


def test_an_account_falls_idle_so_long_after_the_last_earn_or_spend(brand: Brand, clock: Clock) -> None:
    brand.set_asset("energy", validity="idle:30D")
    clock.set(EARNED)
    brand.earn(50, asset="energy")
    clock.set(EARNED + 29 * DAY)
    brand.spend(1, asset="energy")
    assert brand.account("energy")["next_expiry"] == {"on": "2126-07-01", "amount": 49}
    clock.set(EARNED + 59 * DAY)
    assert brand.figures("energy")[0] == 49
    clock.set(EARNED + 60 * DAY)
    assert brand.figures("energy")[0] == 0
    brand.earn(3, asset="energy")
    assert brand.kinds("energy") == [("earn", 50), ("spend", -1), ("expire", -49), ("earn", 3)]
    assert refused(brand.send("postings", kind="earn", amount=1, validity="idle:3D")) == (422, "invalid_request")
    assert wrong() == []


def test_points_that_come_back_dead_have_the_grace_of_their_asset(brand: Brand, clock: Clock) -> None:
    brand.set_asset("energy", validity="1D", grace_days=3)
    clock.set(EARNED)
    brand.earn(50, asset="energy")
    held = brand.hold(50, asset="energy", ttl_seconds=5 * 86_400)
    clock.set(EARNED + 4 * DAY)
    done(brand.void(held))
    assert brand.account("energy")["next_expiry"] == {"on": "2126-05-10", "amount": 50}
    clock.set(EARNED + 8 * DAY)
    assert brand.figures("energy")[0] == 0


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("validity", "16Y", "validity_too_long"),
        ("validity", "until:2027-02-30", "validity_on_no_day"),
        ("validity", "sometimes", "invalid_request"),
        ("pending", "367D", "invalid_request"),
        ("pending", "order.confirmed", "invalid_request"),
        ("scale", 5, "invalid_request"),
        ("grace_days", -1, "invalid_request"),
        ("transfer_most", 0, "invalid_request"),
        ("earning_limits", {"day": 0}, "invalid_request"),
        ("spending_limits", {"hour": 5}, "invalid_request"),
        ("transferable", "yes", "invalid_request"),
        ("unit_zh", "分" * 21, "invalid_request"),
    ],
)
def test_an_assets_setting_that_is_not_right_is_named(brand: Brand, field: str, value: object, code: str) -> None:
    body = {"name_en": "Gold", "name_zh": "金币", field: value}
    answer = brand.callers.staff("marketer").put("/v1/assets/gold", body)
    assert refused(answer) == (422, code)
    assert [pointer.split("/")[1] for pointer in pointers(answer)] == [field]


def test_an_assets_settings_are_shown_as_they_were_set(brand: Brand) -> None:
    wanted = {
        "name_en": "Credit", "name_zh": "储值金", "unit_en": "yuan", "unit_zh": "元", "scale": 2, "debt_allowed": True,
        "validity": "until:2030-12-31", "pending": "order.confirmed+15D", "grace_days": 7, "transferable": True,
        "transfer_most": 5_000, "transfer_most_per_day": 20_000, "most_per_member": 90_000, "returns": "pending",
        "earning_limits": {"posting": 9, "day": 10, "week": None, "month": 11, "year": 12},
        "spending_limits": {"posting": None, "day": None, "week": 7, "month": None, "year": None},
    }  # fmt: skip
    marketer = brand.callers.staff("marketer")
    assert done(marketer.put("/v1/assets/credit", wanted)) == {"code": "credit", **wanted}
    assert {"code": "credit", **wanted} in done(marketer.get("/v1/assets"))["assets"]
    plain = done(marketer.put("/v1/assets/credit", {"name_en": "Credit", "name_zh": "储值金"}))
    assert (plain["pending"], plain["transferable"], plain["transfer_most"], plain["scale"]) == ("none", False, None, 0)
