"""What must hold when the bad days are over and everything has come to rest."""

from __future__ import annotations

from dataclasses import replace

from bridge.domain.customer import Customer
from bridge.domain.identity import RecordKind
from bridge.domain.invoice import Invoice
from bridge.domain.mirrored_kinds import CUSTOMERS, INVOICES
from bridge.domain.problem import Problem, ProblemCode, record_of_subject
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
from tests.simulation.wanted import payer_id_of, refusal_of_company, refusal_of_invoice
from tests.simulation.world import CONNECTION_ID, PARTNER_ID, World

MANY = 1_000
_TOLD_BY = (
    ProblemCode.RECORD_MALFORMED,
    ProblemCode.RECORD_PARKED,
    ProblemCode.RECORD_INCOMPLETE,
    ProblemCode.PAYER_UNREADABLE,
)


class CustomersAgree(Invariant):
    """R4: every customer that the filters want is mirrored as ConnectWise has it now.

    One that cannot be read may lag behind, or be stood in for, while a problem tells of it. A name
    only explains: one that cannot be read is left out without a problem.
    """

    name = "customers agree"

    def at_end(self, world: World) -> None:
        stored = _stored(world, RecordKind.CUSTOMER)
        companies = world.engine.tenant.store[Kind.COMPANY]
        excused = _corrupt(world, Kind.COMPANY) & _told(world, RecordKind.CUSTOMER)
        for source_id in sorted({record["id"] for record in companies} | stored.keys()):
            if source_id not in excused:
                self._compare(world, source_id, stored.get(source_id))

    def _compare(self, world: World, source_id: int, customer: object) -> None:
        true = true_customer(world.engine, source_id)
        record = world.engine.tenant.store[Kind.COMPANY].get(source_id)
        is_wanted = record is not None and refusal_of_company(world, record) is None
        if customer is None:
            if true and not true.is_deleted and is_wanted:
                world.violate(self.name, f"{source_id} is missing")
            return
        assert isinstance(customer, Customer)
        if true is None:
            if customer.archive is None:
                world.violate(self.name, f"{source_id} is gone from ConnectWise")
            return
        mirrored = mirrored_customer(customer)
        corruption = world.engine.tenant.corruptions.get((Kind.COMPANY, source_id))
        if corruption and "name" in corruption.overrides:
            mirrored = replace(mirrored, name=true.name)
        if mirrored.is_deleted and (true.is_deleted or not is_wanted):
            return
        if mirrored != true:
            world.violate(self.name, f"{source_id}: {differences(true, mirrored)}")


class InvoicesAgree(Invariant):
    """R4, R12: every invoice that ConnectWise shows is mirrored as it is there now, or a filter
    leaves it outside, or an open problem of the invoice or of its payer tells of it.

    One that a problem is open for may lag behind while its row is corrupt, and may lack lines
    while theirs are.
    """

    name = "invoices agree"

    def __init__(self) -> None:
        self._lacks_lines: set[int] = set()

    def at_end(self, world: World) -> None:
        stored = _stored(world, RecordKind.INVOICE)
        excused = _corrupt_invoices(world) & _told(world, RecordKind.INVOICE)
        self._lacks_lines = _with_corrupt_lines(world) & _told(world, RecordKind.INVOICE)
        invoices = world.engine.tenant.store[Kind.INVOICE]
        for source_id in sorted({record["id"] for record in invoices} | stored.keys()):
            if source_id not in excused:
                self._compare(world, source_id, stored.get(source_id))

    def _compare(self, world: World, source_id: int, invoice: object) -> None:
        true = true_invoice(world.engine, source_id)
        if invoice is None:
            if true and _is_unaccounted(world, source_id):
                world.violate(self.name, f"{source_id} is missing")
            return
        assert isinstance(invoice, Invoice)
        if invoice.archive and true and not _is_unaccounted(world, source_id):
            # Hidden when it was looked for, and beside the filter since it shows again.
            return
        if (invoice.archive is None) != (true is not None):
            world.violate(self.name, f"{source_id}: archive is {invoice.archive}")
        if true is None:
            return
        mirrored = mirrored_invoice(invoice)
        if source_id in self._lacks_lines:
            mirrored = replace(mirrored, lines=true.lines)
        if mirrored != true:
            world.violate(self.name, f"{source_id}: {differences(true, mirrored)}")
        self._compare_payments(world, invoice)

    def _compare_payments(self, world: World, invoice: Invoice) -> None:
        """The list of payments shows those of the invoice, and none that are gone."""
        query = PaymentQuery(invoice_id=invoice.invoice_id)
        listed = world.outside.records.list_payments(PARTNER_ID, query, limit=MANY).items
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
    """Every run has ended, and the connection works. A sweep makes a failed import good; a run or a
    quiet look knows of all changes."""

    name = "no run is stuck"

    def at_end(self, world: World) -> None:
        page = world.outside.runs.list_of_connection(CONNECTION_ID, limit=1000)
        for run in page.items:
            if not run.has_ended:
                world.violate(self.name, f"{run.kind.value} is {run.state.value}")
        ended = {run.kind for run in page.items if run.state is RunState.SUCCEEDED}
        if RunKind.SWEEP not in ended:
            world.violate(self.name, "no sweep ever succeeded")
        for kind in (RecordKind.INVOICE, RecordKind.CUSTOMER):
            if world.outside.runs.get_watermark(CONNECTION_ID, kind) is None:
                world.violate(self.name, f"the changes of no {kind.value} were ever known")
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


def _is_unaccounted(world: World, source_id: int) -> bool:
    """Tell whether an invoice that ConnectWise shows is owed to the mirror: no filter leaves it
    outside, and no problem of it or of its payer is open."""
    invoice = world.engine.tenant.store[Kind.INVOICE].get(source_id) or {}
    if refusal_of_invoice(world, invoice) or source_id in _told(world, RecordKind.INVOICE):
        return False
    payer_id = payer_id_of(invoice)
    cannot_be_judged = world.engine.tenant.store[Kind.COMPANY].get(payer_id) is None
    is_hidden = cannot_be_judged or payer_id in _corrupt(world, Kind.COMPANY)
    return not (is_hidden and payer_id in _told(world, RecordKind.CUSTOMER))


def _told(world: World, kind: RecordKind) -> set[int]:
    """Return the records of a kind that an open problem is about."""
    problems = world.outside.problems.open_of_connection(PARTNER_ID, CONNECTION_ID)
    named = (
        record_of_subject(problem.subject)
        for problem in problems.values()
        if problem.code in _TOLD_BY
    )
    return {source_id for told, source_id in filter(None, named) if told is kind}


def _corrupt(world: World, kind: Kind) -> set[int]:
    return {source_id for corrupt, source_id in world.engine.tenant.corruptions if corrupt is kind}


def _corrupt_invoices(world: World) -> set[int]:
    """Return invoices whose own row cannot be read, or a payment's."""
    payments = world.engine.tenant.store[Kind.PAYMENT]
    rows = filter(None, map(payments.get, _corrupt(world, Kind.PAYMENT)))
    return _corrupt(world, Kind.INVOICE) | {row["invoice"]["id"] for row in rows}


def _with_corrupt_lines(world: World) -> set[int]:
    """Return invoices that have a line which cannot be read."""
    products = world.engine.tenant.store[Kind.PRODUCT]
    rows = filter(None, map(products.get, _corrupt(world, Kind.PRODUCT)))
    return {row["invoice"]["id"] for row in rows if "invoice" in row}


def _has_cause(world: World, problem: Problem) -> bool:
    record = record_of_subject(problem.subject)
    if problem.code is ProblemCode.BOOKS_PARTLY_HIDDEN:
        return world.engine.switches.visible_location_ids is not None
    if record is None or problem.code not in _TOLD_BY:
        return False
    kind, source_id = record
    if problem.code is ProblemCode.RECORD_INCOMPLETE:
        return source_id in _with_corrupt_lines(world)
    if kind is RecordKind.INVOICE:
        return source_id in _corrupt_invoices(world)
    is_gone = world.engine.tenant.store[Kind.COMPANY].get(source_id) is None
    is_unreadable = source_id in _corrupt(world, Kind.COMPANY)
    return is_unreadable or (is_gone and problem.code is ProblemCode.PAYER_UNREADABLE)
