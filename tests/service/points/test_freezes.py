"""Freezing: nothing can be taken from a frozen account, and what stands so already is said."""

import pytest

from tests.care import Desk
from tests.points import done, pointers, refused, wrong

BODY = {"member_id": 7, "reason": "chargeback"}


def test_a_frozen_account_gives_nothing_until_it_is_unfrozen(desk: Desk) -> None:
    desk.brand.earn(100)
    hold = desk.brand.hold(10)
    answer = done(desk.lin.post("/v1/accounts/points/freeze", BODY, key="f1"))
    assert (answer["member_id"], answer["account"]["frozen"], answer["account"]["changed"]) == (7, True, True)
    assert desk.lin.post("/v1/accounts/points/freeze", BODY, key="f1").json == answer
    assert desk.brand.account()["frozen"] is True
    assert refused(desk.brand.send("postings", kind="spend", amount=1))[1] == "account_frozen"
    assert refused(desk.brand.send("holds", amount=1))[1] == "account_frozen"
    assert refused(desk.ask(-1))[1] == "account_frozen"
    assert desk.ask(5).status_code == 201
    done(desk.brand.capture(hold))
    assert refused(desk.lin.post("/v1/accounts/points/freeze", BODY, key="f2"))[1] == "already_frozen"
    entry = desk.brand.entries()[2]
    assert (entry["kind"], entry["amount"], entry["cause"]) == ("freeze", 0, "staff:lin")
    assert entry["meta"] == {"reason": "chargeback", "agent": "lin"}
    done(desk.mei.post("/v1/accounts/points/unfreeze", {**BODY, "reason": "settled"}, key="f3"))
    assert refused(desk.mei.post("/v1/accounts/points/unfreeze", BODY, key="f4"))[1] == "not_frozen"
    desk.brand.spend(1)
    assert desk.brand.account()["frozen"] is False
    assert wrong() == []


def test_all_accounts_are_frozen_at_once_also_those_frozen_before(desk: Desk) -> None:
    done(desk.lin.post("/v1/accounts/energy/freeze", BODY, key="f1"))
    answer = done(desk.lin.post("/v1/freezes", BODY, key="f2"))
    assert [(one["asset"], one["changed"]) for one in answer["accounts"]] == [
        ("points", True),
        ("energy", False),
        ("growth", True),
    ]
    assert all(desk.brand.account(asset)["frozen"] for asset in ("points", "energy", "growth"))
    answer = done(desk.lin.post("/v1/unfreezes", BODY, key="f3"))
    assert all(one["changed"] and not one["frozen"] for one in answer["accounts"])
    assert wrong() == []


@pytest.mark.parametrize("path", ["accounts/points/freeze", "accounts/points/unfreeze", "freezes", "unfreezes"])
def test_who_may_and_what_is_needed(desk: Desk, path: str) -> None:
    path = f"/v1/{path}"
    for by in (desk.staff("tan", "marketer"), desk.brand.callers.member(7), desk.brand.shop):
        assert by.post(path, BODY, key="f").status_code == 403
    assert refused(desk.lin.post(path, BODY)) == (400, "idempotency_key_missing")
    assert pointers(desk.lin.post(path, {"member_id": 7, "reason": ""}, key="f")) == ["/reason"]
    assert pointers(desk.lin.post(path, {"reason": "x"}, key="f")) == ["/member_id"]
    stranger = desk.staff("lin", "customer_service", program_id=2)
    assert refused(stranger.post(path, BODY, key="f")) == (404, "program_not_configured")


def test_an_asset_that_there_is_not_is_not_found(desk: Desk) -> None:
    assert refused(desk.lin.post("/v1/accounts/gold/freeze", BODY, key="f")) == (404, "asset_not_found")
