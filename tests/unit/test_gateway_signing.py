"""How requests are signed, and what makes a signature genuine."""

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.keys.domain import (
    BadKey,
    BadSignature,
    OutsideWindow,
    check,
    check_signature,
    check_timestamp,
    derive_secret,
)
from gateway.signing import Signed, authorization, read

NONCES = st.text("ABCxyz019._~-", min_size=16, max_size=64)
SECRET = "s" * 64


def test_the_signature_is_hmac_over_the_five_lines() -> None:
    lines = f"POST\n/v1/events?source=shop\n1770000000\nnonce-of-16-chars\n{hashlib.sha256(b'{}').hexdigest()}"
    expected = hmac.new(b"secret", lines.encode(), "sha256").hexdigest()
    header = authorization("POST", "/v1/events?source=shop", b"{}", "k1", "secret", 1770000000, "nonce-of-16-chars")
    assert header == (f"JIFEN-HMAC-SHA256 key=k1, timestamp=1770000000, nonce=nonce-of-16-chars, signature={expected}")


@given(key=st.from_regex(r"[a-z][a-z0-9_-]{0,63}", fullmatch=True), timestamp=st.integers(0, 10**12 - 1), nonce=NONCES)
def test_what_is_written_is_read_and_genuine(key: str, timestamp: int, nonce: str) -> None:
    signed = read(authorization("PUT", "/x", b"body", key, SECRET, timestamp, nonce))
    assert signed is not None
    assert (signed.key_id, signed.timestamp, signed.nonce) == (key, timestamp, nonce)
    check_signature(signed, method="PUT", target="/x", body=b"body", secret=SECRET)


@pytest.mark.parametrize(
    "changed",
    [{"method": "POST"}, {"target": "/y"}, {"target": "/x?"}, {"body": b"bodY"}, {"secret": "t" * 64}],
)
def test_anything_changed_is_not_genuine(changed: dict[str, object]) -> None:
    signed = read(authorization("PUT", "/x", b"body", "k", SECRET, 5, "n" * 16))
    assert signed is not None
    parts: dict[str, object] = {"method": "PUT", "target": "/x", "body": b"body", "secret": SECRET, **changed}
    with pytest.raises(BadSignature):
        check_signature(signed, **parts)


@pytest.mark.parametrize(
    "header",
    ["", "JIFEN-HMAC-SHA256 ", "JIFEN-HMAC-SHA256 key=K, timestamp=1, nonce=" + "n" * 16 + ", signature=" + "0" * 64],
)
def test_what_is_not_in_the_form_is_not_read(header: str) -> None:
    assert read(header) is None


def test_digits_of_other_scripts_are_no_timestamp() -> None:
    assert read("JIFEN-HMAC-SHA256 key=k, timestamp=١٢, nonce=" + "n" * 16 + ", signature=" + "0" * 64) is None


@pytest.mark.parametrize(("now", "fits"), [(700, True), (1300, True), (699.9, False), (1300.1, False)])
def test_the_window_is_five_minutes_either_way(now: float, fits: bool) -> None:
    signed = Signed("k", 1000, "n" * 16, "0" * 64)
    if fits:
        check_timestamp(signed, now)
    else:
        with pytest.raises(OutsideWindow):
            check_timestamp(signed, now)


def test_every_key_and_generation_has_a_secret_of_its_own() -> None:
    made = {derive_secret(master, key, number) for master in "ab" for key in ("k1", "k11") for number in (1, 11)}
    assert len(made) == 8
    assert derive_secret("a", "k1", 1) == derive_secret("a", "k1", 1)


@pytest.mark.parametrize(
    ("name", "scopes", "rate"),
    [
        ("Shop", {"read"}, 1),
        ("shop", set(), 1),
        ("shop", {"admin"}, 1),
        ("shop", {"read"}, 0),
        ("shop", {"read"}, 10**6),
    ],
)
def test_what_is_no_key_is_refused(name: str, scopes: set[str], rate: int) -> None:
    with pytest.raises(BadKey):
        check(name, frozenset(scopes), rate)
