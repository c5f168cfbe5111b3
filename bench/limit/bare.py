"""The limit of reads: a bare Flask route behind the gateway, in the place of a service, served as every service is.

It looks at nothing, not even who calls, and answers what a balance looks like.
"""

from flask import Flask

from bench.wire import BARE_PATH
from common.commands import serve

ANSWER = {
    "asset": "points",
    "balance": 10,
    "available": 10,
    "held": 0,
    "pending": 0,
    "debt": 0,
    "next_expiry": {"on": "2027-05-31", "amount": 10},
    "lots": [{"on": "2027-05-31", "amount": 10}],
}

app = Flask(__name__)


@app.get(BARE_PATH)
def answer() -> dict[str, object]:
    """A constant."""
    return ANSWER


@app.get("/readyz")
def ready() -> dict[str, str]:
    """For whoever waits for it."""
    return {"status": "ok"}


if __name__ == "__main__":
    serve("levels", "bench.limit.bare:app")
