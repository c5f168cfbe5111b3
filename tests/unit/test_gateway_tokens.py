"""Session tokens say what was signed, until they end."""

from base64 import urlsafe_b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.identity import Identity
from gateway.auth.domain import BadToken, Claims, TokenExpired
from gateway.auth.tokens import issue, read

SECRET = "a secret of at least thirty-two characters"
CLAIMS = Claims(Identity("staff", 3, "lin", frozenset({"admin", "finance"})), version=4, expires=1000)
TOKEN = issue(CLAIMS, secret=SECRET)


def test_a_token_says_what_was_signed() -> None:
    assert read(TOKEN, secret=SECRET, now=999.9) == CLAIMS


@pytest.mark.parametrize("now", [1000, 1000.1, 10**9])
def test_a_token_ends(now: float) -> None:
    with pytest.raises(TokenExpired):
        read(TOKEN, secret=SECRET, now=now)


def test_another_secret_makes_another_token() -> None:
    with pytest.raises(BadToken):
        read(TOKEN, secret=SECRET + "!", now=0)


@given(st.integers(0, len(TOKEN) - 1), st.characters())
def test_no_changed_character_passes_unless_it_means_the_same_bytes(position: int, character: str) -> None:
    changed = TOKEN[:position] + character + TOKEN[position + 1 :]
    try:
        claims = read(changed, secret=SECRET, now=0)
    except BadToken:
        return
    # The last character of a base64 group holds unused bits: the signature's bytes are then the same.
    assert claims == CLAIMS
    assert changed.partition(".")[0] == TOKEN.partition(".")[0]
    assert urlsafe_b64decode(changed.partition(".")[2]) == urlsafe_b64decode(TOKEN.partition(".")[2])


@given(st.text(max_size=200))
def test_no_text_is_a_token(text: str) -> None:
    with pytest.raises(BadToken):
        read(text, secret=SECRET, now=0)


def test_the_too_long_is_not_even_looked_at() -> None:
    with pytest.raises(BadToken):
        read("A" * 1025, secret=SECRET, now=0)
