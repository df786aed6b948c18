"""A connection links a partner to one ConnectWise company."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from bridge.domain.callback_endpoint import CallbackEndpoint, CallbackSecret, PsaAddress
from bridge.domain.filters import ImportFilters
from bridge.domain.platform_payment import WriteBackPolicy
from bridge.domain.problem import ProblemCode, ProblemReport

__all__ = [
    "SYNCING_STATES",
    "CallbackSecret",
    "Connection",
    "ConnectionState",
    "Credentials",
    "PsaAddress",
]


class ConnectionState(StrEnum):
    """The state says whether a connection syncs, and how well."""

    VERIFYING = "verifying"
    IMPORTING = "importing"
    ACTIVE = "active"
    DEGRADED = "degraded"
    """Part of its work fails; it goes on with the rest and shows the reason."""
    DISCONNECTED = "disconnected"


SYNCING_STATES = frozenset(
    {ConnectionState.IMPORTING, ConnectionState.ACTIVE, ConnectionState.DEGRADED}
)


@dataclass(frozen=True, slots=True)
class Credentials:
    """The secrets of a connection have a masked ``repr``, which keeps them out of logs."""

    company_id: str
    """The login company id, as the partner typed it in."""
    public_key: str
    """Half of an API member's key pair, as the partner typed it in."""
    private_key: str
    """The other half."""
    callback_secret: str = ""
    """The secret that we put into our callback URL; empty until callbacks are registered."""

    def __repr__(self) -> str:
        return "Credentials(***)"


@dataclass(frozen=True, slots=True)
class Connection:
    """A partner's link to one ConnectWise company."""

    connection_id: str
    partner_id: str
    company_id: str
    address: PsaAddress
    state: ConnectionState
    created_at: datetime
    filters: ImportFilters = field(default_factory=ImportFilters)
    callback_secret: CallbackSecret | None = None
    member_identifier: str = ""
    """Our API member's name as ConnectWise writes it into ``appliedBy``. It is learnt when the
    callbacks are registered."""
    write_back: WriteBackPolicy = field(default_factory=WriteBackPolicy)
    name: str = ""
    company_key: str = ""
    """Our own id of the ConnectWise company, given once and kept when keys, host or name change.
    Leases and owners of payments are kept by it. It is empty until the company was proven, and
    then :attr:`ledger_key` stands in its place."""

    @property
    def ledger_key(self) -> str:
        """Return the key that leases and owners of payments are kept by."""
        return self.company_key or self.connection_id

    def report(self, code: ProblemCode, subject: str, detail: str = "") -> ProblemReport:
        """Return the report of a problem of this connection."""
        return ProblemReport(self.partner_id, self.connection_id, code, subject, detail)

    @property
    def is_syncing(self) -> bool:
        return self.state in SYNCING_STATES

    @property
    def callback_endpoint(self) -> CallbackEndpoint | None:
        """Return the webhook receiver's part of the connection, None unless it is syncing."""
        if not self.is_syncing:
            return None
        return CallbackEndpoint(
            self.connection_id, self.company_id, self.address, self.callback_secret
        )

    def moved_to(self, state: ConnectionState) -> Connection:
        return replace(self, state=state)
