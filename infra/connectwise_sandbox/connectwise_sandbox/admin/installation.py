"""These commands show the sandbox, set its behaviour, and spoil its answers."""

from __future__ import annotations

from collections.abc import Mapping

from connectwise_sandbox.admin.bodies import Cell, Codebase, CorruptRow, SwitchChange
from connectwise_sandbox.admin.command import Command, kind_of
from connectwise_sandbox.call_log import CallLog
from connectwise_sandbox.clock import wire_time
from connectwise_sandbox.faults import Fault, FaultPlan
from connectwise_sandbox.finance.balances import payments_of, with_balance
from connectwise_sandbox.kinds import Kind, Record
from connectwise_sandbox.messages import RawJson
from connectwise_sandbox.people import People
from connectwise_sandbox.switches import Switches
from connectwise_sandbox.tenant import Corruption, Tenant

_FLAVOURS: Mapping[str, Record] = {
    "breaks_page": {},
    "bad_total": {"total": "abc"},
    "bad_type": {"type": "Hologram"},
    "missing_currency": {"currency": None},
}
_MONEY = ("total", "payments", "credits", "balance")


class InstallationCommands:
    """These commands look at an engine's parts and set its behaviour."""

    def __init__(self, tenant: Tenant, people: People, faults: FaultPlan, calls: CallLog) -> None:
        self._tenant = tenant
        self._people = people
        self._faults = faults
        self._calls = calls

    def commands(self) -> list[Command]:
        """Return the commands."""
        return [
            Command("GET", "/health", self._show_health, None),
            Command("GET", "/truth", self._show_truth, None),
            Command("GET", "/calls", self._show_calls, None),
            Command("DELETE", "/calls", self._reset_calls, None),
            Command("GET", "/deliveries", self._show_deliveries, None),
            Command("GET", "/switches", self._show_switches, None),
            Command("PATCH", "/switches", self._set_switches, SwitchChange),
            Command("GET", "/faults", self._show_faults, None),
            Command("POST", "/faults", self._add_fault, Fault),
            Command("DELETE", "/faults", self._clear_faults, None),
            Command("GET", "/permissions", self._show_permissions, None),
            Command("PATCH", "/permissions", self._set_cell, Cell),
            Command("DELETE", "/permissions", self._reset_permissions, None),
            Command("POST", "/corrupt-rows", self._corrupt_row, CorruptRow),
            Command("DELETE", "/corrupt-rows", self._mend_rows, None),
            Command("POST", "/codebase", self._roll_codebase_over, Codebase),
            Command("POST", "/callback-key", self._people.rotate_callback_key, None),
        ]

    def _show_health(self) -> object:
        """Show the time, the codebase and the number of records of each kind."""
        tenant = self._tenant
        return {
            "status": "ok",
            "now": wire_time(tenant.now),
            "server_time": wire_time(tenant.server_time),
            "codebase": tenant.codebase,
            "records": {kind.value: len(tenant.store[kind]) for kind in Kind},
            "callbacks_idle": tenant.deliveries.is_idle(),
        }

    def _show_truth(self) -> object:
        """Show true balances and payments of all invoices, and all companies."""
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
        """Show the number of calls by route, and the latest calls."""
        log = self._calls
        recent = [
            {"method": call.method, "target": call.target, "status": call.status}
            for call in log.recent(limit=100)
        ]
        return {"total": log.total, "counts": log.counts(), "recent": recent}

    def _show_deliveries(self) -> object:
        """Show callbacks that were sent or wait, with the statuses answered."""
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
        """Show every switch."""
        return self._tenant.switches.model_dump()

    def _show_faults(self) -> object:
        """Show the faults that wait, and how many struck."""
        plan = self._faults
        waiting = [fault.model_dump(mode="json") for fault in plan.waiting()]
        return {"injected": plan.injected, "waiting": waiting}

    def _show_permissions(self) -> object:
        """Show the security role of the API member."""
        return self._tenant.role.matrix()

    def _set_switches(self, wanted: SwitchChange) -> object:
        """Set switches by name."""
        merged = self._tenant.switches.model_dump() | wanted.model_dump(exclude_unset=True)
        self._tenant.switches = Switches.model_validate(merged)
        return self._show_switches()

    def _set_cell(self, cell: Cell) -> object:
        """Grant or deny one action of the security role."""
        role = self._tenant.role
        role.set_cell(cell.module, cell.row, cell.action, cell.level)
        return role.matrix()

    def _reset_calls(self) -> None:
        """Count calls anew."""
        self._calls.reset()

    def _add_fault(self, fault: Fault) -> None:
        """Spoil the next requests that match a method and a path."""
        self._faults.add(fault)

    def _clear_faults(self) -> None:
        """Forget the faults that wait."""
        self._faults.clear()

    def _reset_permissions(self) -> None:
        """Return to the rights at the start."""
        self._tenant.role.reset()

    def _mend_rows(self) -> None:
        """Mend all corrupt rows."""
        self._tenant.corruptions.clear()

    def _corrupt_row(self, row: CorruptRow) -> None:
        """Break the pages that hold a row, or let the row show nonsense."""
        kind = kind_of(row.resource)
        self._tenant.get(kind, row.id)
        limit = row.fails_above_rows
        if row.flavour == "breaks_page" and limit is None:
            limit = 0
        raw = {name: RawJson(text) for name, text in row.raw_overrides.items()}
        overrides = {**_FLAVOURS.get(row.flavour or "", {}), **row.overrides, **raw}
        raw_row = None if row.raw_row is None else RawJson(row.raw_row)
        self._tenant.corruptions[kind, row.id] = Corruption(limit, overrides, raw_row)

    def _roll_codebase_over(self, wanted: Codebase) -> object:
        """Upgrade the installation, which ends the old codebase."""
        return {"codebase": self._people.roll_codebase_over(wanted.codebase)}


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
