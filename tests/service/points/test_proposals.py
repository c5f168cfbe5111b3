"""Rules that wait for a second person: nothing is live before the yes, and what goes live is what was shown (C13)."""

from typing import Any

import pytest
from werkzeug.test import TestResponse

from services.points.rules import repository as rules_repository
from tests.earning import Shop, at_once, paid


@pytest.fixture
def strict(shop: Shop) -> Shop:
    """A shop with a live rule of 10 points, in which a second person is needed."""
    shop.publish(formula="10")
    assert shop.callers.staff("admin").put("/v1/rule-settings", {"second_person": True}).status_code == 200
    return shop


def propose(shop: Shop, *drafts: str, **given: Any) -> dict[str, Any]:
    """Lin asks."""
    answer = shop.marketer.post("/v1/rule-proposals", {"drafts": drafts, **given}, key=f"ask-{next(shop.keys)}")
    assert answer.status_code == 201, answer.json
    return dict(answer.json)


def decide(
    shop: Shop, proposal: dict[str, Any], what: str = "approval", *, by: str = "wang", **body: Any
) -> TestResponse:
    """Wang says yes or no."""
    sent = {"fingerprint": proposal["fingerprint"]} if what == "approval" else {}
    path = f"/v1/rule-proposals/{proposal['id']}/{what}"
    return shop.callers.staff("marketer", name=by).post(path, {**sent, **body}, key=f"decide-{next(shop.keys)}")


def show(shop: Shop, proposal: dict[str, Any]) -> dict[str, Any]:
    """As it stands now."""
    return dict(shop.marketer.get(f"/v1/rule-proposals/{proposal['id']}").json)


def live(shop: Shop) -> dict[str, int | None]:
    """The live version of each rule."""
    return {one["code"]: one["live_version"] for one in shop.marketer.get("/v1/rules").json["rules"]}


def test_by_default_one_person_is_enough_and_only_an_admin_changes_that(shop: Shop) -> None:
    assert shop.marketer.get("/v1/rule-settings").json == {"second_person": False}
    assert shop.publish() == 1
    assert shop.marketer.put("/v1/rule-settings", {"second_person": True}).status_code == 403
    admin = shop.callers.staff("admin")
    assert admin.put("/v1/rule-settings", {"second_person": True}).json == {"second_person": True}
    assert shop.callers.staff("admin", program_id=2).get("/v1/rule-settings").json == {"second_person": False}
    assert admin.put("/v1/rule-settings", {"second_person": False}).json == {"second_person": False}
    assert shop.publish() == 2


def test_nobody_publishes_or_rolls_back_alone_by_any_way_but_may_stop_a_rule(strict: Shop) -> None:
    strict.draft("order", formula="20")
    answers = [
        strict.act("order", "publication"),
        strict.act("order", "rollback", {"version": 1}),
        strict.marketer.post("/v1/rule-publications", {"rules": ["order"]}, key="set"),
        strict.callers.staff("admin").post("/v1/rules/order/publication", key="admin"),
    ]
    assert [(answer.status_code, answer.json["code"]) for answer in answers] == [(409, "second_person_needed")] * 4
    assert live(strict) == {"order": 1}
    assert strict.act("order", "retirement").json["live_version"] is None


def test_a_set_goes_live_whole_at_the_approval_of_somebody_else(strict: Shop) -> None:
    strict.draft("order", formula="20")
    strict.draft("bonus", formula="5")
    proposal = propose(strict, "order", "bonus", note="for May")
    assert (proposal["state"], [one["replaces"] for one in proposal["changes"]]) == ("pending_approval", [1, None])
    assert strict.send_one(paid("A1"))["decisions"][0]["amount"] == 10
    own = decide(strict, proposal, by=strict.marketer.identity.subject)
    assert (own.status_code, own.json["code"]) == (403, "second_person_needed")
    assert live(strict) == {"order": 1, "bonus": None}
    approved = decide(strict, proposal, note="fine")
    assert (approved.status_code, approved.json["state"], approved.json["decided_by"]) == (
        200,
        "approved",
        "staff:wang",
    )
    assert live(strict) == {"order": 2, "bonus": 1}
    assert {one["amount"] for one in strict.send_one(paid("A2"))["decisions"]} == {20, 5}
    shown = strict.marketer.get("/v1/rules/order").json
    assert (shown["draft"], shown["versions"][0]["document"]) == (None, proposal["changes"][0]["document"])
    again = decide(strict, proposal, by="zhao")
    assert (again.status_code, again.json["code"]) == (409, "proposal_not_pending")


def test_a_rollback_waits_too(strict: Shop) -> None:
    strict.draft("order", formula="20")
    assert decide(strict, propose(strict, "order")).status_code == 200
    proposal = propose(strict, rollbacks=[{"rule": "order", "version": 1}])
    assert [(one["version"], one["replaces"]) for one in proposal["changes"]] == [(1, 2)]
    assert decide(strict, proposal).status_code == 200
    assert live(strict) == {"order": 1}


@pytest.mark.parametrize("what", ["draft", "retired", "mode"])
def test_what_was_changed_since_is_outdated_and_never_goes_live(strict: Shop, what: str) -> None:
    strict.marketer.put("/v1/rule-groups/g", {"mode": "all"})
    strict.draft("order", formula="20", group="g")
    proposal = propose(strict, "order")
    assert show(strict, proposal)["state"] == "pending_approval"
    if what == "draft":
        strict.draft("order", formula="2000", group="g")
    elif what == "retired":
        strict.act("order", "retirement")
    else:
        strict.marketer.put("/v1/rule-groups/g", {"mode": "first"})
    assert show(strict, proposal)["state"] == "outdated"
    assert strict.marketer.get("/v1/rule-proposals").json["proposals"][0]["state"] == "outdated"
    refused = decide(strict, proposal)
    assert (refused.status_code, refused.json["code"]) == (409, "proposal_outdated")
    assert live(strict) == {"order": None if what == "retired" else 1}
    # The same words again are what was asked for.
    if what == "draft":
        strict.draft("order", formula="20", group="g")
        assert decide(strict, proposal).status_code == 200


def test_what_another_proposal_brought_meanwhile_is_outdated(strict: Shop) -> None:
    strict.draft("order", formula="20")
    first, second = propose(strict, "order"), propose(strict, "order")
    assert decide(strict, first).status_code == 200
    assert show(strict, second)["state"] == "outdated"
    assert decide(strict, second).json["code"] == "proposal_outdated"
    assert decide(strict, second, "rejection").json["state"] == "rejected"


def test_a_yes_to_something_else_than_was_shown_is_none(strict: Shop) -> None:
    strict.draft("order", formula="20")
    proposal = propose(strict, "order")
    other = decide(strict, {**proposal, "fingerprint": "0" * 64})
    assert (other.status_code, other.json["code"]) == (409, "proposal_fingerprint_differs")
    assert decide(strict, proposal, fingerprint="x").status_code == 422
    assert live(strict) == {"order": 1}


def test_a_rejected_proposal_says_so_and_its_own_author_may_withdraw_it(strict: Shop) -> None:
    strict.draft("order", formula="20")
    proposal = propose(strict, "order")
    rejected = decide(strict, proposal, "rejection", by=strict.marketer.identity.subject, note="too dear")
    assert (rejected.json["state"], rejected.json["decision_note"]) == ("rejected", "too dear")
    refused = decide(strict, proposal)
    assert (refused.status_code, refused.json["code"]) == (409, "proposal_not_pending")
    assert "rejected" in refused.json["detail"]
    assert live(strict) == {"order": 1}


def test_a_proposal_is_refused_for_what_a_publication_would_be(strict: Shop) -> None:
    ask = strict.marketer
    for body, code in [
        ({"drafts": ["order"]}, "no_draft"),
        ({"drafts": ["nobody"]}, "rule_not_found"),
        ({"rollbacks": [{"rule": "order", "version": 9}]}, "rule_not_found"),
        ({}, "invalid_request"),
        ({"drafts": ["order"], "rollbacks": [{"rule": "order", "version": 1}]}, "invalid_request"),
    ]:
        answer = ask.post("/v1/rule-proposals", body, key=f"bad-{next(strict.keys)}")
        assert answer.json["code"] == code
    strict.draft("order", formula="20")
    proposal = propose(strict, "order")
    stranger = strict.callers.staff("marketer", program_id=2)
    assert stranger.get(f"/v1/rule-proposals/{proposal['id']}").status_code == 404


def test_two_who_say_yes_at_once_make_one_version(strict: Shop) -> None:
    strict.draft("order", formula="20")
    proposal = propose(strict, "order")
    answers = at_once([lambda: decide(strict, proposal), lambda: decide(strict, proposal, by="zhao")])
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert live(strict) == {"order": 2}


def test_an_approval_that_dies_half_way_never_happened(strict: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    strict.draft("order", formula="20")
    strict.draft("zbonus", formula="5")
    proposal = propose(strict, "order", "zbonus")
    real = rules_repository.make_live

    def dies(session: Any, program_id: int, code: str, *more: Any, **given: Any) -> None:
        if code == "zbonus":
            raise RuntimeError("killed")
        real(session, program_id, code, *more, **given)

    with monkeypatch.context() as broken:
        broken.setattr(rules_repository, "make_live", dies)
        assert decide(strict, proposal).status_code == 500
    assert (live(strict), show(strict, proposal)["state"]) == ({"order": 1, "zbonus": None}, "pending_approval")
    assert decide(strict, proposal).status_code == 200
