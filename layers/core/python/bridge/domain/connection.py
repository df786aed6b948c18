"""A connection: a partner's link to one ConnectWise company."""

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
    """``degraded`` still syncs what it can and shows why it cannot do the rest."""

    VERIFYING = "verifying"
    IMPORTING = "importing"
    ACTIVE = "active"
    DEGRADED = "degraded"
    DISCONNECTED = "disconnected"


SYNCING_STATES = frozenset(
    {ConnectionState.IMPORTING, ConnectionState.ACTIVE, ConnectionState.DEGRADED}
)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What is kept secret of a connection: it is never logged and has no readable ``repr``.

    The login company id and an API member's key pair as the partner typed them in, and the
    secret that we put into our callback URL ("" until callbacks are registered).
    """

    company_id: str
    public_key: str
    private_key: str
    callback_secret: str = ""

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

    def report(self, code: ProblemCode, subject: str, detail: str = "") -> ProblemReport:
        """Return the report of a problem of this connection."""
        return ProblemReport(self.partner_id, self.connection_id, code, subject, detail)

    @property
    def is_syncing(self) -> bool:
        return self.state in SYNCING_STATES

    @property
    def callback_endpoint(self) -> CallbackEndpoint | None:
        """What the receiver may know; None while callbacks are not taken."""
        if not self.is_syncing:
            return None
        return CallbackEndpoint(
            self.connection_id, self.company_id, self.address, self.callback_secret
        )

    def moved_to(self, state: ConnectionState) -> Connection:
        return replace(self, state=state)
