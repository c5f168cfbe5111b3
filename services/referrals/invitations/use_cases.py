"""Setting up invitation campaigns and giving members their codes."""

import secrets
from collections.abc import Iterable
from datetime import datetime

from sqlmodel import Session

from services.referrals.invitations import repository
from services.referrals.invitations.domain import (
    ALPHABET,
    CODE_LENGTH,
    Campaign,
    Invitation,
    Terms,
    UnknownCampaign,
    UnknownCode,
    check_open,
    check_terms,
    normal_code,
)


def configure_campaign(
    session: Session, *, program_id: int, code: str, terms: Terms, by: str, now: datetime
) -> Campaign:
    """Publish terms as the campaign's next version; the same terms again are the version there is.

    Bindings made before keep theirs. Raises `RewardForSharing`, `UnknownTrigger`, `EndsBeforeItStarts`.
    """
    check_terms(terms)
    repository.lock_campaign(session, program_id, code)
    try:
        newest = repository.get_campaign(session, program_id, code)
    except UnknownCampaign:
        campaign = Campaign(program_id, code, 1, terms)
    else:
        if newest.terms == terms:
            return newest
        campaign = Campaign(program_id, code, newest.version + 1, terms)
    repository.add_campaign(session, campaign, created_by=by, now=now)
    return campaign


def list_campaigns(session: Session, *, program_id: int) -> list[Campaign]:
    """The newest version of each campaign."""
    return repository.list_campaigns(session, program_id)


def get_campaign(session: Session, *, program_id: int, code: str, version: int | None = None) -> Campaign:
    """That version of the campaign, or the newest; raises `UnknownCampaign`."""
    return repository.get_campaign(session, program_id, code, version)


def invite(session: Session, *, program_id: int, member_id: int, campaign: str, now: datetime) -> Invitation:
    """The member's code in the campaign: made once, the same ever after.

    Raises `UnknownCampaign`, `CampaignNotOpen`.
    """
    check_open(repository.get_campaign(session, program_id, campaign), now)
    while (mine := repository.find_invitation(session, program_id, member_id, campaign)) is None:
        # A code already taken, one in 8 * 10^11 per code given out, is drawn anew.
        repository.add_invitation(session, Invitation(program_id, member_id, campaign, _new_code()), now)
    return mine


def list_invitations(session: Session, *, program_id: int, member_id: int) -> list[Invitation]:
    """The member's invitations."""
    return repository.list_invitations(session, program_id, member_id)


def open_invitation(session: Session, *, program_id: int, code: str, now: datetime) -> tuple[Invitation, Campaign]:
    """The invitation of a code and its campaign's terms today. Raises `UnknownCode`, `CampaignNotOpen`."""
    invitation = repository.find_by_code(session, program_id, normal_code(code))
    if invitation is None:
        raise UnknownCode(invitation_code=code)
    campaign = repository.get_campaign(session, program_id, invitation.campaign)
    check_open(campaign, now)
    return invitation, campaign


def lock_invitations(session: Session, keys: Iterable[tuple[int, int, str]]) -> None:
    """Let one transaction at a time count against the limits of `(program_id, inviter, campaign)`."""
    repository.lock_invitations(session, keys)


def _new_code() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
