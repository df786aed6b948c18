"""A ledger whose indexes show what was stored a moment ago, as DynamoDB's do."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from bridge.domain.write_back import Lease, WriteBack
from bridge.ports import SHARE_OF_DUE, Clock, Page
from bridge.store.keys import Key, lease_key, write_back_key
from tests.fakes.ledger import InMemoryLedgerStore


class LaggingLedger(InMemoryLedgerStore):
    """Lists of due write-backs and of a connection's lag by ``lag_seconds``; all else is present.

    ``present_write_backs`` is the list as it is, for those who judge the world.
    """

    def __init__(self, clock: Clock, *, lag_seconds: float) -> None:
        super().__init__(clock)
        self._lag = timedelta(seconds=lag_seconds)
        self._moved: deque[tuple[datetime, Key]] = deque()
        self.was_held = False
        """Whether who saved a write-back last held its invoice just before."""

    def present_write_backs(self, connection_id: str) -> list[WriteBack]:
        return [self._standing(key) for _, key in self._listed.get(connection_id, ())]

    def is_awake(self, now: datetime) -> bool:
        """Tell whether a write-back is under way or to be looked at by now, or was stored so
        lately that the index may show it as it was."""
        if self._moved_lately():
            return True
        return any(
            each.may_be_in_flight or (each.next_look_at or now) <= now
            for each in self._waking.values()
        )

    def save_write_back(
        self, write_back: WriteBack, *, holding: Lease | None = None, **options: Any
    ) -> int:
        self.was_held = holding is not None and self._holds(holding)
        return super().save_write_back(write_back, holding=holding, **options)

    def _holds(self, lease: Lease) -> bool:
        keys = (lease_key(each, lease.invoice_source_id) for each in lease.books.keys)
        return all(key in self._leases and self._leases[key].token == lease.token for key in keys)

    def list_write_backs(
        self, connection_id: str, *, limit: int, cursor: str | None = None, **options: Any
    ) -> Page[WriteBack]:
        page = super().list_write_backs(connection_id, limit=limit, cursor=cursor, **options)
        recent = self._moved_lately()
        if not recent:
            return page
        shown = [self._shown(each, recent) for each in page.items]
        return replace(page, items=tuple(each for each in shown if each is not None))

    def list_due(
        self,
        now: datetime,
        *,
        limit: int,
        share: int = SHARE_OF_DUE,
        silent: Collection[str] = (),
    ) -> tuple[WriteBack, ...]:
        present = self._waking
        self._waking = self._shown_waking()
        try:
            return super().list_due(now, limit=limit, share=share, silent=silent)
        finally:
            self._waking = present

    def _put_write_back(self, write_back: WriteBack, version: int) -> None:
        super()._put_write_back(write_back, version)
        if self._lag:
            self._moved.append((self._clock.now(), _key_of(write_back)))

    def _shown_waking(self) -> dict[Key, WriteBack]:
        recent = self._moved_lately()
        if not recent:
            return self._waking
        shown: dict[Key, Any] = {**self._waking, **{key: self._former(key) for key in recent}}
        return {key: each for key, each in shown.items() if each and each.next_look_at}

    def _shown(self, write_back: WriteBack, recent: Collection[Key]) -> WriteBack | None:
        key = _key_of(write_back)
        return self._former(key) if key in recent else write_back

    def _moved_lately(self) -> set[Key]:
        oldest = self._clock.now() - self._lag
        while self._moved and self._moved[0][0] <= oldest:
            self._moved.popleft()
        return {key for _, key in self._moved}

    def _former(self, key: Key) -> WriteBack | None:
        """Return a write-back as the index shows it; None while it is too new for it."""
        oldest = self._clock.now() - self._lag
        events = reversed(self._write_back_events.get(key, []))
        return next((each.value for each in events if each.recorded_at <= oldest), None)


def _key_of(write_back: WriteBack) -> Key:
    key = write_back_key(write_back.connection_id, write_back.write_back_id)
    assert key is not None
    return key
