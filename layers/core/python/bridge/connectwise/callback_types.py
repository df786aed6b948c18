"""The table of mirrored kinds in callbacks. It stands alone so that the receiver starts lean."""

from collections.abc import Mapping
from typing import Final

from bridge.domain.identity import RecordKind

CALLBACK_TYPES: Final[Mapping[str, RecordKind]] = {
    "company": RecordKind.CUSTOMER,
    "invoice": RecordKind.INVOICE,
}
"""ConnectWise's own name of each kind (developer guide, callbacks)."""
