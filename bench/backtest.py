"""A back-test in one process, as the worker runs it, and the bare expression engine beside it.

Run it as `python -m bench.backtest backtest|engine <seconds>` with the environment of a stack; it prints a figure. The
history is a program's own: one live rule (a point a yuan from 50 yuan on, with refunds) against a draft at twice the
rate. Both figures are by CPU time, for the row compares cores.
"""

import json
import sys
import time
from datetime import UTC, datetime
from typing import Any

import psutil
import zen
from sqlalchemy import text

from bench.site import WrongResults
from common.clock import now
from services.points.backtests import use_cases as backtests
from services.points.backtests.domain import State
from services.points.database import transaction
from services.points.programs import use_cases as programs
from services.points.rules import use_cases as rules

#: A program of nobody else's.
PROGRAM = 2_000_000_012
EVENTS = 60_000
#: Rows of one statement: a busy machine gives each 20 seconds.
_AT_A_TIME = 10_000
SINCE, UNTIL = datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 5, 31, tzinfo=UTC)

_RULE = {"name_en": "A point a yuan", "name_zh": "一元一分", "trigger": "order.paid", "asset": "points"}
_CONDITION = "data.paid_fen >= 5000"

# One order in twenty is refunded in half a day later; members buy ten times on average.
_ORDERS = """
INSERT INTO points_orders (program_id, member_id, order_id, paid_event, paid_fen, refunded_fen, refunds, awards)
SELECT :p, 1 + n * 7919 % (:n / 10), 'A' || n, 'shop paid-' || n, 100 + n * 9973 % 90000,
       CASE WHEN n % 20 = 0 THEN 50 ELSE 0 END, '{}', '[]' FROM generate_series(CAST(:a AS int), :z) n"""
_PAYMENTS = """
INSERT INTO points_events (program_id, source, id, type, member_id, time, received_at, fingerprint, data, result)
SELECT :p, 'shop', 'paid-' || n, 'order.paid', 1 + n * 7919 % (:n / 10), CAST(:s AS timestamptz) + n * interval '10 s',
       CAST(:s AS timestamptz), '', jsonb_build_object('order_id', 'A' || n, 'paid_fen', 100 + n * 9973 % 90000,
       'channel', 'app', 'store', 'S' || n % 90, 'items', n % 7), '{"decisions": [], "reversed": []}'
  FROM generate_series(CAST(:a AS int), :z) n"""
_REFUNDS = """
INSERT INTO points_events (program_id, source, id, type, member_id, time, received_at, fingerprint, data, result)
SELECT :p, 'shop', 'refund-' || n, 'order.refunded', 1 + n * 7919 % (:n / 10),
       CAST(:s AS timestamptz) + n * interval '10 s' + interval '12 h', CAST(:s AS timestamptz), '',
       jsonb_build_object('order_id', 'A' || n, 'refund_id', 'r1', 'refunded_fen', 50),
       '{"decisions": [], "reversed": []}' FROM generate_series(CAST(:a AS int), :z) n WHERE n % 20 = 0"""


def prepare() -> None:
    """The program, its rules and its history, once."""
    with transaction() as session:
        if (
            session.execute(text("SELECT FROM points_programs WHERE program_id = :p"), {"p": PROGRAM}).first()
            is not None
        ):
            return
        programs.configure_program(
            session, program_id=PROGRAM, name="History", time_zone="Asia/Shanghai", currency="CNY"
        )
        named = {"name_en": "Points", "name_zh": "积分", "debt_allowed": True, "validity": "unlimited"}
        programs.configure_asset(session, program_id=PROGRAM, code="points", **named)
        for rate, publish in ((100, True), (50, False)):
            document = {**_RULE, "condition": _CONDITION, "formula": f"data.paid_fen / {rate}"}
            rules.draft_rule(session, program_id=PROGRAM, code="order", document=document)
            if publish:
                rules.publish(session, program_id=PROGRAM, code="order", actor="bench")
        for first in range(1, EVENTS, _AT_A_TIME):
            span = {"p": PROGRAM, "n": EVENTS, "s": SINCE.isoformat(), "a": first, "z": first + _AT_A_TIME - 1}
            for statement in (_ORDERS, _PAYMENTS, _REFUNDS):
                session.execute(text(statement), span)
    with transaction() as session:
        session.execute(text("ANALYZE points_events, points_orders"))


def replay(seconds: float) -> float:
    """Events through both sets for each second of CPU, the worker's and its database connection's together."""
    done, began = 0, time.perf_counter()
    with transaction() as session:
        backend = psutil.Process(session.execute(text("SELECT pg_backend_pid()")).scalar_one())
    before = _cpu_seconds(backend)
    while time.perf_counter() - began < seconds:
        done += _replay_once(began + seconds)
    return done / (_cpu_seconds(backend) - before)


def engine(seconds: float) -> float:
    """Rules that the bare engine evaluates in a second of CPU: the live rule's condition, then its formula.

    It is given what a rule may name, the event as it was recorded and the program's clock, as its own pages show it.
    """
    condition, formula = map(zen.compile_expression, (_CONDITION, "string(floor(data.paid_fen / 100))"))
    data = {"order_id": "A12", "paid_fen": 12_800, "channel": "app", "store": "S12", "items": 3}
    clock = {"type": "order.paid", "hour": 12, "weekday": 3, "day": "2026-05-06", "month_day": 6}
    context = {"data": data, "event": clock}
    done, began, before = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - began < seconds:
        for _ in range(1000):
            if condition.evaluate(context):
                formula.evaluate(context)
        done += 1000
    return done / (time.process_time() - before)


def _replay_once(deadline: float) -> int:
    """A back-test from its beginning, as far as the time allows; how many events it replayed."""
    with transaction() as session:
        asked = backtests.ask_for_backtest(
            session,
            program_id=PROGRAM,
            actor="bench",
            now=now(),
            days=None,
            since=SINCE,
            until=UNTIL,
            drafts=["order"],
            retire=[],
        )
    which: dict[str, Any] = {"program_id": PROGRAM, "backtest_id": asked["id"]}
    more = True
    while more and time.perf_counter() < deadline:
        with transaction() as session:
            backtests.take_up(session, **which)
        with transaction() as session:
            more = backtests.replay_slice(session, **which, seconds=2.0, ticks=time.monotonic)
    return _check(asked["id"])


def _cpu_seconds(backend: psutil.Process) -> float:
    spent = backend.cpu_times()
    return time.process_time() + float(spent.user + spent.system)


def _check(backtest_id: int) -> int:
    """How many events it replayed; the draft must cost about twice as much, or the figure means nothing."""
    with transaction() as session:
        shown: dict[str, Any] = backtests.show_backtest(session, program_id=PROGRAM, backtest_id=backtest_id)
        if shown["state"] != State.DONE:
            backtests.cancel(session, program_id=PROGRAM, backtest_id=backtest_id)
            return int(shown["events"]["done"])
    [found] = shown["result"]["assets"]
    if not 1.99 < found["candidate"] / found["now"] < 2.01:
        raise WrongResults(f"twice the rate costs {found['candidate']} instead of {found['now']}")
    return int(shown["events"]["done"])


if __name__ == "__main__":
    measure = {"backtest": replay, "engine": engine}[sys.argv[1]]
    prepare()
    print(json.dumps(measure(float(sys.argv[2]))))
