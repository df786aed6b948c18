"""Workers tell each other through marks which records they read, and when."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

from bridge.domain.hint import RecordKey
from bridge.domain.read_mark import ReadMark


class ReadMarks(Protocol):
    """Each record has one mark, which its readers change in turn.

    A mark that rested for an hour may be lost, which costs one read more.
    """

    def get(
        self, connection_id: str, records: Collection[RecordKey]
    ) -> Mapping[RecordKey, ReadMark]:
        """Return the mark of each record as of now; an unread record has a new one."""
        ...

    def put(self, connection_id: str, record: RecordKey, mark: ReadMark, *, replaces: str) -> bool:
        """Keep a mark in place of the one with this token; for "", only as the first.

        Return whether it is kept: another worker may have been faster.
        """
        ...
