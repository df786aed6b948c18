"""The admin interface answers commands below `/_sandbox`.

Its commands edit data as persons do, set switches and faults, and show calls and deliveries.
Everyone who reaches the port may give them; the server binds it to loopback.
`GET /_sandbox` lists every command.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from connectwise_sandbox.call_log import CallLog
from connectwise_sandbox.clock import wire_time
from connectwise_sandbox.errors import ApiError
from connectwise_sandbox.faults import Fault, FaultPlan
from connectwise_sandbox.finance.balances import payments_of, with_balance
from connectwise_sandbox.kinds import PATHS, Kind, Record
from connectwise_sandbox.messages import Request, Response, json_response
from connectwise_sandbox.people import OTHER_SYNC, PERSON, NewLine, People
from connectwise_sandbox.permissions import Action
from connectwise_sandbox.switches import Switches
from connectwise_sandbox.tenant import Corruption, Tenant

ADMIN_PREFIX = "/_sandbox"
MAX_MUTATIONS = 100_000
_FLAVOURS: Mapping[str, Record] = {
    "breaks_page": {},
    "bad_total": {"total": "abc"},
    "bad_type": {"type": "Hologram"},
    "missing_currency": {"currency": None},
}
_MONEY = ("total", "payments", "credits", "balance")


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _ByPerson(_Body):
    by: Annotated[str, Field(min_length=1, max_length=30)] = PERSON


class _Line(_Body):
    description: Annotated[str, Field(max_length=200)] = "Service"
    amount: Decimal
    quantity: Annotated[Decimal, Field(gt=0)] = Decimal(1)


class _NewInvoice(_ByPerson):
    company_id: int
    lines: list[_Line] = []
    type: Literal[
        "Agreement", "CreditMemo", "DownPayment", "Miscellaneous", "Progress", "Standard"
    ] = "Standard"
    due_on: date | None = None


class _InvoiceChange(_ByPerson):
    due_on: date | None = None
    total: Decimal | None = None
    status: str | None = None


class _NewPayment(_ByPerson):
    amount: Annotated[Decimal, Field(gt=0)]
    on: date | None = None


class _NewCredit(_ByPerson):
    amount: Annotated[Decimal, Field(gt=0)]
    credit_memo_id: int | None = None


class _Rewriting(_Body):
    by: str = OTHER_SYNC


class _Mutation(_ByPerson):
    count: Annotated[int, Field(ge=1, le=MAX_MUTATIONS)]
    what: Literal["due_date", "total"] = "due_date"


class _NewCompany(_ByPerson):
    identifier: Annotated[str, Field(min_length=1, max_length=30)]
    name: Annotated[str, Field(min_length=1, max_length=50)]
    email: str | None = None


class _CompanyChange(_ByPerson):
    name: Annotated[str, Field(min_length=1, max_length=50)] | None = None
    invoice_email: str | None = None
    phone_number: str | None = None


class _Merge(_ByPerson):
    into: int


class _NewEmail(_ByPerson):
    email: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$", max_length=250)]


class _Cell(_Body):
    module: str
    row: str
    action: Action
    level: Literal["None", "All"]


class _Codebase(_Body):
    codebase: Annotated[str, Field(pattern=r"^v[0-9]{4}_[0-9]+/$")] | None = None


class _CorruptRow(_Body):
    resource: str = PATHS[Kind.INVOICE]
    id: int
    flavour: Literal["breaks_page", "bad_total", "bad_type", "missing_currency"] | None = None
    fails_above_rows: Annotated[int, Field(ge=0)] | None = None
    overrides: dict[str, Any] = {}


class _SwitchChange(BaseModel):
    """Any switches by name; `Switches` itself checks names and values."""

    model_config = ConfigDict(extra="allow")


@dataclass(frozen=True, slots=True)
class _Command:
    method: str
    template: str
    answer: Callable[..., object]
    body: type[BaseModel] | None

    def match(self, method: str, path: str) -> list[int] | None:
        """Return the numbers in the path if the request names this command, else None."""
        pattern = re.sub(r"\{\w+\}", r"(\\d{1,10})", self.template)
        found = re.fullmatch(pattern, path) if method == self.method else None
        return [int(text) for text in found.groups()] if found else None


class Admin:
    """The admin interface carries out commands on the parts of an engine."""

    def __init__(self, tenant: Tenant, people: People, faults: FaultPlan, calls: CallLog) -> None:
        self._tenant = tenant
        self._people = people
        self._faults = faults
        self._calls = calls
        self._commands = self._all_commands()

    def handle(self, request: Request) -> Response:
        """Answer one request below `/_sandbox`."""
        path = request.path.removeprefix(ADMIN_PREFIX).rstrip("/") or "/"
        for command in self._commands:
            numbers = command.match(request.method, path)
            if numbers is not None:
                return self._run(command, numbers, request)
        return json_response(404, {"error": "no such command; GET /_sandbox lists them"})

    def _run(self, command: _Command, numbers: list[int], request: Request) -> Response:
        try:
            arguments: list[object] = [*numbers]
            if command.body is not None:
                arguments.append(command.body.model_validate_json(request.body or b"{}"))
            answer = command.answer(*arguments)
        except ValidationError as error:
            details = error.errors(include_url=False, include_context=False, include_input=False)
            return json_response(400, {"error": "invalid body", "details": details})
        except ApiError as error:
            return error.response
        except ValueError as error:
            return json_response(400, {"error": str(error)})
        return json_response(200, answer if answer is not None else {"ok": True})

    def _all_commands(self) -> list[_Command]:
        people, role = self._people, self._tenant.role
        return [
            _Command("GET", "/", self._list_commands, None),
            _Command("GET", "/health", self._show_health, None),
            _Command("GET", "/truth", self._show_truth, None),
            _Command("GET", "/calls", self._show_calls, None),
            _Command("DELETE", "/calls", self._calls.reset, None),
            _Command("GET", "/deliveries", self._show_deliveries, None),
            _Command("GET", "/switches", self._show_switches, None),
            _Command("PATCH", "/switches", self._set_switches, _SwitchChange),
            _Command("GET", "/faults", self._show_faults, None),
            _Command("POST", "/faults", self._faults.add, Fault),
            _Command("DELETE", "/faults", self._faults.clear, None),
            _Command("GET", "/permissions", role.matrix, None),
            _Command("PATCH", "/permissions", self._set_cell, _Cell),
            _Command("DELETE", "/permissions", role.reset, None),
            _Command("POST", "/corrupt-rows", self._corrupt_row, _CorruptRow),
            _Command("DELETE", "/corrupt-rows", self._tenant.corruptions.clear, None),
            _Command("POST", "/codebase", self._roll_codebase_over, _Codebase),
            _Command("POST", "/callback-key", people.rotate_callback_key, None),
            _Command("POST", "/invoices", self._create_invoice, _NewInvoice),
            _Command("PATCH", "/invoices/{id}", self._change_invoice, _InvoiceChange),
            _Command("DELETE", "/invoices/{id}", people.delete_invoice, None),
            _Command("GET", "/invoices/{id}/payments", self._show_payments, None),
            _Command("POST", "/invoices/{id}/payments", self._pay, _NewPayment),
            _Command("DELETE", "/invoices/{id}/payments/{payment_id}", people.delete_payment, None),
            _Command("POST", "/invoices/{id}/credits", self._credit, _NewCredit),
            _Command("POST", "/invoices/{id}/rewrite-payments", self._rewrite, _Rewriting),
            _Command("POST", "/invoices/{id}/close", people.close_invoice, None),
            _Command("POST", "/invoices/{id}/reopen", people.reopen_invoice, None),
            _Command("POST", "/invoices/{id}/batch", people.batch_invoice, None),
            _Command("POST", "/invoices/mutate", self._mutate, _Mutation),
            _Command("POST", "/companies", self._create_company, _NewCompany),
            _Command("PATCH", "/companies/{id}", self._change_company, _CompanyChange),
            _Command("DELETE", "/companies/{id}", people.delete_company, None),
            _Command("POST", "/companies/{id}/merge", self._merge, _Merge),
            _Command("PATCH", "/contacts/{id}", self._set_email, _NewEmail),
        ]

    # Looking ----------------------------------------------------------------------------------

    def _list_commands(self) -> object:
        return [
            {
                "method": command.method,
                "path": f"{ADMIN_PREFIX}{command.template}",
                "body": command.body.model_json_schema() if command.body else None,
            }
            for command in self._commands
        ]

    def _show_health(self) -> object:
        tenant = self._tenant
        return {
            "status": "ok",
            "now": wire_time(tenant.now),
            "codebase": tenant.codebase,
            "records": {kind.value: len(tenant.store[kind]) for kind in Kind},
            "callbacks_idle": tenant.deliveries.is_idle(),
        }

    def _show_truth(self) -> object:
        tenant = self._tenant
        invoices = [
            _true_invoice(with_balance(tenant, invoice), payments_of(tenant, invoice["id"]))
            for invoice in tenant.store[Kind.INVOICE]
        ]
        names = ("id", "identifier", "name", "deletedFlag")
        companies = [
            {name: company[name] for name in names if name in company}
            for company in tenant.store[Kind.COMPANY]
        ]
        return {"invoices": invoices, "companies": companies}

    def _show_calls(self) -> object:
        log = self._calls
        recent = [
            {"method": call.method, "target": call.target, "status": call.status}
            for call in log.recent(limit=100)
        ]
        return {"total": log.total, "counts": log.counts(), "recent": recent}

    def _show_deliveries(self) -> object:
        return [
            {
                "id": each.id,
                "callback_id": each.callback_id,
                "type": each.type,
                "record_id": each.record_id,
                "action": each.action,
                "state": each.state.value,
                "statuses": list(each.statuses),
                "due_at": wire_time(each.due_at),
            }
            for each in self._tenant.deliveries.all()
        ]

    def _show_switches(self) -> object:
        return self._tenant.switches.model_dump()

    def _show_faults(self) -> object:
        plan = self._faults
        waiting = [fault.model_dump(mode="json") for fault in plan.waiting()]
        return {"injected": plan.injected, "waiting": waiting}

    def _show_payments(self, invoice_id: int) -> object:
        self._tenant.get(Kind.INVOICE, invoice_id)
        return payments_of(self._tenant, invoice_id)

    # Setting ----------------------------------------------------------------------------------

    def _set_switches(self, wanted: BaseModel) -> object:
        merged = self._tenant.switches.model_dump() | wanted.model_dump(exclude_unset=True)
        self._tenant.switches = Switches.model_validate(merged)
        return self._show_switches()

    def _set_cell(self, cell: _Cell) -> object:
        role = self._tenant.role
        role.set_cell(cell.module, cell.row, cell.action, cell.level)
        return role.matrix()

    def _corrupt_row(self, row: _CorruptRow) -> None:
        kind = next((kind for kind, path in PATHS.items() if path == row.resource), None)
        if kind is None:
            raise ValueError(f"no resource {row.resource}")
        self._tenant.get(kind, row.id)
        limit = row.fails_above_rows
        if row.flavour == "breaks_page" and limit is None:
            limit = 0
        overrides = {**_FLAVOURS.get(row.flavour or "", {}), **row.overrides}
        self._tenant.corruptions[kind, row.id] = Corruption(limit, overrides)

    def _roll_codebase_over(self, wanted: _Codebase) -> object:
        return {"codebase": self._people.roll_codebase_over(wanted.codebase)}

    # Editing ----------------------------------------------------------------------------------

    def _create_invoice(self, new: _NewInvoice) -> object:
        lines = [NewLine(line.description, line.amount, line.quantity) for line in new.lines]
        return self._people.create_invoice(
            new.company_id, lines, type_name=new.type, due_on=new.due_on, by=new.by
        )

    def _change_invoice(self, invoice_id: int, change: _InvoiceChange) -> object:
        people = self._people
        if change.due_on is not None:
            people.change_due_date(invoice_id, change.due_on, change.by)
        if change.total is not None:
            people.change_total(invoice_id, change.total, change.by)
        if change.status is not None:
            people.set_status(invoice_id, change.status, change.by)
        return self._tenant.get(Kind.INVOICE, invoice_id)

    def _pay(self, invoice_id: int, new: _NewPayment) -> object:
        return self._people.record_payment(invoice_id, new.amount, new.on, new.by)

    def _credit(self, invoice_id: int, new: _NewCredit) -> object:
        return self._people.apply_credit(invoice_id, new.amount, new.credit_memo_id, new.by)

    def _rewrite(self, invoice_id: int, wanted: _Rewriting) -> object:
        return self._people.rewrite_payments(invoice_id, wanted.by)

    def _mutate(self, wanted: _Mutation) -> object:
        return {"ids": self._people.mutate_invoices(wanted.count, wanted.what, wanted.by)}

    def _create_company(self, new: _NewCompany) -> object:
        return self._people.create_company(new.identifier, new.name, new.email, new.by)

    def _change_company(self, company_id: int, change: _CompanyChange) -> object:
        named = {
            "name": change.name,
            "invoiceToEmailAddress": change.invoice_email,
            "phoneNumber": change.phone_number,
        }
        changes = {name: value for name, value in named.items() if value is not None}
        return self._people.change_company(company_id, changes, change.by)

    def _merge(self, losing_id: int, merge: _Merge) -> None:
        self._people.merge_companies(losing_id, merge.into, merge.by)

    def _set_email(self, contact_id: int, new: _NewEmail) -> object:
        return self._people.set_email(contact_id, new.email, new.by)


def _true_invoice(invoice: Record, payments: list[Record]) -> Record:
    names = ("id", "invoiceNumber", "type", *_MONEY, "dueDate", "status")
    return {
        **{name: invoice[name] for name in names if name in invoice},
        "company_id": invoice["company"]["id"],
        "currency": invoice.get("currency", {}).get("currencyCode"),
        "last_updated": invoice["_info"]["lastUpdated"],
        "payment_rows": [_true_payment(payment) for payment in payments],
    }


def _true_payment(payment: Record) -> Record:
    credit = payment.get("credit", {}).get("id")
    return {
        "id": payment["id"],
        "amount": payment["amount"],
        "date": payment["paymentDate"],
        "applied_by": payment["appliedBy"],
        "credit_memo_id": credit,
    }
