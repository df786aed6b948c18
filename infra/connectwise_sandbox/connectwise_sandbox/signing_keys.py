"""Signing keys prove that callbacks come from ConnectWise; each is served under its own id."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

MAX_DELIVERY_KEYS = 10_000
"""Keys of single deliveries that are served; the oldest one is forgotten first."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A signing key is a text that is served under an id."""

    id: str
    text: str


class SigningKeys:
    """These keys are one that lasts until it is rotated, and those made for single deliveries."""

    def __init__(self, lasting_id: str, new_guid: Callable[[], str]) -> None:
        self._new_guid = new_guid
        self.lasting = SigningKey(lasting_id, new_guid())
        self._of_deliveries: dict[str, SigningKey] = {}

    def rotate(self) -> None:
        """Sign with a new text from now on, served under the id of the lasting key."""
        self.lasting = replace(self.lasting, text=self._new_guid())

    def make_for_delivery(self) -> SigningKey:
        """Return a new key with a new id, and serve it from now on."""
        if len(self._of_deliveries) >= MAX_DELIVERY_KEYS:
            del self._of_deliveries[next(iter(self._of_deliveries))]
        key = SigningKey(self._new_guid(), self._new_guid())
        self._of_deliveries[key.id] = key
        return key

    def find(self, key_id: str) -> SigningKey | None:
        """Return the key that is served under an id, None for an unknown one."""
        return self.lasting if key_id == self.lasting.id else self._of_deliveries.get(key_id)
