"""Laws about staff and programs."""

import gevent
import pytest

from gateway.programs.domain import BadProgram
from gateway.programs.domain import check as check_program
from gateway.staff.domain import (
    BadStaff,
    LastAdmin,
    Staff,
    WeakPassword,
    check,
    check_admin_remains,
    check_password,
)
from gateway.staff.passwords import hash_password, is_password

ADMIN = Staff(1, "lin", frozenset({"admin"}), disabled=False, version=1)
FORMER = Staff(1, "lin", frozenset({"marketer"}), disabled=False, version=2)
DISABLED = Staff(1, "lin", frozenset({"admin"}), disabled=True, version=2)


@pytest.mark.parametrize("after", [FORMER, DISABLED])
def test_the_last_admin_stays_and_others_may_go(after: Staff) -> None:
    with pytest.raises(LastAdmin):
        check_admin_remains(ADMIN, after, other_admins=0)
    check_admin_remains(ADMIN, after, other_admins=1)
    check_admin_remains(after, after, other_admins=0)
    check_admin_remains(ADMIN, ADMIN, other_admins=0)


@pytest.mark.parametrize(("name", "roles"), [("Lin", {"admin"}), ("", {"admin"}), ("lin", set()), ("lin", {"owner"})])
def test_what_is_no_staff_is_refused(name: str, roles: set[str]) -> None:
    with pytest.raises(BadStaff):
        check(name, frozenset(roles))


@pytest.mark.parametrize("password", ["123456789", "x" * 129, "linlinlinlin", "LinLinLinLin"])
def test_weak_passwords_are_refused(password: str) -> None:
    with pytest.raises(WeakPassword):
        check_password(password, "lin")
    check_password("linlinlinlin!", "lin")


def test_a_password_is_known_again_by_its_hash_only() -> None:
    stored = hash_password("a long password")
    assert stored.startswith("$argon2id$")
    assert is_password("a long password", stored)
    assert not is_password("another password", stored)
    assert not is_password("nobody has this password", None)


def test_where_greenlets_serve_passwords_are_computed_beside_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gevent.monkey.is_module_patched", lambda name: True)
    others = 0

    def serve_others() -> None:
        nonlocal others
        while True:
            others += 1
            gevent.sleep(0)

    meanwhile = gevent.spawn(serve_others)
    gevent.sleep(0)
    try:
        stored, before = hash_password("a long password"), others
        assert others > 1
        assert is_password("a long password", stored)
        assert not is_password("another password", stored)
        assert others > before
    finally:
        meanwhile.kill()


@pytest.mark.parametrize(
    ("code", "name", "appid"),
    [("Acme", "x", None), ("acme", "", None), ("acme", "a\nb", None), ("acme", "x" * 101, None), ("acme", "x", "wx1")],
)
def test_what_is_no_program_is_refused(code: str, name: str, appid: str | None) -> None:
    with pytest.raises(BadProgram):
        check_program(code, name, appid)
    check_program("acme", "爱客", "wx0123456789abcdef")
