"""T37: a limit that is enforced on one path and forgotten on another. Here limits and the second person are kept by the
use case, whoever calls it by whatever way."""

import uuid

import pytest

from common.clock import now
from common.identity import Identity
from services.points.adjustments import use_cases
from services.points.adjustments.domain import BeyondAuthority, SamePerson, Wanted
from services.points.database import transaction
from tests.care import Desk, MembersDouble
from tests.points import done, refused


def person(name: str, *roles: str) -> Identity:
    """Staff of program 1."""
    return Identity("staff", 1, name, frozenset(roles))


def request(agent: Identity, amount: int) -> uuid.UUID:
    """Ask without HTTP; returns the id."""
    wanted = Wanted(member_id=7, asset="points", amount=amount, reason_code="goodwill")
    with transaction() as session:
        row = use_cases.request_adjustment(session, program_id=1, agent=agent, wanted=wanted, now=now())
    assert row.status == ("pending_approval" if abs(amount) > 500 else "posted")
    return uuid.UUID(str(row.id))


@pytest.mark.parametrize(
    ("approver", "refusal"),
    [
        (person("lin", "finance", "admin"), SamePerson),
        (person("wu", "customer_service"), BeyondAuthority),
        (person("wu"), BeyondAuthority),
        (person("tan", "marketer"), BeyondAuthority),
    ],
)
def test_who_may_not_decide_may_not_by_any_way(desk: Desk, approver: Identity, refusal: type[Exception]) -> None:
    waiting = request(person("lin", "customer_service"), 501)
    with pytest.raises(refusal), transaction() as session:
        use_cases.approve(session, program_id=1, adjustment_id=waiting, approver=approver, note="", now=now())
    assert desk.brand.figures()[0] == 0


def test_somebody_without_a_limit_posts_nothing_alone(desk: Desk) -> None:
    wanted = Wanted(member_id=7, asset="points", amount=1, reason_code="goodwill")
    with transaction() as session:
        row = use_cases.request_adjustment(
            session, program_id=1, agent=person("tan", "marketer"), wanted=wanted, now=now()
        )
    assert (row.status, desk.brand.figures()[0]) == ("pending_approval", 0)


def test_undoing_and_bulk_are_no_way_around_the_limits(desk: Desk, levels_double: MembersDouble) -> None:
    for _ in range(4):
        desk.posted(500)
    made = done(desk.mei.get("/v1/adjustments"))["adjustments"][0]
    assert desk.decide("undo", made, by=desk.lin).status_code == 202
    bulk = desk.checked("member_id,asset,amount,reason\n7,points,1,goodwill\n")
    for by in (desk.lin, desk.staff("lin", "finance")):
        assert refused(desk.act("approval", bulk, by=by))[0] == 403
    assert desk.brand.figures()[0] == 2000
