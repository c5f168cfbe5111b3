"""What is handed out, as a value, and the event of handing it out (docs/facts.md, "Rewards")."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class AssetPart:
    """An amount of an asset of the points ledger."""

    kind: ClassVar[str] = "asset"
    asset: str
    amount: int


@dataclass(frozen=True, slots=True)
class BadgePart:
    """A badge of our own catalogue."""

    kind: ClassVar[str] = "badge"
    badge: str


Reward = tuple[AssetPart | BadgePart, ...]


@dataclass(frozen=True, slots=True)
class Grant:
    """A reward handed to a member, once per `grant_id`, because of `cause`, as `rule` (a version) decided."""

    program_id: int
    member_id: int
    grant_id: str
    reward: Reward
    cause: str
    rule: str
    at: datetime


def to_json(reward: Iterable[AssetPart | BadgePart]) -> list[dict[str, Any]]:
    """The reward as facts and documents carry it."""
    return [
        {"kind": part.kind, "asset": part.asset, "amount": part.amount}
        if isinstance(part, AssetPart)
        else {"kind": part.kind, "badge": part.badge}
        for part in reward
    ]


def from_json(parts: Iterable[dict[str, Any]]) -> Reward:
    """The reward of a document of ours."""
    return tuple(
        AssetPart(part["asset"], part["amount"]) if part["kind"] == "asset" else BadgePart(part["badge"])
        for part in parts
    )


def badges_of(rewards: Iterable[Reward]) -> set[str]:
    """The codes of every badge in the rewards."""
    return {part.badge for reward in rewards for part in reward if isinstance(part, BadgePart)}
