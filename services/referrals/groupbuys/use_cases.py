"""Group-buys as members and staff use them: set up, open, join, look."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlmodel import Session

from common import feed as facts
from services.referrals.database import feed
from services.referrals.groupbuys import campaigns_repository, repository
from services.referrals.groupbuys.domain import (
    Campaign,
    Group,
    GroupView,
    NewMembersOnly,
    Terms,
    UnknownCampaign,
    check_limit,
    check_open,
    check_terms,
    choose_seat,
    hold_deadline,
    open_group,
    seat_of,
    view,
)
from services.referrals.members import use_cases as members


def configure_campaign(
    session: Session, *, program_id: int, code: str, terms: Terms, by: str, now: datetime
) -> Campaign:
    """Publish terms as the campaign's next version; the same terms again are the version there is.

    Groups opened before keep theirs. Raises `EndsBeforeItStarts`.
    """
    check_terms(terms)
    campaigns_repository.lock_campaign(session, program_id, code)
    try:
        newest = campaigns_repository.get_campaign(session, program_id, code)
    except UnknownCampaign:
        campaign = Campaign(program_id, code, 1, terms)
    else:
        if newest.terms == terms:
            return newest
        campaign = Campaign(program_id, code, newest.version + 1, terms)
    campaigns_repository.add_campaign(session, campaign, created_by=by, now=now)
    return campaign


def list_campaigns(session: Session, *, program_id: int) -> list[Campaign]:
    """The newest version of each campaign."""
    return campaigns_repository.list_campaigns(session, program_id)


def open_groupbuy(session: Session, *, program_id: int, member_id: int, campaign: str, now: datetime) -> GroupView:
    """Open a group and hold its first seat for the opener.

    Raises `UnknownCampaign`, `CampaignNotOpen`, `GroupLimitReached`.
    """
    terms = campaigns_repository.get_campaign(session, program_id, campaign)
    check_open(terms, now)
    repository.lock_participants(session, [(program_id, member_id, campaign)])
    group = open_group(terms, uuid4(), member_id, now)
    check_limit(terms.terms, repository.count_seats_elsewhere(session, group, member_id, now))
    repository.add_group(session, group, [uuid4() for _ in range(terms.terms.size)])
    until = hold_deadline(group, terms.terms, now)
    repository.hold_seat(session, group, 1, member_id=member_id, until=until, now=now)
    _tell_opened(session, group, terms.terms)
    return _view(session, group, member_id, now)


def join(session: Session, *, program_id: int, member_id: int, group_id: UUID, now: datetime) -> GroupView:
    """Hold a seat of the group for the member, to be paid until its deadline; their own seat when they have one.

    Raises `NotFound`, `GroupOver`, `GroupFull`, `GroupLimitReached`, `NewMembersOnly`.
    """
    found = repository.get_group(session, program_id, group_id)
    member = members.lock_member(session, program_id=program_id, member_id=member_id)
    repository.lock_participants(session, [(program_id, member_id, found.campaign)])
    group = repository.lock_groups(session, [(program_id, group_id)])[program_id, group_id]
    seats = repository.list_seats(session, group)
    if seat_of(seats, member_id, now) is None:
        terms = _campaign(session, group).terms
        seat = choose_seat(group, seats, member_id, now)
        if terms.new_members_only and member_id != group.head_id and not member.is_new:
            raise NewMembersOnly()
        check_limit(terms, repository.count_seats_elsewhere(session, group, member_id, now))
        until = hold_deadline(group, terms, now)
        repository.hold_seat(session, group, seat.number, member_id=member_id, until=until, now=now)
    return _view(session, group, member_id, now)


def show(session: Session, *, program_id: int, group_id: UUID, viewer_id: int | None, now: datetime) -> GroupView:
    """The group as a member sees it, or staff (None); raises `NotFound`."""
    return _view(session, repository.get_group(session, program_id, group_id), viewer_id, now)


def list_to_join(
    session: Session,
    *,
    program_id: int,
    campaign: str,
    viewer_id: int | None,
    after: UUID | None,
    limit: int,
    now: datetime,
) -> list[GroupView]:
    """The campaign's groups that have a seat to take, soonest to end first. Raises `UnknownCampaign`, `NotFound`."""
    campaigns_repository.get_campaign(session, program_id, campaign)
    found = repository.list_to_join(session, program_id, campaign, now, after=after, limit=limit)
    return [_view(session, group, viewer_id, now) for group in found]


def list_open_of(session: Session, *, program_id: int, member_id: int, now: datetime) -> list[GroupView]:
    """The open groups in which a member sits, as staff see them; soonest to end first, at most twenty."""
    found = repository.list_open_of(session, program_id, member_id, now, limit=20)
    return [_view(session, group, None, now) for group in found]


def _campaign(session: Session, group: Group) -> Campaign:
    return campaigns_repository.get_campaign(session, group.program_id, group.campaign, group.version)


def _view(session: Session, group: Group, viewer_id: int | None, now: datetime) -> GroupView:
    return view(_campaign(session, group), group, repository.list_seats(session, group), viewer_id, now)


def _tell_opened(session: Session, group: Group, terms: Terms) -> None:
    payload = {
        "groupbuy": str(group.id),
        "campaign": group.campaign,
        "version": group.version,
        "head_id": group.head_id,
        "size": terms.size,
        "due_at": group.due_at.isoformat(),
        "at": group.opened_at.isoformat(),
    }
    facts.append(
        session, feed, "groupbuy.opened", program_id=group.program_id, member_id=group.head_id, payload=payload
    )
