"""Many at once: whatever threads send in the same moment, some order of one after the other explains every answer."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest

from common.clock import epoch_us, from_epoch_us, now
from common.database import driver_connection
from services.points.database import retried, transaction
from services.points.ledger import use_cases
from services.points.ledger.balances import present
from services.points.ledger.domain import Outcome
from services.points.ledger.present_repository import list_accounts
from services.points.programs.validity import IDLE
from tests.points import Brand, sql, wrong
from tests.property.ledger_machine import ACCOUNTS, TERMS, line_for
from tests.property.oracle import Oracle, Purse

Sent = tuple[str, tuple[int, int], tuple[Any, ...]]


@pytest.mark.parametrize("seed", range(3))
def test_whatever_many_threads_send_at_once_each_key_has_one_effect_and_one_answer(brand: Brand, seed: int) -> None:
    """Eight shoppers over four members; each request is sent one to three times at once."""
    copies = ThreadPoolExecutor(24)

    def send(choose: Random, path: str, key: str, body: dict[str, Any]) -> dict[str, Any]:
        sent = [copies.submit(brand.send, path, key=key, **body) for _ in range(choose.randint(1, 3))]
        answers = [it.result() for it in sent]
        assert {answer.status_code for answer in answers} <= {200, 201, 409, 422}
        assert len({(answer.status_code, told(answer.json)) for answer in answers}) == 1
        return answers[0].json if answers[0].status_code < 400 else {}

    def shop(number: int) -> None:
        choose, holds_, postings = Random(seed * 100 + number), [], []
        for step in range(16):
            key, member = f"{number}-{step}", choose.randint(1, 4)
            kind = choose.choice(["earn", "earn", "spend", "spend", "hold", "capture", "void", "reverse", "taken key"])
            amount = choose.randint(1, 40)
            if kind in ("earn", "spend"):
                days = choose.choice(["unlimited", "1D", "9D"])
                more = {"validity": days} if kind == "earn" else {}
                body = {"member_id": member, "kind": kind, "amount": amount, "asset": "growth", **more}
                postings.append((member, send(choose, "postings", key, body)))
            elif kind == "hold":
                held = send(choose, "holds", key, {"member_id": member, "amount": amount, "asset": "growth"})
                holds_.append((member, held))
            elif kind in ("capture", "void") and holds_:
                member, held = choose.choice(holds_)
                if held:
                    ended = send(choose, f"holds/{held['hold_id']}/{kind}", key, {"member_id": member})
                    postings.append((member, ended))
            elif kind == "reverse" and postings:
                member, posting = choose.choice(postings)
                if posting:
                    body = {"member_id": member, "asset": "growth", "posting_id": posting["posting_id"]}
                    send(choose, "reversals", key, body)
            elif kind == "taken key":
                body = {"member_id": member, "kind": "earn", "amount": 1000, "asset": "growth"}
                send(choose, "postings", choose.choice(["taken-1", "taken-2"]), body)

    with copies, ThreadPoolExecutor(8) as shoppers:
        list(shoppers.map(shop, range(8)))
    assert wrong() == []
    twice = "SELECT posting_id FROM points_entries WHERE kind <> 14 AND cause <> 'time' GROUP BY 1 HAVING count(*) > 1"
    assert sql(twice) == []
    assert sql("SELECT count(*) FROM points_postings WHERE status = 1") == sql(
        "SELECT count(*) FROM points_entries WHERE cause <> 'time'"
    )
    assert sql("SELECT count(*) FROM points_entries WHERE amount = 1000")[0][0] <= 2


def told(answer: Any) -> str:
    """What an answer says, but for whom it was said to and what has become of a hold since."""
    return str(sorted((name, it) for name, it in answer.items() if name not in ("request_id", "state", "captured")))


@pytest.mark.parametrize("seed", range(3))
def test_one_after_the_other_explains_every_answer_of_many_at_once(brand: Brand, seed: int) -> None:
    """Eight writers post lists of lines over the same accounts, with deadlines that pass while they do.

    What was posted together has the instant of its locks, so these instants are the order; the oracle, sent the same in
    that order one by one, must give every answer, refusals and repetitions too, and in the end every balance.
    """
    # No business day ends while this runs.
    zone = "UTC" if datetime.now(UTC).hour < 23 else "Asia/Shanghai"
    oracle = Oracle(zone, {name: Purse(TERMS[name[1]]) for name in ACCOUNTS})
    sent: list[Sent] = []
    posted: list[tuple[list[Sent], list[Outcome]]] = []

    def write(number: int) -> None:
        choose = Random(seed * 100 + number)
        for step in range(40):
            together = [
                _choose(choose, oracle, sent, f"{seed}-{number}-{step}-{n}") for n in range(choose.randint(1, 3))
            ]
            lines = [line_for(1, oracle, epoch_us(now()), *it) for it in together]
            outcomes = retried(lambda session, lines=lines: use_cases.post(session, lines, zones={1: zone}))
            sent.extend(together)
            posted.append((together, outcomes))

    with ThreadPoolExecutor(8) as writers:
        list(writers.map(write, range(8)))
    answers: dict[str, Outcome] = {}
    for together, outcomes in sorted(posted, key=_instant):
        for (key, name, body), outcome in zip(together, outcomes, strict=True):
            told = (outcome.status.name, outcome.balance, outcome.held, outcome.debt)
            if outcome.replayed:
                assert (key, told) == (key, _told(answers[key]))
            else:
                assert (key, body, told) == (key, body, oracle.post(key, name, body, now=_now(outcomes)))
                if told[0] != "KEY_REUSED":
                    answers[key] = outcome
    _compare_in_the_end(oracle)
    assert {outcome.status.name for outcome in answers.values()} > {"POSTED", "INSUFFICIENT", "ACCOUNT_FROZEN"}
    assert wrong() == []


def _choose(choose: Random, oracle: Oracle, sent: list[Sent], key: str) -> Sent:
    name, amount = choose.choice(ACCOUNTS), choose.randint(1, 40)
    soon, today = epoch_us(now()) + choose.choice([0, 20_000, 200_000, 10**9]), oracle.day(epoch_us(now()))
    day = IDLE if TERMS[name[1]].idle else today + choose.randint(0, 3)
    fresh: list[Sent] = [
        *[(key, name, ("earn", amount, day))] * 4,
        *[(key, name, ("pend", amount, soon))] * 2,
        *[(key, name, ("spend", amount))] * 2,
        *[(key, name, ("hold", amount, choose.choice([20_000, 200_000, 10**9])))] * 2,
        *[(key, name, ("give", 15 - name[0], amount // 3 + 1))] * 2,
        *[(key, name, (choose.choice(["freeze", "unfreeze", "unfreeze"]),))],
    ]
    if not sent or choose.random() < 0.5:
        return choose.choice(fresh)
    earlier, theirs, body = choose.choice(sent[-40:])
    later: list[Sent] = [
        (earlier, theirs, body),
        (earlier, name, ("spend", 1000 + amount)),
        (key, theirs, ("reverse", earlier, choose.choice([0, amount]), choose.random() < 0.5)),
        *[(key, theirs, ("defer", earlier, soon))] * (body[0] == "pend"),
        *[(key, theirs, (choose.choice([("capture", earlier, choose.choice([0, 5])), ("void", earlier)])))]
        * (body[0] == "hold"),
    ]
    return choose.choice(later)


def _compare_in_the_end(oracle: Oracle) -> None:
    at = epoch_us(now())
    with transaction() as session:
        read = [it for member in (7, 8) for it in list_accounts(driver_connection(session), [(1, member)])[0]]
    for account, holds in read:
        purse = oracle.settled((account.member_id, account.asset_id), now=at)
        seen = present("any", account, holds, {}, at=from_epoch_us(at), zone=oracle.zone)
        assert (seen.balance, seen.held + seen.pending, seen.debt) == purse.figures
        assert (seen.available, seen.pending, seen.frozen) == (len(purse.points), purse.pending, purse.frozen)


def _instant(posting: tuple[list[Sent], list[Outcome]]) -> int:
    return _now(posting[1])


def _now(outcomes: list[Outcome]) -> int:
    """When the locks were had; a list of repetitions only has no instant of its own, and is compared last."""
    return next((outcome.at_us for outcome in outcomes if not outcome.replayed), 2**62)


def _told(outcome: Outcome) -> tuple[str, int, int, int]:
    return outcome.status.name, outcome.balance, outcome.held, outcome.debt
