"""Laws of the identity header: only the gateway's secret makes one, nothing in it can be changed, it dies soon."""

import json
from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.identity import LIFE_SECONDS, BadIdentity, Identity, sign, verify

SECRET = "a secret that only the gateway has"
OTHER = "another secret, of somebody else's"
LIN = Identity("staff", 3, "lin", frozenset({"finance", "support"}))
NOW = 1_777_777_777.5
HEADER = sign(LIN, secret=SECRET, now=NOW)


@pytest.mark.parametrize(
    "identity",
    [
        LIN,
        Identity("member", 1, "42"),
        Identity("system", 2**31 - 1, "钥匙-1", frozenset({"ledger"})),
        Identity("service", 0, "levels"),
    ],
)
def test_what_was_signed_is_what_is_verified(identity: Identity) -> None:
    assert verify(sign(identity, secret=SECRET, now=NOW), secret=SECRET, now=NOW) == identity


def test_it_is_good_until_its_life_ends_and_not_a_second_longer() -> None:
    expires = int(NOW + LIFE_SECONDS)
    assert verify(HEADER, secret=SECRET, now=expires - 0.001) == LIN
    with pytest.raises(BadIdentity, match="out of date"):
        verify(HEADER, secret=SECRET, now=expires)


def test_a_remembered_header_still_dies() -> None:
    assert verify(HEADER, secret=SECRET, now=NOW) == LIN
    with pytest.raises(BadIdentity, match="out of date"):
        verify(HEADER, secret=SECRET, now=NOW + 3600)


def test_the_clock_is_asked_when_nobody_gives_the_time() -> None:
    assert verify(sign(LIN, secret=SECRET), secret=SECRET) == LIN
    with pytest.raises(BadIdentity, match="out of date"):
        verify(sign(LIN, secret=SECRET, life_seconds=-1), secret=SECRET)


def test_another_secret_does_not_verify_not_even_a_remembered_header() -> None:
    assert verify(HEADER, secret=SECRET, now=NOW) == LIN
    with pytest.raises(BadIdentity, match="not signed"):
        verify(HEADER, secret=OTHER, now=NOW)
    with pytest.raises(BadIdentity, match="not signed"):
        verify(sign(LIN, secret=OTHER, now=NOW), secret=SECRET, now=NOW)


@pytest.mark.parametrize("header", [None, ""])
def test_nobody_is_not_somebody(header: str | None) -> None:
    with pytest.raises(BadIdentity, match="no identity"):
        verify(header, secret=SECRET, now=NOW)


@pytest.mark.parametrize("place", range(len(HEADER)))
def test_no_character_can_be_changed(place: int) -> None:
    for character in "A.B=-_ ?é":
        forged = HEADER[:place] + character + HEADER[place + 1 :]
        if forged != HEADER:
            with pytest.raises(BadIdentity):
                verify(forged, secret=SECRET, now=NOW)


@pytest.mark.parametrize("place", range(0, len(HEADER) + 1, 7))
def test_no_character_can_be_put_in(place: int) -> None:
    for character in "A.=\n !é":
        with pytest.raises(BadIdentity):
            verify(HEADER[:place] + character + HEADER[place:], secret=SECRET, now=NOW)


def test_the_claims_cannot_be_swapped_under_the_signature() -> None:
    body, _, mac = HEADER.partition(".")
    claims = ["staff", 3, "lin", ["admin"], int(NOW + 60)]
    forged = urlsafe_b64encode(json.dumps(claims, separators=(",", ":")).encode()).decode()
    other = sign(Identity("staff", 3, "lin", frozenset({"admin"})), secret=OTHER, now=NOW)
    for header in (f"{forged}.{mac}", f"{forged}.", forged, f"{body}.", body, f".{mac}", ".", f"{body}.{other}"):
        with pytest.raises(BadIdentity):
            verify(header, secret=SECRET, now=NOW)


@given(st.text(max_size=200))
def test_no_text_at_all_is_more_than_a_bad_identity(header: str) -> None:
    with pytest.raises(BadIdentity):
        verify(header, secret=SECRET, now=NOW)


@given(st.text(alphabet="ABCDabcd0123-_=+/!", max_size=60), st.text(alphabet="ABCDabcd0123-_=+/!", max_size=60))
def test_base64_that_is_none_is_refused(body: str, mac: str) -> None:
    with pytest.raises(BadIdentity):
        verify(f"{body}.{mac}", secret=SECRET, now=NOW)


def test_only_a_member_has_a_member_id() -> None:
    assert Identity("member", 1, "42").member_id == 42
    for other in (Identity("staff", 1, "42"), Identity("system", 1, "42"), Identity("service", 1, "42")):
        with pytest.raises(BadIdentity, match="no member id"):
            _ = other.member_id


def test_records_name_the_caller_with_its_kind() -> None:
    assert LIN.actor == "staff:lin"
    assert Identity("system", 1, "lin").actor != LIN.actor
