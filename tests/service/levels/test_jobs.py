"""Jobs, their schedule, and how they are woken."""

import importlib
import subprocess
import sys

import pytest
from click.testing import CliRunner
from redis.exceptions import ConnectionError as RedisDown

import common.wakeups
from common.queue import queue, redis
from services.levels.schedule import SCHEDULE
from services.levels.wakeups import HEAVY
from tests.levels import NOW, Levels, points


def waiting() -> set[str]:
    return {job.func_name.rsplit(".", 1)[1] for job in queue(HEAVY).jobs}


def test_the_schedule_names_jobs_that_are_there_and_every_job_is_on_it() -> None:
    jobs = importlib.import_module("services.levels.jobs")
    named = {entry.function.rsplit(".", 1)[1] for entry in SCHEDULE}
    assert all(entry.function.startswith("services.levels.jobs.") for entry in SCHEDULE)
    light = {entry.function.rsplit(".", 1)[1] for entry in SCHEDULE if entry.queue == "levels"}
    assert light == {"pull_feed"}, "nothing makes facts wait"
    declared = {name for name, value in vars(jobs).items() if getattr(value, "__module__", "") == jobs.__name__}
    assert {name for name in declared if not name.startswith("_")} - {"rebuild_board"} == named
    assert {entry.args for entry in SCHEDULE if entry.args} == {("points",), ("referrals",), ("redemption",)}


def test_the_schedule_loads_without_the_service() -> None:
    told = "import sys, services.levels.schedule; print('flask' in sys.modules, 'sqlalchemy' in sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert loaded.stdout.split() == ["False", "False"]


def test_jobs_are_asked_for_after_commit_and_a_lost_one_loses_nothing(levels: Levels) -> None:
    levels.ladder(("base", 0), ("gold", 100), gold=points(5))
    levels.campaign(milestones=[{"streak": 1, "reward": points(3)}])
    levels.grow(1, 100, 1)
    levels.tap(1)
    levels.pay(1, "o1", 5)
    levels.pull()
    assert {"grant_promotions", "grant_milestones", "refresh_boards"} <= waiting()
    redis().flushall()
    for job in ("grant_promotions", "grant_milestones"):
        levels.run(job)
        levels.run(job)
    assert len(levels.granted()) == 3


def test_a_check_in_does_not_need_valkey(levels: Levels, monkeypatch: pytest.MonkeyPatch) -> None:
    levels.campaign(milestones=[{"streak": 1, "reward": points(3)}])

    def down(*args: object, **more: object) -> None:
        raise RedisDown("gone")

    monkeypatch.setattr(common.wakeups, "enqueue_once", down)
    assert levels.tap(1).status_code == 200
    levels.run("grant_milestones")
    assert levels.granted()["levels:streak:daily:1:1"] == points(3)


def test_a_feed_is_pulled_by_the_job(levels: Levels) -> None:
    from services.levels import jobs

    levels.pay(1, "o1", 5)
    jobs.pull_feed("points")
    assert levels.top() == [(1, 5)]


def test_boards_are_rebuilt_by_command(levels: Levels) -> None:
    levels.pay(1, "o1", 5, at=NOW)
    levels.pull()
    main = importlib.import_module("services.levels.commands")
    ran = CliRunner().invoke(main.commands, ["rebuild-boards"])
    assert (ran.exit_code, ran.output) == (0, "4 sorted sets rebuilt\n")


def test_settings_of_a_program_are_the_newest_however_often_told(levels: Levels) -> None:
    levels.zone("Asia/Tokyo")
    levels.zone("Europe/Berlin")
    levels.zone("UTC", program_id=2)
    levels.replay()
    rows = levels.sql("SELECT program_id, time_zone FROM levels_programs ORDER BY 1")
    assert [tuple(row) for row in rows] == [(1, "Europe/Berlin"), (2, "UTC")]
