"""Setting up a program and its assets over HTTP."""

from tests.support import Callers


def test_a_marketer_sets_up_a_program_and_its_assets(points: Callers) -> None:
    marketer = points.staff("marketer")
    assert marketer.put("/v1/program", {"name": "Acme", "time_zone": "Asia/Tokyo"}).status_code == 200
    assert marketer.put("/v1/assets/points", {"name_en": "Points", "name_zh": "积分"}).json["validity"] == "unlimited"
    changed = marketer.put("/v1/assets/points", {"name_en": "Stars", "name_zh": "星", "validity": "12M_U"})
    assert changed.status_code == 200
    assert points.member(7).get("/v1/assets").json["assets"] == [changed.json]


def test_an_asset_needs_its_program_first(points: Callers) -> None:
    answer = points.staff("marketer").put("/v1/assets/points", {"name_en": "Points", "name_zh": "积分"})
    assert (answer.status_code, answer.json["code"]) == (404, "program_not_configured")


def test_another_program_sees_nothing_of_it(points: Callers) -> None:
    points.staff("marketer").put("/v1/program", {"name": "Acme"})
    assert points.staff("marketer", program_id=2).get("/v1/program").status_code == 404


def test_a_member_may_not_set_up(points: Callers) -> None:
    assert points.member(7).put("/v1/program", {"name": "Mine"}).json["code"] == "forbidden"


def test_a_bad_validity_is_named_in_chinese_too(points: Callers) -> None:
    points.staff("marketer").put("/v1/program", {"name": "Acme"})
    marketer = points.staff("marketer", **{"Accept-Language": "zh-CN"})
    answer = marketer.put("/v1/assets/points", {"name_en": "Points", "name_zh": "积分", "validity": "99Y"})
    assert answer.status_code == 422
    assert answer.json["errors"][0]["pointer"] == "/validity"
    assert "有效期" in answer.json["detail"]
