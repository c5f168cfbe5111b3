"""The static check of the live rules, and of what they would be with drafts in place."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from sqlmodel import Session

from services.points.audiences import use_cases as audiences
from services.points.deductions import use_cases as deductions
from services.points.deductions.domain import NoPolicy
from services.points.programs.use_cases import program_book
from services.points.rules.absent import groups_of
from services.points.rules.analysis import analyse
from services.points.rules.candidates import candidate_of
from services.points.rules.concerns import Concern, Setting


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A question that could not be asked, and why."""

    code: str
    en: str
    zh: str


@dataclass(frozen=True, slots=True)
class Analysis:
    """What is wrong with `rules` at `as_of`, and what could not be said."""

    as_of: datetime
    rules: list[str]
    concerns: list[Concern]
    left_out: list[LeftOut]


def analyse_rules(
    session: Session, *, program_id: int, drafts: Collection[str] | None, retire: Collection[str], now: datetime
) -> Analysis:
    """Check the live set with `drafts` (None: all there are) in place and without `retire`; nothing is written.

    Raises `UnknownRule`, `NoDraft`, `RuleNotLive`.
    """
    candidate = candidate_of(session, program_id=program_id, drafts=drafts, retire=retire)
    worth = _worth(session, program_id)
    named = {group for one in candidate.rules for group in groups_of(one.rule.audience)}
    nobody = audiences.find_empty(session, program_id=program_id, groups=named)
    zone = program_book(session, program_id).program.time_zone
    setting = Setting(zone, program_id, now, candidate.groups, worth, nobody)
    return Analysis(
        now,
        [one.code for one in candidate.rules],
        analyse(candidate.rules, setting),
        [] if worth else [_WORTH_UNKNOWN],
    )


_WORTH_UNKNOWN = LeftOut(
    "award_above_price",
    "Whether an award is worth more than its order paid: no deduction policy says what points are worth.",
    "奖励价值是否超过实付金额:尚未设置积分抵扣规则,无法判断。",
)


def _worth(session: Session, program_id: int) -> dict[str, Fraction]:
    """What a unit of each asset is worth at the till, in 分, where a policy says so."""
    try:
        policy = deductions.show_policy(session, program_id=program_id)
    except NoPolicy:
        return {}
    return {policy.asset: Fraction(policy.fen, policy.points)}
