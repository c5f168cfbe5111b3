"""What a profile is made of: who is asked what, what of it is shown, and how a part that is not there is told."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: How much of what has no end is shown.
TIMELINE, ORDERS = 20, 10


@dataclass(frozen=True, slots=True)
class Question:
    """A part of the profile: the service that knows it, the address there, and what of the answer it is (or all)."""

    part: str
    service: str
    target: str
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """What a service answered: a status, and the JSON of its answer or problem."""

    status: int
    body: dict[str, Any]

    @property
    def worked(self) -> bool:
        """Whether it is an answer, not a problem."""
        return self.status == 200


@dataclass(frozen=True, slots=True)
class Missing:
    """A part that is not there, and why, in the words of the service where it had any."""

    part: str
    service: str
    code: str
    detail: str


def questions(member_id: int) -> list[Question]:
    """What is asked about a member, all at once."""
    return [
        Question("member", "levels", f"/v1/members/{member_id}"),
        Question("accounts", "points", f"/v1/accounts?member_id={member_id}", "accounts"),
        Question("timeline", "points", f"/v1/timeline?member_id={member_id}&limit={TIMELINE}", "items"),
        Question("redemptions", "redemption", f"/v1/redemptions?member_id={member_id}&limit={ORDERS}", "redemptions"),
        Question("relations", "referrals", f"/v1/bindings/members/{member_id}"),
        Question("groupbuys", "referrals", f"/v1/groupbuys/members/{member_id}", "groupbuys"),
    ]


def questions_about_holds(member_id: int, accounts: Said) -> list[Question]:
    """What is asked once the accounts are known: the open holds of each that keeps something back."""
    held = [it["asset"] for it in accounts.body["accounts"] if it["held"]] if accounts.worked else []
    return [
        Question(f"holds of {asset}", "points", f"/v1/accounts/{asset}?member_id={member_id}", "holds")
        for asset in held
    ]


def parts_of(asked: Mapping[Question, Said]) -> tuple[dict[str, Any], list[Missing]]:
    """The parts by name, None for one that is not there, and why each of those is not."""
    parts: dict[str, Any] = {}
    missing = []
    for question, said in asked.items():
        if said.worked:
            parts[question.part] = said.body if question.field is None else said.body[question.field]
        else:
            parts[question.part] = None
            missing.append(Missing(question.part, question.service, said.body["code"], said.body["detail"]))
    return parts, missing


def holds_of(asked: Mapping[Question, Said]) -> list[dict[str, Any]]:
    """The open holds, each with the asset of its account."""
    return [
        {"asset": said.body["asset"], **hold} for said in asked.values() if said.worked for hold in said.body["holds"]
    ]
