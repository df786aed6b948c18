"""A function that seldom calls ConnectWise loads the client for it with its first call."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bridge.domain.callback_endpoint import PsaAddress
    from bridge.domain.connection import Connection, Credentials
    from bridge.ports import Psa, PsaGateway, PsaPayments


class GatewayOnDemand:
    """The :class:`bridge.ports.PsaGateway` is made when it is first needed, and kept."""

    def __init__(self, make: Callable[[], PsaGateway]) -> None:
        self._make = make

    def open(self, connection: Connection) -> Psa:
        return self._gateway.open(connection)

    def open_for_look(self, connection: Connection, seconds: float) -> Psa:
        return self._gateway.open_for_look(connection, seconds)

    def open_payments(self, connection: Connection) -> PsaPayments:
        return self._gateway.open_payments(connection)

    def try_out(self, connection: Connection, credentials: Credentials) -> Psa:
        return self._gateway.try_out(connection, credentials)

    def discover(self, company_id: str, site_url: str | None) -> PsaAddress:
        return self._gateway.discover(company_id, site_url)

    @cached_property
    def _gateway(self) -> PsaGateway:
        return self._make()
