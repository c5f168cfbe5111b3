"""Laws of caps: a fold over the time of what happened, whatever became known first."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.points.rules.caps import PERIODS, Claim, Move, Release, Share, fold, returned, window_of, window_start

ZONE = "Asia/Shanghai"
#: Noon of Sunday, 3 May 2026 in Shanghai.
NOON = datetime(2026, 5, 3, 4, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def claim(key: str, wanted: int, at: datetime = NOON, **limits: int) -> Claim:
    """A claim under limits: `day=100` an amount, `times_day=3` so many awards, `cooldown=24` hours between two."""
    return Claim(at, key, wanted, tuple((name.replace("_", " "), most) for name, most in limits.items()))


def release(key: str, of: Claim, part: int, whole: int, at: datetime = NOON, **given: Any) -> Release:
    """A refund of part of what the claim's order cost."""
    return Release(at, key, of.key, of.at, part, whole, **given)


def awards(*moves: Move, **given: Any) -> dict[str, int]:
    """What each claim gets."""
    return {key: share.awarded for key, share in fold(moves, time_zone=ZONE, **given).items()}


@pytest.mark.parametrize(
    ("per", "at", "window"),
    [
        ("day", "2026-05-02T15:59:59+00:00", "2026-05-02"),
        ("day", "2026-05-02T16:00:00+00:00", "2026-05-03"),
        ("week", "2026-05-03T15:59:59+00:00", "2026-W18"),
        ("week", "2026-05-03T16:00:00+00:00", "2026-W19"),
        ("week", "2027-01-01T00:00:00+00:00", "2026-W53"),
        ("month", "2026-04-30T15:59:59+00:00", "2026-04"),
        ("month", "2026-04-30T16:00:00+00:00", "2026-05"),
        ("total", "2026-04-30T16:00:00+00:00", "total"),
        ("event", "2026-04-30T16:00:00+00:00", "event"),
    ],
)
def test_windows_are_cut_in_the_programs_zone(per: str, at: str, window: str) -> None:
    assert window_of(per, datetime.fromisoformat(at), ZONE) == window


@given(st.integers(0, 5_000_000).map(lambda minutes: NOON - timedelta(minutes=minutes)))
def test_a_window_starts_where_the_one_before_ends(at: datetime) -> None:
    for per in ("day", "week", "month"):
        start = window_start(per, at, ZONE)
        assert start <= at
        assert window_of(per, start, ZONE) == window_of(per, at, ZONE)
        assert window_of(per, start - timedelta(microseconds=1), ZONE) != window_of(per, at, ZONE)
    assert window_start("total", at, ZONE) == window_start("event", at, ZONE) == at


def test_claims_get_what_is_left_in_the_order_of_their_time() -> None:
    assert awards(
        claim("b", 60, NOON + HOUR, day=100), claim("a", 70, day=100), claim("c", 9, NOON + DAY, day=100)
    ) == {
        "a": 70,
        "b": 30,
        "c": 9,
    }


def test_at_the_same_instant_the_key_decides() -> None:
    assert awards(claim("b", 60, day=100), claim("a", 70, day=100)) == {"a": 70, "b": 30}


def test_every_window_must_have_room_and_the_tightest_is_named() -> None:
    moves = [
        claim("a", 80, event=50, day=100, month=120),
        claim("b", 80, NOON + HOUR, event=70, day=100, month=120),
        claim("c", 80, NOON + DAY, event=70, day=100, month=120),
        claim("d", 80, NOON + 40 * DAY, event=70, day=100, month=120, total=150),
    ]
    shares = fold(moves, time_zone=ZONE)
    assert {key: (share.awarded, share.capped) for key, share in shares.items()} == {
        "a": (50, "event"),
        "b": (50, "day"),
        "c": (20, "month"),
        "d": (30, "total"),
    }


def test_a_cap_that_does_not_bite_is_not_named() -> None:
    assert fold([claim("a", 100, day=100)], time_zone=ZONE) == {"a": Share(100)}


def test_a_refund_frees_the_cap_for_what_comes_after_it() -> None:
    first = claim("a", 100, day=100)
    refund = release("r", first, 1, 2, NOON + 2 * HOUR)
    assert awards(first, refund, claim("b", 70, NOON + HOUR, day=100)) == {"a": 100, "b": 0}
    assert awards(first, refund, claim("b", 70, NOON + 3 * HOUR, day=100)) == {"a": 100, "b": 50}


def test_a_refund_frees_the_windows_of_its_claim_not_of_its_own_day() -> None:
    first = claim("a", 100, day=100, total=150)
    refund = release("r", first, 1, 1, NOON + DAY)
    assert awards(first, refund, claim("b", 200, NOON + DAY + HOUR, day=100, total=150)) == {"a": 100, "b": 100}
    assert awards(first, claim("b", 200, NOON + DAY + HOUR, day=100, total=150)) == {"a": 100, "b": 50}


def test_a_refund_told_to_be_before_its_payment_counts_from_the_payment() -> None:
    first = claim("a", 100, day=100)
    early = release("r", first, 1, 1, NOON - DAY)
    assert awards(early, first, claim("b", 70, NOON + HOUR, day=100)) == {"a": 100, "b": 70}


@given(amount=st.integers(0, 1000), parts=st.lists(st.integers(1, 500), max_size=6))
def test_the_parts_of_refunds_sum_to_the_whole(amount: int, parts: list[int]) -> None:
    whole = sum(parts)
    first = claim("a", amount, total=2000)
    moves = [release(f"r{n}", first, part, whole, NOON + n * HOUR) for n, part in enumerate(parts)]
    share = fold([first, *moves], time_zone=ZONE)["a"]
    assert share.released == sum(share.releases.values()) == (amount if parts else 0)
    assert share.net == amount - share.released


def test_a_refund_takes_its_share_rounded_down_and_all_of_what_cost_nothing() -> None:
    assert [returned(100, part, 12_890) for part in (0, 1, 2_890, 12_889, 12_890, 99_999)] == [0, 0, 22, 99, 100, 100]
    assert (returned(100, 1, 0), returned(100, 0, 0)) == (100, 0)


def test_what_is_settled_stays_and_counts() -> None:
    settled = Claim(NOON, "a", 100, (("day", 100),), settled=40)
    assert awards(settled, claim("b", 70, NOON + HOUR, day=100)) == {"a": 40, "b": 60}
    refund = release("r", claim("old", 0), 1, 1, NOON, settled=15)
    assert awards(refund, claim("b", 70, NOON + HOUR, day=50), used={"2026-05-03": 20}) == {"b": 45}


def test_what_comes_too_late_gets_what_all_others_leave() -> None:
    late = Claim(NOON - HOUR, "late", 100, (("day", 100),), late=True)
    assert awards(late, claim("a", 70, day=100)) == {"late": 30, "a": 70}
    back = Release(NOON, "r", "late", late.at, 1, 1, late=True)
    assert fold([late, back, claim("a", 70, day=100)], time_zone=ZONE)["late"].net == 0


def test_so_many_awards_a_window_whatever_their_amount() -> None:
    day = [claim(key, 5, NOON + n * HOUR, times_day=2) for n, key in enumerate("abc")]
    shares = fold([*day, claim("d", 5, NOON + DAY, times_day=2)], time_zone=ZONE)
    assert [(share.awarded, share.capped) for share in shares.values()] == [
        (5, None),
        (5, None),
        (0, "times day"),
        (5, None),
    ]


def test_what_was_cut_to_nothing_counts_as_no_award() -> None:
    moves = [claim("a", 5, day=0, times_day=1), claim("b", 0, times_day=1), claim("c", 5, NOON + HOUR, times_day=1)]
    assert awards(*moves) == {"a": 0, "b": 0, "c": 5}


def test_a_time_is_free_again_once_all_of_its_award_is_taken_back() -> None:
    first = claim("a", 10, times_total=1)
    half, rest = release("r1", first, 1, 2, NOON + HOUR), release("r2", first, 1, 2, NOON + 3 * HOUR)
    later = [claim(key, 10, NOON + hours * HOUR, times_total=1) for key, hours in (("b", 2), ("c", 4))]
    assert awards(first, half, *later) == {"a": 10, "b": 0, "c": 0}
    assert awards(first, half, rest, release("r3", first, 1, 2, NOON + 4 * HOUR), *later) == {"a": 10, "b": 0, "c": 10}


def test_a_cool_down_is_counted_from_the_last_award_that_stands() -> None:
    moves = [claim(key, 10, NOON + hours * HOUR, cooldown=5) for key, hours in zip("abcd", (0, 4, 5, 9), strict=True)]
    shares = fold(moves, time_zone=ZONE)
    assert {key: (share.awarded, share.until) for key, share in shares.items()} == {
        "a": (10, None),
        "b": (0, NOON + 5 * HOUR),
        "c": (10, None),
        "d": (0, NOON + 10 * HOUR),
    }
    assert shares["b"].capped == "cooldown"
    freed = fold([*moves, release("r", moves[2], 1, 1, NOON + 6 * HOUR)], time_zone=ZONE)
    assert freed["d"] == Share(10)


def test_who_comes_too_late_finds_the_cool_down_of_those_after_it() -> None:
    late = Claim(NOON - 2 * HOUR, "late", 10, (("cooldown", 3),), late=True)
    share = fold([claim("a", 10, cooldown=3), late], time_zone=ZONE)["late"]
    assert (share.awarded, share.until) == (0, NOON + 3 * HOUR)


_KEYS = "abcde"
_NAMES = (*PERIODS, *(f"times {per}" for per in PERIODS[1:]), "cooldown")


@st.composite
def _histories(draw: st.DrawFn) -> list[Move]:
    moves: list[Move] = []
    for key in _KEYS[: draw(st.integers(1, 5))]:
        names = draw(st.lists(st.sampled_from(_NAMES), max_size=3))
        limits = tuple((name, draw(st.integers(0, 120 if name in PERIODS else 4))) for name in names)
        made = Claim(NOON + draw(st.integers(0, 80)) * HOUR, key, draw(st.integers(0, 100)), limits)
        moves.append(made)
        for number in range(draw(st.integers(0, 2))):
            at = NOON + draw(st.integers(0, 120)) * HOUR
            moves.append(release(f"{key}{number}", made, draw(st.integers(1, 60)), 100, at))
    return moves


@given(_histories(), st.randoms(use_true_random=False))
def test_the_order_in_which_it_became_known_changes_nothing(moves: list[Move], random: Any) -> None:
    shuffled = random.sample(moves, len(moves))
    assert fold(moves, time_zone=ZONE) == fold(shuffled, time_zone=ZONE)


@given(_histories())
def test_no_window_is_ever_fuller_than_the_cap_of_the_claim_that_filled_it(moves: list[Move]) -> None:
    shares = fold(moves, time_zone=ZONE)
    claims = sorted((one for one in moves if isinstance(one, Claim)), key=lambda one: (one.at, one.key))
    for one in claims:
        share = shares[one.key]
        assert 0 <= share.released <= share.awarded <= one.wanted
        for per, cap in one.limits:
            window = window_of(per, one.at, ZONE)
            mine = [
                other
                for other in claims
                if window_of(per, other.at, ZONE) == window and (other.at, other.key) <= (one.at, one.key)
            ]
            stood = [other for other in mine if shares[other.key].net and other.key != one.key]
            if share.awarded and per.startswith("times"):
                assert len(stood) < cap
            elif share.awarded and per == "cooldown":
                assert all(one.at - other.at >= cap * HOUR for other in stood)
            elif share.awarded and per != "event":
                assert sum(shares[other.key].net for other in mine) - share.net + share.awarded <= cap
            if per == "event":
                assert share.awarded <= cap


def test_all_permutations_of_a_day_end_alike() -> None:
    first, second = claim("a", 80, day=100), claim("b", 80, NOON + HOUR, day=100)
    day = [first, second, release("r", first, 1, 2, NOON + 2 * HOUR), claim("c", 80, NOON + 3 * HOUR, day=100)]
    ends = {tuple(sorted(awards(*order).items())) for order in permutations(day)}
    assert ends == {(("a", 80), ("b", 20), ("c", 40))}
