"""The audit: what staff asked for, whatever became of it."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from gateway.audit import use_cases
from gateway.auth import callers
from gateway.database import transaction
from gateway.limits import policies
from gateway.limits.domain import Policy
from tests.gateway import People, http


def audit(door: str, people: People, **query: object) -> list[tuple[str, str, str, int]]:
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    answer = http(door, "GET", f"/v1/audit?{asked}", headers=people.staff("lin"))
    assert answer.status == 200, answer
    return [(row["staff"], row["method"], row["path"], row["status"]) for row in answer.json["records"]]


@pytest.fixture(autouse=True)
def _admin(people: People) -> None:
    people.hire("lin")
    people.hire("mei", "marketer")


def test_changes_in_every_service_and_our_own_are_noted_the_refused_too(door: str, people: People) -> None:
    mei = people.staff("mei", "marketer")
    http(door, "PUT", "/v1/rules/x?secret=1", {"password": "x"}, mei)
    http(door, "POST", "/v1/staff", {"name": "ann"}, mei)
    http(door, "DELETE", "/v1/nothing", headers=mei)
    http(door, "POST", "/v1/items", b"x" * (4 * 1024 * 1024 + 1), mei)
    assert audit(door, people) == [
        ("mei", "POST", "/v1/items", 413),
        ("mei", "DELETE", "/v1/nothing", 404),
        ("mei", "POST", "/v1/staff", 403),
        ("mei", "PUT", "/v1/rules/x", 201),
    ]


def test_reads_members_and_systems_are_not_noted(door: str, people: People) -> None:
    http(door, "GET", "/v1/rules", headers=people.staff("mei", "marketer"))
    http(door, "POST", "/v1/checkins", {}, people.member())
    http(door, "POST", "/v1/postings", b"", people.key().sign("POST", "/v1/postings"))
    assert audit(door, people) == []


def test_a_request_too_many_is_noted(door: str, people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Policy("staff", rate=2, burst=1)
    monkeypatch.setattr(policies, "staff", lambda: slow)
    callers._of_token.cache_clear()
    mei = people.staff("mei", "marketer")
    assert [http(door, "PUT", "/v1/tiers/x", {}, mei).status for _ in range(2)] == [201, 429]
    assert [row[3] for row in audit(door, people)] == [429, 201]
    callers._of_token.cache_clear()


def test_pages_go_back_in_time(door: str, people: People) -> None:
    mei = people.staff("mei", "marketer")
    for number in range(5):
        http(door, "PUT", f"/v1/tiers/t{number}", {}, mei)
    paths, after = [], ""
    while after is not None:
        page = http(door, "GET", f"/v1/audit?limit=2{after}", headers=people.staff("lin")).json
        paths += [row["path"] for row in page["records"]]
        after = f"&after={page['next']}" if page["next"] else None
    assert paths == [f"/v1/tiers/t{number}" for number in (4, 3, 2, 1, 0)]
    assert audit(door, people, staff="lin") == []


def test_other_programs_do_not_see_it(door: str, people: People) -> None:
    people.hire("zoe", program_id=2)
    http(door, "PUT", "/v1/tiers/x", {}, people.staff("mei", "marketer"))
    assert http(door, "GET", "/v1/audit", headers=people.staff("zoe", program_id=2)).json["records"] == []


def test_the_request_is_known_by_its_id(door: str, people: People) -> None:
    http(door, "PUT", "/v1/tiers/x", {}, {**people.staff("mei", "marketer"), "X-Request-ID": "req-7"})
    record = http(door, "GET", "/v1/audit", headers=people.staff("lin")).json["records"][0]
    assert (record["request_id"], set(record)) == (
        "req-7",
        {"id", "staff", "method", "path", "status", "request_id", "at"},
    )


def test_what_cannot_be_noted_does_not_happen(door: str, people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> int:
        raise OperationalError("INSERT", {}, Exception("server closed the connection"))

    with monkeypatch.context() as patch:
        patch.setattr(use_cases.repository, "add_record", fail)
        reply = http(door, "PUT", "/v1/tiers/x", {}, people.staff("mei", "marketer"))
    assert (reply.status, reply.code) == (503, "unavailable")
    assert audit(door, people) == []


def test_the_table_takes_nothing_else(people: People) -> None:
    from sqlalchemy.exc import IntegrityError

    columns = "program_id, staff, method, path, status, request_id"
    row = f"INSERT INTO gateway_audit ({columns}) VALUES (1, 'lin', {{}}, '/', {{}}, 'r')"
    for method, status, law in (("'GET'", 200, "is_of_changes"), ("'PUT'", 600, "http_statuses")):
        with pytest.raises(IntegrityError, match=law), transaction() as session:
            session.execute(text(row.format(method, status)))
