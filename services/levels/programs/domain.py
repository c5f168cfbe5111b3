"""A program's settings as levels needs them."""

from dataclasses import dataclass

#: Until `program.configured` has told (requirements, head: business day in the program's zone).
DEFAULT_ZONE = "Asia/Shanghai"


@dataclass(frozen=True, slots=True)
class ProgramSettings:
    """The settings as fact `fact_id` of the points feed told them."""

    program_id: int
    name: str
    time_zone: str
    currency: str
    fact_id: int


def newest(told: list[ProgramSettings]) -> list[ProgramSettings]:
    """The last of each program, by fact id."""
    return list({one.program_id: one for one in sorted(told, key=lambda one: one.fact_id)}.values())
