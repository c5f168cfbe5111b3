"""What a set of codes says, what its codes are, and who may still redeem one. Pure.

A code is not kept: it is derived from the secret of this deployment, its set and its number, and found again by a keyed
hash. So who reads the database, or a dump of it, can redeem nothing (ADR 38).
"""

import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from common.errors import FieldFault, FieldsRefused, Refusal

#: Crockford's base 32 (crockford.com/base32): no I, L, O or U, which people read as something else.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
RANDOM = "?"
_BITS = 5
#: A guess hits one of a set's codes once in 2^40 tries: more than a year of a thousand members at their full rate.
LEAST_BITS = 40
MOST_SETS = 1_000
_READ_AS = str.maketrans("ILO", "110")


class UnknownCodeSet(Refusal):
    """There is no such set of codes: `code_set`."""

    code = "code_set_not_found"


class CodeSetFixed(Refusal):
    """The set was made with other terms, and its codes may be printed already: `code_set`."""

    code = "code_set_fixed"


class TooManyCodeSets(Refusal):
    """The program has as many sets as it may: `most`."""

    code = "too_many_code_sets"


class BadCodeSet(FieldsRefused):
    """What the set says does not fit together; one fault a field."""

    code = "bad_code_set"


class CodeTaken(Refusal):
    """The one code of a set without random characters is a code already: `pattern`."""

    code = "code_taken"


class UnknownCode(Refusal):
    """Nothing of the kind is a code here; which sets there are is not said."""

    code = "code_not_found"


class CodeNotStarted(Refusal):
    """The code can be redeemed later: `starts_at`."""

    code = "code_not_started"


class CodeExpired(Refusal):
    """The time of the code is over: `ended_at`."""

    code = "code_expired"


class CodeUsed(Refusal):
    """The code was redeemed as often as it can be."""

    code = "code_used"


class CodeLimitReached(Refusal):
    """The member redeemed as many codes of the set as one may: `most`."""

    code = "code_limit_reached"


class CodeWithoutReward(Refusal):
    """No rule awards anything for the code now, so it stays unused: `reason`."""

    code = "code_without_reward"


@dataclass(frozen=True, slots=True)
class Terms:
    """What a marketer says of a set.

    `?` in the `pattern` is a random character. A code can be redeemed `uses_per_code` times, by one member
    `uses_per_member` codes of the set (None: however often), at `starts_at` ≤ time < `ends_at`.
    """

    name_en: str
    name_zh: str
    pattern: str
    count: int
    uses_per_code: int | None
    uses_per_member: int | None
    starts_at: datetime | None
    ends_at: datetime | None


def check(terms: Terms) -> None:
    """Refuse a set whose codes could not be told apart, or be guessed. Raises `BadCodeSet`."""
    faults = list(_faults(terms))
    if faults:
        raise BadCodeSet(faults)


def least_random(count: int) -> int:
    """How many random characters codes need, so that `count` of them cannot be guessed."""
    return -(-(LEAST_BITS + (count - 1).bit_length()) // _BITS)


def is_public(pattern: str) -> bool:
    """Whether the code is meant to be known, printed on a poster: nothing of it is random."""
    return RANDOM not in pattern


def text_of(pattern: str, *, secret: bytes, program_id: int, code_set: str, number: int) -> str:
    """The code of that number, as it is printed."""
    value = int.from_bytes(hmac.digest(secret, f"code\n{program_id}\n{code_set}\n{number}".encode(), "sha256"), "big")
    characters = []
    for character in pattern:
        if character == RANDOM:
            value, digit = divmod(value, len(ALPHABET))
            character = ALPHABET[digit]
        characters.append(character)
    return "".join(characters)


def plain(text: str) -> str:
    """The code as it is compared: capitals and digits alone, with those that look alike for one."""
    return "".join(one for one in text.upper() if one.isascii() and one.isalnum()).translate(_READ_AS)


def digest_of(text: str, *, secret: bytes, program_id: int) -> bytes:
    """By which the code is found: 16 bytes that nobody makes without the secret."""
    return hmac.digest(secret, f"digest\n{program_id}\n{plain(text)}".encode(), "sha256")[:16]


def check_open(*, starts_at: datetime | None, ends_at: datetime | None, now: datetime) -> None:
    """Raise `CodeNotStarted` or `CodeExpired` unless it is the set's time."""
    if starts_at is not None and now < starts_at:
        raise CodeNotStarted(starts_at=starts_at.isoformat())
    if ends_at is not None and now >= ends_at:
        raise CodeExpired(ended_at=ends_at.isoformat())


def _faults(terms: Terms) -> Iterator[FieldFault]:
    random = terms.pattern.count(RANDOM)
    needed = least_random(terms.count)
    if is_public(terms.pattern) and terms.count > 1:
        en = f"Codes without random characters are all the same: write ? for at least {needed} of them, or make one."
        yield FieldFault("/pattern", en, f"没有随机字符的兑换码彼此相同:请至少使用 {needed} 个 ?,或只生成一个。")
    elif 0 < random < needed:
        en = f"So many codes could be guessed: write ? for at least {needed} characters."
        yield FieldFault("/pattern", en, f"该数量的兑换码可能被猜中:请至少使用 {needed} 个 ?。")
    if len(plain(terms.pattern)) + random < 4:
        yield FieldFault("/pattern", "Give it at least 4 letters, digits or ?.", "至少需要 4 个字母、数字或 ?。")
    if terms.starts_at is not None and terms.ends_at is not None and terms.starts_at >= terms.ends_at:
        yield FieldFault("/ends_at", "The set must end after it starts.", "结束时间必须晚于开始时间。")
