"""Boards: counting, showing from Valkey and from PostgreSQL alike, closing and rewarding."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from redis.exceptions import ConnectionError as RedisDown

import services.levels.leaderboards.projection
from common.queue import queue, redis
from services.levels.wakeups import HEAVY
from tests.levels import NOW, Levels, at_once, badge, points


def shown(levels: Levels, board: str = "spend", **query: Any) -> list[tuple[int, int]]:
    """The top from PostgreSQL and from Valkey, before and after a flush; they must agree."""
    redis().flushall()
    first = levels.top(board, **query)
    levels.service.database.dispose()
    (job,) = [one for one in queue(HEAVY).jobs if one.func_name.endswith("rebuild_board")]
    from services.levels import jobs

    jobs.rebuild_board(*job.args)
    second = levels.top(board, **query)
    assert second == first
    return first


def scores(levels: Levels) -> list[Any]:
    """Every score and when it was reached."""
    shown = "program_id, member_id, metric, period, starts_on, score, reached_at"
    return levels.sql(f"SELECT {shown} FROM levels_board_scores ORDER BY 1, 2, 3, 4, 5")


def test_net_paid_orders_rank_and_ties_go_to_who_was_first(levels: Levels) -> None:
    levels.pay(1, "o1", 5_000)
    levels.pay(2, "o2", 10_000, at=levels.later(seconds=1))
    levels.pay(3, "o3", 10_000, at=levels.later(seconds=1))
    levels.pay(1, "o4", 5_000, at=levels.later(seconds=1))
    levels.pay(4, "o5", 1, at=NOW)
    levels.pull()
    for period in ("day", "week", "month", "all"):
        assert shown(levels, period=period) == [(2, 10_000), (3, 10_000), (1, 10_000), (4, 1)]
    assert shown(levels, limit=2) == [(2, 10_000), (3, 10_000)]


def test_a_refund_is_taken_off_where_its_order_counted_whichever_comes_first(levels: Levels) -> None:
    march = NOW - timedelta(days=60)
    levels.pay(1, "old", 9_000, at=march)
    levels.pay(1, "new", 3_000)
    levels.refund(2, "early", 400)
    levels.refund(1, "old", 4_000)
    levels.pay(2, "early", 1_000)
    levels.refund(1, "new", 99_999, "r2")
    levels.pull()
    assert shown(levels, period="month", on="2026-03-31") == [(1, 5_000)]
    assert shown(levels, period="month") == [(2, 600)]
    assert shown(levels, period="all") == [(1, 5_000), (2, 600)]


def test_replays_repeats_and_pages_of_any_size_count_once(levels: Levels) -> None:
    for number in range(40):
        levels.pay(number % 7 + 1, f"o{number}", 100 + number, at=NOW - timedelta(days=number % 9))
        levels.entry(number % 7 + 1, "points", 10 + number, number // 7 + 1)
        if number % 5 == 0:
            levels.refund(number % 7 + 1, f"o{number}", 50)
    levels.pay(1, "o0", 77)
    levels.refund(1, "o0", 50)
    levels.pull(page=3)
    before = scores(levels)
    levels.replay()
    levels.sql("TRUNCATE levels_board_scores, levels_spend_orders, levels_spend_refunds, levels_earned_marks")
    levels.replay()
    after = scores(levels)
    assert before == after
    total = sum(100 + number for number in range(40)) - 8 * 50
    assert sum(score for _, score in levels.top(period="all")) == total


def test_points_earned_count_when_they_are_available_and_what_is_taken_back_before_that_never_does(
    levels: Levels,
) -> None:
    levels.entry(1, "points", 128, 1, held_delta=128, held=128)
    levels.entry(2, "points", 50, 1)
    levels.pull()
    assert shown(levels, "points_earned") == [(2, 50)]
    levels.entry(1, "points", -28, 2, kind="reverse", held_delta=-28, held=100)
    levels.entry(1, "points", 0, 3, kind="release", held_delta=-100)
    levels.pull()
    assert shown(levels, "points_earned") == [(1, 100), (2, 50)]
    levels.entry(1, "points", -60, 4, kind="reverse")
    levels.pull()
    assert shown(levels, "points_earned") == [(2, 50), (1, 40)]


def test_points_earned_count_net_of_reversals_but_not_of_spending(levels: Levels) -> None:
    levels.entry(1, "points", 100, 1)
    levels.entry(1, "points", -60, 2, kind="spend")
    levels.entry(1, "points", 60, 3, kind="reverse")
    levels.entry(1, "points", -30, 4, kind="reverse")
    levels.entry(1, "energy", 999, 1)
    levels.entry(2, "points", 80, 1)
    levels.pull()
    assert shown(levels, "points_earned") == [(2, 80), (1, 70)]


def test_orders_nobody_can_read_are_left_out_and_stop_nothing(levels: Levels) -> None:
    levels.pay(1, "o1", "12")
    levels.pay(1, "o2", True)
    levels.pay(1, "o3", -5)
    levels.pay(None, "o4", 5)
    levels.event("order.paid", 1, {"order_id": 5, "paid_fen": 5})
    levels.event("order.paid", 1, {"paid_fen": 5})
    levels.event("order.refunded", 1, {"order_id": "o9"})
    levels.pay(1, "o9", 7)
    levels.pull()
    assert levels.top() == [(1, 7)]


def test_days_are_cut_in_the_programs_zone(levels: Levels) -> None:
    midnight = datetime(2026, 5, 31, 16, 0, tzinfo=UTC)
    levels.pay(1, "o1", 5, at=midnight - timedelta(microseconds=1))
    levels.pay(2, "o2", 6, at=midnight)
    levels.pull()
    assert levels.top(period="day", on="2026-05-31") == levels.top(period="month", on="2026-05-01") == [(1, 5)]
    assert levels.top(period="day", on="2026-06-01") == levels.top(period="month", on="2026-06-30") == [(2, 6)]
    assert levels.top(period="week", on="2026-05-31") == [(1, 5)]


def test_my_rank_and_the_gap_are_the_same_from_both_stores(levels: Levels) -> None:
    for member_id, fen in ((1, 500), (2, 300), (3, 300), (4, 100)):
        levels.pay(member_id, f"o{member_id}", fen, at=levels.later(seconds=1))
    levels.pull()
    expected = {1: (1, 500, None), 2: (2, 300, 200), 3: (3, 300, 0), 4: (4, 100, 200), 9: (None, 0, None)}
    assert {member_id: levels.rank(member_id) for member_id in expected} == expected
    levels.run("refresh_boards")
    rebuild(levels)
    assert {member_id: levels.rank(member_id) for member_id in expected} == expected
    levels.pay(4, "o9", 400, at=levels.later(seconds=1))
    levels.pull()
    levels.run("refresh_boards")
    assert [levels.rank(member_id) for member_id in (1, 4, 2)] == [(1, 500, None), (2, 500, 0), (3, 300, 200)]


def rebuild(levels: Levels) -> None:
    from services.levels.leaderboards import use_cases

    use_cases.rebuild_all(levels.service.database)


def from_valkey(levels: Levels, monkeypatch: pytest.MonkeyPatch, **query: Any) -> list[tuple[int, int]]:
    """The top when PostgreSQL may not be asked for it."""
    with monkeypatch.context() as patch:
        patch.setattr("services.levels.leaderboards.repository.list_top", None)
        return levels.top(**query)


def test_changes_reach_valkey_by_the_job_and_only_once_needed(levels: Levels, monkeypatch: pytest.MonkeyPatch) -> None:
    levels.pay(1, "o1", 5)
    levels.pull()
    rebuild(levels)
    assert from_valkey(levels, monkeypatch) == [(1, 5)]
    levels.pay(2, "o2", 9)
    levels.refund(1, "o1", 5)
    levels.pull()
    assert from_valkey(levels, monkeypatch) == [(1, 5)]
    assert any(job.func_name.endswith("refresh_boards") for job in queue(HEAVY).jobs)
    levels.run("refresh_boards")
    assert from_valkey(levels, monkeypatch) == [(2, 9)]
    assert levels.sql("SELECT 1 FROM levels_board_untold") == []


def test_many_changes_reach_valkey_in_slices_between_which_others_have_their_turn(
    levels: Levels, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.levels.leaderboards.use_cases._TOLD_AT_ONCE", 5)
    for member_id in (1, 2, 3):
        levels.pay(member_id, f"o{member_id}", member_id)
        levels.pull()
    left, untold = [], "SELECT 1 FROM levels_board_untold"
    while levels.sql(untold):
        redis().flushall()
        left.append(len(levels.sql(untold)))
        levels.run("refresh_boards")
        asked = [job.func_name.rsplit(".", 1)[-1] for job in queue(HEAVY).jobs]
        assert asked == (["refresh_boards"] if left[-1] > 2 else [])
    assert left == [3, 1]


def test_only_sets_that_somebody_asked_for_are_told(levels: Levels, monkeypatch: pytest.MonkeyPatch) -> None:
    from services.levels.leaderboards import projection, repository, use_cases

    told: list[str] = []
    push = projection.push

    def listening(scores: Any, as_of: datetime) -> None:
        told.extend(one.ranked.period for one in scores)
        push(scores, as_of)

    monkeypatch.setattr(projection, "push", listening)
    levels.pay(1, "o1", 5)
    levels.pull()
    levels.run("refresh_boards")
    assert (told, levels.sql("SELECT 1 FROM levels_board_untold")) == ([], [])
    with levels.service.database.transaction() as session:
        (month,) = [one for one in repository.list_ranked_sets(session) if one.period == "month"]
    assert use_cases.rebuild(levels.service.database, month)
    del told[:]
    levels.pay(2, "o2", 9)
    levels.pull()
    levels.run("refresh_boards")
    assert told == ["month"]
    assert from_valkey(levels, monkeypatch) == [(2, 9), (1, 5)]


def test_late_and_repeated_writes_to_valkey_do_no_harm(levels: Levels, monkeypatch: pytest.MonkeyPatch) -> None:
    from services.levels.leaderboards import projection, untold_repository

    levels.pay(1, "o1", 5)
    levels.pull()
    rebuild(levels)
    with levels.service.database.transaction() as session:
        pages, _ = untold_repository.list_untold(session, 100)
        old = untold_repository.list_changed(session, pages, untold_repository.list_changed_sets(session, pages))
    assert {one.ranked.period for one in old} == {"day", "week", "month", "all"}
    levels.pay(1, "o2", 5)
    levels.pull()
    levels.run("refresh_boards")
    projection.push(old, NOW)
    projection.push(old, NOW)
    assert from_valkey(levels, monkeypatch) == [(1, 10)]


def test_a_set_flushed_while_it_is_built_is_not_believed(levels: Levels, monkeypatch: pytest.MonkeyPatch) -> None:
    from services.levels.leaderboards import projection, repository, use_cases

    levels.pay(1, "o1", 5)
    levels.pay(2, "o2", 6)
    levels.pull()
    with levels.service.database.transaction() as session:
        (month,) = [one for one in repository.list_ranked_sets(session) if one.period == "month"]
    whole = projection.push

    def flushed(*args: Any) -> None:
        redis().flushall()
        whole(*args)

    monkeypatch.setattr(projection, "push", flushed)
    assert use_cases.rebuild(levels.service.database, month) is False
    assert levels.top() == [(2, 6), (1, 5)]
    monkeypatch.setattr(projection, "push", whole)
    assert use_cases.rebuild(levels.service.database, month) is True
    assert from_valkey(levels, monkeypatch) == [(2, 6), (1, 5)]


def test_without_valkey_the_answers_come_from_postgresql(levels: Levels, monkeypatch: pytest.MonkeyPatch) -> None:
    levels.pay(1, "o1", 5)
    levels.pull()

    def down(*args: Any) -> None:
        raise RedisDown("gone")

    monkeypatch.setattr(services.levels.leaderboards.projection, "_script", down)
    assert levels.top() == [(1, 5)]
    assert levels.rank(1) == (1, 5, None)


def test_names_are_masked_and_only_staff_see_ids(levels: Levels) -> None:
    levels.pay(1_234_567, "o1", 5)
    levels.pull()
    (place,) = levels.member(7).get("/v1/leaderboards/spend").json["places"]
    assert place == {"rank": 1, "name": "***4567", "score": 5, "you": False}
    (mine,) = levels.member(1_234_567).get("/v1/leaderboards/spend").json["places"]
    assert mine["you"] is True
    assert levels.ranking()["places"] == [{"rank": 1, "name": "***4567", "score": 5, "member_id": 1_234_567}]
    assert levels.staff("auditor", program_id=2).get("/v1/leaderboards/spend").json["places"] == []


def test_who_hides_leaves_the_rankings_and_may_come_back(levels: Levels) -> None:
    for member_id in (1, 2):
        levels.pay(member_id, f"o{member_id}", 10 - member_id)
    levels.pull()
    rebuild(levels)
    hide = levels.member(1)
    for _ in range(2):
        assert hide.put("/v1/members/me/visibility", {"visible": False}).json == {"visible": False}
    levels.run("refresh_boards")
    assert levels.top() == shown(levels) == [(2, 8)]
    assert levels.rank(1) == (None, 0, None)
    levels.pay(1, "o3", 1)
    levels.pull()
    levels.run("refresh_boards")
    assert levels.top() == [(2, 8)]
    for _ in range(2):
        hide.put("/v1/members/me/visibility", {"visible": True})
    levels.run("refresh_boards")
    assert levels.top() == shown(levels) == [(1, 10), (2, 8)]


def test_a_period_closes_once_frozen_and_rewarded_by_position(levels: Levels) -> None:
    levels.describe("champion")
    prizes = [
        {"first": 1, "last": 1, "reward": [*points(100), *badge("champion")]},
        {"first": 2, "last": 3, "reward": points(10)},
    ]
    levels.board(periods=["day", "all"], prizes={"day": prizes})
    for member_id, fen in ((1, 500), (2, 400), (3, 300), (4, 200)):
        levels.pay(member_id, f"o{member_id}", fen)
    levels.now = datetime(2026, 5, 20, 16, 0, 29, tzinfo=UTC)
    levels.run("close_boards")
    assert levels.granted() == {}
    levels.later(seconds=1)
    at_once(lambda: levels.run("close_boards"), lambda: levels.run("close_boards"))
    name = "levels:board:spend:day:2026-05-20"
    expected = {f"{name}:1": prizes[0]["reward"], f"{name}:2": points(10), f"{name}:3": points(10)}
    assert levels.granted() == expected
    assert levels.held(1) == [("champion", "")]
    levels.refund(1, "o1", 500)
    levels.pay(4, "o9", 9_000, at=NOW)
    levels.pull()
    levels.run("close_boards")
    frozen = levels.ranking(period="day", on="2026-05-20")
    assert (frozen["frozen"], frozen["ends_on"]) == (True, "2026-05-20")
    assert [place["score"] for place in frozen["places"]] == [500, 400, 300, 200]
    assert levels.rank(4, period="day", on="2026-05-20") == (4, 200, 100)
    assert levels.rank(1, period="day", on="2026-05-20") == (1, 500, None)
    assert levels.rank(9, period="day", on="2026-05-20") == (None, 0, None)
    assert levels.top(period="all") == [(4, 9_200), (2, 400), (3, 300)]
    assert levels.granted() == expected


def test_a_dead_job_settles_every_missed_period_later_and_none_before_the_board(levels: Levels) -> None:
    levels.pay(1, "old", 5, at=NOW - timedelta(days=2))
    levels.board(periods=["day", "week", "month"], prizes={"day": [{"first": 1, "last": 1, "reward": points(1)}]})
    levels.pay(1, "o1", 5)
    levels.pay(1, "o2", 5, at=NOW + timedelta(days=1))
    levels.later(days=12)
    levels.run("close_boards")
    closed = levels.sql("SELECT period, starts_on::text, winners FROM levels_board_settlements ORDER BY 1, 2")
    days = [row.starts_on for row in closed if row.period == "day"]
    assert (days[0], days[-1], len(days)) == ("2026-05-20", "2026-05-31", 12)
    assert [tuple(row) for row in closed if row.period != "day"] == [
        ("month", "2026-05-01", 0),
        ("week", "2026-05-18", 0),
        ("week", "2026-05-25", 0),
    ]
    assert len(levels.granted()) == 2
    levels.later(days=1)
    levels.run("close_boards")
    assert len(levels.sql("SELECT 1 FROM levels_board_settlements WHERE period = 'day'")) == 13


def test_boards_are_data_with_versions_and_two_are_built_in(levels: Levels) -> None:
    built_in = levels.member(1).get("/v1/leaderboards").json["boards"]
    assert [(one["code"], one["version"]) for one in built_in] == [("points_earned", 0), ("spend", 0)]
    levels.board(periods=["all"])
    assert levels.board("vip", periods=["day"], prizes={})["version"] == 1
    assert levels.board(periods=["month"])["version"] == 2
    boards = levels.member(1).get("/v1/leaderboards").json["boards"]
    assert [(one["code"], one["version"]) for one in boards] == [("points_earned", 0), ("spend", 2), ("vip", 1)]
    assert levels.member(1).get("/v1/leaderboards/spend", period="day").json["code"] == "period_not_kept"
    assert levels.member(1).get("/v1/leaderboards/nothing").json["code"] == "board_not_found"
    assert levels.member(1).get("/v1/leaderboards/spend", period="year").status_code == 422


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        ({"prizes": {"all": [{"first": 1, "last": 1, "reward": points(1)}]}}, "bad_prizes"),
        ({"prizes": {"week": [{"first": 1, "last": 1, "reward": points(1)}]}}, "bad_prizes"),
        ({"prizes": {"day": [{"first": 2, "last": 1, "reward": points(1)}]}}, "bad_prizes"),
        ({"prizes": {"day": [{"first": 1, "last": 2, "reward": points(1)}] * 2}}, "bad_prizes"),
        ({"prizes": {"day": [{"first": 1, "last": 1, "reward": badge("unknown")}]}}, "badge_not_found"),
        ({"periods": []}, "invalid_request"),
        ({"periods": ["day", "day"]}, "invalid_request"),
        ({"metric": "luck"}, "invalid_request"),
    ],
)
def test_a_board_that_makes_no_sense_is_refused(levels: Levels, terms: dict[str, Any], code: str) -> None:
    body = {"name_en": "S", "name_zh": "榜", "metric": "spend", "periods": ["day", "all"], **terms}
    answer = levels.marketer().put("/v1/leaderboards/spend", body)
    assert (answer.status_code, answer.json["code"]) == (422, code)


def test_counting_showing_and_rebuilding_at_once_end_in_the_same_ranking(
    levels: Levels, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(400):
        levels.pay(number % 23 + 1, f"o{number}", 100 + number % 9, at=NOW + timedelta(seconds=number))
        if number % 3 == 0:
            levels.refund(number % 23 + 1, f"o{number}", 50)

    def often(job: Callable[[], object]) -> None:
        for _ in range(8):
            job()

    at_once(
        lambda: levels.pull(page=20),
        lambda: often(lambda: levels.run("refresh_boards")),
        lambda: often(lambda: levels.run("refresh_boards")),
        lambda: often(lambda: rebuild(levels)),
        lambda: often(redis().flushall),
    )
    rebuild(levels)
    levels.run("refresh_boards")
    in_valkey = from_valkey(levels, monkeypatch, period="all", limit=100)
    redis().flushall()
    assert in_valkey == levels.top(period="all", limit=100)
    assert len(in_valkey) == 23
