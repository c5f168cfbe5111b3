"""Campaigns and invitation codes as values, and what may earn a reward at all.

WeChat allows no benefit for merely sharing or opening: only when the invitee knowingly takes part (platform rules,
sharing; requirements R1).
"""

from dataclasses import dataclass
from datetime import datetime

from common.errors import Refusal
from services.referrals.rewards.domain import Reward

#: The one event that qualifies an invitation today.
FIRST_PAID_ORDER = "first_paid_order"
_MERE_SHARING = frozenset({"share", "shared", "open", "opened", "click", "clicked", "view", "viewed", "moments"})

#: Letters and digits that nobody mistakes for one another on a card or a phone: no 0 O 1 I L.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
CODE_LENGTH = 8


class UnknownCampaign(Refusal):
    """The program has no such invitation campaign."""

    code = "invitation_campaign_not_found"


class CampaignNotOpen(Refusal):
    """The campaign has not begun, or is over."""

    code = "invitation_campaign_not_open"


class UnknownCode(Refusal):
    """Nobody in this program invites with that code."""

    code = "invitation_code_not_found"


class RewardForSharing(Refusal):
    """The trigger would reward sharing or opening by itself."""

    code = "reward_for_sharing_forbidden"


class UnknownTrigger(Refusal):
    """No such qualifying event."""

    code = "unknown_trigger"


class EndsBeforeItStarts(Refusal):
    """The campaign's end does not lie after its start."""

    code = "ends_before_it_starts"


@dataclass(frozen=True, slots=True)
class Terms:
    """What a campaign promises and allows. Bounds are of one inviter: `hourly_limit` bindings before qualification
    waits for a review, `monthly_cap` rewarded invitations a business month.

    `protect_days`: for so long after the first touch no other code can bind the invitee. No start or end: open.
    """

    name: str
    trigger: str
    minimum_paid_fen: int
    inviter_reward: Reward
    invitee_reward: Reward
    protect_days: int
    hourly_limit: int
    monthly_cap: int
    starts_at: datetime | None
    ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class Campaign:
    """One version of a campaign's terms; a version never changes, and what was made under it keeps it."""

    program_id: int
    code: str
    version: int
    terms: Terms

    @property
    def rule(self) -> str:
        """How grants name what decided them."""
        return f"invitation:{self.code}:v{self.version}"


@dataclass(frozen=True, slots=True)
class Invitation:
    """A member's code in a campaign."""

    program_id: int
    member_id: int
    campaign: str
    code: str


def check_terms(terms: Terms) -> None:
    """Raises `RewardForSharing`, `UnknownTrigger` or `EndsBeforeItStarts`."""
    if terms.trigger in _MERE_SHARING:
        raise RewardForSharing(trigger=terms.trigger)
    if terms.trigger != FIRST_PAID_ORDER:
        raise UnknownTrigger(trigger=terms.trigger)
    if terms.starts_at and terms.ends_at and terms.ends_at <= terms.starts_at:
        raise EndsBeforeItStarts()


def check_open(campaign: Campaign, now: datetime) -> None:
    """Open from its start until just before its end; raises `CampaignNotOpen`."""
    starts_at, ends_at = campaign.terms.starts_at, campaign.terms.ends_at
    if (starts_at and now < starts_at) or (ends_at and now >= ends_at):
        raise CampaignNotOpen(campaign=campaign.code)


def normal_code(code: str) -> str:
    """The code as it is kept: people type lower case."""
    return code.upper()
