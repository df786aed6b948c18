"""Stops of payments, and the rate at which they are written, are kept here."""

from __future__ import annotations

from typing import Protocol

from bridge.domain.payment_control import PaymentRate, PaymentStop, RestoreMark
from bridge.ports.stored import Stored


class PaymentControlStore(Protocol):
    """What a person or the on-call engineer said stands until it is taken back."""

    def stop_of(self, partner_id: str) -> PaymentStop | None:
        """Return the stop that holds for a partner: the one for all first, or his own."""
        ...

    def put_stop(self, stop: PaymentStop) -> None: ...

    def clear_stop(self, partner_id: str) -> None:
        """Take a stop back; ``EVERY_PARTNER`` names the one for all."""
        ...

    def restore_mark(self) -> RestoreMark | None: ...

    def put_restore_mark(self, mark: RestoreMark) -> None: ...

    def clear_restore_mark(self) -> None: ...

    def get_rate(self, connection_id: str) -> Stored[PaymentRate]: ...

    def save_rate(self, rate: PaymentRate, *, expected_version: int) -> int:
        """Write and return the new version. Raises ConflictError when the version moved."""
        ...
