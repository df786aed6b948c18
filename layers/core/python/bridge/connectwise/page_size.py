"""A page size shrinks while ConnectWise fails on pages, down to a single row."""

from __future__ import annotations

from bridge.connectwise.client import MAX_ATTEMPTS

MAX_FAILURES = 150
"""A search for broken rows ends after so many failing pages."""


class PageSize:
    """The size says how much to ask for next, and how often to ask for it.

    It is halved by each failure. A failure that turns out to be a single broken row's says
    nothing about the size, which is then as before the search for the row began.
    """

    def __init__(self, largest: int) -> None:
        self.now = largest
        self._before_search: int | None = None
        self._failures = 0

    @property
    def is_exhausted(self) -> bool:
        return self._failures >= MAX_FAILURES

    def attempts(self, size: int) -> int:
        """Return how often to ask: once for what would only be halved again."""
        return 1 if self._failures and size > 1 else MAX_ATTEMPTS

    def note_failure(self, size: int) -> None:
        """Halve the size after ConnectWise failed on so much."""
        self._failures += 1
        self._before_search = self._before_search or self.now
        self.now = max(1, size // 2)

    def note_broken_row(self) -> None:
        """Take the size of before: one broken row explains the failures."""
        self.now = self._before_search or self.now
        self._before_search = None
