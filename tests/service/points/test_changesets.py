"""Changesets: every bad line is reported, a second person approves, all lines are applied or none, undone exactly."""

import csv
import io
import time
import uuid
from collections import Counter
from typing import Any

import pytest
from redis.exceptions import ConnectionError

from common import queue
from common.service_client import NeighbourRefused
from services.points import jobs
from services.points.changesets import applying, clients, dry_run
from services.points.changesets import jobs as changeset_jobs
from services.points.database import transaction
from services.points.wakeups import HEAVY
from tests.care import Desk, MembersDouble, work_off
from tests.earning import at_once
from tests.points import done, pointers, refused, sql, wrong

HEADER = "member_id,asset,amount,reason"


def sheet(*lines: str, header: str = HEADER) -> str:
    """A sheet of these lines."""
    return "\n".join((header, *lines)) + "\n"


def credits(count: int, *, first: int = 1, amount: int = 10) -> str:
    """A sheet of credits, one a member."""
    return sheet(*(f"{member},points,{amount},goodwill" for member in range(first, first + count)))


def test_a_sheet_is_checked_approved_by_another_applied_and_undone(desk: Desk, levels_double: MembersDouble) -> None:
    desk.brand.earn(50, member_id=2)
    made = desk.checked(
        sheet("1,points,100,goodwill", "2,points,-20,abuse", "3,growth,7,migration", "1,points,5,goodwill")
    )
    assert made["status"] == "checked"
    assert made["progress"] == 100
    assert made["summary"] == {
        "lines": 4,
        "faults": 0,
        "members": 3,
        "new_members": 0,
        "assets": [
            {"asset": "growth", "lines": 1, "credits": 7, "debits": 0},
            {"asset": "points", "lines": 3, "credits": 105, "debits": 20},
        ],
        "largest": [
            {"part": 1, "line": 2, "member_id": 1, "asset": "points", "amount": 100},
            {"part": 1, "line": 3, "member_id": 2, "asset": "points", "amount": -20},
            {"part": 1, "line": 4, "member_id": 3, "asset": "growth", "amount": 7},
            {"part": 1, "line": 5, "member_id": 1, "asset": "points", "amount": 5},
        ],
    }
    lines = done(desk.lin.get(f"/v1/changesets/{made['id']}/lines"))["lines"]
    assert [(line["member_id"], line["before"], line["after"]) for line in lines] == [
        (1, 0, 100),
        (2, 50, 30),
        (3, 0, 7),
        (1, 100, 105),
    ]
    assert desk.brand.figures(member=1) == (0, 0, 0, 0)
    for by in (desk.lin, desk.staff("lin", "finance"), desk.staff("lin", "admin")):
        assert refused(desk.act("approval", made, by=by))[0] == 403
    assert done_or_202(desk.act("approval", made))["approved_by"] == "mei"
    work_off()
    made = desk.changeset(made)
    assert made["status"] == "applied"
    assert desk.brand.figures(member=1) == (105, 105, 0, 0)
    assert desk.brand.figures(member=2) == (30, 30, 0, 0)
    assert desk.brand.figures("growth", member=3) == (7, 7, 0, 0)
    entry = desk.brand.entries(member=1)[0]
    assert entry["cause"] == f"changeset {made['id']}"
    assert entry["meta"] == {"reason_code": "goodwill", "agent": "lin", "approved_by": "mei", "part": 1, "line": 2}
    assert sql("SELECT count(*) FROM points_changeset_parts")[0][0] == 0
    assert wrong() == []

    assert desk.act("undo", made, by=desk.mei).status_code == 202
    assert refused(desk.act("undo/approval", made)) == (403, "second_person_needed")
    assert desk.act("undo/approval", made, by=desk.ada).status_code == 202
    work_off()
    assert desk.changeset(made)["status"] == "undone"
    assert [desk.brand.figures(member=one)[0] for one in (1, 2)] == [0, 50]
    assert desk.brand.figures("growth", member=3) == (0, 0, 0, 0)
    assert desk.brand.kinds(member=2) == [("earn", 50), ("spend", -20), ("reverse", 20)]
    assert wrong() == []


@pytest.mark.parametrize("chunk", [1, 2, 3, 4, 5])
def test_the_pages_in_which_lines_are_read_make_no_difference(
    desk: Desk, levels_double: MembersDouble, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(applying, "_CHUNK", chunk)
    made = desk.applied(
        sheet(*(f"{member},points,{amount},goodwill" for member, amount in ((1, 7), (2, 4), (1, 5), (1, 3))))
    )
    assert [desk.brand.kinds(member=one) for one in (1, 2)] == [[("earn", 7), ("earn", 5), ("earn", 3)], [("earn", 4)]]
    assert desk.undone(made)["status"] == "undone"
    assert desk.brand.kinds(member=1)[3:] == [("reverse", -3), ("reverse", -5), ("reverse", -7)]
    assert desk.brand.kinds(member=2)[1:] == [("reverse", -4)]
    assert wrong() == []


def done_or_202(answer: Any) -> dict[str, Any]:
    """The JSON of an accepted request."""
    assert answer.status_code == 202, answer.get_data(as_text=True)
    return dict(answer.json or {})


def test_every_bad_line_is_reported_with_column_code_and_next_step(desk: Desk, levels_double: MembersDouble) -> None:
    desk.brand.earn(50, member_id=2)
    header = "member_id,identity,asset,amount,reason,expires_on,validity,note"
    bad = [
        ",,points,5,goodwill,,,",
        "1,customer_id:1,points,5,goodwill,,,",
        "1.2E+5,,points,5,goodwill,,,",
        ",nonsense,points,5,goodwill,,,",
        "1,,gold,5,goodwill,,,",
        '1,,points,"1,000",goodwill,,,',
        "1,,points,0,goodwill,,,",
        "1,,points,9007199254740992,goodwill,,,",
        "1,,points,5,because,,,",
        "1,,points,5,goodwill,2020-01-31,,",
        "1,,points,5,goodwill,2027-02-30,,",
        "1,,points,5,goodwill,2027-02-01,12M,",
        "1,,points,5,goodwill,,12 months,",
        "2,,points,-5,goodwill,2027-02-01,,",
        "1,,points,5,goodwill",
        "100000,,points,5,goodwill,,,",
        ",customer_id:nobody,points,5,goodwill,,,",
        ",wechat_openid:abc,points,5,goodwill,,,",
        "2,,points,-51,goodwill,,,",
        "4,,points,5,goodwill,,,hello",
        "4,,points,5,goodwill,,,hello",
        "x,,gold,y,z,,,",
    ]
    made = desk.checked(sheet(*bad, header=header))
    assert made["status"] == "faulty"
    assert desk.faults(made) == [
        (2, "member_id", "member_missing"),
        (3, "member_id", "member_twice"),
        (4, "member_id", "not_a_member_id"),
        (5, "identity", "not_an_identity"),
        (6, "asset", "unknown_asset"),
        (7, "amount", "amount_not_whole"),
        (8, "amount", "amount_nothing"),
        (9, "amount", "amount_not_whole"),
        (10, "reason", "unknown_reason"),
        (11, "expires_on", "expiry_in_the_past"),
        (12, "expires_on", "not_a_day"),
        (13, "expires_on", "validity_twice"),
        (14, "validity", "bad_validity"),
        (15, "expires_on", "validity_of_debit"),
        (16, "", "wrong_number_of_cells"),
        (17, "member_id", "unknown_member"),
        (18, "identity", "unknown_member"),
        (19, "identity", "identity_refused"),
        (20, "amount", "insufficient_points"),
        (22, "", "duplicate_line"),
        (23, "member_id", "not_a_member_id"),
        (23, "asset", "unknown_asset"),
        (23, "amount", "amount_not_whole"),
        (23, "reason", "unknown_reason"),
    ]
    page = done(desk.mei.get(f"/v1/changesets/{made['id']}/faults"))
    assert page["faults"][18]["en"] == ("Only 50 would be there, 1 too few: it would go below zero. Take less.")
    assert "还差 1" in page["faults"][18]["zh"]
    assert all(fault["en"] and fault["zh"] for fault in page["faults"])
    assert made["summary"]["faults"] == 24
    assert refused(desk.act("approval", made)) == (409, "changeset_state")
    assert sql("SELECT count(*) FROM points_entries WHERE member_id <> 2")[0][0] == 0
    answer = desk.mei.get(f"/v1/changesets/{made['id']}/faults.csv")
    assert (answer.status_code, answer.mimetype) == (200, "text/csv")
    rows = list(csv.reader(io.StringIO(answer.get_data(as_text=True).removeprefix("\ufeff"))))
    assert len(rows) == 25
    assert rows[0] == ["part", "line", "column", "code", "en", "zh"]
    first = done(desk.mei.get(f"/v1/changesets/{made['id']}/faults", limit=5))
    assert first["next"] == 5
    assert len(done(desk.mei.get(f"/v1/changesets/{made['id']}/faults", after=5, limit=100))["faults"]) == 19


@pytest.mark.parametrize(
    ("csv_text", "fault"),
    [
        ("\n", (1, "", "no_header")),
        (HEADER + "\n", (1, "", "no_lines")),
        ("member_id,asset,amount,reason,colour\n1,points,5,goodwill,red\n", (1, "colour", "unknown_column")),
        ("member_id,asset,asset,amount,reason\n1,points,points,5,goodwill\n", (1, "asset", "column_twice")),
        ("asset,amount,reason\npoints,5,goodwill\n", (1, "member_id", "missing_column")),
        ("member_id,amount,reason\n1,5,goodwill\n", (1, "asset", "missing_column")),
        (HEADER + '\n1,points,5,goodwill\n2,points,5,"good"will\n', (3, "", "not_csv")),
    ],
)
def test_a_sheet_that_is_none_says_so(
    desk: Desk, levels_double: MembersDouble, csv_text: str, fault: tuple[int, str, str]
) -> None:
    made = desk.checked(csv_text)
    assert (made["status"], fault in desk.faults(made)) == ("faulty", True), desk.faults(made)


@pytest.mark.parametrize(
    "text",
    [
        '\ufeffmember_id,asset,amount,reason,note\r\n1,points,5,goodwill,"a, b"\r\n\r\n2,points,6,goodwill,c\r\n',
        'member_id;asset;amount;reason;note\n1;points;5;goodwill;a\n2;points;+6;goodwill;"b\nc"\n;;;;\n',
        "Amount\tMember_ID\tAsset\tReason\n 5 \t 1\tpoints\tgoodwill\n6\t2\tpoints\tgoodwill",
    ],
)
def test_sheets_are_read_as_spreadsheets_write_them(desk: Desk, levels_double: MembersDouble, text: str) -> None:
    desk.applied(text)
    assert [desk.brand.figures(member=one)[0] for one in (1, 2)] == [5, 6]


def test_validity_and_expiry_of_a_line_are_its_lots(desk: Desk, levels_double: MembersDouble) -> None:
    header = HEADER + ",expires_on,validity"
    desk.applied(
        sheet(
            "1,points,5,goodwill,2099-12-31,",
            "1,points,6,goodwill,2098/1/5,",
            "1,points,7,goodwill,,until:2097-01-01",
            header=header,
        )
    )
    lots = desk.brand.account(member=1)["lots"]
    assert [(lot["on"], lot["amount"]) for lot in lots] == [("2097-01-01", 7), ("2098-01-05", 6), ("2099-12-31", 5)]


def test_opening_balances_make_members_of_strangers_once_and_only_when_applied(
    desk: Desk, levels_double: MembersDouble
) -> None:
    levels_double.known["customer_id:00123"] = 9
    text = sheet(
        "customer_id:00123,points,1200,migration",
        "customer_id:00456,points,300,migration",
        "customer_id:00456,growth,40,migration",
        header="identity,asset,amount,reason",
    )
    made = desk.checked(text, kind="opening")
    assert (made["status"], made["summary"]["members"], made["summary"]["new_members"]) == ("checked", 2, 1)
    assert not any(body["create"] for path, body in levels_double.asked if path.endswith("resolution"))
    assert "customer_id:00456" not in levels_double.known
    lines = done(desk.mei.get(f"/v1/changesets/{made['id']}/lines"))["lines"]
    assert [line["member_id"] for line in lines] == [9, None, None]
    assert "customer_id" not in str(lines)
    desk.act("approval", made)
    work_off()
    assert desk.changeset(made)["status"] == "applied"
    new = levels_double.known["customer_id:00456"]
    assert desk.brand.figures(member=9)[0] == 1200
    assert desk.brand.figures(member=new)[0] == 300
    assert desk.brand.figures("growth", member=new)[0] == 40
    assert sql("SELECT count(*) FROM points_changeset_lines WHERE subject IS NOT NULL")[0][0] == 0
    assert wrong() == []


def test_an_account_has_one_opening_balance_until_it_is_undone(desk: Desk, levels_double: MembersDouble) -> None:
    first = desk.applied(sheet("1,points,100,migration"), kind="opening")
    again = desk.checked(
        sheet("1,points,100,migration", "1,growth,5,migration", "2,points,9,migration"), kind="opening"
    )
    assert (again["status"], desk.faults(again)) == ("faulty", [(2, "", "opened_already")])
    twice = desk.checked(sheet("3,points,1,migration", "3,points,2,migration", "3,points,-2,migration"), kind="opening")
    assert desk.faults(twice) == [(3, "", "duplicate_line"), (4, "amount", "opening_below_zero")]
    assert desk.undone(first)["status"] == "undone"
    assert desk.act("check", again, by=desk.lin).status_code == 202
    work_off()
    assert desk.changeset(again)["status"] == "checked"


def test_two_imports_approved_at_once_open_an_account_once(desk: Desk, levels_double: MembersDouble) -> None:
    made = [desk.checked(sheet("1,points,100,migration"), kind="opening") for _ in range(2)]
    for one in made:
        assert desk.act("approval", one).status_code == 202
    queue.queue(HEAVY).empty()
    at_once([lambda one=one: changeset_jobs.apply(1, uuid.UUID(one["id"])) for one in made])
    assert sorted(desk.changeset(one)["status"] for one in made) == ["applied", "faulty"]
    assert desk.brand.figures(member=1) == (100, 100, 0, 0)
    assert wrong() == []


def test_when_a_balance_changed_since_the_dry_run_nothing_is_applied_and_the_lines_are_named(
    desk: Desk, levels_double: MembersDouble
) -> None:
    for member in (2, 4):
        desk.brand.earn(50, member_id=member)
    made = desk.checked(
        sheet("1,points,10,goodwill", "2,points,-50,abuse", "3,points,10,goodwill", "4,points,-50,abuse")
    )
    assert made["status"] == "checked"
    desk.brand.spend(1, member_id=2)
    desk.brand.spend(2, member_id=4)
    desk.act("approval", made)
    work_off()
    made = desk.changeset(made)
    assert (made["status"], made["applied_at"]) == ("faulty", None)
    assert desk.faults(made) == [(3, "amount", "insufficient_points"), (5, "amount", "insufficient_points")]
    assert [desk.brand.figures(member=one)[0] for one in (1, 2, 3, 4)] == [0, 49, 0, 48]
    assert wrong() == []
    desk.brand.earn(2, member_id=2)
    desk.brand.earn(2, member_id=4)
    assert desk.act("check", made, by=desk.lin).status_code == 202
    work_off()
    assert desk.changeset(made)["approved_by"] is None
    desk.act("approval", made)
    work_off()
    assert desk.changeset(made)["status"] == "applied"
    assert [desk.brand.figures(member=one)[0] for one in (1, 2, 3, 4)] == [10, 1, 10, 0]


def test_undo_is_refused_as_a_whole_with_the_lines_whose_points_are_gone(
    desk: Desk, levels_double: MembersDouble
) -> None:
    made = desk.applied(
        sheet("1,points,10,goodwill", "2,points,20,goodwill", "3,points,30,goodwill", "4,growth,5,goodwill")
    )
    desk.brand.spend(15, member_id=2)
    desk.brand.spend(1, member_id=3)
    desk.brand.spend(5, member_id=4, asset="growth")
    made = desk.undone(made)
    assert made["status"] == "applied"
    assert desk.faults(made) == [
        (3, "amount", "points_spent"),
        (4, "amount", "points_spent"),
        (5, "amount", "points_spent"),
    ]
    page = done(desk.mei.get(f"/v1/changesets/{made['id']}/faults"))
    assert [fault["en"].split(" ", 1)[0] for fault in page["faults"]] == ["15", "1", "5"]
    assert [desk.brand.figures(member=one)[0] for one in (1, 2, 3)] == [10, 5, 29]
    assert wrong() == []
    desk.brand.earn(15, member_id=2)
    desk.brand.earn(1, member_id=3)
    desk.brand.earn(5, member_id=4, asset="growth")
    assert desk.undone(made)["status"] == "undone"
    assert [desk.brand.figures(member=one)[0] for one in (1, 2, 3)] == [0, 0, 0]
    assert wrong() == []


def test_undo_reverses_the_lines_of_an_account_from_the_last_to_the_first(
    desk: Desk, levels_double: MembersDouble
) -> None:
    made = desk.applied(sheet("1,points,100,goodwill", "1,points,-80,correction"))
    assert desk.undone(made)["status"] == "undone"
    assert [amount for _, amount in desk.brand.kinds(member=1)] == [100, -80, 80, -100]


def test_what_somebody_else_reversed_is_not_undone_again(desk: Desk, levels_double: MembersDouble) -> None:
    made = desk.applied(sheet("1,points,10,goodwill", "2,points,20,goodwill"))
    posting = desk.brand.entries(member=2)[0]
    done(desk.brand.reverse(posting, member_id=2, amount=5))
    made = desk.undone(made)
    assert (made["status"], desk.faults(made)) == ("applied", [(3, "amount", "reversal_exceeded")])
    assert desk.brand.figures(member=1)[0] == 10


def test_jobs_that_come_late_do_nothing(desk: Desk, levels_double: MembersDouble) -> None:
    made = desk.checked(credits(1))
    which = uuid.UUID(made["id"])
    for job in (changeset_jobs.check, changeset_jobs.apply, changeset_jobs.undo):
        job(1, which)
    with transaction() as session:
        applying.note_refused(session, program_id=1, changeset_id=which, faults=[])
    assert desk.changeset(made) == made
    assert sql("SELECT count(*) FROM points_entries")[0][0] == 0


def test_an_approved_import_waits_for_levels(desk: Desk, levels_double: MembersDouble) -> None:
    made = desk.checked(
        sheet("customer_id:9,points,5,migration", header="identity,asset,amount,reason"), kind="opening"
    )
    desk.act("approval", made)
    levels_double.unwell = True
    work_off()
    assert desk.changeset(made)["status"] == "approved"
    levels_double.unwell = False
    jobs.resume_changesets()
    work_off()
    assert desk.changeset(made)["status"] == "applied"


def test_a_refusal_of_levels_that_is_about_no_identity_is_a_fault_of_ours(levels_double: MembersDouble) -> None:
    levels_double.denying = True
    with pytest.raises(NeighbourRefused):
        clients.resolve(1, ["customer_id:1"], create=False)


def test_an_undo_that_was_turned_down_leaves_it_applied(desk: Desk, levels_double: MembersDouble) -> None:
    made = desk.applied(credits(1))
    assert desk.act("undo", made, by=desk.lin).status_code == 202
    assert done(desk.act("undo/rejection", made))["status"] == "applied"
    assert refused(desk.act("undo/rejection", made)) == (409, "changeset_state")
    assert desk.undone(made)["status"] == "undone"
    assert refused(desk.act("undo", made, by=desk.lin)) == (409, "changeset_state")


def test_large_sheets_come_in_parts(desk: Desk, levels_double: MembersDouble) -> None:
    made = desk.upload(credits(2), more=True)
    assert (made["status"], made["parts"]) == ("draft", 1)
    path = f"/v1/changesets/{made['id']}/sheets"
    second = {"csv": sheet("3,points,x,goodwill"), "more": True}
    assert desk.lin.post(path, second, key="p2").json["parts"] == 2
    assert desk.lin.post(path, second, key="p2").json["parts"] == 2
    assert refused(desk.wu.post(path, second, key="p2")) == (403, "changeset_of_another")
    assert desk.lin.post(path, {"csv": credits(2, first=4)}, key="p3").json["status"] == "checking"
    assert refused(desk.lin.post(path, second, key="p4")) == (409, "changeset_state")
    work_off()
    page = done(desk.mei.get(f"/v1/changesets/{made['id']}/faults"))
    assert [(fault["part"], fault["line"]) for fault in page["faults"]] == [(2, 2)]
    assert refused(desk.lin.post(path, second, key="p5")) == (409, "changeset_state")
    assert done(desk.act("rejection", made, by=desk.lin))["status"] == "rejected"
    assert refused(desk.act("check", made, by=desk.lin)) == (409, "changeset_state")


def test_a_changeset_has_so_many_parts_at_most(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    from services.points.changesets import domain

    monkeypatch.setattr(domain, "MOST_PARTS", 1)
    made = desk.upload(credits(1), more=True)
    answer = desk.lin.post(f"/v1/changesets/{made['id']}/sheets", {"csv": credits(1), "more": True}, key="p2")
    assert refused(answer) == (422, "too_many_parts")


def test_more_lines_than_a_changeset_takes_are_refused(
    desk: Desk, levels_double: MembersDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    from services.points.changesets import domain

    monkeypatch.setattr(domain, "MOST_LINES", 3)
    assert desk.faults(desk.checked(credits(4))) == [(5, "", "too_many_lines")]
    assert desk.checked(credits(3))["status"] == "checked"


def test_what_a_sheet_came_to_can_be_downloaded(desk: Desk, levels_double: MembersDouble) -> None:
    made = desk.checked(sheet("2,points,-5,abuse", "1,points,7,goodwill") if desk.brand.earn(9, member_id=2) else "")
    answer = desk.mei.get(f"/v1/changesets/{made['id']}/lines.csv")
    rows = list(csv.reader(io.StringIO(answer.get_data(as_text=True).removeprefix("\ufeff"))))
    assert rows == [
        ["part", "line", "member_id", "asset", "amount", "reason", "validity", "before", "after"],
        ["1", "2", "2", "points", "-5", "abuse", "", "9", "4"],
        ["1", "3", "1", "points", "7", "goodwill", "", "0", "7"],
    ]
    page = done(desk.mei.get(f"/v1/changesets/{made['id']}/lines", limit=1))
    assert page["next"] == "1.2"
    assert done(desk.mei.get(f"/v1/changesets/{made['id']}/lines", after="1.2"))["lines"][0]["line"] == 3


def test_changesets_are_listed_newest_first(desk: Desk, levels_double: MembersDouble) -> None:
    first, second = desk.checked(credits(1)), desk.upload(credits(1), kind="opening", more=True)

    def listed(**query: Any) -> list[str]:
        return [one["id"] for one in done(desk.mei.get("/v1/changesets", **query))["changesets"]]

    assert listed() == [second["id"], first["id"]]
    assert listed(status="checked") == listed(kind="adjustment") == [first["id"]]
    page = done(desk.mei.get("/v1/changesets", limit=1))
    assert listed(after=page["next"]) == [first["id"]]


def test_a_changeset_of_another_program_is_not_found(desk: Desk, levels_double: MembersDouble) -> None:
    made = desk.checked(credits(1))
    stranger = desk.staff("mei", "finance", "customer_service", program_id=2)
    for what in ("approval", "rejection", "check", "undo", "undo/approval", "undo/rejection"):
        assert refused(desk.act(what, made, by=stranger))[0] == 404, what
    for what in ("", "/faults", "/lines", "/faults.csv", "/lines.csv"):
        assert refused(stranger.get(f"/v1/changesets/{made['id']}{what}"))[0] == 404, what
    assert done(stranger.get("/v1/changesets"))["changesets"] == []


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"kind": "other"}, "/kind"),
        ({"name": ""}, "/name"),
        ({"csv": ""}, "/csv"),
        ({"csv": 5}, "/csv"),
        ({"csv": "x" * 3_500_001}, "/csv"),
        ({"more": "yes"}, "/more"),
    ],
)
def test_bad_fields_are_pointed_at(desk: Desk, given: dict[str, Any], pointer: str) -> None:
    body = {"kind": "adjustment", "name": "May", "csv": credits(1), **given}
    assert pointers(desk.lin.post("/v1/changesets", body, key="k")) == [pointer]


def test_while_levels_does_not_answer_the_dry_run_waits_and_the_cron_begins_it_again(
    desk: Desk, levels_double: MembersDouble
) -> None:
    levels_double.unwell = True
    made = desk.checked(credits(2))
    assert (made["status"], made["progress"]) == ("checking", 0)
    levels_double.unwell = False
    jobs.resume_changesets()
    work_off()
    assert desk.changeset(made)["status"] == "checking", "its lease is still alive"
    sql("UPDATE points_changesets SET lease_until = now() - interval '1 second'")
    jobs.resume_changesets()
    work_off()
    assert desk.changeset(made)["status"] == "checked"


def test_a_job_that_is_lost_with_redis_is_enqueued_again(desk: Desk, levels_double: MembersDouble) -> None:
    made = desk.upload(credits(2))
    queue.redis().flushall()
    work_off()
    assert desk.changeset(made)["status"] == "checking"
    jobs.resume_changesets()
    work_off()
    assert desk.changeset(made)["status"] == "checked"
    desk.act("approval", made)
    queue.redis().flushall()
    jobs.resume_changesets()
    work_off()
    assert desk.changeset(made)["status"] == "applied"
    desk.act("undo", made, by=desk.lin)
    desk.act("undo/approval", made)
    queue.redis().flushall()
    jobs.resume_changesets()
    work_off()
    assert desk.changeset(made)["status"] == "undone"
    jobs.resume_changesets()
    assert queue.queue(HEAVY).jobs == []
    assert queue.redis().keys("jifen:queued:*_changeset*") == []


def test_redis_that_does_not_answer_is_no_fault_of_the_upload(
    desk: Desk, levels_double: MembersDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dead(*_: Any, **__: Any) -> Any:
        raise ConnectionError

    with monkeypatch.context() as broken:
        broken.setattr("common.wakeups.enqueue_once", dead)
        made = desk.upload(credits(1))
        jobs.resume_changesets()
    jobs.resume_changesets()
    work_off()
    assert desk.changeset(made)["status"] == "checked"


def test_a_dry_run_that_was_taken_over_writes_nothing(
    desk: Desk, levels_double: MembersDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = desk.upload(credits(2))
    queue.redis().flushall()
    which = {"program_id": 1, "changeset_id": uuid.UUID(made["id"])}
    from common.clock import now

    with transaction() as session:
        first = dry_run.begin(session, **which, now=now())
    with transaction() as session:
        assert dry_run.begin(session, **which, now=now()) is None, "the first one is alive"
    sql("UPDATE points_changesets SET lease_until = now() - interval '1 second'")
    assert first is not None
    real = dry_run.rehearse

    def slow(*args: Any, **kwargs: Any) -> Any:
        sql("UPDATE points_changesets SET run = run + 1")
        return real(*args, **kwargs)

    with monkeypatch.context() as broken:
        broken.setattr(dry_run, "rehearse", slow)
        changeset_jobs.check(1, uuid.UUID(made["id"]))
    assert desk.changeset(made)["status"] == "checking"
    with transaction() as session:
        assert dry_run.finish(session, first, [], [], now=now()) is None
    sql("UPDATE points_changesets SET lease_until = now() - interval '1 second'")
    changeset_jobs.check(1, uuid.UUID(made["id"]))
    assert desk.changeset(made)["status"] == "checked"


def test_an_apply_that_dies_before_its_commit_did_nothing_and_is_done_again(
    desk: Desk, levels_double: MembersDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = desk.checked(credits(1500))
    desk.act("approval", made)
    queue.redis().flushall()
    with monkeypatch.context() as broken:
        broken.setattr(applying.repository, "drop_sheets", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            changeset_jobs.apply(1, uuid.UUID(made["id"]))
    assert sql("SELECT count(*) FROM points_entries")[0][0] == 0
    assert desk.changeset(made)["status"] == "approved"
    jobs.resume_changesets()
    work_off()
    assert desk.changeset(made)["status"] == "applied"
    assert sql("SELECT count(*), sum(amount) FROM points_entries") == [(1500, 15_000)]


def test_applied_by_two_workers_at_once_it_is_applied_once(desk: Desk, levels_double: MembersDouble) -> None:
    made = desk.checked(credits(300))
    desk.act("approval", made)
    queue.redis().flushall()
    at_once([lambda: changeset_jobs.apply(1, uuid.UUID(made["id"])) for _ in range(4)])
    assert desk.changeset(made)["status"] == "applied"
    assert sql("SELECT count(*), sum(amount) FROM points_entries") == [(300, 3_000)]
    assert wrong() == []


def test_a_changeset_is_applied_while_others_post_to_the_same_accounts(
    desk: Desk, levels_double: MembersDouble
) -> None:
    made = desk.checked(credits(200))
    desk.act("approval", made)
    queue.redis().flushall()

    def post(number: int) -> int:
        lines = [
            {
                "member_id": 1 + (number * 37 + step) % 220,
                "asset": "points",
                "kind": "earn",
                "amount": 1,
                "key": f"{number}-{step}",
            }
            for step in range(50)
        ]
        return desk.brand.shop.post("/v1/postings/batch", {"lines": lines}).status_code

    calls = [lambda number=number: post(number) for number in range(8)]
    answers = at_once([*calls, lambda: changeset_jobs.apply(1, uuid.UUID(made["id"]))])
    assert Counter(answers) == {200: 8, None: 1}
    assert desk.changeset(made)["status"] == "applied"
    assert sql("SELECT sum(balance) FROM points_accounts")[0][0] == 200 * 10 + 8 * 50
    assert wrong() == []


@pytest.mark.slow
def test_twenty_thousand_lines_are_applied_in_one_transaction_and_undone(
    desk: Desk, levels_double: MembersDouble
) -> None:
    began = time.monotonic()
    made = desk.checked(credits(20_000))
    checked = time.monotonic()
    assert made["status"] == "checked"
    desk.act("approval", made)
    work_off()
    applied = time.monotonic()
    assert desk.changeset(made)["status"] == "applied"
    assert sql("SELECT count(DISTINCT xmin::text), count(*) FROM points_entries") == [(1, 20_000)]
    assert desk.undone(made)["status"] == "undone"
    undone = time.monotonic()
    print(
        f"20,000 lines: dry run {checked - began:.1f} s, apply {applied - checked:.1f} s, undo {undone - applied:.1f} s"
    )
    assert sql("SELECT sum(balance) FROM points_accounts")[0][0] == 0
    assert undone - began < 120
    assert wrong() == []
