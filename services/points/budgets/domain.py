"""Budgets in slots: nobody waits for everybody, and nothing is spent twice. Pure.

What a rule may award in all members' windows together is cut into slots; a member draws on the slot that a hash of
their id chose. When it is empty the others lend, which needs all of them locked. Left = share − used, of each slot;
Σ share = the whole. Who comes first is served first, for the order of arrival is all that a shared pot can know.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

SLOTS = 8

#: The rule and the window: `("double-eleven", "day 2026-11-11")`, `("double-eleven", "budget")`.
PotKey = tuple[str, str]


class SlotSpent(Exception):
    """The member's slot has too little left, and the others are not locked: begin again with all of them."""


@dataclass(slots=True)
class Slot:
    """One part of a pot. What a member gives back comes to their own slot, so `used` may be less than nothing there."""

    share: int
    used: int

    @property
    def left(self) -> int:
        """What can still be awarded from it; less than nothing after the pot was made smaller than what was used."""
        return self.share - self.used


@dataclass(slots=True)
class Pot:
    """What is left of one rule's budget, or of its cap in one window: the slots of it that are locked."""

    whole: int
    slots: dict[int, Slot] = field(default_factory=dict)
    changed: set[int] = field(default_factory=set)

    @property
    def left(self) -> int:
        """What all locked slots have left together."""
        return max(0, sum(slot.left for slot in self.slots.values()))

    def can_give(self, member_id: int, amount: int) -> int:
        """How much of the amount there is. Raises `SlotSpent`."""
        if len(self.slots) == SLOTS:
            return min(amount, self.left)
        if self.slots[slot_of(member_id)].left < amount:
            raise SlotSpent()
        return amount

    def take(self, member_id: int, amount: int) -> None:
        """Use up what `can_give` said there is: the member's own slot first, then whoever has most left."""
        own = slot_of(member_id)
        others = sorted(self.slots, key=lambda number: (-self.slots[number].left, number))
        for number in [own, *(number for number in others if number != own)]:
            part = min(amount, max(0, self.slots[number].left))
            if part:
                self.slots[number].used += part
                self.changed.add(number)
                amount -= part

    def give_back(self, member_id: int, amount: int) -> None:
        """A refund gives back."""
        self.slots[slot_of(member_id)].used -= amount
        self.changed.add(slot_of(member_id))

    def level(self, whole: int) -> None:
        """Let every slot have as much left as the others, of a whole that may have changed. All slots are locked."""
        left = whole - sum(slot.used for slot in self.slots.values())
        each, rest = divmod(left, SLOTS)
        self.whole = whole
        for number, slot in sorted(self.slots.items()):
            slot.share = slot.used + each + (number < rest)
        self.changed = set(self.slots)


@dataclass(slots=True)
class Need:
    """Who may draw on a pot or give back to it, and how much at most each draws; `whole` None: as the pot says."""

    whole: int | None = None
    members: dict[int, int] = field(default_factory=dict)


def draw(
    pots: Mapping[PotKey, Pot], rule: str, spans: Iterable[str], member_id: int, amount: int
) -> tuple[int, str | None]:
    """Take the amount from every one of the rule's pots, or as much as all of them have; give back when it is negative.

    Returns what was taken, and the span of the pot that had the least when that was less. Raises `SlotSpent`.
    """
    mine = {span: pots[rule, span] for span in spans}
    if amount <= 0 or not mine:
        for pot in mine.values():
            pot.give_back(member_id, -amount)
        return amount, None
    there = {span: pot.can_give(member_id, amount) for span, pot in mine.items()}
    least = min(there, key=lambda span: there[span])
    for pot in mine.values():
        pot.take(member_id, there[least])
    return there[least], least if there[least] < amount else None


def slot_of(member_id: int) -> int:
    """The slot that a member draws on: the upper bits of a multiplicative hash, for ids may count in steps."""
    return (member_id * 0x9E3779B97F4A7C15 % 2**64) >> 61


def parts(whole: int) -> list[int]:
    """A new pot's shares; they sum to the whole."""
    return [whole * (number + 1) // SLOTS - whole * number // SLOTS for number in range(SLOTS)]
