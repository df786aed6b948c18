"""The limits of calls to ConnectWise stand here, by what each kind of call needs.

A server may be slow or hostile: what one answer costs, in time and in memory, is bounded before the
call is made. The length of an answer counts after decompression. How much memory a text takes once
it is parsed is bounded in ``json_text``, from the text itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

_KIB = 1024
_MIB = 1024 * _KIB


@dataclass(frozen=True, slots=True)
class CallLimits:
    """The limits of one call, from its connection to the last byte of its answer."""

    seconds: float
    answer_bytes: int
    """The length of a whole answer, decompressed."""

    def within(self, seconds: float) -> CallLimits:
        """Return the limits of a call whose caller has only so much time left."""
        return replace(self, seconds=min(self.seconds, seconds))


SMALL = CallLimits(seconds=15, answer_bytes=256 * _KIB)
"""Of a count, the system's information, or a few rows of a few fields."""
RECORD = CallLimits(seconds=15, answer_bytes=16 * _MIB)
"""Of one record with all that it holds."""
INFORMATION = CallLimits(seconds=15, answer_bytes=_MIB)
"""Of an invoice with all its lines, many of which are read side by side. One of eight hundred lines
or more is longer, and is read from lists."""
PAGE = CallLimits(seconds=40, answer_bytes=4 * _MIB)
"""Of many rows. A thousand ordinary ones take a tenth to a quarter of the length; a page that is
longer is asked for in parts."""
PDF = CallLimits(seconds=60, answer_bytes=20 * _MIB)
"""Of a printed invoice, which ConnectWise renders anew for each call."""
CHANGE = CallLimits(seconds=30, answer_bytes=RECORD.answer_bytes)
"""Of a change, which ConnectWise answers with the whole record."""
GREETING = SMALL.within(5)
"""With the seconds of discovery, a person who connects waits ten seconds for a silent server."""
DISCOVERY = CallLimits(seconds=5, answer_bytes=64 * _KIB)
"""A person waits for the answer, and the keys are tried next."""

MAX_REFUSAL_BYTES = 64 * _KIB
"""So much of a refusal is read; the rest is left on the wire. ConnectWise's own are far shorter."""


def page_limits(row_count: int) -> CallLimits:
    """Return the limits of a page for so many rows: one row alone may be as long as a record."""
    return PAGE if row_count > 1 else RECORD
