"""Drawing on a rule's budget and on its caps over all members; levelling the slots."""

from collections.abc import Iterable, Mapping

from sqlmodel import Session

from services.points.budgets import repository
from services.points.budgets.domain import SLOTS, Need, Pot, PotKey, slot_of


def open_pots(session: Session, *, program_id: int, needs: Mapping[PotKey, Need], wide: bool) -> dict[PotKey, Pot]:
    """Lock what the needs ask of their pots, making those that are new; all slots of all of them when `wide`.

    A pot whose whole was changed by a new version of its rule is levelled. Close them with `close_pots`.
    """
    standing = repository.read_pots(session, program_id, needs)
    new = {key: need.whole for key, need in needs.items() if key not in standing and need.whole is not None}
    if new:
        repository.add_pots(session, program_id, new)
    wanted = {(*key, number) for key, need in needs.items() for number in _numbers(standing.get(key), need, wide=wide)}
    pots = repository.lock_slots(session, program_id, wanted)
    for key, need in needs.items():
        if key in pots and need.whole not in (None, pots[key].whole) and len(pots[key].slots) == SLOTS:
            pots[key].level(need.whole or 0)
    return pots


def close_pots(session: Session, *, program_id: int, pots: Mapping[PotKey, Pot]) -> None:
    """Write back what was taken and given."""
    repository.put_slots(session, program_id, pots)


def uneven_pots(session: Session, *, limit: int = 200) -> list[tuple[int, PotKey]]:
    """Pots in which some members' slot is empty while there is enough in the others."""
    return [(row.program_id, (row.rule, row.span)) for row in repository.uneven_pots(session, limit=limit)]


def level_pot(session: Session, *, program_id: int, key: PotKey) -> None:
    """Let every slot of a pot have as much left as the others."""
    pots = repository.lock_slots(session, program_id, [(*key, number) for number in range(SLOTS)])
    for pot in pots.values():
        pot.level(pot.whole)
    repository.put_slots(session, program_id, pots)


def _numbers(standing: Pot | None, need: Need, *, wide: bool) -> Iterable[int]:
    """Which slots to lock: the members' own where they will do, else all."""
    own = {slot_of(member_id) for member_id in need.members}
    if wide:
        return range(SLOTS)
    if standing is None:
        return own
    if need.whole not in (None, standing.whole):
        return range(SLOTS)
    drawn = dict.fromkeys(own, 0)
    for member_id, amount in need.members.items():
        drawn[slot_of(member_id)] += amount
    return own if all(standing.slots[number].left >= amount for number, amount in drawn.items()) else range(SLOTS)
