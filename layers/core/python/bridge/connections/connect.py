"""A partner's ConnectWise company is connected here."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from bridge.connections.callbacks import CallbackRegistrations, new_callback_secret, sha256_of
from bridge.connections.company_check import CompanyCheck
from bridge.connections.company_claims import CompanyClaims
from bridge.connections.filter_check import FilterCheck
from bridge.connections.owned_connections import OwnedConnections
from bridge.connections.payment_stops import STOPS_OF_COMPANIES, PaymentStops
from bridge.connections.restrictions import read_restrictions, show_restrictions
from bridge.connections.rights import prove_rights, settle_rights
from bridge.domain.connection import (
    SET_UP_LEASE,
    CallbackSecret,
    Connection,
    ConnectionState,
    Credentials,
    PsaAddress,
)
from bridge.domain.errors import BridgeError, ConflictError, NotPossibleError
from bridge.domain.filters import ImportFilters
from bridge.domain.identity import connection_id_of
from bridge.domain.permissions import Restriction
from bridge.domain.problem import ProblemCode
from bridge.ports import Clock, ConnectionStore, ProblemStore, PsaGateway, SecretVault
from bridge.runs.control import RunControl

MAX_CONNECTIONS_OF_PARTNER = 50
IMPORT_SUBJECT = "run/import"

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ConnectionRequest:
    """The values of the connect form."""

    partner_id: str
    credentials: Credentials
    site_url: str | None = None
    """The address of a self-hosted instance; None for ConnectWise's cloud."""
    name: str = ""
    """An empty name keeps the one of an earlier connection, else it is the company id."""
    filters: ImportFilters | None = None
    """None keeps the filters of an earlier connection."""


class Connector:
    """The connector sets connections up."""

    def __init__(
        self,
        *,
        connections: ConnectionStore,
        owned: OwnedConnections,
        gateway: PsaGateway,
        vault: SecretVault,
        problems: ProblemStore,
        clock: Clock,
        callbacks: CallbackRegistrations,
        claims: CompanyClaims,
        company_check: CompanyCheck,
        stops: PaymentStops,
        filter_check: FilterCheck,
        run_control: RunControl,
        wake_payments: Callable[[Connection], object],
    ) -> None:
        self._connections = connections
        self._owned = owned
        self._gateway = gateway
        self._vault = vault
        self._problems = problems
        self._clock = clock
        self._callbacks = callbacks
        self._claims = claims
        self._company_check = company_check
        self._stops = stops
        self._filter_check = filter_check
        self._run_control = run_control
        self._wake_payments = wake_payments

    def connect(self, request: ConnectionRequest) -> Connection:
        """Verify, store, register the callbacks and start the first import, in this order:

        1. find the address, prove the credentials and rights, before anything is stored;
        2. claim the company by its proofs: one connection can do so at a time;
        3. store the connection as ``verifying`` with the hash of a fresh callback secret. Its id
           follows from partner, site and company, and the write expects the version that was
           read, so of several requests at once one goes on;
        4. store the credentials;
        5. register the callbacks (a failure is a problem that the reconciler mends), and look once
           more for another connection that was registered meanwhile;
        6. store it as ``importing``, 7. start the import (a failure is a problem too), and 8. wake
           the payments that waited for the connection.

        A request that breaks off leaves an idle ``verifying`` connection; the same request takes
        it over after SET_UP_LEASE, and every step may be repeated. If it breaks off between 6
        and 7, verifying the connection starts the import. A disconnected connection is taken up
        again with the records, filters, name and payment preferences it had, as far as the
        request leaves them out, and the problems with its old keys and rights are closed.

        Raises NotPossibleError when it is connected already (``subject_id`` is that connection
        where it is the partner's own), InvalidInputError for filters that are a mistake, the
        errors of ``PsaGateway.discover``, :func:`prove_rights` and :meth:`CompanyClaims.claim`,
        and ConflictError.
        """
        credentials = request.credentials
        if request.filters:
            self._filter_check.refuse_senseless(request.filters)
        address = self._gateway.discover(credentials.company_id, request.site_url)
        secret = new_callback_secret()
        fresh = self._new_connection(request, address, secret)
        stored = self._connections.get(fresh.connection_id)
        self._refuse_if_connected(stored.value)
        self._refuse_too_many(request.partner_id)
        draft = self._claim(_taken_up(fresh, stored.value, request), request, stored.value)
        version = self._connections.save(draft, expected_version=stored.version)
        kept = replace(credentials, callback_secret=secret)
        self._store_credentials(draft, version, kept)
        importing = self._mark_as_importing(draft, *self._register(draft, kept))
        self._stops.show(importing)
        show_restrictions(self._problems, self._clock, importing)
        settle_rights(self._problems, self._clock, importing, lacking=())
        self._start_import(importing)
        self._go_on_with_payments(importing)
        return importing

    def _new_connection(
        self, request: ConnectionRequest, address: PsaAddress, secret: str
    ) -> Connection:
        company_id = request.credentials.company_id
        return Connection(
            connection_id=connection_id_of(request.partner_id, company_id, address.site_url),
            partner_id=request.partner_id,
            company_id=company_id,
            address=address,
            state=ConnectionState.VERIFYING,
            created_at=self._clock.now(),
            filters=request.filters or ImportFilters(),
            callback_secret=CallbackSecret(sha256_of(secret)),
            name=request.name or company_id,
        )

    def _claim(
        self, draft: Connection, request: ConnectionRequest, known: Connection | None
    ) -> Connection:
        """Prove the keys and claim the company; return the connection with its company's key."""
        credentials = request.credentials
        psa = self._gateway.try_out(draft, credentials)
        prove_rights(psa)
        if request.filters:
            self._filter_check.refuse_unknown(psa, draft.connection_id, request.filters)
        claimed = self._claims.claim(draft, credentials.public_key, psa, known=known)
        if known:
            self._callbacks.remove(draft, psa)
        return claimed

    def _register(
        self, draft: Connection, credentials: Credentials
    ) -> tuple[str, tuple[Restriction, ...]]:
        """Register the callbacks; return the API member of the keys, and its restrictions."""
        psa = self._gateway.open(draft)
        member = self._callbacks.register(draft, psa, credentials)
        try:
            self._company_check.check(draft, credentials.public_key, psa)
        except BridgeError as error:
            _logger.warning("company not checked: %s", type(error).__name__)
        return member, read_restrictions(psa, member, ())

    def _refuse_if_connected(self, known: Connection | None) -> None:
        if known is None or known.state is ConnectionState.DISCONNECTED:
            return
        if known.state is ConnectionState.VERIFYING:
            if known.created_at + SET_UP_LEASE < self._clock.now():
                return
            raise NotPossibleError(
                "connecting",
                "This company is being connected right now; try again in two minutes.",
                subject_id=known.connection_id,
            )
        raise NotPossibleError(
            "already_connected",
            "This company is connected already.",
            subject_id=known.connection_id,
        )

    def _refuse_too_many(self, partner_id: str) -> None:
        connected = [
            connection
            for connection in self._connections.list_of_partner(partner_id)
            if connection.state is not ConnectionState.DISCONNECTED
        ]
        if len(connected) >= MAX_CONNECTIONS_OF_PARTNER:
            raise NotPossibleError(
                "too_many_connections",
                f"A partner may have {MAX_CONNECTIONS_OF_PARTNER} connections at most.",
            )

    def _store_credentials(
        self, claimed: Connection, version: int, credentials: Credentials
    ) -> None:
        """Store the secrets, or release the connection for an immediate repetition."""
        try:
            self._vault.put_credentials(claimed.connection_id, credentials)
        except BridgeError:
            released = claimed.moved_to(ConnectionState.DISCONNECTED)
            self._connections.save(released, expected_version=version)
            self._claims.end(claimed, credentials.public_key)
            raise

    def _mark_as_importing(
        self, draft: Connection, member: str, restrictions: tuple[Restriction, ...]
    ) -> Connection:
        """Store the connection as ``importing``. Raises ConflictError if it was taken over."""

        def importing(known: Connection) -> Connection:
            still_ours = known.callback_secret == draft.callback_secret
            if known.state is not ConnectionState.VERIFYING or not still_ours:
                raise ConflictError("the connection was taken over while it was set up")
            importing = replace(known.with_member(member), restrictions=restrictions)
            return importing.moved_to(ConnectionState.IMPORTING)

        return self._owned.change(draft.partner_id, draft.connection_id, importing)

    def _go_on_with_payments(self, connection: Connection) -> None:
        """Have what waited for the connection looked at now; else its due time finds it."""
        try:
            self._wake_payments(connection)
        except BridgeError as error:
            _logger.warning("payments not woken: %s", type(error).__name__)

    def _start_import(self, connection: Connection) -> None:
        try:
            self._run_control.restart_import(connection)
        except BridgeError as error:
            _logger.warning("import not started: %s", error)
            report = connection.report(
                ProblemCode.RUN_FAILED, IMPORT_SUBJECT, "The first import could not be started."
            )
            self._problems.report(report, self._clock.now())


def _taken_up(
    fresh: Connection, known: Connection | None, request: ConnectionRequest
) -> Connection:
    """Return the fresh connection with the members of the known one, and the preferences that
    the request leaves out."""
    if known is None:
        return fresh
    return replace(
        fresh,
        name=request.name or known.name or fresh.name,
        filters=known.filters if request.filters is None else request.filters,
        write_back=known.write_back,
        past_members=known.with_member("").past_members,
        payments_stopped=known.payments_stopped - STOPS_OF_COMPANIES,
    )
