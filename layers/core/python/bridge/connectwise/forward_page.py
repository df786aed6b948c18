"""A forward page is a part of a list that is read by ids not known yet, piece by piece."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from bridge.connectwise.held_rows import MAX_BYTES_TOGETHER
from bridge.connectwise.listed_rows import Json
from bridge.domain.run import MAX_PAGE_SIZE


@dataclass(frozen=True, slots=True)
class ForwardPage:
    """A page holds rows in the order of their ids."""

    rows: tuple[Json, ...]
    last_id: int
    """The id of the last row that was reached, be it readable or broken."""
    is_last: bool
    server_time: datetime | None
    """The time of the first of the answers that brought the rows."""
    broken_ids: tuple[int, ...] = ()
    """The ids of rows that ConnectWise fails to write."""
    unreadable_rows: int = 0
    """Rows without a usable id."""
    managed_size: int = MAX_PAGE_SIZE
    """So many rows at once ConnectWise manages, as far as it was asked."""
    parsed_bytes: int = 0
    """The memory that the rows take, at the worst."""

    @property
    def row_count(self) -> int:
        """Return how many rows the page has, readable or not."""
        return len(self.rows) + len(self.broken_ids) + self.unreadable_rows

    def is_full(self, limit: int) -> bool:
        return self.row_count >= limit or self.parsed_bytes > MAX_BYTES_TOGETHER

    def joined(self, step: ForwardPage) -> ForwardPage:
        """Return the page with the rows of the next answer."""
        return replace(
            self,
            rows=self.rows + step.rows,
            last_id=step.last_id,
            is_last=step.is_last,
            server_time=self.server_time or step.server_time,
            unreadable_rows=self.unreadable_rows + step.unreadable_rows,
            parsed_bytes=self.parsed_bytes + step.parsed_bytes,
        )

    def with_broken(self, broken_id: int) -> ForwardPage:
        """Return the page extended by a broken row; more rows may follow."""
        return replace(self, last_id=broken_id, broken_ids=(*self.broken_ids, broken_id))
