"""A person sets a watermark back here, so that the next run takes changes from then on again."""

from __future__ import annotations

from datetime import UTC, datetime

from bridge.domain.errors import NotPossibleError
from bridge.domain.identity import RecordKind
from bridge.domain.watermark import EARLIEST
from bridge.ports import RunStore


class Watermarks:
    """Runs move watermarks forward, people move them back: neither loses a change."""

    def __init__(self, runs: RunStore) -> None:
        self._runs = runs

    def set_back(self, connection_id: str, kind: RecordKind, at: datetime) -> datetime:
        """Set the watermark of a kind back and return it; the next delta run begins there.

        Raises NotPossibleError for a time that is not before the present watermark, and while
        there is none: then the next run takes everything anyway.
        """
        present = self._runs.get_watermark(connection_id, kind)
        if present is None:
            raise NotPossibleError("no_watermark", "The next run takes every record anyway.")
        if at >= present:
            raise NotPossibleError(
                "watermark_forward",
                f"The changes since {present:%Y-%m-%d %H:%M} UTC are taken anyway; name an earlier "
                "time.",
            )
        watermark = max(at, EARLIEST).astimezone(UTC)
        self._runs.set_watermark_back(connection_id, kind, watermark)
        return watermark
