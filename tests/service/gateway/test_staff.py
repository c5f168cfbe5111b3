"""Admins manage staff, and never lock themselves out."""

from threading import Barrier, Thread

import pytest

from tests.gateway import PASSWORD, People, Reply, http


def put(door: str, name: str, who: dict[str, str], *roles: str, **more: object) -> Reply:
    return http(door, "PUT", f"/v1/staff/{name}", {"roles": roles, **more}, who)


def test_an_admin_hires_lists_and_changes(door: str, people: People) -> None:
    people.hire("lin")
    admin = people.staff("lin")
    hired = http(door, "POST", "/v1/staff", {"name": "mei", "roles": ["marketer"], "password": PASSWORD}, admin)
    assert (hired.status, hired.json) == (201, {"name": "mei", "roles": ["marketer"], "disabled": False})
    assert http(door, "POST", "/v1/staff", {"name": "mei", "roles": ["finance"], "password": PASSWORD}, admin).code == (
        "staff_exists"
    )
    changed = put(door, "mei", admin, "finance", "customer_service", disabled=True)
    assert changed.json == {"name": "mei", "roles": ["customer_service", "finance"], "disabled": True}
    assert [person["name"] for person in http(door, "GET", "/v1/staff", headers=admin).json["staff"]] == ["lin", "mei"]


def test_the_disabled_cannot_sign_in_and_a_new_password_lets_them_again(door: str, people: People) -> None:
    people.hire("lin")
    people.hire("mei", "marketer")
    body = {"program": "acme", "name": "mei", "password": PASSWORD}
    put(door, "mei", people.staff(), "marketer", disabled=True)
    assert http(door, "POST", "/v1/sessions/staff", body).code == "bad_credentials"
    put(door, "mei", people.staff(), "marketer", password="a new long password")
    assert http(door, "POST", "/v1/sessions/staff", body).code == "bad_credentials"
    assert http(door, "POST", "/v1/sessions/staff", {**body, "password": "a new long password"}).status == 201


def test_nothing_changed_ends_no_token(door: str, people: People) -> None:
    people.hire("lin")
    assert put(door, "lin", people.staff(), "admin").status == 200
    assert http(door, "GET", "/v1/staff", headers=people.staff()).status == 200
    assert put(door, "lin", people.staff(), "admin", "finance").status == 200
    assert http(door, "GET", "/v1/staff", headers=people.staff()).code == "token_ended"


@pytest.mark.parametrize("change", [{"roles": ["marketer"]}, {"roles": ["admin"], "disabled": True}])
def test_the_last_admin_stays(door: str, people: People, change: dict[str, object]) -> None:
    people.hire("lin")
    people.hire("mei", "marketer")
    reply = http(door, "PUT", "/v1/staff/lin", change, people.staff())
    assert (reply.status, reply.code) == (409, "last_admin")
    assert http(door, "GET", "/v1/staff", headers=people.staff()).status == 200


def test_of_two_admins_who_dismiss_each_other_one_stays(door: str, people: People) -> None:
    people.hire("lin")
    people.hire("mei")
    start, statuses = Barrier(2), []

    def dismiss(who: str, whom: str) -> None:
        start.wait()
        statuses.append(put(door, whom, people.staff(who), "marketer").status)

    threads = [Thread(target=dismiss, args=pair) for pair in (("lin", "mei"), ("mei", "lin"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses.count(200) == 1
    assert set(statuses) <= {200, 401, 409}


def test_other_programs_do_not_see_each_others_staff(door: str, people: People) -> None:
    people.hire("lin")
    people.hire("mei", program_id=2)
    foreign = people.staff("mei", program_id=2)
    assert put(door, "lin", foreign, "marketer").code == "staff_not_found"
    assert [person["name"] for person in http(door, "GET", "/v1/staff", headers=foreign).json["staff"]] == ["mei"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"name": "Mei", "roles": ["admin"], "password": PASSWORD}, "invalid_request"),
        ({"name": "mei", "roles": [], "password": PASSWORD}, "invalid_request"),
        ({"name": "mei", "roles": ["owner"], "password": PASSWORD}, "invalid_request"),
        ({"name": "mei", "roles": ["admin"], "password": "short"}, "invalid_request"),
        ({"name": "meimeimei-", "roles": ["admin"], "password": "meimeimei-"}, "weak_password"),
    ],
)
def test_what_is_no_staff_is_refused(door: str, people: People, body: dict[str, object], code: str) -> None:
    people.hire("lin")
    assert http(door, "POST", "/v1/staff", body, people.staff()).code == code
