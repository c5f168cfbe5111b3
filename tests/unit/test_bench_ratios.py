"""The arithmetic of the benchmark: ratios within rounds, medians over them, verdicts by their own direction."""

import pytest

from bench.ratios import Bound, Row, UnknownRow, chosen, compare, contenders_of, latencies, percentile
from bench.rows import BROUGHT_BY, OF_GROWTH, OF_THE_BUSY, OF_THE_WHOLE, ROWS

ROW = Row(number="1", what="ours to theirs", unit="/s", ours="us", limit="them", target=0.5, stretch=0.9)
BOUND = Bound(number="2", what="seconds", unit="s", ours="start", target=10, stretch=4)


def test_a_ratio_is_taken_within_its_round_so_that_a_slow_round_counts_for_both() -> None:
    rounds = [{"us": 50.0, "them": 100.0}, {"us": 6.0, "them": 10.0}, {"us": 70.0, "them": 100.0}]
    result = compare(ROW, rounds)
    assert result.value == 0.6
    assert (result.lowest, result.highest) == (0.5, 0.7)
    assert (result.ours, result.limit, result.rounds) == (50.0, 100.0, 3)


@pytest.mark.parametrize(("ours", "verdict"), [(49.0, "below"), (50.0, "target"), (89.0, "target"), (90.0, "stretch")])
def test_a_ratio_reaches_its_target_from_below(ours: float, verdict: str) -> None:
    assert compare(ROW, [{"us": ours, "them": 100.0}]).verdict == verdict


@pytest.mark.parametrize(("ours", "verdict"), [(10.1, "below"), (10.0, "target"), (4.1, "target"), (4.0, "stretch")])
def test_a_bound_is_reached_from_above(ours: float, verdict: str) -> None:
    result = compare(BOUND, [{"start": ours}])
    assert result.verdict == verdict
    assert result.limit is None


def test_a_row_without_a_target_only_informs() -> None:
    row = Row(number="1a", what="more", unit="/s", ours="us", limit="them")
    assert compare(row, [{"us": 1.0, "them": 2.0}]).verdict == ""


def test_what_was_not_measured_is_not_compared() -> None:
    with pytest.raises(KeyError):
        compare(ROW, [{"us": 1.0}])


def test_a_number_chooses_its_row_and_its_variants_once() -> None:
    rows = [ROW, Row(number="1a", what="more", unit="/s", ours="us", limit="them"), BOUND]
    assert [row.number for row in chosen(rows, "1, 1")] == ["1", "1a"]
    assert [row.number for row in chosen(rows, "2,1a")] == ["2", "1a"]
    assert chosen(rows, "") == rows


def test_an_unknown_row_is_named_with_those_there_are() -> None:
    with pytest.raises(UnknownRow, match=r"'7'; there are 1, 2"):
        chosen([ROW, BOUND], "1,7")


def test_a_limit_is_measured_right_before_what_is_compared_with_it_and_only_once() -> None:
    second = Row(number="3", what="more", unit="/s", ours="others", limit="them")
    assert contenders_of([ROW, second, BOUND]) == ["them", "us", "others", "start"]


def test_percentiles_are_values_that_really_occurred() -> None:
    values = [float(value) for value in range(1, 101)]
    assert (percentile(values, 0.5), percentile(values, 0.99), percentile(values, 1)) == (50.0, 99.0, 100.0)
    assert percentile([7.0], 0.01) == 7.0
    with pytest.raises(ValueError, match="nothing was measured"):
        percentile([], 0.5)


def test_latencies_are_percentiles_of_all_answers() -> None:
    found = latencies("check-in", [number / 1000 for number in range(1, 1001)], per_second=70, share=0.7)
    assert (found.what, found.per_second, found.share) == ("check-in", 70, 0.7)
    assert (found.p50, found.p95, found.p99) == (0.5, 0.95, 0.99)


def test_every_row_compares_figures_that_somebody_measures() -> None:
    from bench.busy import CONNECTIONS, MEASURES
    from bench.contenders import CONTENDERS
    from bench.latency import MEASURED

    assert tuple(MEASURES) == tuple(CONNECTIONS) == OF_THE_BUSY
    assert set(MEASURED) <= set(OF_THE_BUSY)
    measured = {*CONTENDERS, *BROUGHT_BY, *OF_THE_WHOLE, *OF_GROWTH, *OF_THE_BUSY}
    assert set(contenders_of(ROWS)) <= measured
    assert set(BROUGHT_BY.values()) <= set(CONTENDERS)
    assert len({row.number for row in ROWS}) == len(ROWS)
    assert list(CONTENDERS)[-1] == "verify"
