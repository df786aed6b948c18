"""A connection follows its ConnectWise company to another address here."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bridge.connections.callbacks import CallbackRegistrations
from bridge.connections.company_claims import CompanyClaims
from bridge.connections.owned_connections import OwnedConnections
from bridge.connections.payment_stops import STOPS_OF_COMPANIES, PaymentStops
from bridge.connections.rights import prove_rights
from bridge.connections.same_records import SameRecords
from bridge.connections.verify import Verification, Verifier
from bridge.domain.connection import Connection, Credentials, PaymentFacts
from bridge.domain.errors import NotPossibleError, OutOfTimeError
from bridge.ports import Clock, LedgerStore, PsaGateway, SecretVault

PAGE_SIZE = 200
MIN_SECONDS_FOR_PAGE = 10.0
"""After the last page the move itself still takes its time."""


@dataclass(frozen=True, slots=True)
class MoveRequest:
    """The values of the form that moves a connection."""

    credentials: Credentials
    site_url: str | None = None
    """The address of a self-hosted instance; None for ConnectWise's cloud."""


class ConnectionMove:
    """A company that moves to another host, id or the cloud stays the same connection."""

    def __init__(
        self,
        *,
        owned: OwnedConnections,
        gateway: PsaGateway,
        vault: SecretVault,
        ledger: LedgerStore,
        clock: Clock,
        claims: CompanyClaims,
        same_records: SameRecords,
        stops: PaymentStops,
        callbacks: CallbackRegistrations,
        verifier: Verifier,
    ) -> None:
        self._owned = owned
        self._gateway = gateway
        self._vault = vault
        self._ledger = ledger
        self._clock = clock
        self._claims = claims
        self._same_records = same_records
        self._stops = stops
        self._callbacks = callbacks
        self._verifier = verifier

    def move(self, partner_id: str, connection_id: str, request: MoveRequest) -> Verification:
        """Give the connection another address, company id and keys; its id and records stay.

        Order: the keys and rights are proven at the new address, and the connection's own records
        there. Its write-backs must be at rest. Then the company is claimed, the connection is
        changed, the keys are stored, and the connection is verified. A request that breaks off may
        be repeated.

        Raises NotFoundError; NotPossibleError unless the connection is syncing, and for other
        records, a company that another connection claims, or a payment that is under way; the
        errors of ``PsaGateway.discover``, :func:`prove_rights` and :meth:`CompanyClaims.claim`.
        """
        connection = self._owned.get_syncing(partner_id, connection_id)
        credentials = request.credentials
        address = self._gateway.discover(credentials.company_id, request.site_url)
        target = replace(connection, company_id=credentials.company_id, address=address)
        psa = self._gateway.try_out(target, credentials)
        prove_rights(psa)
        self._same_records.prove(connection, psa)
        self._refuse_while_payments_are_under_way(connection)
        claimed = self._claims.claim(target, credentials.public_key, psa, known=connection)
        self._callbacks.remove(target, psa)
        known = self._vault.get_credentials(connection_id, is_fresh=True)
        moved = self._owned.change(
            partner_id, connection_id, lambda stored: _moved(stored, claimed)
        )
        self._vault.put_credentials(
            connection_id, replace(credentials, callback_secret=known.callback_secret)
        )
        self._stops.show(moved)
        return self._verifier.verify(moved)

    def _refuse_while_payments_are_under_way(self, connection: Connection) -> None:
        """Raise NotPossibleError while a request to the old address may still take effect."""
        cursor: str | None = None
        while True:
            if self._clock.remaining_seconds() < MIN_SECONDS_FOR_PAGE:
                raise OutOfTimeError("no time to look through all write-backs")
            page = self._ledger.list_write_backs(
                connection.connection_id, limit=PAGE_SIZE, cursor=cursor
            )
            if any(each.may_be_in_flight for each in page.items):
                raise NotPossibleError(
                    "payment_under_way",
                    "A payment is being written into ConnectWise; try again in half an hour.",
                )
            cursor = page.next_cursor
            if cursor is None:
                return


def _moved(stored: Connection, claimed: Connection) -> Connection:
    """Return the connection at its new address, whose member and habits are yet to be learnt."""
    stops = stored.payments_stopped - STOPS_OF_COMPANIES
    return replace(
        stored.with_member(""),
        company_id=claimed.company_id,
        address=claimed.address,
        company_key=claimed.company_key,
        company_connections=claimed.company_connections,
        payments_stopped=stops | (claimed.payments_stopped & STOPS_OF_COMPANIES),
        payment_facts=PaymentFacts(),
        information_missed_at=None,
    )
