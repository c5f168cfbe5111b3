"""The part of the platform on which a posting travels: the gateway and the points service, as they always run.

Consumers of the feed are left out: with pgbench, too, nobody reads the outbox meanwhile. In the place of levels stands
the bare route that reads are compared with.
"""

from deploy.local.processes import PLATFORM as WHOLE
from deploy.local.processes import Platform, Process, program

_KEPT = ("gateway.web", "points.web", "gateway.verify", "points.verify")

POSTING = Platform(
    services=("gateway", "points", "levels"),
    processes=(
        Process(name="migrate", kind="migrate", command=program("deploy.local.migrate", "gateway", "services.points")),
        *(process for process in WHOLE.processes if process.name in _KEPT),
        Process(name="levels.web", kind="web", service="levels", command=program("bench.limit.bare")),
    ),
    preload=WHOLE.preload,
)
