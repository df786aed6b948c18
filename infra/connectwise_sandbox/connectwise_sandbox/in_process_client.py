"""The in-process client drives its own engine, with its keys and a clock that stands still."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from decimal import Decimal
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from connectwise_sandbox.books import open_books
from connectwise_sandbox.callbacks import LEVELS
from connectwise_sandbox.clock import ManualClock
from connectwise_sandbox.deliveries import Delivery
from connectwise_sandbox.engine import Engine
from connectwise_sandbox.kinds import Kind, Record, reference_to
from connectwise_sandbox.messages import Request, Response
from connectwise_sandbox.people import NewLine

START = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
INVOICES = "/finance/invoices"


class PsaClient:
    """A PSA client sends requests with the right keys, moves the clock and edits data."""

    def __init__(
        self, *, seed: int = 1, customers: int = 3, invoices: int = 0, **switches: Any
    ) -> None:
        self.clock = ManualClock(START)
        self.engine = Engine(clock=self.clock, seed=seed)
        self.switch(**{"requests_per_minute": 0, **switches})
        open_books(self.engine.tenant, seed=seed, customers=customers, invoices=invoices)
        self.tenant = self.engine.tenant
        self.people = self.engine.people

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers of a client with the right keys."""
        keys = self.engine.tenant.identity
        user = f"{keys.company_id}+{keys.public_key}:{keys.private_key}"
        basic = base64.b64encode(user.encode()).decode()
        return {"authorization": f"Basic {basic}", "clientId": keys.client_id}

    def switch(self, **values: Any) -> None:
        """Set switches."""
        for name, value in values.items():
            setattr(self.engine.switches, name, value)

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
        **parameters: Any,
    ) -> Response:
        """Send a request below `apis/3.0` of the present codebase."""
        query = f"?{urlencode(parameters)}" if parameters else ""
        target = f"/{self.engine.tenant.codebase}apis/3.0{path}{query}"
        content = b"" if body is None else json.dumps(body, default=str).encode()
        sent = self.headers if headers is None else headers
        return self.engine.handle(Request.of(method, target, sent, content))

    def get(self, path: str, **parameters: Any) -> Any:
        """Return the JSON that a GET answers with 200."""
        answer = self.send("GET", path, **parameters)
        return _json_of(answer, HTTPStatus.OK)

    def forward(self, path: str, **parameters: Any) -> Response:
        """Send a GET with forward-only paging."""
        headers = {**self.headers, "pagination-type": "forward-only"}
        return self.send("GET", path, headers=headers, **parameters)

    def post(self, path: str, body: Any) -> Any:
        """Return the JSON that a POST answers with 201."""
        answer = self.send("POST", path, body)
        return _json_of(answer, HTTPStatus.CREATED)

    def replace(self, path: str, **values: Any) -> Response:
        """Send a PATCH that replaces top-level properties."""
        operations = [
            {"op": "replace", "path": name, "value": value} for name, value in values.items()
        ]
        return self.send("PATCH", path, operations)

    def admin(self, method: str, path: str, body: Any = None) -> Response:
        """Send a command to the admin interface."""
        content = b"" if body is None else json.dumps(body).encode()
        return self.engine.handle(Request.of(method, f"/_sandbox{path}", {}, content))

    def company(self, index: int = 0) -> Record:
        """Return one of the companies that can be billed."""
        rows = [row for row in self.tenant.store[Kind.COMPANY] if row.get("accountNumber")]
        return rows[index]

    def bill(self, amount: str | int = 100, *, decimals: int = 2) -> int:
        """Bill one line to a company whose currency has `decimals`; return the invoice's id."""
        currency = next(
            row for row in self.tenant.store[Kind.CURRENCY] if row["numberOfDecimals"] == decimals
        )
        company = self.company() | {"currency": reference_to(Kind.CURRENCY, currency)}
        self.tenant.store[Kind.COMPANY].put(company)
        line = NewLine("Work", Decimal(amount))
        invoice_id: int = self.people.create_invoice(company["id"], [line])["id"]
        return invoice_id

    def invoice(self, invoice_id: int) -> Any:
        """Return an invoice as the API shows it."""
        return self.get(f"{INVOICES}/{invoice_id}")

    def pay(self, invoice_id: int, amount: str | float, **fields: Any) -> Response:
        """Send the POST of a payment."""
        body = {"amount": float(amount), **fields}
        return self.send("POST", f"{INVOICES}/{invoice_id}/payments", body)

    def payments(self, invoice_id: int) -> Any:
        """Return the payments of an invoice."""
        return self.get(f"{INVOICES}/{invoice_id}/payments")

    def register(self, type_name: str = "invoice", **fields: Any) -> Any:
        """Register a callback at the owner level."""
        if type_name not in LEVELS:
            raise ValueError(f"{type_name} is no type of callback")
        url = "https://bridge.example/hook?recordId="
        entry = {"url": url, "objectId": 1, "type": type_name, "level": "owner", **fields}
        return self.post("/system/callbacks", entry)

    def deliver(self, *statuses: int | None) -> list[Delivery]:
        """Take the due deliveries and answer them with the statuses in turn, the last for all."""
        due = self.engine.take_due_deliveries()
        answers = [*statuses, *([statuses[-1]] * len(due))] if statuses else [204] * len(due)
        return [
            self.engine.record_delivery_result(delivery.id, status)
            for delivery, status in zip(due, answers, strict=False)
        ]

    def messages(self) -> list[Any]:
        """Take the due deliveries, answer all with 204 and return their messages."""
        return [json.loads(delivery.body) for delivery in self.deliver(204)]


def _json_of(answer: Response, expected: HTTPStatus) -> Any:
    """Return the JSON of an answer with the expected status, else raise ValueError."""
    if answer.status != expected:
        raise ValueError(f"answered {answer.status}: {answer.body!r}")
    return answer.json()
