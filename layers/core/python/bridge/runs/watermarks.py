"""Watermarks tell until when changes are known; people set them back to have changes taken anew."""

from __future__ import annotations

from datetime import UTC, datetime

from bridge.domain.errors import NotPossibleError
from bridge.domain.identity import RecordKind
from bridge.domain.mirrored_kinds import MIRRORED_KINDS
from bridge.domain.watermark import EARLIEST
from bridge.ports import RunStore


class Watermarks:
    """Runs and looks move watermarks forward, people move them back, and no change is lost."""

    def __init__(self, runs: RunStore) -> None:
        self._runs = runs

    def known_until(self, connection_id: str) -> datetime | None:
        """Return the time until which the changes of all kinds are stored, None while one is not.

        In quiet times no run tells it: the watermarks follow within the hour.
        """
        kinds = [kind.record_kind for kind in MIRRORED_KINDS]
        known = [self._runs.get_watermark(connection_id, kind) for kind in kinds]
        marks = [mark for mark in known if mark]
        return min(marks) if len(marks) == len(known) else None

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
