"""Dependencies hand a route its caller and the services, beside the input."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, TypeVar, cast

from aws_lambda_powertools.event_handler import Request
from aws_lambda_powertools.event_handler.depends import Depends

from bridge.domain.connection import Connection
from bridge.domain.errors import NotFoundError
from bridge.domain.mirrored_kinds import (
    CUSTOMERS,
    INVOICES,
    MirroredKind,
    MirroredRecord,
    R,
)
from bridge.domain.payment import Payment
from bridge.domain.write_back import WriteBack
from bridge.entrypoints.callers import CallerRefusedError, PartnerUser, PlatformService
from bridge.entrypoints.dashboard_services import DashboardServices
from bridge.payments.payment_origins import write_backs_behind
from bridge.payments.platform_payments import PlatformPayments
from bridge.ports import Activity

SERVICES = "services"
CALLER = "caller"

C = TypeVar("C", PartnerUser, PlatformService)


@dataclass(frozen=True, slots=True)
class PartnerAccess:
    """A signed-in partner reaches its own records; another partner's are as good as missing."""

    id: str
    user_id: str
    services: DashboardServices

    @property
    def today(self) -> date:
        """Return the day by which amounts are late, in UTC."""
        return self.services.clock.now().date()

    def take_share(self, activity: Activity) -> None:
        """Count a request that has ConnectWise called many times, or raise ShareUsedUpError."""
        self.services.shares.take(self.id, activity)

    def connection(self, connection_id: str) -> Connection:
        """Return one of the partner's connections, or raise NotFoundError."""
        return self.services.owned_connections.get(self.id, connection_id)

    def syncing_connection(self, connection_id: str) -> Connection:
        """Return a connection that can be worked with, else raise NotPossibleError."""
        return self.services.owned_connections.get_syncing(self.id, connection_id)

    def record(self, kind: MirroredKind[R], record_id: str) -> R:
        """Return one of the partner's customers or invoices, or raise NotFoundError."""
        record = self.services.records.get(kind, self.id, record_id).value
        if record is None:
            raise NotFoundError(f"no such {kind.record_kind.value}")
        return record

    def customer_names(self, customer_ids: Iterable[str]) -> Mapping[str, str]:
        """Return the names of the partner's customers, by id."""
        found = self.services.records.get_bare(CUSTOMERS, self.id, frozenset(customer_ids))
        return {each: customer.name for each, customer in found.items()}

    def invoice_numbers(self, invoice_ids: Iterable[str]) -> Mapping[str, str]:
        """Return the numbers of the partner's invoices, by id."""
        found = self.services.records.get_bare(INVOICES, self.id, frozenset(invoice_ids))
        return {each: invoice.number for each, invoice in found.items()}

    def outside_filters(self, records: Sequence[MirroredRecord]) -> frozenset[str]:
        """Return the ids of those records that lie outside their connection's import filters."""
        return self.services.filter_marks.outside(self.id, records)

    def write_backs_behind(self, payments: Sequence[Payment]) -> Mapping[str, WriteBack]:
        """Return the write-backs that own payments in ConnectWise, by the payments' ids."""
        services = self.services
        return write_backs_behind(services.ledger, services.connections, self.id, payments)


def _services(request: Request) -> DashboardServices:
    return cast(DashboardServices, request.context[SERVICES])


def _partner(request: Request) -> PartnerAccess:
    user = _caller(request, PartnerUser)
    return PartnerAccess(user.partner_id, user.user_id, _services(request))


def _recorder(request: Request) -> PlatformPayments:
    """Hand the use case that writes payments to the platform's services only."""
    _caller(request, PlatformService)
    return _services(request).platform_payments


def _caller(request: Request, kind: type[C]) -> C:
    """Return the caller, and check once more that the route is for callers of this kind."""
    caller = request.context[CALLER]
    if not isinstance(caller, kind):
        raise CallerRefusedError("the route is not for this kind of caller")
    return caller


Services = Annotated[DashboardServices, Depends(_services)]
Partner = Annotated[PartnerAccess, Depends(_partner)]
Recorder = Annotated[PlatformPayments, Depends(_recorder)]
