"""T33: a rule that is edited after use drops what it was used for (Voucherify), or changes it for everybody.

Publishing makes a new version; what an old one awarded keeps the old one, word for word.
"""

from collections.abc import Iterator

import pytest

from common.service import Service
from tests.earning import Shop, event, open_shop, paid, refunded


@pytest.fixture
def shop(points_migrated: Service) -> Iterator[Shop]:
    """An empty service with a program."""
    yield from open_shop(points_migrated)


def test_every_entry_leads_to_the_words_that_decided_it(shop: Shop) -> None:
    formulas = ["10", "20", "30"]
    for number, formula in enumerate(formulas):
        shop.publish(formula=formula)
        shop.send_one(paid(f"A{number}"))
    shop.act("order", "rollback", {"version": 1})
    shop.send_one(paid("A3"))
    shop.act("order", "retirement")
    documents = dict(shop.rows("SELECT id, document ->> 'formula' FROM points_rule_versions"))
    kept = [(entry["amount"], documents[entry["rule_version"]]) for entry in shop.entries()]
    assert kept == [(10, "10"), (20, "20"), (30, "30"), (10, "10")]


def test_why_is_answered_as_it_was_decided_then(shop: Shop) -> None:
    shop.publish()
    shop.send_one(paid())
    shop.publish(condition="false", asset="growth")
    shop.send_one(paid("A2"))
    asked = shop.callers.staff("customer_service").get("/v1/events", source="shop", id="paid-A1")
    assert asked.json["events"][0]["result"]["decisions"] == [
        {"rule": "order", "version": 1, "asset": "points", "amount": 100, "reason": "awarded"}
    ]


def test_an_event_that_comes_again_after_the_edit_keeps_its_first_result(shop: Shop) -> None:
    shop.publish()
    first = shop.send_one(paid())
    shop.publish(formula="1")
    assert shop.send_one(paid()) == {**first, "replayed": True}
    assert shop.send_one(refunded(10_000))["reversed"][0]["amount"] == 100


def test_a_refund_keeps_the_version_of_what_it_reverses(shop: Shop) -> None:
    shop.publish()
    shop.send_one(paid())
    shop.publish(formula="7")
    shop.send_one(refunded(1_000))
    earned, taken = shop.entries()
    assert taken["rule_version"] == earned["rule_version"]


def test_editing_one_rule_leaves_the_others_as_they_are(shop: Shop) -> None:
    shop.publish("one", trigger="review.posted", formula="1")
    shop.publish("two", trigger="review.posted", formula="2")
    before = shop.marketer.get("/v1/rules/two").json
    shop.publish("one", trigger="review.posted", formula="5")
    assert shop.marketer.get("/v1/rules/two").json == before
    assert [one["amount"] for one in shop.send_one(event())["decisions"]] == [5, 2]
