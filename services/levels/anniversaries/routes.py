"""Birthdays over HTTP."""

from typing import Any

from common import clock
from common.http.callers import MEMBER, owner, staff, system
from common.http.routes import Routes
from common.identity import Identity
from services.levels.anniversaries import schemas, use_cases
from services.levels.anniversaries.domain import Birthday
from services.levels.anniversaries.wordings import WORDINGS
from services.levels.database import transaction

routes = Routes("anniversaries", wordings=WORDINGS, description="Birthdays of members: a month and a day, no year")

#: Personal data: the member, who serves them, and the system that keeps members.
_CALLERS = (MEMBER, staff("customer_service"), system("members"))


@routes.put(
    "/members/<id:member_id>/birthday",
    allow=_CALLERS,
    body=schemas.BirthdayRequest,
    answer=schemas.BirthdayResponse,
)
def enter(caller: Identity, member_id: int, body: Birthday) -> use_cases.Entered:
    """Enter a birthday. Members enter their own, once; staff and systems may correct it."""
    whose = owner(caller, member_id)
    asked: dict[str, Any] = {"birthday": body, "corrects": caller.kind != "member", "by": caller.actor}
    with transaction() as session:
        return use_cases.enter(session, program_id=caller.program_id, member_id=whose, **asked, now=clock.now())


@routes.get("/members/<id:member_id>/birthday", allow=_CALLERS, answer=schemas.BirthdayResponse)
def show(caller: Identity, member_id: int) -> use_cases.Entered:
    """A member's birthday; for members only their own."""
    whose = owner(caller, member_id)
    with transaction() as session:
        return use_cases.show(session, program_id=caller.program_id, member_id=whose)


@routes.delete("/members/<id:member_id>/birthday", allow=_CALLERS, answer=schemas.ErasedResponse)
def erase(caller: Identity, member_id: int) -> dict[str, bool]:
    """Wipe a birthday. Members who had one wiped do not enter another by themselves."""
    whose = owner(caller, member_id)
    with transaction() as session:
        use_cases.erase(session, program_id=caller.program_id, member_id=whose, by=caller.actor, now=clock.now())
    return {"erased": True}


@routes.post(
    "/members/birthdays", allow=(system("members"),), body=schemas.BirthdaysRequest, answer=schemas.KeptResponse
)
def enter_many(caller: Identity, body: dict[int, Birthday]) -> use_cases.Kept:
    """Enter or correct the birthdays of up to a thousand members; safe to repeat."""
    with transaction() as session:
        return use_cases.enter_many(
            session, program_id=caller.program_id, birthdays=body, by=caller.actor, now=clock.now()
        )
