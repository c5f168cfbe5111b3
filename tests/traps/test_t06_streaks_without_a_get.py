"""T6: a streak that breaks only when somebody opens the list is wrong for whoever does not. Ours is derived."""

from tests.levels import Levels


def test_a_streak_breaks_whether_or_not_anybody_looks(levels: Levels) -> None:
    levels.campaign()
    for member_id in (7, 8):
        levels.tap(member_id)
    for _ in range(2):
        levels.later(days=1)
        levels.calendar(7)
    for member_id in (7, 8):
        assert levels.calendar(member_id)["streak"] == 0
        assert levels.tap(member_id).json["streak"] == 1


def test_looking_writes_nothing(levels: Levels) -> None:
    levels.campaign()
    levels.tap(7)
    levels.later(days=5)
    tables = [table.name for table in levels.service.database.metadata.sorted_tables]

    def written() -> list[int]:
        levels.sql("SELECT pg_stat_clear_snapshot()")
        return [levels.sql(f"SELECT count(*) FROM {name}")[0][0] for name in tables] + [
            levels.sql(f"SELECT coalesce(max(xmin::text::bigint), 0) FROM {name}")[0][0] for name in tables
        ]

    before = written()
    levels.calendar(7)
    levels.member(7).get("/v1/badges")
    levels.member(7).get("/v1/leaderboards/spend")
    assert written() == before
