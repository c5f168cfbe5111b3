"""One OpenAPI for the whole house, and its page."""

from collections.abc import Iterator
from typing import Any

import pytest
from openapi_spec_validator import validate

from common.service import Service
from gateway.application import create_gateway
from gateway.documentation import routes as documentation
from tests.gateway import People, environment, http
from tests.support import listening
from tests.wsgi import serving


@pytest.fixture
def house(points_migrated: Service, people: People) -> Iterator[str]:
    """The door with the real points service behind it; the others are away."""
    away = {f"JIFEN_{name}_URL": "http://127.0.0.1:9" for name in ("LEVELS", "REFERRALS", "REDEMPTION")}
    with listening(points_migrated), environment(**away):
        gateway = create_gateway()
        with serving(gateway) as url:
            yield url
        gateway.close()


def document(url: str) -> Any:
    return http(url, "GET", "/openapi.json").json


def test_the_document_is_valid_and_holds_what_is_reachable(house: str) -> None:
    merged = document(house)
    validate(merged)
    assert {"/v1/program", "/v1/sessions/member", "/v1/api-keys"} <= set(merged["paths"])
    assert not [path for path in merged["paths"] if not path.startswith("/v1/")]
    assert set(merged["components"]["securitySchemes"]) == {"member", "staff", "system"}
    assert merged["servers"]


def test_every_operation_names_known_security_and_a_tag(house: str) -> None:
    merged = document(house)
    tags = {tag["name"] for tag in merged["tags"]}
    for item in merged["paths"].values():
        for method, operation in item.items():
            if method in ("get", "post", "put", "delete"):
                assert {name for entry in operation["security"] for name in entry} <= {"member", "staff", "system"}
                assert set(operation["tags"]) <= tags


def test_a_service_that_went_away_stays_documented(
    points_migrated: Service, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documentation, "FRESH_SECONDS", 0.0)
    gateway = create_gateway()
    with serving(gateway) as url:
        with listening(points_migrated):
            assert "/v1/program" in document(url)["paths"]
        with environment(JIFEN_POINTS_URL="http://127.0.0.1:9"):
            assert "/v1/program" in document(url)["paths"]
    gateway.close()


def test_the_document_is_not_fetched_for_every_reader(house: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first = document(house)

    def fail(_: str) -> None:
        raise AssertionError("fetched again")

    monkeypatch.setattr(documentation, "fetch_document", fail)
    assert document(house) == first


def test_the_page_takes_nothing_from_outside(house: str) -> None:
    page = http(house, "GET", "/docs")
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert b"//" not in page.body
    for name, kind in (("start.js", "javascript"), ("swagger-ui.css", "css"), ("swagger-ui-bundle.js", "javascript")):
        asset = http(house, "GET", f"/docs/{name}")
        assert asset.status == 200
        assert kind in asset.headers["content-type"]
        assert asset.headers["content-security-policy"] == page.headers["content-security-policy"]
    assert http(house, "GET", "/docs/../service.py").status == 404
    assert http(house, "GET", "/docs/index.html").status == 404


def test_the_real_points_service_answers_through_the_door(house: str, people: People) -> None:
    people.hire("mei", "marketer")
    marketer = people.staff("mei", "marketer")
    put = http(house, "PUT", "/v1/program", {"name": "Acme"}, marketer)
    assert put.status == 200, put
    for who in (people.member(), people.key("read").sign("GET", "/v1/program")):
        assert http(house, "GET", "/v1/program", headers=who).json == put.json
    refused = http(house, "PUT", "/v1/program", {"name": "Mine"}, people.member())
    assert (refused.status, refused.code) == (403, "forbidden")
    assert http(house, "GET", "/v1/program", headers=people.member(program_id=2)).status == 404
