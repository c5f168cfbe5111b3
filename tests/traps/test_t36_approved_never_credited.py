"""T36: an adjustment is approved and its points never come. Here approval and posting are one transaction."""

from typing import Any

import pytest

from services.points.adjustments import use_cases
from services.points.ledger import use_cases as ledger
from tests.care import Desk, MembersDouble, work_off
from tests.points import done, sql, wrong


def test_an_approval_that_dies_before_its_posting_never_happened(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = desk.waiting(900)

    def dies(*_: Any, **__: Any) -> Any:
        raise RuntimeError("killed")

    with monkeypatch.context() as broken:
        broken.setattr(ledger, "post", dies)
        assert desk.decide("approval", waiting).status_code == 500
    assert (desk.show(waiting)["status"], desk.show(waiting)["decided_by"]) == ("pending_approval", None)
    assert done(desk.decide("approval", waiting))["status"] == "posted"
    assert desk.brand.figures()[0] == 900


def test_a_posting_whose_note_dies_never_happened_either(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = desk.waiting(900)
    real = use_cases.repository.change

    def dies(session: Any, row: Any, **values: Any) -> Any:
        if "posting_id" in values:
            raise RuntimeError("killed")
        return real(session, row, **values)

    with monkeypatch.context() as broken:
        broken.setattr(use_cases.repository, "change", dies)
        assert desk.decide("approval", waiting).status_code == 500
    assert desk.brand.figures()[0] == 0
    assert desk.show(waiting)["status"] == "pending_approval"
    assert wrong() == []


def test_the_database_keeps_no_approved_adjustment_without_its_posting(desk: Desk) -> None:
    desk.waiting(900)
    with pytest.raises(Exception, match="adjustments_posted_name_their_posting"):
        sql("UPDATE points_adjustments SET status = 'posted'")


def test_an_approved_changeset_is_applied_although_its_job_is_lost(desk: Desk, levels_double: MembersDouble) -> None:
    from common.queue import redis
    from services.points.jobs import resume_changesets

    made = desk.checked("member_id,asset,amount,reason\n7,points,5,goodwill\n")
    desk.act("approval", made)
    redis().flushall()
    resume_changesets()
    work_off()
    assert (desk.changeset(made)["status"], desk.brand.figures()[0]) == ("applied", 5)
