"""API keys: made once, signed with often, never twice the same request."""

import time
from threading import Thread

import pytest
from sqlalchemy import text

from gateway.database import transaction
from gateway.keys import nonces as nonce_module
from tests.gateway import Key, People, http

BODY = b'{"amount":5}'
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def admin(people: People) -> dict[str, str]:
    people.hire("lin")
    return people.staff()


def post(door: str, key: Key, body: bytes = BODY, target: str = "/v1/postings", **changed: object) -> object:
    return http(door, "POST", target, body, {**JSON, **key.sign("POST", target, body, **changed)})


def test_a_key_shows_its_secret_once_and_signs(door: str, admin: dict[str, str]) -> None:
    made = http(door, "POST", "/v1/api-keys", {"name": "shop", "scopes": ["events", "read"]}, admin)
    assert made.status == 201
    key = Key(made.json["key"]["id"], made.json["secret"])
    assert made.json["key"] == {
        "id": key.id,
        "name": "shop",
        "scopes": ["events", "read"],
        "rate_per_second": 2000,
        "generation": 1,
        "revoked": False,
    }
    listed = http(door, "GET", "/v1/api-keys", headers=admin)
    assert listed.json == {"keys": [made.json["key"]]}
    assert key.secret not in listed.body.decode()
    assert post(door, key).status == 201


def test_no_secret_is_in_the_database(people: People) -> None:
    key = people.key()
    with transaction() as session:
        rows = session.execute(text("SELECT k::text FROM gateway_api_keys k")).scalars().all()
    assert len(rows) == 1
    assert key.secret not in rows[0]


def test_the_same_request_passes_once(door: str, people: People) -> None:
    key = people.key()
    signed = {**JSON, **key.sign("POST", "/v1/postings", BODY)}
    assert http(door, "POST", "/v1/postings", BODY, signed).status == 201
    assert http(door, "POST", "/v1/postings", BODY, signed).code == "nonce_used"


def test_of_many_copies_at_once_one_passes(door: str, people: People) -> None:
    signed, statuses = people.key().sign("GET", "/v1/accounts"), []
    threads = [
        Thread(target=lambda: statuses.append(http(door, "GET", "/v1/accounts", headers=signed).status))
        for _ in range(10)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [201] + [401] * 9


def test_a_nonce_belongs_to_its_key(door: str, people: People) -> None:
    shop, till = people.key(name="shop"), people.key(name="till")
    assert [post(door, key, nonce="n" * 16).status for key in (shop, till)] == [201, 201]


def test_a_copy_is_known_to_every_process(door: str, people: People) -> None:
    signed = people.key().sign("GET", "/v1/accounts")
    assert http(door, "GET", "/v1/accounts", headers=signed).status == 201
    nonce_module.nonces.forget()
    assert http(door, "GET", "/v1/accounts", headers=signed).code == "nonce_used"


@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        ("PUT", "/v1/postings", BODY),
        ("POST", "/v1/postings?x=1", BODY),
        ("POST", "/v1/holds", BODY),
        ("POST", "/v1/postings", b'{"amount":6}'),
        ("POST", "/v1/postings", b""),
    ],
)
def test_whatever_was_changed_breaks_the_signature(
    door: str, people: People, method: str, target: str, body: bytes
) -> None:
    signed = people.key().sign("POST", "/v1/postings", BODY)
    assert http(door, method, target, body, {**JSON, **signed}).code == "signature_invalid"


def test_changed_parts_of_the_header_break_the_signature(door: str, people: People) -> None:
    key = people.key()
    header = key.sign("POST", "/v1/postings", BODY, nonce="a" * 16, timestamp=int(time.time()))["Authorization"]
    for changed in (header.replace("a" * 16, "b" * 16), header[:-1] + ("0" if header[-1] != "0" else "1")):
        reply = http(door, "POST", "/v1/postings", BODY, {**JSON, "Authorization": changed})
        assert reply.code == "signature_invalid"


@pytest.mark.parametrize(("skew", "status"), [(-285, 201), (300, 201), (-302, 401), (330, 401), (-(10**9), 401)])
def test_clocks_may_differ_by_five_minutes(door: str, people: People, skew: int, status: int) -> None:
    reply = post(door, people.key(), timestamp=int(time.time()) + skew)
    assert reply.status == status
    if status == 401:
        assert reply.code == "timestamp_outside_window"


@pytest.mark.parametrize(
    "header",
    [
        "JIFEN-HMAC-SHA256",
        "JIFEN-HMAC-SHA256 key=k1",
        "JIFEN-HMAC-SHA256 key=k1, timestamp=1, nonce=short, signature=" + "0" * 64,
        "JIFEN-HMAC-SHA256 key=k1, timestamp=1e3, nonce=aaaaaaaaaaaaaaaa, signature=" + "0" * 64,
        "JIFEN-HMAC-SHA256 key=k1, timestamp=1, nonce=aaaaaaaaaaaaaaaa, signature=" + "0" * 63,
        "JIFEN-HMAC-SHA256 key=k1, timestamp=1, nonce=aaaaaaaaaaaaaaaa, signature=" + "0" * 64 + ", more=1",
    ],
)
def test_what_is_no_signature_is_named(door: str, header: str) -> None:
    assert http(door, "GET", "/v1/accounts", headers={"Authorization": header}).code == "signature_malformed"


def test_unknown_keys_and_wrong_secrets_look_alike(door: str, people: People) -> None:
    key = people.key()
    wrong = http(door, "GET", "/v1/accounts", headers=Key(key.id, "f" * 64).sign("GET", "/v1/accounts"))
    unknown = http(door, "GET", "/v1/accounts", headers=Key("k0", key.secret).sign("GET", "/v1/accounts"))
    assert wrong.code == unknown.code == "signature_invalid"
    assert wrong.json["detail"] == unknown.json["detail"]


def test_a_revoked_key_ends_and_its_name_is_free_again(door: str, people: People, admin: dict[str, str]) -> None:
    key = people.key(name="shop")
    assert post(door, key).status == 201
    assert http(door, "POST", "/v1/api-keys", {"name": "shop", "scopes": ["read"]}, admin).code == "key_name_taken"
    for _ in range(2):
        assert http(door, "DELETE", f"/v1/api-keys/{key.id}", headers=admin).json["revoked"] is True
    assert post(door, key).code == "signature_invalid"
    assert http(door, "POST", f"/v1/api-keys/{key.id}/rotation", headers=admin).code == "key_revoked"
    assert http(door, "POST", "/v1/api-keys", {"name": "shop", "scopes": ["read"]}, admin).status == 201


def test_a_rotated_key_has_another_secret(door: str, people: People, admin: dict[str, str]) -> None:
    key = people.key()
    assert post(door, key).status == 201
    rotated = http(door, "POST", f"/v1/api-keys/{key.id}/rotation", headers=admin)
    assert (rotated.status, rotated.json["key"]["generation"]) == (200, 2)
    assert post(door, key).code == "signature_invalid"
    assert post(door, Key(key.id, rotated.json["secret"])).status == 201


def test_keys_of_other_programs_are_out_of_reach(door: str, people: People, admin: dict[str, str]) -> None:
    foreign = people.key(program_id=2)
    assert http(door, "DELETE", f"/v1/api-keys/{foreign.id}", headers=admin).code == "key_not_found"
    assert http(door, "POST", f"/v1/api-keys/{foreign.id}/rotation", headers=admin).code == "key_not_found"
    assert http(door, "GET", "/v1/api-keys", headers=admin).json == {"keys": []}
    assert post(door, foreign).status == 201


@pytest.mark.parametrize(
    "body",
    [
        {"name": "shop", "scopes": []},
        {"name": "shop", "scopes": ["admin"]},
        {"name": "Shop", "scopes": ["read"]},
        {"name": "shop", "scopes": ["read"], "rate_per_second": 0},
        {"name": "shop", "scopes": ["read"], "secret": "mine"},
    ],
)
def test_what_is_no_key_is_refused(door: str, admin: dict[str, str], body: dict[str, object]) -> None:
    assert http(door, "POST", "/v1/api-keys", body, admin).code == "invalid_request"


def test_a_revocation_elsewhere_counts_here_within_seconds(door: str, people: People) -> None:
    from common.clock import now
    from gateway.keys import use_cases

    key = people.key()
    assert post(door, key).status == 201
    with transaction() as session:
        use_cases.revoke_key(session, program_id=1, key_id=key.id, now=now())
    deadline = time.monotonic() + 5
    while post(door, key).status == 201:
        assert time.monotonic() < deadline
        time.sleep(0.1)
