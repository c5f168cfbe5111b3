"""Grants as values. Pure.

A grant names its assets' amounts once; reversals say which share of it is to be taken back in all (docs/facts.md).
"""

from dataclasses import dataclass


@dataclass(slots=True)
class Part:
    """One asset of a grant; `reversed` of its `amount` is taken back so far."""

    asset: str
    amount: int
    posting_id: str
    reversed: int = 0


@dataclass(slots=True)
class Grant:
    """What a neighbour handed out to a member under one grant id; `refused` says why when nothing was posted."""

    grant_id: str
    member_id: int
    parts: list[Part]
    refused: str | None = None


def to_reverse(part: Part, *, numerator: int, denominator: int) -> int:
    """How much more of a part is to be taken back, so that numerator / denominator of it is in all; never negative."""
    target = part.amount if numerator >= denominator else part.amount * numerator // denominator
    return max(0, target - part.reversed)
