"""The heavy jobs of levels: what feeds do not wait for."""

from common.wakeups import Wakeups

_wakeups = Wakeups("levels")
HEAVY, ask, enqueue_asked = _wakeups.queue, _wakeups.ask, _wakeups.enqueue_asked
