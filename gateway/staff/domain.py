"""Staff of a program as values, and what may not be done to them."""

import re
from dataclasses import dataclass

from common.errors import Refusal

ROLES = ("customer_service", "marketer", "finance", "admin")
_NAME = re.compile(r"^[a-z][a-z0-9_-]{0,63}\Z")
PASSWORD_LENGTH = (10, 128)


class StaffExists(Refusal):
    """The program has staff of that name already."""

    code = "staff_exists"


class UnknownStaff(Refusal, LookupError):
    """The program has no staff of that name."""

    code = "staff_not_found"


class LastAdmin(Refusal):
    """Without this admin nobody could manage the program's staff any more."""

    code = "last_admin"


class WeakPassword(Refusal):
    """The password is too short, too long, or the name itself."""

    code = "weak_password"


class BadStaff(Refusal):
    """The name or a role is not in its form."""

    code = "bad_staff"


class BadCredentials(Refusal):
    """Program, name and password do not belong together; which of them is wrong is nobody's business."""

    code = "bad_credentials"


@dataclass(frozen=True, slots=True)
class Staff:
    """One person. `version` counts what ends old tokens: another password, other roles, being disabled."""

    program_id: int
    name: str
    roles: frozenset[str]
    disabled: bool
    version: int

    @property
    def manages(self) -> bool:
        """Whether this person can manage the program's staff."""
        return "admin" in self.roles and not self.disabled


def check(name: str, roles: frozenset[str]) -> None:
    """Raise `BadStaff` unless the name is in form and there are roles, all of them known."""
    if not _NAME.match(name):
        raise BadStaff(what="name", value=name)
    if not roles or not roles <= set(ROLES):
        raise BadStaff(what="roles", value=", ".join(sorted(roles)))


def check_password(password: str, name: str) -> None:
    """Raise `WeakPassword` unless it has 10 to 128 characters and is not the name repeated (NIST SP 800-63B 3.1.1)."""
    shortest, longest = PASSWORD_LENGTH
    if not shortest <= len(password) <= longest or password.lower().replace(name, "") == "":
        raise WeakPassword(shortest=shortest, longest=longest)


def check_admin_remains(before: Staff, after: Staff, *, other_admins: int) -> None:
    """Raise `LastAdmin` when the change would leave the program without an enabled admin."""
    if before.manages and not after.manages and other_admins == 0:
        raise LastAdmin(name=before.name)
