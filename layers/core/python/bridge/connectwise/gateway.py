"""The gateway opens connections to ConnectWise, for the mirror and for payments."""

from __future__ import annotations

from collections.abc import Callable

import httpx

from bridge.connectwise.access import Access, CredentialsReader
from bridge.connectwise.brief_clock import BriefClock
from bridge.connectwise.client import ConnectWiseClient
from bridge.connectwise.discovery import discover, read_address
from bridge.connectwise.invoice_information import InformationReader
from bridge.connectwise.mapping import Owner
from bridge.connectwise.payments import ConnectWisePayments
from bridge.connectwise.psa import ConnectWisePsa
from bridge.domain.connection import Connection, Credentials, PsaAddress
from bridge.ports import CallPurpose, Clock, RateLimiter, SecretVault

AddressChanged = Callable[[Connection, PsaAddress], None]
InformationMissed = Callable[[Connection], None]


class ConnectWiseGateway:
    """ConnectWise fulfils ``ports.PsaGateway``.

    ``transport`` is the guarded one outside tests. ``on_codebase_changed`` is told when a
    connection was found on another codebase than the one it is stored with, and
    ``on_information_missed`` of one whose ConnectWise lacks the call for a whole invoice.
    """

    def __init__(
        self,
        *,
        transport: httpx.BaseTransport,
        vault: SecretVault,
        limiter: RateLimiter,
        clock: Clock,
        on_codebase_changed: AddressChanged,
        on_information_missed: InformationMissed = lambda _: None,
        most_in_flight: int = 1,
        allow_loopback: bool = False,
    ) -> None:
        self._transport = transport
        self._vault = vault
        self._limiter = limiter
        self._clock = clock
        self._on_codebase_changed = on_codebase_changed
        self._on_information_missed = on_information_missed
        self._most_in_flight = most_in_flight
        self._allow_loopback = allow_loopback

    def open(self, connection: Connection) -> ConnectWisePsa:
        return self._psa(connection, self._stored(connection))

    def open_for_look(self, connection: Connection, seconds: float) -> ConnectWisePsa:
        clock = BriefClock(self._clock, seconds)
        return self._psa(connection, self._stored(connection), CallPurpose.LOOK, clock)

    def open_payments(self, connection: Connection) -> ConnectWisePayments:
        client = self._client(connection, self._stored(connection), CallPurpose.WRITE_BACK)
        return ConnectWisePayments(client, connection.member_identifier, connection.past_members)

    def try_out(self, connection: Connection, credentials: Credentials) -> ConnectWisePsa:
        def given(*, is_fresh: bool = False) -> Credentials:  # noqa: ARG001 - there is one set
            return credentials

        return self._psa(connection, given)

    def discover(self, company_id: str, site_url: str | None) -> PsaAddress:
        return discover(self._transport, company_id, site_url, allow_loopback=self._allow_loopback)

    def _stored(self, connection: Connection) -> CredentialsReader:
        def stored(*, is_fresh: bool = False) -> Credentials:
            kept = self._vault.get_credentials(connection.connection_id, is_fresh=is_fresh)
            if is_fresh or kept.company_id == connection.company_id:
                return kept
            # The connection moved to another company after these were read.
            return self._vault.get_credentials(connection.connection_id, is_fresh=True)

        return stored

    def _psa(
        self,
        connection: Connection,
        credentials: CredentialsReader,
        purpose: CallPurpose = CallPurpose.MIRROR,
        clock: Clock | None = None,
    ) -> ConnectWisePsa:
        clock = clock or self._clock
        owner = Owner(connection.partner_id, connection.connection_id)
        client = self._client(connection, credentials, purpose, clock)
        information = InformationReader(
            client,
            is_offered=connection.offers_information(self._clock.now()),
            on_missed=lambda: self._on_information_missed(connection),
        )
        return ConnectWisePsa(client, owner, clock, information)

    def _client(
        self,
        connection: Connection,
        credentials: CredentialsReader,
        purpose: CallPurpose,
        clock: Clock | None = None,
    ) -> ConnectWiseClient:
        def rediscover() -> PsaAddress:
            return read_address(
                self._transport,
                connection.address.site_url,
                connection.company_id,
                was_known=True,
            )

        return ConnectWiseClient(
            partner_id=connection.partner_id,
            connection_id=connection.connection_id,
            access=Access(
                address=connection.address,
                credentials=credentials,
                client_id=self._vault.get_client_id,
                rediscover=rediscover,
                on_codebase_changed=lambda found: self._on_codebase_changed(connection, found),
            ),
            transport=self._transport,
            limiter=self._limiter,
            purpose=purpose,
            clock=clock or self._clock,
            most_in_flight=self._most_in_flight,
        )
