"""Rows that a reading holds: apart from each other by what became of them, bounded in memory.

A reading has several lists, such as invoices and their lines of each kind. Its rows are held until
the records are made of them, so what they take counts together.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from bridge.connectwise.client import JsonAnswer
from bridge.connectwise.listed_rows import Json
from bridge.domain.errors import ThrottledError, TooMuchTogetherError, UntrueListError

MAX_ROWS_OF_ONE = 10_000
"""One invoice has at most so many lines of a kind, or payments."""
MAX_BYTES_TOGETHER = 64 * 1024 * 1024
"""So much memory is taken by the rows of one reading, at the worst; what takes more is read in
parts. Two hundred invoices with twenty lines each take a third of this."""
MAX_BYTES_OF_SHORT = 4 * 1024 * 1024
"""A reading that takes more is a long one. A callback's invoice of a hundred lines takes a quarter
of this."""
LONG_TURN_SECONDS = 10.0
LONGER_THAN_READ = "it is longer than the bridge reads"


# Threads read for several partners in one process, and share its memory.
_turn_of_long = threading.Lock()


class TooManyRowsError(UntrueListError):
    """One of the ids has more rows than the bridge reads."""

    def __init__(self, owner_id: int | None) -> None:
        super().__init__(
            f"ConnectWise lists more than {MAX_ROWS_OF_ONE:,} of them, or longer ones than the "
            "bridge reads"
        )
        self.owner_id = owner_id


@dataclass(slots=True)
class Sifted:
    """Sifted rows were read by ids, readable ones apart from broken ones."""

    rows: list[Json] = field(default_factory=list)
    broken_ids: set[int] = field(default_factory=set)
    """The ids that have a row which ConnectWise fails to write."""
    refused: dict[int, str] = field(default_factory=dict)
    """The ids whose rows cannot be believed, or are too long, with the reason."""
    server_time: datetime | None = None
    """The time of the last answer."""


@dataclass(slots=True)
class FoundRows:
    """Found rows are those of several pages."""

    rows: list[Json] = field(default_factory=list)
    server_time: datetime | None = None
    """The time of the last of the answers that brought them."""
    parsed_bytes: int = 0
    """The memory that they take, at the worst."""

    def add(self, rows: Sequence[Json], answer: JsonAnswer) -> None:
        self.rows.extend(rows)
        self.server_time = answer.server_time
        self.parsed_bytes += answer.parsed_bytes


class HeldBytes:
    """The held bytes are the memory that the rows of one reading take together, at the worst.

    A reading of several records can be asked for in parts, one of a single record cannot. Its calls
    may be made side by side. As a
    context it is a reading beside others of the process, of which one at a time may be a long one.
    """

    def __init__(self, *, record_count: int) -> None:
        self._record_count = record_count
        self._count = 0
        self._is_beside_others = False
        self._is_long = False
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self._is_beside_others = True
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_long:
            _turn_of_long.release()

    def require_room(self, found: FoundRows, *, owner_id: int | None = None) -> None:
        """Raise TooMuchTogetherError for rows that do not fit beside those that are held.

        Those of a single record raise TooManyRowsError, which names their owner. ThrottledError
        stands for a reading that became long while another one kept being it.
        """
        with self._lock:
            count = self._count + found.parsed_bytes
            if self._is_beside_others and not self._is_long and count > MAX_BYTES_OF_SHORT:
                self._is_long = _turn_of_long.acquire(timeout=LONG_TURN_SECONDS)
                if not self._is_long:
                    raise ThrottledError(
                        "another long reading goes on", retry_after_seconds=LONG_TURN_SECONDS
                    )
        if count <= MAX_BYTES_TOGETHER:
            return
        if self._record_count == 1:
            raise TooManyRowsError(owner_id)
        raise TooMuchTogetherError("the rows of so many records do not fit into memory")

    def add(self, found: FoundRows) -> None:
        with self._lock:
            self._count += found.parsed_bytes
