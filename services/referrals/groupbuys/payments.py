"""What payments, refunds and the clock do to groups: confirm, free, fill, expire. Use cases of feeds and sweepers."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from common import feed as facts
from services.referrals.database import feed
from services.referrals.groupbuys import campaigns_repository, repository
from services.referrals.groupbuys.domain import Campaign, Group, GroupState, Payment, refuse_payment
from services.referrals.orders import use_cases as orders_told
from services.referrals.orders.domain import PaidOrder, Refund
from services.referrals.refunds import use_cases as refunds_due
from services.referrals.refunds.domain import Reason, RefundRequest
from services.referrals.rewards import use_cases as rewards
from services.referrals.rewards.domain import Grant, Reward


def confirm(session: Session, orders: Sequence[PaidOrder]) -> None:
    """Let newly recorded orders pay for the seats they name; what cannot confirm its seat goes back, once an order.

    An order known to be refunded in full pays for nothing and needs no refund: its row says so.
    """
    claims = [order for order in orders if order.seat is not None and not order.fully_refunded]
    if not claims:
        return
    places = repository.locate_seats(
        session, [(order.program_id, seat) for order in claims if (seat := _seat_id(order))]
    )
    placed = {order: places[at] for order in claims if (at := (order.program_id, _seat_id(order))) in places}
    repository.lock_participants(
        session, [(order.program_id, order.member_id, place.campaign) for order, place in placed.items()]
    )
    repository.lock_groups(session, [(order.program_id, place.group_id) for order, place in placed.items()])
    for order in claims:
        if order in placed:
            _pay(session, order, placed[order])
        else:
            _send_back(session, order, Reason.UNKNOWN_SEAT, None)


def _seat_id(order: PaidOrder) -> UUID | None:
    try:
        return UUID(order.seat)
    except ValueError:
        return None


def _pay(session: Session, order: PaidOrder, place: repository.Place) -> None:
    group = repository.get_group(session, order.program_id, place.group_id)
    campaign = _campaign(session, group)
    seats = repository.list_seats(session, group)
    seat = seats[place.number - 1]
    others = repository.count_seats_elsewhere(session, group, order.member_id, order.paid_at)
    reason = refuse_payment(group, seat, campaign.terms, order, others)
    if reason:
        _send_back(session, order, reason, group)
        return
    payment = Payment(order.member_id, order.order_id, order.event, order.paid_at)
    repository.mark_paid(session, group, seat.number, payment)
    payments = [payment if each is seat else each.payment for each in seats]
    if all(payments):
        _fill(session, group, campaign, [each for each in payments if each], at=order.paid_at)


def _send_back(session: Session, order: PaidOrder, reason: Reason, group: Group | None) -> None:
    amount_fen = order.paid_fen - order.refunded_fen
    groupbuy = group.id if group else None
    refunds_due.request_refund(
        session,
        RefundRequest(order.program_id, order.order_id, order.member_id, amount_fen, reason, groupbuy, order.paid_at),
    )


def _fill(session: Session, group: Group, campaign: Campaign, payments: Sequence[Payment], *, at: datetime) -> None:
    """Fill the group and grant each seat's reward, and the opener's when the opener has a seat."""
    repository.mark_closed(session, group, GroupState.FILLED, at)
    _tell(session, "groupbuy.filled", group, payments, at=at)
    for number, payment in enumerate(payments, start=1):
        _grant(session, campaign, campaign.terms.reward_on_fill, group.seat_grant_id(number), payment, at=at)
        if payment.member_id == group.head_id:
            _grant(session, campaign, campaign.terms.reward_for_head, group.head_grant_id, payment, at=at)


def _grant(
    session: Session, campaign: Campaign, reward: Reward, grant_id: str, payment: Payment, *, at: datetime
) -> None:
    """Grant what the campaign promises; it may promise nothing for one of the two."""
    if reward:
        grant = Grant(campaign.program_id, payment.member_id, grant_id, reward, payment.cause, campaign.rule, at)
        rewards.grant(session, grant)


def free(session: Session, refunds: Sequence[Refund]) -> None:
    """Follow orders that are now refunded in full: an open group gets the seat back, with its deadline as it was;
    in a closed one the seat is marked, and what its payment earned is taken back (traps T11, T12, T30)."""
    if not refunds:
        return
    places = repository.locate_orders(session, [refund.key for refund in refunds])
    repository.lock_groups(session, [(program_id, group_id) for (program_id, _), group_id in places.items()])
    for refund in refunds:
        if refund.key in places:
            _follow_refund(session, repository.get_group(session, refund.program_id, places[refund.key]), refund)


def _follow_refund(session: Session, group: Group, refund: Refund) -> None:
    seat = next(it for it in repository.list_seats(session, group) if it.order_id == refund.order_id)
    if group.state is GroupState.OPEN:
        repository.mark_free(session, group, seat.number)
        return
    repository.mark_refunded(session, group, seat.number, at=refund.refunded_at)
    earned = [group.seat_grant_id(seat.number)] + ([group.head_grant_id] if refund.member_id == group.head_id else [])
    for grant_id in earned:
        rewards.reverse(
            session,
            program_id=group.program_id,
            member_id=refund.member_id,
            grant_id=grant_id,
            cause=refund.event,
            at=refund.refunded_at,
        )


def list_due(session: Session, *, now: datetime, after: Group | None, limit: int) -> list[Group]:
    """Groups of all programs whose time is over while they are still open."""
    place = (after.due_at, after.program_id, after.id) if after else None
    return repository.list_due(session, now, after=place, limit=limit)


def expire(session: Session, *, program_id: int, group_id: UUID, now: datetime) -> None:
    """Expire a group whose time is over and ask for the refund of each paid seat; one closed meanwhile stays so."""
    group = repository.lock_groups(session, [(program_id, group_id)])[program_id, group_id]
    if group.state is not GroupState.OPEN or now < group.due_at:
        return
    repository.mark_closed(session, group, GroupState.EXPIRED, now)
    paid = [seat.payment for seat in repository.list_seats(session, group) if seat.payment]
    _tell(session, "groupbuy.expired", group, paid, at=now)
    for payment in paid:
        amount_fen = orders_told.outstanding_fen(
            session, program_id=program_id, order_id=payment.order_id, member_id=payment.member_id
        )
        request = RefundRequest(
            program_id, payment.order_id, payment.member_id, amount_fen, Reason.GROUP_EXPIRED, group.id, now
        )
        refunds_due.request_refund(session, request)


def release_seats(session: Session, *, now: datetime) -> int:
    """Note the holds that have run out, so that boards and figures show it; answers how many."""
    return repository.release_lapsed(session, now)


def _campaign(session: Session, group: Group) -> Campaign:
    return campaigns_repository.get_campaign(session, group.program_id, group.campaign, group.version)


def _tell(session: Session, topic: str, group: Group, payments: Sequence[Payment], *, at: datetime) -> None:
    payload = {
        "groupbuy": str(group.id),
        "campaign": group.campaign,
        "version": group.version,
        "head_id": group.head_id,
        "members": [payment.member_id for payment in payments],
        "at": at.isoformat(),
    }
    facts.append(session, feed, topic, program_id=group.program_id, member_id=group.head_id, payload=payload)
