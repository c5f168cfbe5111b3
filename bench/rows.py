"""The rows that are measured today, numbered as in the list of targets."""

from bench.ratios import Bound, Row

ROWS: tuple[Row | Bound, ...] = (
    Row("1", "single postings through the gateway ÷ pgbench of the same posting", "singles", "pgbench", 0.17, 0.35),
    Row("1a", "… at the points service, without the gateway", "direct", "pgbench"),
    Row("1b", "… inside the points service, without HTTP", "inside", "pgbench"),
    Row("2", "batch lines through the gateway ÷ the same set-based SQL alone", "batches", "set_based", 0.8, 0.95),
    Row("3", "batch lines through the gateway ÷ pgbench of single postings", "batches", "pgbench", 3, 5),
    Bound("4", "CPU of the gateway ÷ CPU of the points service, same single postings", "", "gateway_cpu", 0.5, 0.3),
    Row("5", "single postings to one member ÷ to 10,000 members", "hot", "singles", 0.8, 1.5),
    Row("6", "event intake with 10 live rules ÷ plain batch lines", "events", "batches", 0.5, 0.8),
    Row("7", "reads of a balance ÷ a bare Flask route, both through the gateway", "balances", "bare", 0.6, 0.9),
    Row(
        "8", "answers to 1,000 buyers of 10 pieces ÷ single postings beside all consumers", "sale", "busy_singles", 1, 3
    ),
    Bound("9", "latency of my rank among many members (--ranked) ÷ among 1,000", "×", "rank_growth", 1.5, 1.1),
    Bound("10", "from a commit in points to its effect in levels, p99 at half load", "ms", "feed_lag", 200, 50),
    Row("11", "single postings onto many entries (--entries) ÷ onto 100,000", "onto_many", "onto_few", 0.9, 1.0),
    Row("12", "events back-tested ÷ evaluations of the bare engine, per CPU second", "backtest", "engine", 0.2, 0.5),
    Row("13", "entries verified ÷ single postings through the gateway", "verify", "singles", 10, 50),
    Bound("14", "memory of the whole stack at rest", "MB", "memory", 1200, 700),
    Bound("15", "from `run` on an empty data folder to the first 200", "s", "first_start", 10, 4),
    Bound("15a", "… on a data folder that was used before", "s", "start", 10, 4),
    Row("16", "orders of CDNOW replayed ÷ single postings beside all consumers", "replay", "busy_singles", 5, 10),
)

#: Figures that come along with a contender.
BROUGHT_BY = {"gateway_cpu": "singles"}
#: Figures of the whole stack at rest.
OF_THE_WHOLE = ("memory", "first_start", "start")
#: Figures of two ledgers, a small one and a large one.
OF_GROWTH = ("onto_few", "onto_many")
#: Figures of the whole platform at work.
OF_THE_BUSY = ("busy_singles", "sale", "replay", "feed_lag", "rank_growth")
