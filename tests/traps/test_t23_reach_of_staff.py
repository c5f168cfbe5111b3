"""T23: staff who reach into another brand's books or by a lesser role into finance, and scripts stored as evidence."""

import uuid

import pytest

from tests.care import Desk, MembersDouble
from tests.points import done, refused, sql


def test_staff_of_another_brand_find_nothing_to_read_or_to_move(desk: Desk, levels_double: MembersDouble) -> None:
    waiting, changeset = desk.waiting(501), desk.checked("member_id,asset,amount,reason\n7,points,5,goodwill\n")
    desk.brand.earn(5)
    other = desk.staff("eve", "customer_service", "finance", "marketer", "admin", program_id=2)
    done(other.put("/v1/program", {"name": "Other"}))
    for what in ("approval", "rejection", "undo"):
        assert refused(desk.decide(what, waiting, by=other))[0] == 404
    for what in ("approval", "rejection", "check", "undo"):
        assert refused(desk.act(what, changeset, by=other))[0] == 404
    for path in (
        f"adjustments/{waiting['id']}",
        f"changesets/{changeset['id']}",
        f"changesets/{changeset['id']}/lines.csv",
    ):
        assert refused(other.get(f"/v1/{path}"))[0] == 404
    assert done(other.get("/v1/timeline", member_id=7))["items"] == []
    assert done(other.get("/v1/adjustments"))["adjustments"] == done(other.get("/v1/changesets"))["changesets"] == []
    assert sql("SELECT status FROM points_adjustments") == [("pending_approval",)]


@pytest.mark.parametrize("role", ["marketer", "customer_service"])
def test_a_lesser_role_does_not_reach_finance(desk: Desk, levels_double: MembersDouble, role: str) -> None:
    by = desk.staff("sub", role)
    changeset = desk.checked("member_id,asset,amount,reason\n7,points,5,goodwill\n")
    assert desk.act("approval", changeset, by=by).status_code == 403
    assert desk.act("undo/approval", changeset, by=by).status_code == 403
    assert by.put("/v1/adjustment-limits", {"limits": []}).status_code == 403
    assert refused(desk.decide("approval", desk.waiting(501), by=by))[0] == 403


@pytest.mark.parametrize("evidence", ["javascript:alert(1)", "JAVASCRIPT:x", " vbscript:x", "data:text/html;base64,x"])
def test_evidence_is_no_script(desk: Desk, evidence: str) -> None:
    assert refused(desk.ask(5, evidence=evidence))[0] == 422


def test_what_looks_like_sql_is_just_text(desk: Desk) -> None:
    text = "x'; DROP TABLE points_adjustments; --"
    made = desk.posted(5, note=text, evidence=text)
    assert desk.show(made)["note"] == text
    assert refused(desk.mei.get("/v1/adjustments", agent=text))[0] == 422
    assert refused(desk.mei.get(f"/v1/adjustments/{uuid.UUID(int=1)}"))[0] == 404
