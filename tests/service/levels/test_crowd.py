"""Taps in flight are answered together as each would be alone: by the short way, by Flask, and when they are twins."""

import json
from functools import partial
from typing import Any
from unittest.mock import patch

import pytest
from werkzeug.test import Client, TestResponse

from common import clock
from common.http.crowd import Crowd, Sent
from common.http.lean import Lean
from common.identity import HEADER, Identity, sign
from services.levels.checkins import taps_repository
from services.levels.checkins.domain import Tap, UnknownCampaign
from services.levels.checkins.routes import check_in_together
from services.levels.checkins.use_cases import check_in
from tests.levels import Levels, at_once, badge, points
from tests.support import SECRET

SHORT, PLAIN = 1, 2
PATH = "/v1/checkins"
MEMBER = ("member", "7", ())


@pytest.fixture
def ways(levels: Levels) -> dict[int, Client]:
    """A client of the short way, tapping in one program, and one of the plain way, in another like it."""
    levels.describe("keen")
    for program_id in (SHORT, PLAIN):
        words = {"name_en": "Daily", "name_zh": "签到"}
        levels.marketer(program_id).put("/v1/badges/keen", {**words, "criteria_en": "x", "criteria_zh": "x"})
        terms = {**words, "day_table": [points(5), points(7) + badge("keen"), [], *[points(1)] * 4]}
        assert levels.marketer(program_id).put("/v1/checkins/campaigns/daily", terms).status_code == 200
    lean: Any = levels.callers.app.wsgi_app
    assert isinstance(lean, Lean)
    return {SHORT: Client(lean), PLAIN: Client(lean.plain)}


def send(client: Client, program_id: int, **changed: Any) -> TestResponse:
    request: dict[str, Any] = {"caller": MEMBER, "key": "a", "body": {"campaign": "daily"}, "headers": {}} | changed
    headers = dict(request["headers"])
    if request["caller"] is not None:
        kind, subject, roles = request["caller"]
        headers[HEADER] = sign(Identity(kind, program_id, subject, frozenset(roles)), secret=SECRET)
    if request["key"] is not None:
        headers["Idempotency-Key"] = request["key"]
    data = request["body"] if isinstance(request["body"], bytes) else json.dumps(request["body"]).encode()
    return client.post(PATH, data=data, headers=headers, content_type="application/json")


def shown(answer: TestResponse) -> tuple[Any, ...]:
    """All of an answer but the name of the request."""
    body = {name: value for name, value in (answer.json or {}).items() if name != "request_id"}
    headers = {name: value for name, value in answer.headers if name not in ("Content-Length", "X-Request-ID")}
    return answer.status, headers, list(answer.json or {}), body


@pytest.mark.parametrize(
    ("status", "requests"),
    [
        (200, [{}]),
        (200, [{}, {}]),
        (200, [{}, {"key": "b"}]),
        (200, [{"caller": ("member", "8", ())}, {}]),
        (200, [{}, {"later": 1, "key": "b"}, {"later": 1, "key": "c"}]),
        (200, [{}, {"later": 1}]),
        (404, [{"body": {"campaign": "nothing"}}]),
        (404, [{"body": {"campaign": "nothing"}}, {"body": {"campaign": "nothing"}}]),
        (422, [{"body": {"campaign": "nothing"}}, {}]),
        (422, [{}, {"body": {"campaign": "nothing"}}]),
        (404, [{"body": {"campaign": "nothing"}, "headers": {"Accept-Language": "zh-CN"}}]),
        (422, [{"body": {"campaign": "Daily"}}]),
        (422, [{"body": {"campaign": "daily", "day": "2026-05-20"}}]),
        (422, [{"body": {}}]),
        (400, [{"body": b"{"}]),
        (400, [{"key": None}]),
        (400, [{"key": "a key"}]),
        (401, [{"caller": None}]),
        (403, [{"caller": ("staff", "5", ("admin",))}]),
    ],
)
def test_both_ways_answer_alike_and_leave_the_same(
    levels: Levels, ways: dict[int, Client], status: int, requests: list[dict[str, Any]]
) -> None:
    for request in requests:
        levels.later(days=request.pop("later", 0))
        short, plain = (send(ways[way], way, **request) for way in (SHORT, PLAIN))
        assert shown(short) == shown(plain)
    assert short.status_code == plain.status_code == status, short.json
    for left in (
        "SELECT member_id, campaign, day, at, version, reward::text FROM levels_checkins WHERE program_id = :p",
        "SELECT member_id, grant_id, reward::text, cause, rule, at FROM levels_grants WHERE program_id = :p",
        "SELECT member_id, topic, payload::text FROM levels_outbox WHERE program_id = :p ORDER BY id",
        "SELECT caller, route, key, fingerprint IS NULL, status, media_type, body - 'request_id' FROM"
        " (SELECT caller, route, key, fingerprint, status, media_type, body::jsonb AS body FROM"
        "  levels_idempotency_keys WHERE program_id = :p) kept ORDER BY 1, 3",
    ):
        assert levels.sql(left, p=SHORT) == levels.sql(left, p=PLAIN)


def test_a_plain_tap_does_not_pass_through_flask(levels: Levels, ways: dict[int, Client]) -> None:
    with patch.object(levels.callers.app, "full_dispatch_request", side_effect=AssertionError("through Flask")):
        assert send(ways[SHORT], SHORT).status_code == 200
        assert send(ways[SHORT], SHORT, key="b").get_json()["repeated"] is True


def sent(member_id: int, key: str, *, campaign: str = "daily", fingerprint: bytes = b"x") -> Sent:
    return Sent(Identity("member", 1, str(member_id)), key, fingerprint, {"campaign": campaign})


@pytest.fixture
def crowd(levels: Levels) -> Crowd:
    """Whoever taps, shown as the tap's grant and whether it was repeated."""
    levels.campaign(day_table=[points(5)] * 7)
    edge = levels.callers.app.extensions["jifen"]
    show = "{0.grant_id} {0.repeated}".format
    return Crowd(edge.database, edge.keys, route="POST /checkins", view=check_in_together, show=show, status=200)


def test_twins_in_one_flush_are_told_apart(levels: Levels, crowd: Crowd) -> None:
    first, again, twin, other = sent(7, "a"), sent(7, "a"), sent(7, "b"), sent(8, "a")
    grants = [f"levels:checkin:daily:{member_id}:2026-05-20" for member_id in (7, 8)]
    answers = crowd._answer([first, again, twin, other])
    assert answers == [f"{grants[0]} False", None, f"{grants[0]} True", f"{grants[1]} False"]
    assert sorted(levels.granted()) == grants
    # Whose key is known by now is left to the plain way, whatever the rest does.
    assert crowd._answer([again, sent(9, "a")]) == [None, "levels:checkin:daily:9:2026-05-20 False"]
    kept = levels.sql("SELECT caller, key, body FROM levels_idempotency_keys ORDER BY caller, key")
    assert [tuple(row) for row in kept][:2] == [
        ("member:7", "a", f"{grants[0]} False"),
        ("member:7", "b", f"{grants[0]} True"),
    ]


def test_a_twin_that_commits_in_between_is_found(levels: Levels, crowd: Crowd) -> None:
    look, tap = taps_repository.look, Tap(1, 7, "daily")

    def overtaken(*asked: Any) -> Any:
        seen = look(*asked)
        with patch.object(taps_repository, "look", look), levels.service.database.transaction() as session:
            check_in(session, [tap], now=levels.now)
        return seen

    first = iter([overtaken])
    with (
        patch.object(taps_repository, "look", lambda *asked: next(first, look)(*asked)),
        levels.service.database.transaction() as session,
    ):
        [mine, other] = check_in(session, [tap, Tap(1, 8, "daily")], now=levels.now)
    assert (mine.repeated, mine.streak, other.repeated) == (True, 1, False)
    assert len(levels.granted()) == 2


def test_who_is_refused_takes_nobody_along(levels: Levels, crowd: Crowd) -> None:
    asked = [sent(7, "a"), sent(8, "a", campaign="nothing"), sent(9, "a")]
    with pytest.raises(UnknownCampaign):
        crowd._answer(asked)
    assert levels.granted() == {}
    assert at_once(*(partial(crowd.answer, one) for one in asked)) == [
        "levels:checkin:daily:7:2026-05-20 False",
        None,
        "levels:checkin:daily:9:2026-05-20 False",
    ]
    assert levels.sql("SELECT 1 FROM levels_idempotency_keys WHERE caller = 'member:8'") == []


def test_many_who_tap_twice_at_once_are_rewarded_once(levels: Levels, ways: dict[int, Client]) -> None:
    def tap(member_id: int, key: str) -> tuple[str, bool]:
        client = Client(levels.callers.app.wsgi_app)
        answer = send(client, SHORT, caller=("member", str(member_id), ()), key=key)
        assert answer.status_code == 200, answer.text
        body = answer.get_json()
        return body["grant_id"], body["repeated"] or "Idempotency-Replayed" in answer.headers

    taps = [(member_id, key) for member_id in range(1, 9) for key in ("a", "a", "b")]
    answers = at_once(*(partial(tap, *one) for one in taps))
    day = clock.business_day(levels.now, "Asia/Shanghai")
    grants = [f"levels:checkin:daily:{member_id}:{day}" for member_id in range(1, 9)]
    assert sorted({grant for grant, _ in answers}) == sorted(levels.granted()) == sorted(grants)
    assert sum(not repeated for _, repeated in answers) == 8
    assert levels.violations() == {}
