"""The dashboard API over twins in memory, and a ConnectWise that counts what it is asked."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from aws_lambda_powertools.utilities.typing import LambdaContext

from bridge.connections.connect import Connector
from bridge.connections.disconnect import Disconnector
from bridge.connections.verify import Verifier
from bridge.domain.connection import Connection, ConnectionState, Credentials, PsaAddress
from bridge.domain.customer import Customer, NamedRef
from bridge.domain.errors import BridgeError, PermissionMissingError
from bridge.domain.filter_choices import ChoiceKind
from bridge.domain.filters import ImportFilters
from bridge.domain.identity import Origin, RecordKind, connection_id_of, mirrored_id
from bridge.domain.invoice import BillingStatus, Invoice, LineItem, LineKind
from bridge.domain.mirrored_kinds import MirroredKind, R
from bridge.domain.money import Currency
from bridge.domain.payment import Payment, PaymentKind
from bridge.domain.permissions import (
    REQUIRED_RIGHTS,
    Finding,
    Restriction,
    Right,
    RightFinding,
)
from bridge.domain.platform_payment import WriteBackPolicy
from bridge.ports import Fetched, ListedRecord, SystemInfo
from bridge.runs.control import RunControl
from bridge.wiring import entrypoints
from dashboard_api.app import create_app
from tests.fakes.clock import FakeClock
from tests.fakes.ports import InMemoryPorts

WEBHOOK_BASE_URL = "https://bridge.test"
PUBLIC_KEY = "pub-canary-4f1d"
PRIVATE_KEY = "priv-canary-9c2e"
REQUEST_ID = "request-1"
USD = Currency("USD", 2)
JPY = Currency("JPY", 0)
ADDRESS = PsaAddress("https://na.psa.test", "https://api-na.psa.test", "v2025_1/", is_cloud=True)


TABLE_SETUP = "System > Table Setup (customize): Inquire"
STATUSES = (
    BillingStatus(3, "Sent", is_closed=False),
    BillingStatus(4, "Paid in Full", is_closed=True),
)


class SpyPsa:
    """Answers well unless told otherwise, and remembers every call."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.failures: dict[str, BridgeError] = {}
        self.missing_rights: set[Right] = set()
        self.counts: dict[RecordKind, int] = {RecordKind.CUSTOMER: 50, RecordKind.INVOICE: 500}
        self.callback_urls: list[str] = []
        self.member = "AlternativeAgent"
        self.restrictions: tuple[Restriction, ...] = ()
        self.denied_choices: set[ChoiceKind] = set()
        self.labels: dict[tuple[RecordKind, int], str] = {}

    def read_system_info(self) -> SystemInfo:
        self._called("read_system_info")
        return SystemInfo("v2025.1", is_cloud=True, server_time=datetime(2026, 3, 2, tzinfo=UTC))

    def check_rights(self) -> tuple[RightFinding, ...]:
        self._called("check_rights")
        return tuple(
            RightFinding(
                right, Finding.MISSING if right in self.missing_rights else Finding.GRANTED
            )
            for right in REQUIRED_RIGHTS
        )

    def read_restrictions(self, member: str) -> tuple[Restriction, ...]:
        self._called("read_restrictions")
        return self.restrictions

    def list_choices(self, kind: ChoiceKind) -> tuple[NamedRef, ...]:
        """Every list has ids 1 to 50; there is one agreement type with a name of its own."""
        self._called("list_choices")
        if kind in self.denied_choices:
            raise PermissionMissingError("no", rights=(TABLE_SETUP,))
        return (*(NamedRef(i, f"Choice {i}") for i in range(1, 51)), NamedRef(51, "Managed"))

    def list_records_by_id(
        self, kind: RecordKind, source_ids: Sequence[int]
    ) -> Mapping[int, ListedRecord]:
        self._called("list_records_by_id")
        return {each: ListedRecord(each, "") for each in source_ids if each <= 50}

    def list_billing_statuses(self) -> tuple[BillingStatus, ...]:
        self._called("list_billing_statuses")
        return STATUSES

    def find(self, kind: RecordKind, label: str) -> tuple[int, ...]:
        self._called("find")
        return tuple(i for (k, i), each in self.labels.items() if (k, each) == (kind, label))

    def count(self, kind: RecordKind, *, filters: ImportFilters | None = None) -> int:
        self._called("count")
        return self.counts[kind]

    def fetch(self, kind: MirroredKind[R], source_ids: Sequence[int]) -> Fetched[R]:
        """Another company stands at every address that a connection could move to."""
        self._called("fetch")
        return Fetched({}, {}, {})

    def exists(self, kind: RecordKind, source_id: int) -> bool:
        self._called("exists")
        return (kind, source_id) in self.labels

    def ensure_callbacks(self, url: str) -> str:
        self._called("ensure_callbacks")
        prefix = url.rpartition("/")[0]
        others = [known for known in self.callback_urls if not known.startswith(prefix)]
        self.callback_urls = [*others, url]
        return self.member

    def remove_callbacks(self, url_prefix: str) -> None:
        self._called("remove_callbacks")
        self.callback_urls = [u for u in self.callback_urls if not u.startswith(url_prefix)]

    def list_callback_urls(self) -> tuple[str, ...]:
        self._called("list_callback_urls")
        return tuple(self.callback_urls)

    def _called(self, name: str) -> None:
        self.calls.append(name)
        if name in self.failures:
            raise self.failures[name]


class SpyGateway:
    """Opens the SpyPsa of a connection's site, the one unless a test names others.

    ``failure`` breaks discovering.
    """

    def __init__(self, psa: SpyPsa) -> None:
        self._psa = psa
        self.calls: list[str] = []
        self.failure: BridgeError | None = None
        self.address = ADDRESS
        self.tried: list[Credentials] = []
        self.others: dict[str, SpyPsa] = {}

    def open(self, connection: Connection) -> Any:
        self.calls.append("open")
        return self._psa_of(connection)

    def open_for_look(self, connection: Connection, seconds: float) -> Any:
        raise NotImplementedError("the API leaves looks to jobs")

    def open_payments(self, connection: Connection) -> Any:
        raise NotImplementedError("the API writes no payments itself")

    def try_out(self, connection: Connection, credentials: Credentials) -> Any:
        self.calls.append("try_out")
        self.tried.append(credentials)
        return self._psa_of(connection)

    def discover(self, company_id: str, site_url: str | None) -> PsaAddress:
        self.calls.append("discover")
        if self.failure:
            raise self.failure
        return replace(self.address, site_url=site_url) if site_url else self.address

    def _psa_of(self, connection: Connection) -> SpyPsa:
        return self.others.get(connection.address.site_url, self._psa)


@dataclass
class Answer:
    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def problem(self) -> str:
        """The code of the problem document that this is."""
        assert self.headers["Content-Type"] == "application/problem+json"
        return str(self.json["type"]).removeprefix("urn:bridge:problem:")


@dataclass
class Caller:
    """Somebody with a token, talking to the API."""

    world: World
    claims: Mapping[str, Any] | None

    def get(self, path: str, **query: str) -> Answer:
        return self.send("GET", path, query=query)

    def post(self, path: str, body: Any = None, **query: str) -> Answer:
        return self.send("POST", path, body, query=query)

    def patch(self, path: str, body: Any) -> Answer:
        return self.send("PATCH", path, body)

    def put(self, path: str, body: Any) -> Answer:
        return self.send("PUT", path, body)

    def delete(self, path: str) -> Answer:
        return self.send("DELETE", path)

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, str] | None = None,
        text: str | None = None,
        **changes: Any,
    ) -> Answer:
        """Send a request; ``text`` is a body as it stands, ``changes`` alter the event."""
        if body is not None:
            text = json.dumps(body)
        event = http_event(method, path, query or {}, text, self.claims) | changes
        answer = self.world.app.resolve(event, LambdaContext())
        assert None not in answer.values(), "a gateway may fail on a null part of an answer"
        headers = dict(answer.get("headers") or {})
        return Answer(answer["statusCode"], headers, answer.get("body") or "")


def http_event(
    method: str,
    path: str,
    query: Mapping[str, str],
    body: str | None,
    claims: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Return the event that an HTTP API (payload 2.0) hands to a function."""
    context: dict[str, Any] = {
        "stage": "$default",
        "requestId": REQUEST_ID,
        "http": {"method": method, "path": path},
    }
    if claims is not None:
        context["authorizer"] = {"jwt": {"claims": dict(claims)}}
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "ANY /v1/{proxy+}",
        "rawPath": path,
        "rawQueryString": urlencode(query),
        "headers": {"content-type": "application/json"} if body is not None else {},
        "requestContext": context,
        "isBase64Encoded": False,
    }
    if query:
        event["queryStringParameters"] = dict(query)
    if body is not None:
        event["body"] = body
    return event


class World(InMemoryPorts):
    """Everything the API works with."""

    def __init__(
        self,
        clock: FakeClock | None = None,
        psa: SpyPsa | None = None,
        egress_addresses: tuple[str, ...] = ("192.0.2.10",),
    ) -> None:
        self.psa = psa or SpyPsa()
        self.spy_gateway = SpyGateway(self.psa)
        super().__init__(self.spy_gateway, clock or FakeClock(remaining_seconds=29.0))
        self.webhook_base_url = WEBHOOK_BASE_URL
        self.egress_addresses = egress_addresses
        self.services = entrypoints.dashboard_services(self, egress_addresses)
        self.app = create_app(self.services)

    @property
    def connector(self) -> Connector:
        return self.services.connector

    @property
    def disconnector(self) -> Disconnector:
        return self.services.disconnector

    @property
    def verifier(self) -> Verifier:
        return self.services.verifier

    @property
    def run_control(self) -> RunControl:
        return self.services.run_control

    def partner(self, partner_id: str = "partner-a") -> Caller:
        claims = {"token_use": "id", "custom:partner_id": partner_id, "sub": f"user-{partner_id}"}
        return Caller(self, claims)

    def service(self) -> Caller:
        """A service of the platform, with the scope to write payments."""
        claims = {"token_use": "access", "scope": "bridge/payments.write", "client_id": "client-1"}
        return Caller(self, claims)

    def caller(self, claims: Mapping[str, Any] | None) -> Caller:
        return Caller(self, claims)

    def connection(
        self,
        partner_id: str = "partner-a",
        *,
        company_id: str = "acme",
        state: ConnectionState = ConnectionState.ACTIVE,
        filters: ImportFilters | None = None,
        write_back: WriteBackPolicy | None = None,
        clock_seconds_ahead: int = 0,
    ) -> Connection:
        """Store a connection as it is after connecting."""
        connection = Connection(
            connection_id=connection_id_of(partner_id, company_id, ADDRESS.site_url),
            partner_id=partner_id,
            company_id=company_id,
            address=ADDRESS,
            state=state,
            created_at=self.clock.now(),
            filters=filters or ImportFilters(),
            write_back=write_back or WriteBackPolicy(),
            member_identifier="AlternativeAgent",
            name=company_id,
            clock_seconds_ahead=clock_seconds_ahead,
        )
        self.connections.save(connection, expected_version=0)
        self.vault.put_credentials(
            connection.connection_id,
            Credentials(company_id, PUBLIC_KEY, PRIVATE_KEY, callback_secret="old-secret"),
        )
        return connection

    def stored_connection(self, connection_id: str) -> Connection:
        connection = self.connections.get(connection_id).value
        assert connection is not None
        return connection

    def customer(self, connection: Connection, source_id: int, **changes: Any) -> Customer:
        """Store a mirrored customer."""
        customer = replace(
            Customer(
                customer_id=mirrored_id(connection.connection_id, source_id),
                partner_id=connection.partner_id,
                origin=Origin.CONNECTWISE,
                name=f"Customer {source_id}",
                connection_id=connection.connection_id,
                source_id=source_id,
                status=NamedRef(1, "Active"),
            ),
            **changes,
        )
        self.records.save(customer, expected_version=0, change_fingerprint=f"c{source_id}")
        return customer

    def invoice(
        self,
        connection: Connection,
        source_id: int,
        *,
        customer_source_id: int = 1,
        payments: Sequence[int] = (),
        **changes: Any,
    ) -> Invoice:
        """Store a mirrored invoice of 100.00; ``payments`` are ConnectWise ids."""
        invoice_id = mirrored_id(connection.connection_id, source_id)
        customer_id = mirrored_id(connection.connection_id, customer_source_id)
        invoice = replace(
            Invoice(
                invoice_id=invoice_id,
                partner_id=connection.partner_id,
                origin=Origin.CONNECTWISE,
                customer_id=customer_id,
                number=f"INV-{source_id}",
                currency=USD,
                total_minor=10000,
                balance_minor=10000,
                issued_on=date(2026, 2, 1),
                due_on=date(2026, 3, 1),
                connection_id=connection.connection_id,
                source_id=source_id,
                customer_source_id=customer_source_id,
                status=BillingStatus(3, "Sent", is_closed=False),
                line_items=(
                    LineItem(LineKind.TIME, "Support", 10000, Decimal("2.5"), Decimal("40.00"), 7),
                ),
                payments=tuple(
                    Payment(
                        payment_id=mirrored_id(connection.connection_id, payment),
                        partner_id=connection.partner_id,
                        connection_id=connection.connection_id,
                        invoice_id=invoice_id,
                        customer_id=customer_id,
                        source_id=payment,
                        origin=Origin.CONNECTWISE,
                        kind=PaymentKind.MONEY,
                        amount_minor=1050,
                        currency=USD,
                        paid_on=date(2026, 2, 20),
                    )
                    for payment in payments
                ),
            ),
            **changes,
        )
        self.records.save(invoice, expected_version=0, change_fingerprint=f"i{source_id}")
        return invoice
