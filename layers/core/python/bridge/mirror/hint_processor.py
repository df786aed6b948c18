"""Hints of many connections are worked off side by side, each connection's by itself."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence

from bridge.domain.hint import Hint
from bridge.lanes import side_by_side
from bridge.mirror.connection_hints import ConnectionHints

MAX_SIDE_BY_SIDE = 10

_logger = logging.getLogger(__name__)


class HintProcessor:
    """A batch of hints is divided by connection, and each one waits for its own server alone."""

    def __init__(self, connection_hints: ConnectionHints) -> None:
        self._connection_hints = connection_hints

    def process(self, hints: Sequence[Hint]) -> tuple[Hint, ...]:
        """Process all hints and return those to be delivered again.

        A hint that found ConnectWise out of reach is sent again with a growing delay; after
        MAX_HINT_ATTEMPTS times it is returned, and so, in the end, parked where a person sees
        it. A hint that fails for an unforeseen reason is returned alone; the others go on.
        """
        groups: dict[str, list[Hint]] = defaultdict(list)
        for hint in hints:
            groups[hint.connection_id].append(hint)
        outcomes = side_by_side(MAX_SIDE_BY_SIDE, self._work_off, list(groups.values()))
        return tuple(failed for outcome in outcomes for failed in outcome)

    def _work_off(self, hints: Sequence[Hint]) -> Sequence[Hint]:
        """Work off one connection's hints; return those that failed."""
        try:
            return self._connection_hints.work_off(hints[0].connection_id, hints)
        except Exception:
            # The boundary of one record of a batch: the queue counts and parks repeats.
            _logger.exception("hints failed", extra={"count": len(hints)})
            return hints
