"""Laws of redemption codes."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from services.points.codes import domain
from services.points.codes.domain import BadCodeSet, CodeExpired, CodeNotStarted, Terms

SECRET = b"a secret of tests"
TERMS = Terms("Spring", "春季", "SPRING-????-????", 100, 1, 1, None, None)
NOON = datetime(2026, 5, 3, 4, tzinfo=UTC)


def text(number: int, pattern: str = TERMS.pattern, **other: Any) -> str:
    given: dict[str, Any] = {"secret": SECRET, "program_id": 1, "code_set": "spring", "number": number, **other}
    return domain.text_of(pattern, **given)


def digest(code: str, **other: Any) -> bytes:
    return domain.digest_of(code, **{"secret": SECRET, "program_id": 1, **other})


def faults(**changes: Any) -> list[str]:
    with pytest.raises(BadCodeSet) as refused:
        domain.check(replace(TERMS, **changes))
    return [fault.pointer for fault in refused.value.faults]


def test_a_code_follows_from_secret_program_set_and_number_and_from_nothing_else() -> None:
    code = text(1)
    assert code == text(1)
    assert (code[:7], code[11], len(code)) == ("SPRING-", "-", 16)
    assert set(code.replace("SPRING", "").replace("-", "")) <= set(domain.ALPHABET)
    others = [text(2), text(1, secret=b"x"), text(1, program_id=2), text(1, code_set="autumn")]
    assert len({code, *others}) == 5


def test_codes_are_found_however_they_are_typed() -> None:
    assert domain.plain(" spring-o0il ") == "SPR1NG0011"
    assert domain.plain("ＳＰ，?é") == ""
    assert digest("Spring 2026") == digest("SPRING-2O26") != digest("SPRING-2027")
    assert digest("SPRING") != digest("SPRING", program_id=2)
    assert digest("SPRING") != digest("SPRING", secret=b"x")
    assert len(digest("SPRING")) == 16


@pytest.mark.parametrize(("count", "random"), [(1, 8), (2, 9), (32, 9), (33, 10), (1_000_000, 12)])
def test_codes_have_so_many_random_characters_that_none_is_guessed(count: int, random: int) -> None:
    assert domain.least_random(count) == random
    assert 32 ** (random - 1) < count * 2**40 <= 32**random
    domain.check(replace(TERMS, pattern="?" * random, count=count))
    assert faults(pattern="ABCD" + "?" * (random - 1), count=count) == ["/pattern"]


def test_one_code_may_be_public_and_no_set_is_over_before_it_begins() -> None:
    domain.check(replace(TERMS, pattern="SUMMER2026", count=1))
    assert faults(pattern="SUMMER2026", count=2) == ["/pattern"]
    assert faults(pattern="AB--", count=1) == ["/pattern"]
    assert faults(count=1, pattern="????????", starts_at=NOON, ends_at=NOON) == ["/ends_at"]


def test_a_set_is_open_from_its_first_instant_until_right_before_its_last() -> None:
    later = NOON.replace(hour=5)
    domain.check_open(starts_at=NOON, ends_at=later, now=NOON)
    domain.check_open(starts_at=None, ends_at=None, now=NOON)
    with pytest.raises(CodeNotStarted):
        domain.check_open(starts_at=later, ends_at=None, now=NOON)
    with pytest.raises(CodeExpired):
        domain.check_open(starts_at=None, ends_at=NOON, now=NOON)
