"""Redemption codes: made by marketers, redeemed by members, each as often as it may be, whoever tries at once."""

import csv
from io import StringIO
from typing import Any

import pytest

from services.points import jobs, wakeups
from services.points.codes import domain, use_cases
from services.points.database import transaction
from tests.earning import Shop, at_once
from tests.points import wrong

SPRING = {"name_en": "Spring", "name_zh": "春季", "pattern": "SPRING-????-????-????", "count": 5}


def put(shop: Shop, code: str = "spring", **given: Any) -> Any:
    return shop.marketer.put(f"/v1/code-sets/{code}", {**SPRING, **given})


def export(shop: Shop, code: str = "spring", **asked: int) -> list[str]:
    """The codes of a set, as they are printed."""
    answer = shop.marketer.post(f"/v1/code-sets/{code}/export", asked)
    assert answer.content_type.startswith("text/csv")
    return [row["Code"] for row in csv.DictReader(StringIO(answer.text.lstrip("\ufeff")))]


def redeem(shop: Shop, code: str, member_id: int = 7, *, key: str | None = None) -> Any:
    return shop.callers.member(member_id).post(
        "/v1/codes/redemption", {"code": code}, key=key or f"redeem-{next(shop.keys)}"
    )


def outcome(answer: Any) -> Any:
    """The code of a refusal, or what was awarded."""
    return answer.json.get("code") or [one["amount"] for one in answer.json["decisions"]]


@pytest.fixture
def spring(shop: Shop) -> list[str]:
    """Five codes of which each is worth 20 points."""
    shop.publish("spring", trigger="code.redeemed", formula="20", condition="data.code_set == 'spring'")
    assert put(shop).json["made"] == 5
    return export(shop)


def test_a_code_is_redeemed_once_and_the_same_request_gets_the_same_answer(shop: Shop, spring: list[str]) -> None:
    first = redeem(shop, spring[0].lower().replace("-", " "), key="k1")
    assert (first.status_code, outcome(first), first.json["name_zh"]) == (200, [20], "春季")
    assert redeem(shop, spring[0].lower().replace("-", " "), key="k1").json == first.json
    assert outcome(redeem(shop, spring[0], 8)) == "code_used"
    assert outcome(redeem(shop, spring[1])) == "code_limit_reached"
    assert outcome(redeem(shop, spring[1], 8)) == [20]
    assert (shop.amounts(), shop.amounts(8)) == ([20], [20])
    [event] = shop.marketer.get("/v1/events", member_id=7).json["events"]
    assert (event["type"], event["data"]) == ("code.redeemed", {"code_set": "spring", "number": 1})
    shown = shop.marketer.get("/v1/code-sets/spring").json
    assert (shown["uses"], shown["used"], shown["members"]) == (2, 2, 2)


def test_members_who_redeem_one_code_at_once_get_it_once(shop: Shop, spring: list[str]) -> None:
    answers = at_once([lambda member=member: redeem(shop, spring[0], member) for member in range(1, 9)])
    assert sorted(map(str, map(outcome, answers))) == [str([20]), *["code_used"] * 7]
    assert shop.rows("SELECT sum(balance) FROM points_accounts") == [(20,)]


def test_a_member_who_redeems_several_at_once_gets_no_more_than_one_may(shop: Shop, spring: list[str]) -> None:
    answers = at_once([lambda code=code: redeem(shop, code) for code in spring])
    assert sorted(map(str, map(outcome, answers))) == [str([20]), *["code_limit_reached"] * 4]
    assert shop.rows("SELECT count(*), sum(uses) FROM points_codes") == [(5, 1)]


def test_a_public_code_is_redeemed_as_often_as_it_may_be(shop: Shop) -> None:
    shop.publish("any", trigger="code.redeemed", formula="data.number")
    public = {"pattern": "SUMMER2026", "count": 1, "uses_per_code": 3, "uses_per_member": None}
    assert put(shop, "summer", **public).status_code == 200
    answers = at_once([lambda member=member: redeem(shop, "summer 2026", member) for member in (1, 1, 2, 3, 4)])
    assert sorted(map(str, map(outcome, answers))) == [*[str([1])] * 3, *["code_used"] * 2]
    assert outcome(redeem(shop, "SUMMER2026")) == "code_used"
    assert put(shop, "again", **public).json["code"] == "code_taken"
    assert [one["code"] for one in shop.marketer.get("/v1/code-sets").json["code_sets"]] == ["summer"]


def test_a_code_for_which_no_rule_gives_anything_stays_unused(shop: Shop) -> None:
    put(shop)
    [code, *_] = export(shop)
    refused = redeem(shop, code)
    assert (refused.status_code, outcome(refused)) == (409, "code_without_reward")
    shop.publish("later", trigger="code.redeemed", formula="20", condition="data.number > 1")
    assert "later: condition_false" in redeem(shop, code).json["detail"]
    assert shop.rows("SELECT count(*) FROM points_events") == [(0,)]
    shop.publish("later", trigger="code.redeemed", formula="20")
    assert outcome(redeem(shop, code)) == [20]


def test_codes_have_their_time_and_unknown_ones_are_told_from_none(shop: Shop, spring: list[str]) -> None:
    times = {"early": {"starts_at": "2099-01-01T00:00:00Z"}, "late": {"ends_at": "2020-01-01T00:00:00Z"}}
    for code, given in times.items():
        put(shop, code, **given)
    assert outcome(redeem(shop, export(shop, "early")[0])) == "code_not_started"
    assert outcome(redeem(shop, export(shop, "late")[0])) == "code_expired"
    for guess in ("SPRING-0000-0000-0000", "?", "SPRING-????-????-????"):
        assert (redeem(shop, guess).status_code, outcome(redeem(shop, guess))) == (404, "code_not_found")
    for _ in range(2):
        closed = shop.marketer.post("/v1/code-sets/spring/closure", key=f"close-{next(shop.keys)}").json
        assert closed["closed_by"] == "staff:lin"
    assert outcome(redeem(shop, spring[0])) == "code_expired"
    other = shop.callers.member(7, program_id=2).post("/v1/codes/redemption", {"code": spring[0]}, key="other")
    assert other.status_code == 404


def test_a_set_is_made_once_and_stays_as_it_is(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    first = put(shop).json
    assert put(shop).json == first
    assert put(shop, count=6).json["code"] == "code_set_fixed"
    assert put(shop, "weak", pattern="SPRING-????").json["errors"][0]["pointer"] == "/pattern"
    assert shop.marketer.get("/v1/code-sets/none").json["code"] == "code_set_not_found"
    monkeypatch.setattr(use_cases, "MOST_SETS", 1)
    assert put(shop, "second").json["code"] == "too_many_code_sets"


def test_many_codes_are_made_by_a_job_that_may_die(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(use_cases, "_SLICE", 100)
    real, calls = use_cases.make, iter(range(9))

    def killed(*given: Any, **more: Any) -> bool:
        if next(calls) == 3:
            raise KeyboardInterrupt
        return real(*given, **more)

    monkeypatch.setattr(use_cases, "make", killed)
    assert put(shop, count=450).json["made"] == 100
    with pytest.raises(KeyboardInterrupt):
        jobs.make_codes(1, "spring")
    assert shop.marketer.get("/v1/code-sets/spring").json["made"] == 300
    asked: list[Any] = []
    monkeypatch.setattr(wakeups, "ask", lambda session, *what: asked.append(what))
    jobs.resume_code_sets()
    assert asked == [("make_codes", 1, "spring")]
    jobs.make_codes(1, "spring")
    jobs.resume_code_sets()
    assert len(asked) == 1
    codes = export(shop)
    assert len(set(codes)) == 450
    assert export(shop, after=100, limit=2) == codes[100:102]


def test_a_code_that_is_one_already_is_made_under_the_next_number(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    put(shop, "first", count=1)
    [taken] = shop.rows("SELECT digest FROM points_codes")
    real = domain.digest_of
    digests = iter([taken[0]])
    monkeypatch.setattr(domain, "digest_of", lambda text, **more: next(digests, None) or real(text, **more))
    assert put(shop, count=3).json["made"] == 2
    jobs.make_codes(1, "spring")
    assert shop.rows("SELECT number FROM points_codes WHERE code_set = 'spring' ORDER BY 1") == [(2,), (3,), (4,)]


def test_no_code_can_be_read_in_the_database(shop: Shop, spring: list[str]) -> None:
    redeem(shop, spring[0])
    tables = ("points_codes", "points_code_sets", "points_code_uses", "points_events", "points_idempotency_keys")
    for table in tables:
        for (row,) in shop.rows(f"SELECT t::text FROM {table} t"):
            assert not any(code in row or domain.plain(code) in row for code in spring), table


def test_verify_finds_a_code_that_was_used_without_a_trace(shop: Shop, spring: list[str]) -> None:
    redeem(shop, spring[0])
    with transaction() as session:
        assert use_cases.list_unmade(session) == []
    assert wrong() == []
    for edit, name in {
        "UPDATE points_codes SET uses = uses + 1 WHERE number = 2":
            "codes are used as often as they were redeemed, and no more than they may be",
        "UPDATE points_code_uses SET nth = 2": "members redeem no more codes of a set than they may",
        "UPDATE points_code_sets SET made = 4": "sets have as many codes as are made",
    }.items():  # fmt: skip
        shop.rows(f"{edit} RETURNING 1")
        assert name in {finding.name for finding in wrong()}
    assert "every use of a code is an event, and every such event a use" in {finding.name for finding in wrong()}
    undo = (
        "points_codes SET uses = 0 WHERE number = 2",
        "points_code_uses SET nth = 1",
        "points_code_sets SET made = 5",
    )
    for edit in undo:
        shop.rows(f"UPDATE {edit} RETURNING 1")
