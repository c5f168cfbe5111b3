"""The rows that are measured today, numbered as in the list of targets."""

from bench.ratios import Bound, Row

ROWS: tuple[Row | Bound, ...] = (
    Row(
        number="1",
        what="single postings through the gateway ÷ pgbench of the same posting",
        unit="/s",
        ours="singles",
        limit="pgbench",
        target=0.17,
        stretch=0.35,
    ),
    Row(number="1a", what="… at the points service, without the gateway", unit="/s", ours="direct", limit="pgbench"),
    Row(number="1b", what="… inside the points service, without HTTP", unit="/s", ours="inside", limit="pgbench"),
    Row(
        number="2",
        what="batch lines through the gateway ÷ the same set-based SQL alone",
        unit="lines/s",
        ours="batches",
        limit="set_based",
        target=0.8,
        stretch=0.95,
    ),
    Row(
        number="3",
        what="batch lines through the gateway ÷ pgbench of single postings",
        unit="lines/s",
        ours="batches",
        limit="pgbench",
        target=3,
        stretch=5,
    ),
    Bound(
        number="4",
        what="CPU of the gateway ÷ CPU of the points service, same single postings",
        unit="",
        ours="gateway_cpu",
        target=0.5,
        stretch=0.3,
    ),
    Row(
        number="5",
        what="single postings to one member ÷ to 10,000 members",
        unit="/s",
        ours="hot",
        limit="singles",
        target=0.8,
        stretch=1.5,
    ),
    Row(
        number="6",
        what="event intake with 10 live rules ÷ plain batch lines",
        unit="/s",
        ours="events",
        limit="batches",
        target=0.5,
        stretch=0.8,
    ),
    Row(
        number="13",
        what="entries verified ÷ single postings through the gateway",
        unit="/s",
        ours="verify",
        limit="singles",
        target=10,
        stretch=50,
    ),
    Bound(number="14", what="memory of the whole stack at rest", unit="MB", ours="memory", target=1200, stretch=700),
    Bound(
        number="15",
        what="from `run` on an empty data folder to the first 200",
        unit="s",
        ours="first_start",
        target=10,
        stretch=4,
    ),
    Bound(number="15a", what="… on a data folder that was used before", unit="s", ours="start", target=10, stretch=4),
)

#: Figures that come along with a contender.
BROUGHT_BY = {"gateway_cpu": "singles"}
#: Figures of the whole stack at rest.
OF_THE_WHOLE = ("memory", "first_start", "start")
