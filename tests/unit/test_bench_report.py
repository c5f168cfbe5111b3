"""What the benchmark shows: one line a row, units, connections, and the same figures as JSON."""

import json

from rich.console import Console
from rich.table import Table

from bench.ratios import Bound, Latencies, Row, compare
from bench.report import Report, as_json, latencies_of, lines_of, table_of

ROW = Row(number="1", what="singles", unit="/s", ours="us", limit="them", target=0.17, stretch=0.35)
BOUND = Bound(number="14", what="memory", unit="MB", ours="memory", target=1200, stretch=700)
ROUNDS = [{"us": 1800.0, "them": 9000.0, "memory": 812.4}, {"us": 2000.0, "them": 9000.0, "memory": 820.0}]
REPORT = Report(
    results=[compare(ROW, ROUNDS), compare(BOUND, ROUNDS)],
    connections={"us": "64", "them": "16"},
    seconds=5,
    ceiling=54_925.2,
    latencies=[
        Latencies(what="postings", per_second=1330, share=0.7, p50=0.0123, p95=0.02, p99=0.0345),
        Latencies(what="check-in", per_second=400.4, share=0.7, p50=0.001, p95=0.002, p99=1.5),
    ],
)


def shown(table: Table | None = None) -> str:
    console = Console(width=160)
    with console.capture() as capture:
        console.print(table or table_of(REPORT))
    return capture.get()


def test_a_ratio_is_shown_with_both_figures_their_range_and_their_connections() -> None:
    line = next(line for line in shown().splitlines() if "singles" in line)
    cells = [cell.strip() for cell in line.split("│")[1:-1]]
    assert cells == ["1", "singles", "9,000 /s", "1,900 /s", "0.21", "0.20 - 0.22", "0.17", "0.35", "16 / 64", "2"]


def test_a_bound_is_shown_with_at_most() -> None:
    line = next(line for line in shown().splitlines() if "memory" in line)
    cells = [cell.strip() for cell in line.split("│")[1:-1]]
    assert cells == ["14", "memory", "", "816 MB", "", "812 - 820", "≤ 1,200", "≤ 700", "", "2"]


def test_latencies_have_a_table_of_their_own_in_milliseconds() -> None:
    title, *lines = shown(latencies_of(REPORT)).splitlines()
    assert title.strip() == "Latencies through the gateway at 70% of the highest rate"
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines if line.startswith("│")]
    assert rows == [
        ["postings", "1,330 /s", "12.3 ms", "20.0 ms", "34.5 ms"],
        ["check-in", "400 /s", "1.0 ms", "2.0 ms", "1500.0 ms"],
    ]


def test_without_latencies_there_is_no_table_of_them() -> None:
    assert latencies_of(Report(results=[], connections={}, seconds=5)) is None


def test_the_reader_learns_of_the_generator() -> None:
    [generator] = lines_of(REPORT)
    assert "54,925 requests/s" in generator
    assert "shares" in generator


def test_json_has_the_same_figures_unrounded() -> None:
    report = json.loads(json.dumps(as_json(REPORT)))
    assert [row["number"] for row in report["rows"]] == ["1", "14"]
    assert report["rows"][0]["verdict"] == "target"
    assert report["rows"][0]["value"] == (0.2 + 2000 / 9000) / 2
    assert report["rows"][1]["limit"] is None
    assert [it["what"] for it in report["latencies"]] == ["postings", "check-in"]
    assert report["latencies"][0]["p99_seconds"] == 0.0345
