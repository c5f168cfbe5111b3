"""Signing in: members through a provider, staff by password, and what ends a session."""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Thread
from typing import Any
from urllib.parse import parse_qs

import pytest
from sqlalchemy.exc import OperationalError

from common.identity import Identity, verify
from common.settings import settings
from gateway.auth.login import InsecureSettings, offered
from gateway.database import transaction
from gateway.keys import use_cases as key_use_cases
from gateway.limits import policies
from gateway.limits.domain import Policy
from gateway.staff import use_cases
from gateway.staff.domain import BadCredentials
from tests.gateway import PASSWORD, Levels, People, Reply, bearer, environment, http
from tests.wsgi import serving

SESSIONS = "/v1/sessions"


def sign_in(door: str, code: str = "sandbox:mia", provider: str = "sandbox", program: str = "acme") -> Reply:
    return http(door, "POST", f"{SESSIONS}/member", {"program": program, "provider": provider, "code": code})


def sign_in_staff(door: str, name: str = "lin", password: str = PASSWORD, program: str = "acme") -> Reply:
    return http(door, "POST", f"{SESSIONS}/staff", {"program": program, "name": name, "password": password})


def whoami(door: str, token: str) -> Reply:
    return http(door, "GET", f"{SESSIONS}/current", headers={"Authorization": f"Bearer {token}"})


@pytest.fixture
def member_door(levels: Levels, people: People) -> Iterator[str]:
    from gateway.application import create_gateway

    gateway = create_gateway()
    with serving(gateway) as url:
        yield url
    gateway.close()


def test_a_member_signs_in_and_is_the_same_next_time(member_door: str, levels: Levels) -> None:
    first, again, other = (sign_in(member_door, code) for code in ("sandbox:mia", "sandbox:mia", "sandbox:noa"))
    assert (first.status, first.json["member_id"], again.json["member_id"]) == (201, 17, 17)
    assert other.json["member_id"] == 18
    assert whoami(member_door, first.json["token"]).json == {
        "kind": "member",
        "program_id": 1,
        "subject": "17",
        "roles": [],
    }
    assert levels.asked[0] == {
        "path": "/v1/members/resolution",
        "body": {
            "identities": [{"type": "wechat_openid", "app": "wx0123456789abcdef", "value": "sandbox-mia"}],
            "create": True,
        },
    }


def test_a_unionid_goes_along(member_door: str, levels: Levels) -> None:
    sign_in(member_door, "sandbox:mia/u-1")
    assert levels.asked[0]["body"]["identities"][0]["union"] == "u-1"


@pytest.mark.parametrize(("code", "status"), [("mia", 422), ("sandbox:", 422), ("sandbox:a b", 422), ("x" * 129, 422)])
def test_a_code_in_another_form_is_refused(member_door: str, code: str, status: int) -> None:
    assert sign_in(member_door, code).status == status


def test_an_unknown_program_is_named(member_door: str) -> None:
    assert sign_in(member_door, program="nobody").code == "program_not_found"


def test_sign_in_waits_for_levels(door: str, people: People) -> None:
    with environment(JIFEN_LEVELS_URL="http://127.0.0.1:9"):
        reply = sign_in(door)
    assert (reply.status, reply.code, reply.headers["retry-after"]) == (503, "service_unavailable", "2")


def test_a_provider_that_is_not_offered_is_named(door: str) -> None:
    with environment(JIFEN_SANDBOX_LOGIN="false"):
        assert sign_in(door).code == "login_unavailable"


def test_production_refuses_to_start_with_the_sandbox() -> None:
    from common.settings import Settings

    base: dict[str, Any] = {"identity_secret": "x" * 32, "redis_url": "redis://x", "env": "production"}
    with pytest.raises(InsecureSettings):
        offered(Settings(**base, sandbox_login=True))
    assert set(offered(Settings(**base))) == {"wechat"}
    assert set(offered(Settings(**{**base, "env": "development"}))) == {"wechat", "sandbox"}
    assert set(offered(Settings(**{**base, "env": "test"}, sandbox_login=False))) == {"wechat"}


def test_the_gateway_does_not_start_without_its_secrets(
    gateway_migrated: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gateway.application import create_gateway

    monkeypatch.delenv("JIFEN_SESSION_SECRET")
    settings.cache_clear()
    with pytest.raises(LookupError, match="JIFEN_SESSION_SECRET"):
        create_gateway()
    monkeypatch.undo()
    settings.cache_clear()


class WeChat:
    """api.weixin.qq.com as far as code2session goes, answering as recorded: JSON sent as text/plain."""

    def __init__(self, answer: dict[str, Any] | bytes, status: str = "200 OK") -> None:
        self.answer = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.status = status
        self.asked: list[dict[str, list[str]]] = []

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        assert environ["PATH_INFO"] == "/sns/jscode2session"
        self.asked.append(parse_qs(environ["QUERY_STRING"]))
        start_response(self.status, [("Content-Type", "text/plain"), ("Content-Length", str(len(self.answer)))])
        return [self.answer]


@contextmanager
def wechat(answer: dict[str, Any] | bytes, status: str = "200 OK") -> Iterator[WeChat]:
    service = WeChat(answer, status)
    secrets = json.dumps({"wx0123456789abcdef": "app-secret-1"})
    with serving(service) as url, environment(JIFEN_WECHAT_URL=url, JIFEN_WECHAT_SECRETS=secrets):
        yield service


def test_wechat_signs_in_with_or_without_a_unionid(
    member_door: str, levels: Levels, capsys: pytest.CaptureFixture[str]
) -> None:
    session_key = "tiihtNczf5v6AKRyjwEUhQ=="
    with wechat({"openid": "o6_bmj", "session_key": session_key, "unionid": "u_1"}) as service:
        reply = sign_in(member_door, "081xyz", "wechat")
    assert service.asked == [
        {
            "appid": ["wx0123456789abcdef"],
            "secret": ["app-secret-1"],
            "js_code": ["081xyz"],
            "grant_type": ["authorization_code"],
        }
    ]
    with wechat({"openid": "o6_other", "session_key": session_key}):
        assert sign_in(member_door, "081abc", "wechat").status == 201
    identities = [asked["body"]["identities"][0] for asked in levels.asked]
    assert [(identity["value"], identity.get("union")) for identity in identities] == [
        ("o6_bmj", "u_1"),
        ("o6_other", None),
    ]
    said = capsys.readouterr()
    for place in (reply.body.decode(), str(reply.headers), json.dumps(levels.asked), said.out, said.err):
        assert session_key not in place
        assert "app-secret-1" not in place


@pytest.mark.parametrize(
    ("errcode", "status", "code"),
    [
        (-1, 503, "login_provider_busy"),
        (40029, 422, "login_code_invalid"),
        (40163, 422, "login_code_invalid"),
        (45011, 429, "login_too_often"),
        (40226, 403, "login_user_blocked"),
        (40013, 503, "login_provider_refused"),
    ],
)
def test_wechat_errors_are_worded(member_door: str, errcode: int, status: int, code: str) -> None:
    with wechat({"errcode": errcode, "errmsg": "as recorded"}):
        reply = sign_in(member_door, "081xyz", "wechat")
    assert (reply.status, reply.code) == (status, code)
    assert ("retry-after" in reply.headers) == (status in (429, 503))


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        (b"<html>", "200 OK", "login_provider_busy"),
        (b"[]", "200 OK", "login_provider_busy"),
        (b"{}", "502 Bad Gateway", "login_provider_busy"),
        (b"{}", "200 OK", "login_provider_refused"),
    ],
)
def test_wechat_answers_that_are_none_are_worded(member_door: str, answer: bytes, status: str, code: str) -> None:
    with wechat(answer, status):
        assert sign_in(member_door, "081xyz", "wechat").code == code


def test_wechat_that_is_away_tells_no_secret(member_door: str, capsys: pytest.CaptureFixture[str]) -> None:
    secrets = json.dumps({"wx0123456789abcdef": "app-secret-1"})
    with environment(JIFEN_WECHAT_URL="http://127.0.0.1:9", JIFEN_WECHAT_SECRETS=secrets):
        reply = sign_in(member_door, "081xyz", "wechat")
    assert reply.code == "login_provider_busy"
    assert "app-secret-1" not in reply.body.decode() + capsys.readouterr().out


def test_wechat_without_the_programs_secret_is_not_offered(member_door: str) -> None:
    assert sign_in(member_door, "081xyz", "wechat").code == "login_unavailable"
    assert sign_in(member_door, "081xyz", "wechat", program="brand").code == "login_unavailable"


def test_staff_sign_in_with_their_roles(door: str, people: People) -> None:
    people.hire("lin", "marketer", "finance")
    reply = sign_in_staff(door)
    assert (reply.status, reply.json["name"], reply.json["roles"]) == (201, "lin", ["finance", "marketer"])
    heard = http(door, "GET", "/v1/program", headers={"Authorization": f"Bearer {reply.json['token']}"})
    told = verify(heard.json["headers"]["x_jifen_identity"], secret=settings().identity_secret.get_secret_value())
    assert told == Identity("staff", 1, "lin", frozenset({"marketer", "finance"}))


@pytest.mark.parametrize(
    ("name", "password", "program"),
    [
        ("lin", "wrong password", "acme"),
        ("nobody", PASSWORD, "acme"),
        ("lin", PASSWORD, "brand"),
        ("lin", PASSWORD, "x"),
    ],
)
def test_wrong_credentials_do_not_say_what_is_wrong(
    door: str, people: People, name: str, password: str, program: str
) -> None:
    people.hire("lin")
    reply = sign_in_staff(door, name, password, program)
    assert (reply.status, reply.code) == (401, "bad_credentials")


def test_an_unknown_name_costs_the_same_hash(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    from gateway.staff import passwords

    checked: list[str] = []
    real = passwords._HASHER.verify

    class Counting:
        hash = passwords._HASHER.hash

        def verify(self, stored: str, password: str) -> bool:
            checked.append(stored)
            return real(stored, password)

    monkeypatch.setattr(passwords, "_HASHER", Counting())
    with pytest.raises(BadCredentials):
        use_cases.prove(None, PASSWORD)
    assert len(checked) == 1
    assert checked[0].startswith("$argon2id$")


def test_wrong_passwords_are_slowed_down_even_all_at_once(door: str, people: People) -> None:
    people.hire("lin")
    statuses: list[int] = []

    def guess() -> None:
        statuses.append(sign_in_staff(door, password="guess guess guess").status)

    threads = [Thread(target=guess) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [401] * 5 + [429] * 7
    refused = sign_in_staff(door)
    assert refused.code == "too_many_requests"
    assert 1 <= int(refused.headers["retry-after"]) <= 30


def test_right_passwords_cost_nothing(door: str, people: People) -> None:
    people.hire("lin")
    assert {sign_in_staff(door).status for _ in range(8)} == {201}


@pytest.fixture
def _five_per_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policies, "LOGIN_ADDRESS", Policy("login-address", rate=1 / 600, burst=5))


@pytest.mark.usefixtures("_five_per_address")
def test_sign_ins_from_one_address_are_slowed_down(door: str, people: People) -> None:
    replies = [sign_in_staff(door, f"name{number}", "guess guess") for number in range(7)]
    assert [reply.status for reply in replies] == [401] * 5 + [429] * 2
    assert replies[-1].headers["ratelimit-policy"] == '"login-address";q=5;w=3000'


@pytest.mark.usefixtures("_five_per_address")
def test_behind_our_proxies_the_outermost_tells_the_address(door: str, people: People) -> None:
    def guess(number: int, forwarded: str) -> int:
        body = {"program": "acme", "name": f"name{number}", "password": "guess guess"}
        return http(door, "POST", f"{SESSIONS}/staff", body, {"X-Forwarded-For": forwarded}).status

    with environment(JIFEN_PROXIES_IN_FRONT="1"):
        # What the client wrote itself stands to the left and changes nothing.
        assert [guess(n, f"10.0.0.{n}, 9.9.9.9") for n in range(7)] == [401] * 5 + [429] * 2
        assert [guess(n, f"9.9.9.9, 192.0.2.{n}") for n in range(7)] == [401] * 7


def test_changing_the_password_ends_all_tokens_and_gives_a_new_one(door: str, people: People) -> None:
    people.hire("lin", "marketer")
    old, other = (sign_in_staff(door).json["token"] for _ in range(2))
    change = {"current_password": PASSWORD, "new_password": "another long password"}
    reply = http(door, "PUT", f"{SESSIONS}/current/password", change, {"Authorization": f"Bearer {old}"})
    assert reply.status == 200
    assert whoami(door, reply.json["token"]).status == 200
    assert [whoami(door, token).code for token in (old, other)] == ["token_ended", "token_ended"]
    assert sign_in_staff(door).code == "bad_credentials"
    assert sign_in_staff(door, password="another long password").status == 201


def test_a_password_change_needs_the_password_and_a_good_new_one(door: str, people: People) -> None:
    people.hire("lin")
    for change, code in (
        ({"current_password": "wrong", "new_password": "another long password"}, "bad_credentials"),
        ({"current_password": PASSWORD, "new_password": "linlinlinlin"}, "weak_password"),
        ({"current_password": PASSWORD, "new_password": "short"}, "invalid_request"),
    ):
        assert http(door, "PUT", f"{SESSIONS}/current/password", change, people.staff()).code == code


def test_a_password_change_loses_against_a_change_by_an_admin_meanwhile(people: People) -> None:
    people.hire("lin")
    with transaction() as session:
        proven = use_cases.show_staff(session, program_id=1, name="lin")
    with transaction() as session:
        roles = frozenset({"admin", "finance"})
        use_cases.put_staff(session, program_id=1, name="lin", roles=roles, disabled=False, password_hash=None)
    with pytest.raises(BadCredentials), transaction() as session:
        use_cases.change_password(session, proven=proven, password_hash="$argon2id$never written")


def test_while_the_database_is_away_unknown_staff_and_keys_wait(
    door: str, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    people.hire("lin")
    key = people.key()

    def away(*_: object, **__: object) -> None:
        raise OperationalError("SELECT", {}, Exception("server closed the connection"))

    monkeypatch.setattr(use_cases.repository, "get_staff", away)
    monkeypatch.setattr(key_use_cases.repository, "get_key", away)
    for sent in (people.staff(), key.sign("GET", "/v1/accounts")):
        reply = http(door, "GET", "/v1/accounts", headers=sent)
        assert (reply.status, reply.code, reply.headers["retry-after"]) == (503, "unavailable", "1")
    assert http(door, "GET", "/v1/accounts", headers=people.member()).status == 201


def test_changed_roles_and_disabling_end_tokens_in_every_process_within_seconds(door: str, people: People) -> None:
    people.hire("lin")
    people.hire("mei", "marketer")
    token = sign_in_staff(door, "mei").json["token"]
    assert whoami(door, token).status == 200
    # Not through this process' route, so as if another process had done it.
    with transaction() as session:
        use_cases.put_staff(
            session,
            program_id=1,
            name="mei",
            roles=frozenset({"finance"}),
            disabled=False,
            password_hash=None,
        )
    deadline = time.monotonic() + 5
    while whoami(door, token).status == 200:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert whoami(door, token).code == "token_ended"


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("Bearer nonsense", "token_invalid"),
        ("Bearer ", "token_invalid"),
        ("Bearer é", "token_invalid"),
        ("Bearer " + "x" * 5000, "token_invalid"),
        ("Basic bGluOmxpbg==", "authorization_unknown"),
        ("bearer x", "authorization_unknown"),
    ],
)
def test_what_is_no_token_of_ours_is_refused(door: str, people: People, header: str, code: str) -> None:
    reply = http(door, "GET", "/v1/accounts", headers={"Authorization": header.encode().decode("latin-1")})
    assert (reply.status, reply.code) == (401, code)


def test_expired_forged_and_foreign_tokens_are_refused(door: str, people: People) -> None:
    member = Identity("member", 1, "7")
    expired = bearer(member, life=timedelta(seconds=-1))
    forged = bearer(member, secret="the session secret of somebody else")
    token = bearer(member)["Authorization"]
    changed = {"Authorization": token[:12] + ("A" if token[12] != "A" else "B") + token[13:]}
    identity_header = {"Authorization": f"Bearer {_identity_header()}"}
    codes = [
        http(door, "GET", "/v1/accounts", headers=sent).code for sent in (expired, forged, changed, identity_header)
    ]
    assert codes == ["token_expired", "token_invalid", "token_invalid", "token_invalid"]


def test_a_token_is_no_identity_for_services() -> None:
    from common.identity import BadIdentity

    token = bearer(Identity("member", 1, "7"))["Authorization"].removeprefix("Bearer ")
    with pytest.raises(BadIdentity):
        verify(token, secret=settings().identity_secret.get_secret_value())


def test_tokens_of_staff_who_are_no_more_are_refused(door: str, people: People) -> None:
    assert whoami(door, people.staff("ghost")["Authorization"].removeprefix("Bearer ")).code == "token_ended"


def _identity_header() -> str:
    from gateway.auth.callers import identity_header

    return identity_header(Identity("member", 1, "7"))
