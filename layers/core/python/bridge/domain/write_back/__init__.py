"""One allocation's way into ConnectWise, and out again.

ConnectWise offers neither an idempotency key nor a reference field on a payment, and a request
whose answer was lost may still take effect later. So a write-back may be posted only

1. by the holder of the invoice's lease, who stated its intent before it sent anything,
2. after the invoice's payments were listed and none of ours was found unowned, and
3. after any earlier attempt is surely over: nothing is posted again within the quarantine.

Every change of a write-back is conditional on its version; the change to ``posting`` also on the
lease, which fences a slow worker off before the wire.
"""

from bridge.domain.write_back.reasons import Reason
from bridge.domain.write_back.record import (
    FIRST_WAIT,
    LONGEST_WAIT,
    MAX_DELETIONS,
    MAX_POSTS,
    WAITS_UNSEEN,
    WriteBack,
)
from bridge.domain.write_back.states import ENDED_STATES, MAYBE_SENT_STATES, WriteBackState
from bridge.domain.write_back.timings import Lease, Timings

__all__ = [
    "ENDED_STATES",
    "FIRST_WAIT",
    "LONGEST_WAIT",
    "MAX_DELETIONS",
    "MAX_POSTS",
    "MAYBE_SENT_STATES",
    "WAITS_UNSEEN",
    "Lease",
    "Reason",
    "Timings",
    "WriteBack",
    "WriteBackState",
]
