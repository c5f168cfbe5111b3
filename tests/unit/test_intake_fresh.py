"""What is taken in anew when the ledger knows better: never twice for one reason, and only where somebody waits."""

from collections.abc import Callable
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest

from services.points.intake import needs, use_cases
from services.points.intake.batch import CutAndReversed, Kept
from services.points.intake.domain import Event, own_order
from services.points.rules.domain import RuleSet
from tests.rules import NOON, published


@pytest.mark.parametrize("told", [lambda: Kept("shop 1", "order"), lambda: CutAndReversed("shop 1", "order", 5, "why")])
def test_what_is_learned_twice_is_an_error_and_no_endless_loop(
    told: Callable[[], Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    learned = []

    def within_budgets(session: Any, begin: Callable[[], Any], fresh: list[Event]) -> list[str]:
        learned.append(begin())
        raise told()

    monkeypatch.setattr(use_cases, "program_book", lambda *_: SimpleNamespace())
    monkeypatch.setattr(use_cases, "_within_budgets", within_budgets)
    monkeypatch.setattr(needs, "may_be_overtaken", lambda _: True)
    session: Any = SimpleNamespace(begin_nested=nullcontext)
    with pytest.raises((Kept, CutAndReversed)):
        use_cases._take_in_fresh(session, 1, [], NOON)
    first, second = learned
    assert (first.book, second.now) == (second.book, NOON)
    assert second.kept or second.cuts == {("shop 1", "order"): (5, "why")}


def test_only_events_whose_awards_may_wait_are_kept_as_something_to_wait_for() -> None:
    rules = RuleSet(
        (
            published("waits", trigger="review.posted", pending="review.approved+0D"),
            published("as_the_asset", trigger="photo.posted", asset="slow"),
            published("at_once", trigger="share.done"),
            published("for_the_order", trigger="visit.made", pending="order.confirmed+1D"),
            published("unknown", trigger="game.won", asset="nothing"),
        )
    )
    assets = {"points": SimpleNamespace(pending="none"), "slow": SimpleNamespace(pending="photo.approved+2D")}
    book: Any = SimpleNamespace(by_code=assets)
    types = ("review.posted", "photo.posted", "share.done", "visit.made", "game.won", "order.paid", "nobody.asked")
    events = [Event("shop", kind, kind, 7, NOON, {}, b"") for kind in types]
    waiting = needs.waiting_orders(book, rules, events)
    assert waiting == {(7, own_order(f"shop {kind}")) for kind in ("review.posted", "photo.posted")}
