"""What the service takes from its neighbours' feeds, and which domains hear of it, in which order."""

from sqlmodel import Session

from common.feed import Fact, Subscription
from services.referrals.bindings import use_cases as bindings
from services.referrals.groupbuys import payments
from services.referrals.members import use_cases as members
from services.referrals.orders import use_cases as orders
from services.referrals.programs import use_cases as programs
from services.referrals.refunds import use_cases as refunds


def take_paid_orders(session: Session, facts: list[Fact]) -> None:
    """Record the orders; those not told before qualify bindings and pay for seats."""
    paid = orders.record_paid(session, facts)
    bindings.qualify(session, paid)
    payments.confirm(session, paid)


def take_refunded_orders(session: Session, facts: list[Fact]) -> None:
    """Record the refunds; orders now refunded in full revoke bindings, free seats and settle what was asked for."""
    refunded = orders.record_refunds(session, facts)
    bindings.revoke(session, refunded)
    payments.free(session, refunded)
    refunds.settle(session, refunded)


SUBSCRIPTIONS = (
    Subscription(
        "points",
        {
            "program.configured": programs.follow_settings,
            "order.paid": take_paid_orders,
            "order.refunded": take_refunded_orders,
        },
    ),
    Subscription("levels", {"member.joined": members.follow_joins}),
)
