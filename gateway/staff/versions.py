"""Which version of each person tokens must have, as the door asks it on every request of staff."""

from gateway.database import transaction
from gateway.remembered import Remembered
from gateway.staff import use_cases

#: What no token has: the person is disabled.
NONE = -1


def _load(person: tuple[int, str]) -> int:
    program_id, name = person
    with transaction() as session:
        found = use_cases.show_staff(session, program_id=program_id, name=name)
    return NONE if found.disabled else found.version


#: By (program id, name); raises `UnknownStaff` for nobody.
versions: Remembered[tuple[int, str], int] = Remembered(_load)
