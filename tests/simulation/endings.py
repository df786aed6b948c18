"""What must hold when the bad days are over and everything has come to rest."""

from __future__ import annotations

from bridge.domain.customer import Customer
from bridge.domain.identity import RecordKind
from bridge.domain.invoice import Invoice
from bridge.domain.mirrored_kinds import CUSTOMERS, INVOICES
from bridge.domain.problem import Problem, ProblemCode, record_subject
from bridge.domain.run import RunKind, RunState
from bridge.ports import PaymentQuery, Stored
from connectwise_sandbox.kinds import Kind
from tests.simulation.parts import Invariant
from tests.simulation.truth import (
    differences,
    mirrored_customer,
    mirrored_invoice,
    mirrored_payment,
    true_customer,
    true_invoice,
)
from tests.simulation.wiring import Wiring
from tests.simulation.world import CONNECTION_ID, PARTNER_ID, World

_RECORD_PROBLEMS = (ProblemCode.RECORD_MALFORMED, ProblemCode.RECORD_PARKED)


class CustomersAgree(Invariant):
    """R4: every customer that the filters want is mirrored as ConnectWise has it now."""

    name = "customers agree"

    def at_end(self, world: World) -> None:
        stored = _stored(world, RecordKind.CUSTOMER)
        companies = world.engine.tenant.store[Kind.COMPANY]
        for source_id in sorted({record["id"] for record in companies} | stored.keys()):
            self._compare(world, source_id, stored.get(source_id))

    def _compare(self, world: World, source_id: int, customer: object) -> None:
        true = true_customer(world.engine, source_id)
        if customer is None:
            if true and not true.is_deleted and _is_wanted(world, RecordKind.CUSTOMER, source_id):
                world.violate(self.name, f"{source_id} is missing")
            return
        assert isinstance(customer, Customer)
        if true is None:
            if customer.archive is None:
                world.violate(self.name, f"{source_id} is gone from ConnectWise")
            return
        mirrored = mirrored_customer(customer)
        if mirrored.is_deleted and (
            true.is_deleted or not _is_wanted(world, RecordKind.CUSTOMER, source_id)
        ):
            return
        if mirrored != true:
            world.violate(self.name, f"{source_id}: {differences(true, mirrored)}")


class InvoicesAgree(Invariant):
    """R4: every invoice that the filters want is mirrored as ConnectWise has it now.

    One that a problem is open for may lag behind while its row is corrupt.
    """

    name = "invoices agree"

    def at_end(self, world: World) -> None:
        stored = _stored(world, RecordKind.INVOICE)
        excused = _corrupt_with_problem(world)
        invoices = world.engine.tenant.store[Kind.INVOICE]
        for source_id in sorted({record["id"] for record in invoices} | stored.keys()):
            if source_id not in excused:
                self._compare(world, source_id, stored.get(source_id))

    def _compare(self, world: World, source_id: int, invoice: object) -> None:
        true = true_invoice(world.engine, source_id)
        if invoice is None:
            if true and _is_wanted(world, RecordKind.INVOICE, source_id):
                world.violate(self.name, f"{source_id} is missing")
            return
        assert isinstance(invoice, Invoice)
        if invoice.archive and true and not _is_wanted(world, RecordKind.INVOICE, source_id):
            # Hidden when it was looked for, and beside the filter since it shows again.
            return
        if (invoice.archive is None) != (true is not None):
            world.violate(self.name, f"{source_id}: archive is {invoice.archive}")
        if true is None:
            return
        mirrored = mirrored_invoice(invoice)
        if mirrored != true:
            world.violate(self.name, f"{source_id}: {differences(true, mirrored)}")
        self._compare_payments(world, invoice)

    def _compare_payments(self, world: World, invoice: Invoice) -> None:
        """The list of payments shows those of the invoice, and none that are gone."""
        query = PaymentQuery(invoice_id=invoice.invoice_id)
        listed = world.outside.records.list_payments(PARTNER_ID, query, limit=100).items
        if set(map(mirrored_payment, listed)) != set(map(mirrored_payment, invoice.payments)):
            world.violate(self.name, f"{invoice.source_id}: listed payments differ")


class ProblemsHaveCauses(Invariant):
    """A problem is open exactly while its cause lasts, if those do their part who must."""

    name = "problems have causes"

    def at_end(self, world: World) -> None:
        problems = world.outside.problems.open_of_connection(PARTNER_ID, CONNECTION_ID)
        for problem in problems.values():
            if not _has_cause(world, problem):
                world.violate(self.name, f"{problem.code.value} {problem.subject} has none")


class QueuesAreEmpty(Invariant):
    name = "queues are empty"

    def at_end(self, world: World) -> None:
        for queue in world.queues.values():
            for message in queue.messages:
                world.violate(self.name, f"{queue.name}: {message.body}")


class NoRunIsStuck(Invariant):
    """Every run has ended, and the connection works. A sweep makes a failed import good."""

    name = "no run is stuck"

    def at_end(self, world: World) -> None:
        page = world.outside.runs.list_of_connection(CONNECTION_ID, limit=1000)
        for run in page.items:
            if not run.has_ended:
                world.violate(self.name, f"{run.kind.value} is {run.state.value}")
        ended = {run.kind for run in page.items if run.state is RunState.SUCCEEDED}
        for kind in (RunKind.SWEEP, RunKind.INVOICES, RunKind.CUSTOMERS):
            if kind not in ended:
                world.violate(self.name, f"no {kind.value} ever succeeded")
        if world.connection.state.value != "active":
            world.violate(self.name, f"the connection is {world.connection.state.value}")


def _stored(world: World, kind: RecordKind) -> dict[int, Customer | Invoice]:
    records = world.outside.records
    heads = records.list_mirrored(
        PARTNER_ID, CONNECTION_ID, kind, after_id=0, through_id=None, limit=5000
    )
    ids = [head.source_id for head in heads]
    found: dict[int, Stored[Customer] | Stored[Invoice]] = {}
    if kind is RecordKind.CUSTOMER:
        found.update(records.get_mirrored(CUSTOMERS, PARTNER_ID, CONNECTION_ID, ids))
    else:
        found.update(records.get_mirrored(INVOICES, PARTNER_ID, CONNECTION_ID, ids))
    return {source_id: item.value for source_id, item in found.items() if item.value}


def _is_wanted(world: World, kind: RecordKind, source_id: int) -> bool:
    """Ask the filters about a record that is not mirrored, as the adapter reads it now."""
    filters = world.connection.filters

    def look(wiring: Wiring) -> bool:
        psa = wiring.gateway.open(world.connection)
        if kind is RecordKind.CUSTOMER:
            customer = psa.fetch(CUSTOMERS, [source_id]).found.get(source_id)
            return customer is not None and filters.customer.accepts(customer)
        invoice = psa.fetch(INVOICES, [source_id]).found.get(source_id)
        if invoice is None or not filters.invoice.accepts(invoice):
            return invoice is not None and source_id in _corrupt_with_problem(world)
        payer_id = invoice.customer_source_id or 0
        payer = psa.fetch(CUSTOMERS, [payer_id]).found.get(payer_id)
        return payer is not None and filters.customer.accepts(payer)

    return world.invoke("look", 600, look).value is True


def _corrupt_with_problem(world: World) -> set[int]:
    problems = world.outside.problems.open_of_connection(PARTNER_ID, CONNECTION_ID)
    subjects = {p.subject for p in problems.values() if p.code in _RECORD_PROBLEMS}
    return {
        source_id
        for source_id in _corrupt_invoices(world)
        if record_subject(RecordKind.INVOICE, source_id) in subjects
    }


def _corrupt_invoices(world: World) -> set[int]:
    """Return invoices with a row that cannot be read: their own, or a line's."""
    found = set()
    tenant = world.engine.tenant
    for kind, source_id in tenant.corruptions:
        record = tenant.store[kind].get(source_id) or {}
        found.add(source_id if kind is Kind.INVOICE else record.get("invoice", {}).get("id", 0))
    return found


def _has_cause(world: World, problem: Problem) -> bool:
    kind, _, text = problem.subject.partition("/")
    if problem.code in _RECORD_PROBLEMS:
        if kind == RecordKind.CUSTOMER.value:
            return (Kind.COMPANY, int(text)) in world.engine.tenant.corruptions
        return int(text) in _corrupt_invoices(world)
    return False
