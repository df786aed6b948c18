"""A tour calls every operation of the API once, through the gateway, as its caller would."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from connectwise_sandbox.server import RunningSandbox
from infra.local.demo.clients import BridgeApi, ConnectWisePerson, Json, NotObservedError

Operation = tuple[str, str]

NO_CONTENT = httpx.codes.NO_CONTENT
CONNECTION = "/v1/connections/{connection_id}"
PAYMENT = f"{CONNECTION}/payments/{{payment_id}}"
CUSTOMER = "/v1/customers/{customer_id}"
INVOICE = "/v1/invoices/{invoice_id}"
STEPS = ("settle", "return", "refund", "charge-back", "void", "fail")
PARTNER = "partner-tour"


def operations(description: Json) -> Iterator[Operation]:
    """Yield method and path of each operation below `/v1` that the description has."""
    for path, item in description["paths"].items():
        for method in item:
            if path.startswith("/v1/") and method in {"get", "post", "put", "patch", "delete"}:
                yield method.upper(), path


@dataclass
class Tour:
    """The answers so far, by operation; `ids` fill the names in a path's template."""

    partner: BridgeApi
    services: BridgeApi
    books: RunningSandbox
    ids: dict[str, str] = field(default_factory=lambda: {"kind": "invoices"})
    answers: dict[Operation, httpx.Response] = field(default_factory=dict)

    def go(self) -> Mapping[Operation, httpx.Response]:
        """Visit every operation, in an order in which each one finds what it is about."""
        self._connect()
        self._look_at_the_connection()
        self._look_at_the_records()
        self._keep_records_of_the_platform()
        self._pay()
        self._look_at_the_problems()
        self._change_the_connection()
        return self.answers

    def visit(self, method: str, path: str, body: Json | None = None, query: str = "") -> Any:
        """Call an operation by its template; return what it answered, if that is JSON."""
        caller = self.services if path.startswith(PAYMENT) else self.partner
        answer = caller.answer(method, path.format(**self.ids) + query, body=body)
        self.answers[(method, path)] = answer
        return answer.json() if answer.content else None

    def _first(self, path: str, *, having: str = "id") -> Json:
        for item in self.partner.items(path):
            if item[having]:
                return item
        refused = {
            operation: answer.text[:200]
            for operation, answer in self.answers.items()
            if answer.is_error
        }
        raise NotObservedError(f"nothing in {path}; refused so far: {refused}")

    def _connect(self) -> None:
        connection = self.visit("POST", "/v1/connections", self._keys())
        self.ids["connection_id"] = connection["id"]
        path = CONNECTION.format(**self.ids)
        self.partner.wait_for(path, lambda found: found["state"] == "active")

    def _look_at_the_connection(self) -> None:
        self.visit("GET", "/v1/me")
        self.visit("GET", "/v1/connection-requirements")
        self.visit("GET", "/v1/connections")
        self.visit("GET", CONNECTION)
        self.visit("POST", f"{CONNECTION}/verify")
        self.visit("GET", f"{CONNECTION}/billing-statuses")
        self.visit("GET", f"{CONNECTION}/filter-choices")
        self.visit("GET", "/v1/overview")
        self.visit("GET", f"{CONNECTION}/month-end")
        self.visit("GET", f"{CONNECTION}/fetches")
        self.visit("POST", f"{CONNECTION}/fetches", {"kind": "fetch_new"})
        runs = self.visit("GET", f"{CONNECTION}/runs")["items"]
        self.ids["run_id"] = runs[-1]["id"]
        self.visit("GET", f"{CONNECTION}/runs/{{run_id}}")
        self.visit("POST", f"{CONNECTION}/runs/{{run_id}}/cancel")

    def _look_at_the_records(self) -> None:
        self.visit("GET", "/v1/customers")
        self.visit("GET", "/v1/payments")
        self.visit("GET", "/v1/invoices")
        invoice = self._first("/v1/invoices?state=open")
        self.ids |= {"invoice_id": invoice["id"], "customer_id": invoice["customer_id"]}
        self.visit("GET", CUSTOMER)
        self.visit("GET", INVOICE)
        number = f"?number={invoice['number']}"
        self.visit("GET", f"{CONNECTION}/records/{{kind}}", query=number)
        self.visit("GET", f"{INVOICE}/standing")
        self.visit("POST", f"{INVOICE}/fetch")
        self.visit("GET", f"{INVOICE}/pdf")
        paid = self._first("/v1/payments")
        self.ids |= {"invoice_id": paid["invoice_id"], "payment_id": paid["id"]}
        self.visit("GET", f"{INVOICE}/payments/{{payment_id}}")
        self.ids["invoice_id"] = invoice["id"]

    def _keep_records_of_the_platform(self) -> None:
        mirrored = {name: self.ids[name] for name in ("customer_id", "invoice_id")}
        self.ids["customer_id"] = self.visit("POST", "/v1/customers", {"name": "Walk-in"})["id"]
        self.visit("PATCH", CUSTOMER, {"name": "Walk-in, renamed"})
        form = {
            "customer_id": self.ids["customer_id"],
            "number": "P-1",
            "currency": "USD",
            "issued_on": _today(),
            "line_items": [{"description": "Setup", "amount_minor": 1000}],
        }
        self.ids["invoice_id"] = self.visit("POST", "/v1/invoices", form)["id"]
        self.visit("PATCH", INVOICE, {"number": "P-2"})
        self.visit("DELETE", INVOICE)
        self.visit("DELETE", CUSTOMER)
        self.ids |= mirrored

    def _pay(self) -> None:
        """Each step moves a payment of its own, so that none stands in another's way."""
        invoice = self.partner.get(INVOICE.format(**self.ids))
        payment = {
            "amount_minor": 500,
            "currency": invoice["balance"]["currency"],
            "method": "card",
            "received_on": _today(),
            "state": "pending",
            # A part is left over, and stands as a problem.
            "allocations": [{"invoice_id": invoice["id"], "amount_minor": 100}],
        }
        for number, step in enumerate(STEPS, start=1):
            self.ids["payment_id"] = f"tour-{step}"
            returns_money = step in ("return", "refund", "charge-back")
            body = payment | {
                "amount_minor": 500 + number,
                "state": "settled" if returns_money else "pending",
            }
            self.visit("PUT", PAYMENT, body)
            self.visit("POST", f"{PAYMENT}/{step}", {"reason": "as the tour goes"})
        self.visit("GET", PAYMENT)
        self.visit("GET", "/v1/platform-payments")
        self.visit("GET", "/v1/platform-payments/{payment_id}")
        self.visit("GET", f"{CONNECTION}/platform-payments/unapplied")

    def _look_at_the_problems(self) -> None:
        self.visit("GET", "/v1/problems")
        problem = self._first("/v1/problems", having="actions")
        self.ids["problem_id"] = problem["id"]
        self.visit("GET", "/v1/problems/{problem_id}")
        self.visit("POST", "/v1/problems/{problem_id}/actions", {"action": problem["actions"][0]})

    def _change_the_connection(self) -> None:
        self.visit("PATCH", CONNECTION, {"name": "The tour's company"})
        self.visit("POST", f"{CONNECTION}/stop-payments")
        self.visit("POST", f"{CONNECTION}/allow-payments")
        self.visit("POST", f"{CONNECTION}/rotate-callback-secret")
        recent = {"invoices": {"date_from": (_now() - timedelta(days=90)).date().isoformat()}}
        self.visit("POST", f"{CONNECTION}/filters/preview", recent)
        self.visit("PUT", f"{CONNECTION}/filters", recent)
        left = self.visit("POST", f"{CONNECTION}/filters/archive-left")
        self.visit("GET", f"{CONNECTION}/archivings")
        self.visit("POST", f"{CONNECTION}/filters/undo-archive", {"undo_id": left["undo_id"]})
        yesterday = (_now() - timedelta(days=1)).isoformat()
        self.visit("POST", f"{CONNECTION}/set-back-watermark", {"kind": "invoice", "at": yesterday})
        self.visit("POST", f"{CONNECTION}/move", self._keys())
        self.visit("DELETE", CONNECTION)

    def _keys(self) -> Json:
        access = self.books.announcement
        return {
            "company_id": access.company_id,
            "public_key": access.public_key,
            "private_key": access.private_key,
            "site_url": access.base_url,
        }


def bill(books: RunningSandbox) -> None:
    """Let ConnectWise have an open invoice in dollars and a paid one."""
    lines = [{"description": "Monthly service", "amount": "90.00"}]
    with closing(ConnectWisePerson(books.base_url)) as person:
        company = person.truth()["companies"][0]["id"]
        person.do("POST", "/invoices", company_id=company, lines=lines)
        paid = person.do("POST", "/invoices", company_id=company, lines=lines)["id"]
        person.do("POST", f"/invoices/{paid}/payments", amount="90.00")


def _now() -> datetime:
    return datetime.now(UTC)


def _today() -> str:
    return _now().date().isoformat()
