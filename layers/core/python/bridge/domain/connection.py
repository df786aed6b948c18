"""A connection links a partner to one ConnectWise company."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bridge.domain.callback_endpoint import CallbackEndpoint, CallbackSecret, PsaAddress
from bridge.domain.filters import ImportFilters
from bridge.domain.permissions import Restriction
from bridge.domain.platform_payment import WriteBackPolicy
from bridge.domain.problem import ProblemCode, ProblemReport
from bridge.domain.write_back.timings import Books

__all__ = [
    "MAX_PAST_MEMBERS",
    "SET_UP_LEASE",
    "SYNCING_STATES",
    "CallbackSecret",
    "Connection",
    "ConnectionState",
    "Credentials",
    "PaymentFacts",
    "PaymentsStop",
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


class PaymentsStop(StrEnum):
    """A stop is a reason for a syncing connection to leave payments unwritten."""

    COMPANY_CONNECTED_TWICE = "company_connected_twice"
    """Another connection to the same company was there first."""
    ANOTHER_BRIDGE = "another_bridge"
    """Another installation of the bridge may write there; a person decides."""
    BY_PERSON = "by_person"
    """A person of the partner stopped them."""
    UNUSUALLY_MANY = "unusually_many"
    """More payments came in an hour than ever; a person decides."""


MAX_PAST_MEMBERS = 20
CLOCK_TOLERANCE_SECONDS = 300
CLOCK_STEP_SECONDS = 60
INFORMATION_REST = timedelta(days=1)
SET_UP_LEASE = timedelta(minutes=2)
"""A set-up that takes longer has broken off."""


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
    member_identifier: str = ""
    """The API member that the key pair belongs to; empty until it was learnt."""

    def __repr__(self) -> str:
        return "Credentials(***)"


@dataclass(frozen=True, slots=True)
class PaymentFacts:
    """The facts tell how this company's ConnectWise was seen to treat payments.

    They are undocumented, so each connection proves them for itself: from the payments that are
    mirrored, and from the first payment of ours.
    """

    shows_members: bool | None = None
    """Lists name the member that made a payment; None until a payment was seen. If False, a payment
    is adopted by a person only."""
    is_member_shared: bool | None = None
    """Our API member has payments of others: the bridge should have a member of its own."""
    listed_days_apart: int | None = None
    """The days by which a payment's listed day is behind ours; a time zone may make it one."""
    proven_at: datetime | None = None
    """The time at which a payment of ours was proven in full; before, they go one at a time."""


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
    Leases and owners of payments are kept by it. It is empty until the company was proven."""
    past_members: tuple[str, ...] = ()
    """The API members that earlier keys belonged to, the latest last. A post of theirs may still
    come into view."""
    payments_stopped: frozenset[PaymentsStop] = frozenset()
    """Reading goes on while payments are stopped."""
    owners_moved_to: str = ""
    """The company key that every owner of a payment was moved to."""
    payment_facts: PaymentFacts = field(default_factory=PaymentFacts)
    clock_seconds_ahead: int = 0
    """So much ConnectWise's clock is ahead of ours, or behind for a negative number; 0 while both
    agree, give or take five minutes."""
    restrictions: tuple[Restriction, ...] = ()
    """The limits of our API member's sight at the latest verification."""
    company_connections: tuple[str, ...] = ()
    """The other connections, of any partner, that reach the same company or once did: what they
    own or may have posted there is theirs."""
    listed_connections: tuple[str, ...] = ()
    """The connections whose registrations our ConnectWise listed when it was asked last. It is its
    server's word alone: two surely reach one company where each is listed by the other's."""
    owners_compared_with: tuple[str, ...] = ()
    """Those of them whose owners of payments were compared with this connection's."""
    information_missed_at: datetime | None = None
    """When ConnectWise was seen to lack the call that brings a whole invoice. It is tried again a
    day later, and as soon as keys, rights or address may have changed."""

    @property
    def books(self) -> Books:
        """Return the books that leases and owners of payments are kept in."""
        return Books(self.connection_id, self.company_key, self.company_connections)

    def report(self, code: ProblemCode, subject: str, detail: str = "") -> ProblemReport:
        """Return the report of a problem of this connection."""
        return ProblemReport(self.partner_id, self.connection_id, code, subject, detail)

    @property
    def is_syncing(self) -> bool:
        return self.state in SYNCING_STATES

    @property
    def may_write(self) -> bool:
        """Tell whether payments may be written into ConnectWise now."""
        return self.is_syncing and not self.payments_stopped

    def offers_information(self, now: datetime) -> bool:
        """Tell whether to try the call that brings a whole invoice.

        Where our member's sight is limited, that call might show other lines than lists do.
        """
        missed_at = self.information_missed_at
        is_resting = missed_at is not None and now < missed_at + INFORMATION_REST
        return not is_resting and not self.restrictions

    def with_information_missed(self, now: datetime) -> Connection:
        """Return the connection after that call was missed, which is noted once a day."""
        return replace(self, information_missed_at=now) if self.offers_information(now) else self

    @property
    def callback_endpoint(self) -> CallbackEndpoint | None:
        """Return the webhook receiver's part of the connection, None unless it is syncing."""
        if not self.is_syncing:
            return None
        return CallbackEndpoint(
            self.connection_id,
            self.partner_id,
            self.company_id,
            self.address,
            self.callback_secret,
        )

    def moved_to(self, state: ConnectionState) -> Connection:
        return replace(self, state=state)

    def with_member(self, member: str) -> Connection:
        """Return the connection after its keys were seen to belong to this member.

        An empty text says that the keys changed and their member is yet to be learnt.
        """
        known = self.member_identifier
        past = [*self.past_members, known] if known else list(self.past_members)
        latest_first = {
            each.casefold(): each for each in reversed(past) if each.casefold() != member.casefold()
        }
        kept = list(latest_first.values())[:MAX_PAST_MEMBERS]
        return replace(self, member_identifier=member, past_members=tuple(reversed(kept)))

    def with_clock_ahead(self, seconds: int) -> Connection:
        """Return the connection after ConnectWise's clock was seen.

        A minute more or less counts as the same, which spares writes.
        """
        shown = seconds if abs(seconds) > CLOCK_TOLERANCE_SECONDS else 0
        if shown and abs(shown - self.clock_seconds_ahead) < CLOCK_STEP_SECONDS:
            return self
        return replace(self, clock_seconds_ahead=shown)

    def with_payments_stopped(self, stop: PaymentsStop, *, is_stopped: bool) -> Connection:
        """Return the connection with one reason to stop payments set or taken away."""
        left = self.payments_stopped - {stop}
        return replace(self, payments_stopped=left | {stop} if is_stopped else left)
