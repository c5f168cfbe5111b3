"""The heavy jobs of points: what feeds do not wait for."""

from common.wakeups import Wakeups

_wakeups = Wakeups("points")
HEAVY, ask, enqueue_asked = _wakeups.queue, _wakeups.ask, _wakeups.enqueue_asked
