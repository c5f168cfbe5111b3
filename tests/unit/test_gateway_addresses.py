"""Which addresses exist at the door, and to whom they lead."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.forwarding.addresses import LONGEST, target_of
from gateway.forwarding.refusals import TurnedAway
from gateway.forwarding.table import PREFIXES, service_for

TRICKS = (
    "//v1/accounts",
    "/v1//accounts",
    "/v1/accounts//",
    "/v1/./accounts",
    "/v1/../feed",
    "/v1/accounts/..",
    "/v1/accounts/%2e%2e",
    "/v1/accounts/.%2E/",
    "/v1/accounts/%2f",
    "/v1/accounts/%5c..",
    "/v1/accounts/\\..",
    "/v1/accounts/%00",
    "/v1/accounts/%7f",
    "/v1/accounts/%c0%ae",
    "/v1/accounts/%",
    "/v1/accounts/%4",
    "/v1/accounts/%u002e",
    "/v1/accounts/é",
    "/v1/accounts/ x",
    "http://x/v1/accounts",
    "*",
    "",
    "v1/accounts",
    "/" + "a" * LONGEST,
)


@pytest.mark.parametrize("target", TRICKS)
def test_tricks_are_no_addresses(target: str) -> None:
    with pytest.raises(TurnedAway, match="not_found"):
        target_of({"RAW_URI": target})


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "/v1/accounts",
        "/v1/accounts/",
        "/v1/accounts/17.5/a:b@c",
        "/v1/accounts/%E4%BD%A0",
        "/v1/accounts/%252e%252e",
        "/v1/x...y",
        "/v1/items/.hidden/%41?a=/../b&c=%2e",
        "/v1/accounts?",
    ],
)
def test_plain_and_encoded_addresses_pass_as_sent(target: str) -> None:
    assert target_of({"RAW_URI": target}) == (target.partition("?")[0], target)


@pytest.mark.parametrize("query", ["a=<", 'a="', "a b", "a=é", "a=\x01", "a=>"])
def test_a_query_is_printable_ascii(query: str) -> None:
    with pytest.raises(TurnedAway, match="malformed_request"):
        target_of({"RAW_URI": f"/v1/accounts?{query}"})


@given(st.text("/.%2ef5c\\a?", max_size=30))
def test_no_target_leads_out_of_its_folder(tail: str) -> None:
    target = f"/v1/accounts/{tail}"
    try:
        path, sent = target_of({"RAW_URI": target})
    except TurnedAway:
        return
    from posixpath import normpath
    from urllib.parse import unquote

    assert sent == target
    assert normpath(unquote(path)).startswith("/v1/accounts")
    assert service_for(path) == ("points", "/v1/accounts")


@pytest.mark.parametrize(("service", "prefixes"), PREFIXES.items())
def test_a_prefix_ends_at_a_slash(service: str, prefixes: tuple[str, ...]) -> None:
    for prefix in prefixes:
        assert service_for(prefix) == service_for(f"{prefix}/") == service_for(f"{prefix}/a/b") == (service, prefix)
        assert service_for(f"{prefix}x") is None
        assert service_for(prefix.upper()) is None


def test_the_longest_prefix_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    from gateway.forwarding import table

    monkeypatch.setitem(table._SERVICE, "/v1/members/x", "redemption")
    assert service_for("/v1/members/x/y") == ("redemption", "/v1/members/x")
    assert service_for("/v1/members/xy") == ("levels", "/v1/members")


@pytest.mark.parametrize("path", ["/", "", "/v1", "/feed", "/metrics", "/healthz", "/readyz", "/v1/feed"])
def test_what_services_keep_among_themselves_is_not_listed(path: str) -> None:
    assert service_for(path) is None
