"""Events that our own house causes: days that come back, told by levels, and lists that members enter."""

from typing import Any

import pytest
from redis.exceptions import ConnectionError as RedisDown

from common import queue
from common.clock import now
from common.feed import Fact
from services.points import jobs, wakeups
from services.points.database import transaction
from services.points.service import service
from services.points.triggers import use_cases
from tests.earning import Shop, at_once, event

MAY_20 = "2026-05-20"


def reached(number: int, kind: str = "birthday", *, member_id: int = 7, year: int = 2026, **more: Any) -> Fact:
    """What levels says when a member's day has come; in Shanghai it begins the evening before."""
    at = f"{year}-05-19T16:00:00+00:00"
    payload = {"year": year, "day": f"{year}-05-20", "at": at, **more}
    return Fact("levels", number, f"{kind}.reached", 1, member_id, now(), payload)


def tell(*facts: Fact) -> None:
    """Let points take facts of levels, in the transaction of a page."""
    with transaction() as session:
        service.subscription("levels").handlers[facts[0].topic](session, list(facts))


def enter(shop: Shop, *members: int, code: str = "sleepers", kind: str = "segments", remove: bool = False) -> None:
    """Put members into a list, or take them out."""
    body = {"remove" if remove else "add": list(members)}
    answer = shop.callers.system("members").post(f"/v1/audiences/{kind}/{code}/members", body)
    assert answer.status_code == 200, answer.json


@pytest.fixture
def gift(shop: Shop) -> Shop:
    """A shop that gives 50 points for a birthday, and a point for each year of a membership."""
    shop.publish("birthday", trigger="birthday.reached", formula="50", condition="event.day == '2026-05-20'")
    shop.publish("years", trigger="anniversary.reached", formula="data.years")
    return shop


def test_a_birthday_is_rewarded_on_its_day_once_a_year_however_often_it_is_told(gift: Shop) -> None:
    tell(reached(1), reached(1))
    tell(reached(2, day="2026-12-31", at="2026-12-30T16:00:00+00:00"), reached(3, member_id=8))
    assert (gift.amounts(), gift.amounts(8)) == ([50], [50])
    [entry] = gift.entries()
    assert entry["cause"] == "jifen:levels birthday.reached/7/2026"
    tell(reached(4, "anniversary", years=3))
    assert gift.amounts() == [50, 3]
    shown = gift.marketer.get("/v1/events", member_id=7).json["events"]
    assert [(one["type"], one["data"]) for one in shown][-1] == ("birthday.reached", {"year": 2026, "day": MAY_20})


def test_entering_a_list_is_rewarded_once_a_day(shop: Shop) -> None:
    shop.publish("back", trigger="segment.entered", formula="5", condition="data.segment == 'sleepers'")
    shop.publish("vip", trigger="tag.entered", formula="7", audience={"tags": ["vip"]})
    enter(shop, 7, 8)
    enter(shop, 7, 9)
    enter(shop, 7, code="vip", kind="tags")
    jobs.take_in_joined()
    assert [shop.amounts(member) for member in (7, 8, 9)] == [[5, 7], [5], [5]]
    enter(shop, 7, remove=True)
    enter(shop, 7)
    jobs.take_in_joined()
    assert shop.amounts() == [5, 7]
    [(id,)] = shop.rows("SELECT id FROM points_events WHERE member_id = 8")
    assert id.startswith("segments/sleepers/8/20")


def test_a_job_that_dies_and_workers_at_once_take_each_entry_in_once(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.publish("back", trigger="segment.entered", formula="5")
    monkeypatch.setattr(use_cases, "_PAGE", 4)
    enter(shop, *range(1, 11))
    with monkeypatch.context() as broken:
        broken.setattr(use_cases.intake, "take_in_ours", _die)
        with pytest.raises(KeyboardInterrupt):
            jobs.take_in_joined()
    at_once([jobs.take_in_joined] * 3)
    jobs.take_in_joined()
    assert shop.rows("SELECT count(*), sum(balance) FROM points_accounts WHERE balance > 0") == [(10, 50)]


def _die(*_: Any, **__: Any) -> None:
    raise KeyboardInterrupt


def test_entering_asks_for_the_job_and_does_not_need_valkey(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    enter(shop, 7)
    assert "services.points.jobs.take_in_joined" in [one.func_name for one in queue.queue(wakeups.HEAVY).jobs]

    def down(*_: object, **__: object) -> None:
        raise RedisDown("gone")

    monkeypatch.setattr("common.wakeups.enqueue_once", down)
    enter(shop, 8)
    jobs.take_in_joined()
    assert shop.rows("SELECT count(*) FROM points_events") == [(2,)]


@pytest.mark.parametrize("type", ["birthday.reached", "segment.entered", "list.joined"])
def test_nobody_outside_speaks_in_our_name(shop: Shop, type: str) -> None:
    assert shop.post(event(type=type)).status_code == 422
    assert shop.post(event(source="jifen:levels")).status_code == 422
    assert shop.send_one(event(source="jifen"))["replayed"] is False


def test_analysis_warns_of_a_rule_that_rewards_entering_again_and_again(shop: Shop) -> None:
    shop.publish("back", trigger="segment.entered", formula="5")
    shop.publish("once", trigger="tag.entered", formula="5", frequency={"times": [{"per": "total", "most": 1}]})
    concerns = shop.marketer.post("/v1/rule-analysis", {}).json["concerns"]
    assert [one["rules"] for one in concerns if one["code"] == "entered_again"] == [["back"]]
