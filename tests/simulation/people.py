"""The people: those who work in ConnectWise, and the partner's own at the dashboard."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from bridge.domain.connection import Connection, ConnectionState
from bridge.domain.errors import BridgeError
from bridge.domain.identity import mirrored_id
from bridge.domain.problem import ProblemCode, record_of_subject
from bridge.domain.run import RunKind
from bridge.domain.work_messages import PdfRequest
from bridge.runs.start import ManualFetch
from connectwise_sandbox.clock import day_of
from connectwise_sandbox.errors import ApiError
from connectwise_sandbox.finance.balances import payments_of
from connectwise_sandbox.kinds import Kind, Record
from connectwise_sandbox.people import NewLine
from tests.simulation.parts import Actor
from tests.simulation.wiring import Wiring
from tests.simulation.world import CONNECTION_ID, PARTNER_ID, World

API_TIMEOUT_SECONDS = 29.0
Edit = Callable[[World], str]
"""Changes something in ConnectWise and says what."""
FEWEST_COMPANIES = 4
FEWEST_INVOICES = 15


class ConnectWiseStaff(Actor):
    """Edits the books, about every ``minutes_between_edits``, and now and then in between."""

    name = "person"

    def __init__(self, edits: Sequence[Edit], minutes_between_edits: float) -> None:
        self._edits = edits
        self._minutes_between_edits = minutes_between_edits
        self._next_at: datetime | None = None

    def weight(self, world: World) -> float:
        if world.is_calm:
            return 0.0
        is_due = self._next_at is None or self._next_at <= world.clock.now()
        return 3.0 if is_due else 0.1

    def act(self, world: World) -> str:
        minutes = world.random.expovariate(1 / self._minutes_between_edits)
        self._next_at = world.clock.now() + timedelta(minutes=minutes)
        edit = world.random.choice(self._edits)
        try:
            return f"{_name(edit)}: {edit(world)}"
        except ApiError as error:
            return f"{_name(edit)}: refused with {error.response.status}"


class Accountant(Actor):
    """Works through the open problems that wait for a person, and verifies what is degraded."""

    name = "accountant"

    def __init__(self) -> None:
        self._next_at: datetime | None = None

    def weight(self, world: World) -> float:
        is_due = self._next_at is None or self._next_at <= world.clock.now()
        return (1.0 if world.is_calm else 0.3) if is_due and self._tasks(world) else 0.0

    def act(self, world: World) -> str:
        self._next_at = world.clock.now() + timedelta(minutes=30)
        name, task = world.random.choice(self._tasks(world))
        connection = world.connection
        invocation = world.invoke(
            "dashboard_api", API_TIMEOUT_SECONDS, lambda wiring: task(wiring, connection)
        )
        return f"{name}: {invocation.has_succeeded}"

    def _tasks(self, world: World) -> list[tuple[str, Task]]:
        """Return what does not heal by itself. A brake is released when all is calm only:
        before, what looks deleted may just be hidden."""
        problems = world.outside.problems.open_of_connection(PARTNER_ID, CONNECTION_ID)
        state = world.connection.state
        if not problems and state is not ConnectionState.DEGRADED:
            return []
        codes = {problem.code for problem in problems.values()}
        tasks: list[tuple[str, Task]] = []
        if state is ConnectionState.DEGRADED or codes & _TURNED_AWAY:
            tasks.append(("verifies the connection", _verify))
        is_hidden = world.engine.switches.visible_location_ids is not None
        if world.is_calm and not is_hidden and ProblemCode.BOOKS_PARTLY_HIDDEN in codes:
            tasks.append(("tells that all is visible", _verify))
        if any(problem.subject == "run/import" for problem in problems.values()):
            tasks.append(("starts the import again", _import))
        if world.is_calm and ProblemCode.MASS_ARCHIVE_STOPPED in codes:
            tasks.append(("approves the archiving", _approve))
        if world.is_calm and ProblemCode.PDF_UNAVAILABLE in codes:
            tasks.append(("asks for PDFs again", _ask_for_pdfs))
        return tasks


Task = Callable[[Wiring, Connection], object]
_TURNED_AWAY = {ProblemCode.RIGHT_MISSING, ProblemCode.CREDENTIALS_REJECTED}


def _verify(wiring: Wiring, connection: Connection) -> None:
    wiring.verifier.verify(connection)


def _import(wiring: Wiring, connection: Connection) -> None:
    wiring.run_starter.start(connection, RunKind.IMPORT)


def _ask_for_pdfs(wiring: Wiring, connection: Connection) -> None:
    problems = wiring.problems.open_of_connection(PARTNER_ID, CONNECTION_ID)
    records = (
        record_of_subject(problem.subject)
        for problem in problems.values()
        if problem.code is ProblemCode.PDF_UNAVAILABLE
    )
    requests = [
        PdfRequest(CONNECTION_ID, mirrored_id(CONNECTION_ID, source_id))
        for _, source_id in filter(None, records)
    ]
    wiring.pdf_queue.send(requests, partner_id=PARTNER_ID)


def _approve(wiring: Wiring, connection: Connection) -> None:
    wiring.run_starter.start(connection, RunKind.SWEEP, archive_is_approved=True)


class ImpatientUser(Actor):
    """Clicks the two manual fetches, whether they are free or not."""

    name = "manual fetch"

    def weight(self, world: World) -> float:
        return 0.0 if world.is_calm else 0.02

    def act(self, world: World) -> str:
        kind = world.random.choice((RunKind.FETCH_NEW, RunKind.FETCH_UNPAID))
        connection = world.connection

        def click(wiring: Wiring) -> str:
            fetch: ManualFetch = wiring.manual_fetch
            try:
                fetch.start(connection, kind)
            except BridgeError as error:
                return type(error).__name__
            return "started"

        return f"{kind.value}: {world.invoke('manual_fetch', API_TIMEOUT_SECONDS, click).value}"


# --- what people do in ConnectWise ----------------------------------------------------------------


def _name(edit: Edit) -> str:
    return edit.__name__.replace("_", " ")


def _invoice(world: World) -> Record:
    return world.random.choice(list(world.engine.tenant.store[Kind.INVOICE]))


def _company(world: World) -> Record:
    return world.random.choice(companies_in_use(world))


def companies_in_use(world: World, *, is_deleted: bool = False) -> list[Record]:
    """Return the companies that are not marked deleted, or those that are."""
    return [
        record
        for record in world.engine.tenant.store[Kind.COMPANY]
        if (record.get("deletedFlag") is True) == is_deleted
    ]


def _amount(world: World, invoice: Record) -> Decimal:
    """Return a part of what is owed, or all of it."""
    unit = Decimal(1).scaleb(-int(invoice["currency"]["numberOfDecimals"]))
    share = world.random.choice((Decimal("0.25"), Decimal("0.5"), Decimal(1)))
    part: Decimal = (invoice["balance"] * share).quantize(unit)
    return max(unit, part)


def create_invoice(world: World) -> str:
    company = _company(world)
    lines = [
        NewLine(f"Service {number}", Decimal(world.random.randint(1, 900)))
        for number in range(world.random.randint(0, 3))
    ]
    return str(world.engine.people.create_invoice(company["id"], lines)["id"])


def change_due_date(world: World) -> str:
    invoice = _invoice(world)
    before = day_of(invoice.get("dueDate") or invoice["date"])
    due_on: date = before + timedelta(days=world.random.randint(1, 30))
    world.engine.people.change_due_date(invoice["id"], due_on)
    return f"{invoice['id']} to {due_on}"


def change_total(world: World) -> str:
    invoice = _invoice(world)
    total = invoice["total"] + world.random.randint(1, 50)
    world.engine.people.change_total(invoice["id"], total)
    return f"{invoice['id']} to {total}"


def change_status(world: World) -> str:
    invoice = _invoice(world)
    status = world.random.choice(list(world.engine.tenant.store[Kind.BILLING_STATUS]))
    world.engine.people.set_status(invoice["id"], status["name"])
    return f"{invoice['id']} to {status['id']}"


def close_invoice(world: World) -> str:
    return str(world.engine.people.close_invoice(_invoice(world)["id"])["id"])


def reopen_invoice(world: World) -> str:
    return str(world.engine.people.reopen_invoice(_invoice(world)["id"])["id"])


def batch_invoice(world: World) -> str:
    invoice = _invoice(world)
    world.engine.people.batch_invoice(invoice["id"])
    return str(invoice["id"])


def pay(world: World) -> str:
    invoice = _invoice(world)
    amount = _amount(world, invoice)
    world.engine.people.record_payment(invoice["id"], amount)
    return f"{amount} on {invoice['id']}"


def apply_credit(world: World) -> str:
    invoice = _invoice(world)
    if invoice["balance"] <= 0:
        return "none"
    amount = _amount(world, invoice)
    world.engine.people.apply_credit(invoice["id"], amount)
    return f"{amount} on {invoice['id']}"


def delete_payment(world: World) -> str:
    payments = list(world.engine.tenant.store[Kind.PAYMENT])
    if not payments or not world.engine.switches.payment_touches_last_updated:
        # An equal one could take its place, and nothing but its id would tell.
        return "none"
    payment = world.random.choice(payments)
    world.engine.people.delete_payment(payment["invoice"]["id"], payment["id"])
    return f"{payment['id']} of {payment['invoice']['id']}"


def rewrite_payments(world: World) -> str:
    payments = list(world.engine.tenant.store[Kind.PAYMENT])
    if not payments or not world.engine.switches.payment_touches_last_updated:
        return "none"
    invoice_id = world.random.choice(payments)["invoice"]["id"]
    world.engine.people.rewrite_payments(invoice_id)
    return f"{len(payments_of(world.engine.tenant, invoice_id))} of {invoice_id}"


def delete_invoice(world: World) -> str:
    if len(world.engine.tenant.store[Kind.INVOICE]) <= FEWEST_INVOICES:
        return "none"
    invoice = _invoice(world)
    world.engine.people.delete_invoice(invoice["id"])
    return str(invoice["id"])


def clear_out_invoices(world: World) -> str:
    """Delete so many that the brake holds the comparison if no callback tells of them."""
    invoices = list(world.engine.tenant.store[Kind.INVOICE])
    spare = min(len(invoices) - FEWEST_INVOICES, 14)
    if spare < 12 or world.random.random() < 0.8:
        return "none"
    for invoice in world.random.sample(invoices, spare):
        world.engine.people.delete_invoice(invoice["id"])
    return f"{spare} of them"


def create_company(world: World) -> str:
    number = len(world.engine.tenant.store[Kind.COMPANY]) + 1
    email = f"ap{number}@customer.example" if world.random.random() < 0.5 else None
    created = world.engine.people.create_company(f"New{number}", f"New Customer {number}", email)
    return str(created["id"])


def change_company(world: World) -> str:
    company = _company(world)
    suffix = world.random.randint(1, 999)
    changes = world.random.choice(
        (
            {"name": f"Renamed {suffix}"},
            {"invoiceToEmailAddress": f"ap{suffix}@moved.example"},
            {"invoiceToEmailAddress": None},
        )
    )
    world.engine.people.change_company(company["id"], changes)
    return f"{company['id']} {sorted(changes)}"


def delete_company(world: World) -> str:
    if len(companies_in_use(world)) <= FEWEST_COMPANIES:
        return "none"
    return str(world.engine.people.delete_company(_company(world)["id"])["id"])


def restore_company(world: World) -> str:
    """Undo a deletion. A merger cannot be undone: the contacts have moved."""
    deleted = [each for each in companies_in_use(world, is_deleted=True) if "dateDeleted" in each]
    if not deleted:
        return "none"
    company = world.random.choice(deleted)
    restored = {"deletedFlag": False, "dateDeleted": None, "deletedBy": None}
    world.engine.people.change_company(company["id"], restored)
    return str(company["id"])


def merge_companies(world: World) -> str:
    losing, winning = _company(world), _company(world)
    if losing["id"] == winning["id"] or len(companies_in_use(world)) <= FEWEST_COMPANIES:
        return "none"
    world.engine.people.merge_companies(losing["id"], winning["id"])
    return f"{losing['id']} into {winning['id']}"


def change_contact_email(world: World) -> str:
    contact = world.random.choice(list(world.engine.tenant.store[Kind.CONTACT]))
    email = f"contact{world.random.randint(1, 999)}@moved.example"
    world.engine.people.set_email(contact["id"], email)
    return str(contact["id"])


EDITS: tuple[Edit, ...] = (
    create_invoice,
    create_invoice,
    change_due_date,
    change_total,
    change_status,
    close_invoice,
    reopen_invoice,
    batch_invoice,
    pay,
    pay,
    apply_credit,
    delete_payment,
    rewrite_payments,
    delete_invoice,
    clear_out_invoices,
    create_company,
    change_company,
    delete_company,
    restore_company,
    merge_companies,
    change_contact_email,
    change_contact_email,
)
