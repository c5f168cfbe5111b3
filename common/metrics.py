"""The figures every process offers at `/metrics`, in Prometheus' words."""

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter("http_requests_total", "Answers given", ["service", "route", "method", "status"])
REQUEST_SECONDS = Histogram(
    "http_request_seconds",
    "Time from request to answer",
    ["service", "route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
FACTS_APPLIED = Counter("feed_facts_applied_total", "Facts applied by a consumer", ["service", "source"])
FEED_LAG_SECONDS = Gauge("feed_lag_seconds", "Age of the newest fact when it was applied", ["service", "source"])
WAKES_FAILED = Counter("feed_wakes_failed_total", "Wake-ups that could not be enqueued; the cron pulls", ["consumer"])
