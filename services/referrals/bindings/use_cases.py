"""Binding a member to their inviter, qualifying by the first order, reviewing, and revoking after a refund."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from sqlmodel import Session

from common import feed as facts
from services.referrals.bindings import repository
from services.referrals.bindings.domain import (
    Binding,
    NotNew,
    Reason,
    Relations,
    State,
    Tally,
    Usage,
    business_month,
    check_cap,
    check_held,
    check_not_self,
    judge,
    next_number,
)
from services.referrals.database import feed
from services.referrals.invitations import use_cases as invitations
from services.referrals.invitations.domain import Campaign
from services.referrals.members import use_cases as members
from services.referrals.orders.domain import PaidOrder, Refund
from services.referrals.programs import use_cases as programs
from services.referrals.rewards import use_cases as rewards
from services.referrals.rewards.domain import Grant


def bind(
    session: Session,
    *,
    program_id: int,
    member_id: int,
    code: str,
    channel: str | None,
    touch: str | None,
    now: datetime,
) -> Binding:
    """Bind the member to the inviter whose code it is; the first touch stays while it is protected (R19).

    Raises `UnknownCode`, `CampaignNotOpen`, `SelfInvite`, `AlreadyBound`, `NotNew`.
    """
    invitation, campaign = invitations.open_invitation(session, program_id=program_id, code=code, now=now)
    check_not_self(invitation.member_id, member_id)
    member = members.lock_member(session, program_id=program_id, member_id=member_id)
    present = repository.find_present(session, program_id, member_id)
    number = next_number(present, now)
    if not member.is_new:
        raise NotNew()
    if present:
        repository.put_binding(session, present, state=State.REPLACED)
    binding = Binding(
        program_id,
        member_id,
        number,
        invitation.member_id,
        campaign.code,
        campaign.version,
        invitation.code,
        channel,
        touch,
        State.BOUND,
        bound_at=now,
        protected_until=now + timedelta(days=campaign.terms.protect_days),
    )
    repository.add_binding(session, binding)
    _tell(session, "invitation.bound", binding, at=now)
    return binding


def qualify(session: Session, orders: Sequence[PaidOrder]) -> None:
    """Let newly recorded orders of bound members qualify their bindings, each at most once.

    What a limit holds back waits for a review with its reason; nothing is granted for it.
    """
    payers = sorted({(order.program_id, order.member_id) for order in orders})
    found = repository.list_of_members(session, payers, [State.BOUND])
    if not found:
        return
    invitations.lock_invitations(session, [(it.program_id, it.inviter_id, it.campaign) for it in found])
    bound = {(it.program_id, it.member_id): it for it in repository.lock_bindings(session, found)}
    for order in orders:
        payer = (order.program_id, order.member_id)
        if payer in bound and bound[payer].state is State.BOUND:
            bound[payer] = _apply(session, bound[payer], order)


def _apply(session: Session, binding: Binding, order: PaidOrder) -> Binding:
    campaign = _campaign(session, binding)
    month = business_month(order.paid_at, programs.time_zone(session, order.program_id))
    usage = Usage(
        repository.count_bound_this_hour(session, binding), repository.count_qualified(session, binding, month)
    )
    verdict = judge(binding, order, campaign.terms, usage)
    judged = {"state": verdict.state, "reason": verdict.reason, "order_id": order.order_id, "cause": order.event}
    if verdict.state is not State.QUALIFIED:
        return repository.put_binding(session, binding, **judged)
    done = repository.put_binding(session, binding, **judged, qualified_at=order.paid_at, counted_month=month)
    _reward(session, done, campaign, at=order.paid_at)
    return done


def _reward(session: Session, binding: Binding, campaign: Campaign, *, at: datetime) -> None:
    _tell(session, "invitation.qualified", binding, at=at)
    cause = str(binding.cause)
    for member_id, grant_id, reward in (
        (binding.inviter_id, binding.inviter_grant_id, campaign.terms.inviter_reward),
        (binding.member_id, binding.invitee_grant_id, campaign.terms.invitee_reward),
    ):
        rewards.grant(session, Grant(binding.program_id, member_id, grant_id, reward, cause, campaign.rule, at))


def review(
    session: Session,
    *,
    program_id: int,
    member_id: int,
    number: int,
    decision: Literal["approve", "reject"],
    note: str,
    by: str,
    now: datetime,
) -> Binding:
    """Decide on a held binding. Approval counts against the cap of the month in which it is given.

    Raises `NotFound`, `NotHeld`, `MonthlyCapReached`.
    """
    found = repository.get_binding(session, program_id, member_id, number)
    invitations.lock_invitations(session, [(program_id, found.inviter_id, found.campaign)])
    (binding,) = repository.lock_bindings(session, [found])
    check_held(binding)
    reviewed = {"reviewed_by": by, "review_note": note}
    if decision == "reject":
        return repository.put_binding(session, binding, state=State.REJECTED, reason=Reason.REVIEWED, **reviewed)
    campaign = _campaign(session, binding)
    month = business_month(now, programs.time_zone(session, program_id))
    check_cap(campaign.terms, repository.count_qualified(session, binding, month))
    approved = {"state": State.QUALIFIED, "reason": Reason.REVIEWED, "qualified_at": now, "counted_month": month}
    done = repository.put_binding(session, binding, **approved, **reviewed)
    _reward(session, done, campaign, at=now)
    return done


def revoke(session: Session, refunds: Sequence[Refund]) -> None:
    """Revoke the bindings whose qualifying order is now refunded in full, and take both rewards back.

    It frees the cap (the month counts what still stands), and the same member never qualifies again.
    """
    causes = {(refund.program_id, refund.member_id, refund.order_id): refund for refund in refunds}
    payers = sorted({(refund.program_id, refund.member_id) for refund in refunds})
    standing = repository.list_of_members(session, payers, [State.QUALIFIED, State.HELD])
    hit = [it for it in standing if (it.program_id, it.member_id, it.order_id) in causes]
    if not hit:
        return
    invitations.lock_invitations(session, [(it.program_id, it.inviter_id, it.campaign) for it in hit])
    for binding in repository.lock_bindings(session, hit):
        refund = causes[binding.program_id, binding.member_id, str(binding.order_id)]
        if binding.state in (State.QUALIFIED, State.HELD):
            _take_back(session, binding, refund)


def _take_back(session: Session, binding: Binding, refund: Refund) -> None:
    changes = {"state": State.REVOKED, "reason": Reason.REFUNDED, "counted_month": None}
    revoked = repository.put_binding(session, binding, **changes)
    if binding.state is State.HELD:
        return
    _tell(session, "invitation.revoked", revoked, at=refund.refunded_at)
    for member_id, grant_id in (
        (binding.inviter_id, binding.inviter_grant_id),
        (binding.member_id, binding.invitee_grant_id),
    ):
        rewards.reverse(
            session,
            program_id=binding.program_id,
            member_id=member_id,
            grant_id=grant_id,
            cause=refund.event,
            at=refund.refunded_at,
        )


def list_bindings(
    session: Session, *, program_id: int, state: State, after: tuple[int, int] | None, limit: int
) -> list[Binding]:
    """The program's bindings in a state, oldest first."""
    return repository.list_by_state(session, program_id, state, after=after, limit=limit)


def list_invitations(session: Session, *, program_id: int, member_id: int) -> list[Tally]:
    """The member's invitations with what they brought."""
    counts = repository.count_by_campaign(session, program_id, member_id)
    return [
        Tally(
            mine.campaign,
            mine.code,
            *(
                counts.get((mine.campaign, state), 0)
                for state in (State.BOUND, State.QUALIFIED, State.HELD, State.REVOKED)
            ),
        )
        for mine in invitations.list_invitations(session, program_id=program_id, member_id=member_id)
    ]


def relations(session: Session, *, program_id: int, member_id: int) -> Relations:
    """Who brought a member, and whom they brought: the newest fifty of them, and how many by what became of them."""
    return Relations(
        repository.find_present(session, program_id, member_id),
        repository.list_of_inviter(session, program_id, member_id, limit=50),
        list_invitations(session, program_id=program_id, member_id=member_id),
    )


def _campaign(session: Session, binding: Binding) -> Campaign:
    return invitations.get_campaign(
        session, program_id=binding.program_id, code=binding.campaign, version=binding.version
    )


def _tell(session: Session, topic: str, binding: Binding, *, at: datetime) -> None:
    """Append a fact about the binding; it is the inviter's fact: boards and growth are theirs."""
    payload = {
        "binding": binding.id,
        "inviter_id": binding.inviter_id,
        "invitee_id": binding.member_id,
        "code": binding.code,
        "campaign": binding.campaign,
        "version": binding.version,
        "channel": binding.channel,
        "touch": binding.touch,
        "order_id": binding.order_id,
        "at": at.isoformat(),
    }
    facts.append(session, feed, topic, program_id=binding.program_id, member_id=binding.inviter_id, payload=payload)
