"""Experiments over HTTP: dealt out, recorded with each award, the same in any order of arrival, and their figures."""

import random
from typing import Any

import pytest

from services.points import jobs
from services.points.experiments import domain
from services.points.rules.experiment import Experiment, Variant, variant_of
from tests.earning import Shop, event, paid, refunded
from tests.points import wrong

VARIANTS = [{"code": "as-is", "weight": 1}, {"code": "more", "weight": 1, "formula": "20"}]
TRIAL: dict[str, Any] = {
    "name": "more-points",
    "variants": VARIANTS,
    "goal": {"event": "order.paid", "days": 7, "condition": "data.paid_fen >= 500"},
}
REVIEW: dict[str, Any] = {"trigger": "review.posted", "formula": "10", "condition": "data.stars >= 3"}


def of(member_id: int) -> str:
    """The member's variant."""
    experiment = Experiment("more-points", (Variant("as-is", 1), Variant("more", 1)))
    return ("as-is", "more")[variant_of(experiment, program_id=1, member_id=member_id)]


AS_IS = [member for member in range(1, 60) if of(member) == "as-is"][:12]
MORE = [member for member in range(1, 60) if of(member) == "more"][:12]


def review(member_id: int, stars: int = 5, **more: Any) -> dict[str, Any]:
    return event(f"r{member_id}", member_id=member_id, data={"stars": stars}, **more)


def order(member_id: int, fen: int, day: str = "05", name: str = "") -> dict[str, Any]:
    return paid(f"A{member_id}{name}", fen, member_id=member_id, time=f"2026-05-{day}T12:00:00+08:00")


def outcome(shop: Shop, code: str = "review", **query: str) -> Any:
    answer = shop.marketer.get(f"/v1/rules/{code}/experiment", **{"from": "2026-05-01T00:00:00Z", **query})
    assert answer.status_code == 200, answer.json
    return {one["variant"]: one for one in answer.json["variants"]}


def backtested(shop: Shop, **body: Any) -> Any:
    """What a back-test over May finds."""
    asked = {"from": "2026-05-01T00:00:00+08:00", "to": "2026-06-01T00:00:00+08:00", **body}
    backtest = shop.marketer.post("/v1/backtests", asked).json["id"]
    jobs.run_backtest(1, backtest)
    return shop.marketer.get(f"/v1/backtests/{backtest}").json["result"]


@pytest.fixture
def trial(shop: Shop) -> Shop:
    """A shop that tries twice the points for reviews of three stars and more."""
    shop.publish("review", **REVIEW, experiment=TRIAL)
    return shop


def story() -> list[dict[str, Any]]:
    """Ten of each variant review; two of the one and nine of the other then buy enough in time."""
    events = [review(member) for member in (*AS_IS[:10], *MORE[:10])]
    events += [order(member, 800) for member in (*AS_IS[:2], *MORE[:9])]
    events += [order(AS_IS[2], 499), order(AS_IS[3], 900, "11"), review(AS_IS[10], stars=1), order(AS_IS[11], 700)]
    return [*events, refunded(300, f"A{MORE[0]}", member_id=MORE[0], time="2026-05-06T12:00:00+08:00")]


def test_an_award_says_its_variant_in_answer_entry_and_explanation(trial: Shop) -> None:
    given = {member: trial.send_one(review(member))["decisions"] for member in (AS_IS[0], MORE[0])}
    assert [(one["amount"], one["variant"]) for [one] in given.values()] == [(10, "as-is"), (20, "more")]
    assert "variant" not in trial.send_one(review(AS_IS[1], stars=1))["decisions"][0]
    [item, *_] = trial.marketer.get("/v1/timeline", member_id=MORE[0]).json["items"]
    assert item["variant"] == "more"


def test_figures_tell_what_came_of_each_variant(trial: Shop) -> None:
    trial.send(*story())
    found = outcome(trial)
    assert {name: (one["members"], one["events"], one["awarded"]) for name, one in found.items()} == {
        "as-is": (10, 10, 100),
        "more": (10, 10, 200),
    }
    assert [(one["converted"], one["conversion"], one["open"]) for one in found.values()] == [
        (2, "0.2000", 0),
        (9, "0.9000", 0),
    ]
    assert [one["spend_fen"] for one in found.values()] == [800 * 2 + 499, 800 * 9 - 300]
    assert found["more"]["spend_per_member_fen"] == 690
    assert found["as-is"]["compared"] is None
    assert found["more"]["compared"] == {"p_value": "0.0017", "significant": False, "enough": False}


def test_late_and_shuffled_events_give_the_same_figures(trial: Shop) -> None:
    events = story()
    random.Random(3).shuffle(events)
    for one in events:
        trial.send_one(one)
    found = outcome(trial)
    assert [(one["members"], one["awarded"], one["converted"], one["spend_fen"]) for one in found.values()] == [
        (10, 100, 2, 2_099),
        (10, 200, 9, 6_900),
    ]


def test_an_experiment_is_counted_over_its_versions_and_its_time(trial: Shop) -> None:
    trial.send(review(AS_IS[0]))
    trial.publish("review", **{**REVIEW, "name_en": "Renamed"}, experiment=TRIAL)
    trial.send(review(AS_IS[1], time="2026-05-04T12:00:00+08:00"))
    trial.publish("review", **REVIEW)
    trial.send(review(AS_IS[2]))
    assert outcome(trial)["as-is"]["members"] == 2
    assert outcome(trial, to="2026-05-04T00:00:00Z")["as-is"]["members"] == 1
    late = trial.marketer.get("/v1/rules/review/experiment").json
    assert (late["versions"], [one["members"] for one in late["variants"]]) == ([1, 2], [0, 0])
    assert late["variants"][0]["conversion"] is None
    assert late["goal"] == TRIAL["goal"]


def test_whoever_met_the_rule_counts_whatever_their_variant_gave(shop: Shop) -> None:
    nothing = {**TRIAL, "variants": [{"code": "as-is", "weight": 1, "formula": "0"}, VARIANTS[1]]}
    day = {"per": "day", "of": "member", "amount": 25}
    shop.publish("review", **REVIEW, experiment=nothing, caps=[day], audience={"channels": ["app"]})
    app = {"stars": 5, "channel": "app"}
    shop.send(*[event(f"a{member}", member_id=member, data=app) for member in (AS_IS[0], MORE[0], MORE[1])])
    early = {"time": "2026-05-03T08:00:00+08:00", "member_id": MORE[0]}
    shop.send(event("b", data=app, **early))
    shop.send(
        event("c", member_id=AS_IS[1], data={"stars": 5}), event("d", member_id=AS_IS[2], data={**app, "stars": 1})
    )
    found = outcome(shop)
    assert [(one["members"], one["events"], one["awarded"]) for one in found.values()] == [(1, 1, 0), (2, 3, 45)]
    assert shop.amounts(MORE[0]) == [20, 20, -15], "the later review was cut by the one that came late"


def test_refunds_of_what_a_variant_awarded_are_told_apart(shop: Shop) -> None:
    shop.publish(
        "order", experiment={"name": "more-points", "variants": [VARIANTS[0], {**VARIANTS[1], "formula": "60"}]}
    )
    shop.send(*[paid(f"A{member}", 4_000, member_id=member) for member in (AS_IS[0], MORE[0])])
    shop.send(*[refunded(1_000, f"A{member}", member_id=member) for member in (AS_IS[0], MORE[0])])
    found = outcome(shop, "order")
    assert [(one["awarded"], one["taken_back"], one["spend_fen"]) for one in found.values()] == [
        (40, 10, 3_000),
        (60, 15, 3_000),
    ]


def test_what_cannot_be_shown_is_refused_with_a_reason(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.publish("order")
    asked = {name: shop.marketer.get(f"/v1/rules/{name}/experiment") for name in ("order", "none")}
    assert [one.json["code"] for one in asked.values()] == ["no_experiment", "rule_not_found"]
    shop.publish("review", **REVIEW, experiment={**TRIAL, "goal": None})
    shop.send(review(AS_IS[0]), review(AS_IS[1]))
    assert [one["converted"] for one in outcome(shop).values()] == [None, None]
    times = {"from": "2026-05-02T00:00:00Z", "to": "2026-05-02T00:00:00Z"}
    assert shop.marketer.get("/v1/rules/review/experiment", **times).status_code == 422
    monkeypatch.setattr(domain, "MOST_EVENTS", 1)
    many = shop.marketer.get("/v1/rules/review/experiment", **{"from": "2026-05-01T00:00:00Z"})
    assert (many.status_code, many.json["code"]) == (422, "too_many_events")


def test_a_published_experiment_is_not_changed_under_its_name(trial: Shop) -> None:
    changed = {**TRIAL, "variants": [*VARIANTS, {"code": "most", "weight": 1, "formula": "30"}]}
    refused = trial.draft("review", **REVIEW, experiment=changed)
    assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, "/experiment/name")
    exported = trial.marketer.get("/v1/rule-set").json
    exported["rules"][0]["document"]["experiment"] = changed
    imported = trial.marketer.post("/v1/rule-set/imports", exported, key="import")
    assert imported.json["errors"][0]["pointer"].endswith("/experiment/name"), imported.json
    assert trial.draft("review", **REVIEW, experiment={**changed, "name": "most-points"}).status_code == 200


def test_simulation_and_back_test_show_every_variant(shop: Shop) -> None:
    shop.publish("review", **REVIEW)
    shop.send(*[review(member) for member in (AS_IS[0], AS_IS[1], MORE[0])])
    shop.draft("review", **REVIEW, experiment=TRIAL, holdout={"percent": 0})
    asked = {"type": "review.posted", "data": {"stars": 5}}
    simulated = shop.marketer.post("/v1/rules/review/simulation", asked).json
    assert (simulated["amount"], simulated["decisions"][0]["variant"]) == (10, "as-is")
    assert [(one["variant"], one["amount"], one["reason"]) for one in simulated["variants"]] == [
        ("as-is", 10, "awarded"),
        ("more", 20, "awarded"),
    ]
    hers = shop.marketer.post("/v1/rules/review/simulation", {**asked, "member_id": MORE[0]}).json
    assert (hers["amount"], hers["decisions"][0]["variant"], len(hers["variants"])) == (20, "more", 2)
    result = backtested(shop, drafts=["review"])
    [compared] = result["rules"]
    assert compared["candidate"]["variants"] == [
        {"variant": "as-is", "awards": 2, "cost": 20},
        {"variant": "more", "awards": 1, "cost": 20},
    ]
    assert compared["now"]["variants"] == []


def test_verify_finds_an_award_of_another_variant(trial: Shop) -> None:
    trial.send(review(AS_IS[0]), review(MORE[0]))
    assert wrong() == []
    bent = "UPDATE points_events SET result = jsonb_set(result, '{decisions,0,variant}', '\"%s\"') RETURNING 1"
    trial.rows(bent % "more")
    [found] = wrong()
    assert (found.name, found.checked) == ("awards are of the member's own variant", 2)
    assert found.detail == f"1/{AS_IS[0]}/review version 1"
    trial.rows("DELETE FROM points_events RETURNING 1")


def test_analysis_looks_at_every_variant(shop: Shop) -> None:
    nothing = {"code": "nothing", "weight": 1, "formula": "0"}
    grows = {"code": "grows", "weight": 1, "formula": "data.paid_fen"}
    shop.publish("order", formula="5", experiment={"name": "e", "variants": [nothing, grows]})
    concerns = shop.marketer.get("/v1/rule-analysis").json["concerns"]
    assert [one["code"] for one in concerns] == ["missing_cap"], "that one variant gives nothing is meant"
