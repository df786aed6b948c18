"""What must hold while the bad days last: looked at after every port call that took effect."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from functools import lru_cache

from bridge.domain.customer import Archive, ArchiveReason, Customer
from bridge.domain.filters import ImportFilters
from bridge.domain.hint import HintReason
from bridge.domain.identity import Origin, RecordKind
from bridge.domain.invoice import Invoice
from bridge.domain.mirrored_kinds import CUSTOMERS, INVOICES
from bridge.domain.problem import ProblemCode
from bridge.domain.run import Run, RunKind, RunState
from connectwise_sandbox.clock import wire_time
from connectwise_sandbox.kinds import Kind
from tests.simulation.parts import Invariant
from tests.simulation.queues import hints_among
from tests.simulation.truth import last_updated, mirrored_invoice, true_customer, true_invoice
from tests.simulation.watching import PortCall
from tests.simulation.wire import LightRequest
from tests.simulation.world import CONNECTION_ID, PARTNER_ID, World

_TOLD_BY = (
    ProblemCode.RECORD_MALFORMED,
    ProblemCode.RECORD_PARKED,
    ProblemCode.PAYER_UNREADABLE,
)
PROOF_LIFE = timedelta(minutes=30)
KIND_OF = {RecordKind.INVOICE: Kind.INVOICE, RecordKind.CUSTOMER: Kind.COMPANY}


def saved_record(call: PortCall) -> Customer | Invoice | None:
    """Return the mirrored record that a call wrote, None for any other call."""
    if call.name != "records.save":
        return None
    record = call.arguments[0]
    if not isinstance(record, Customer | Invoice):
        raise TypeError("saved something else than a record")
    return record if record.source_id is not None else None


class NothingOlder(Invariant):
    """R4: what ConnectWise said later is never overwritten by what it said earlier."""

    name = "older never overwrites newer"
    watches = ("records.save",)

    def __init__(self) -> None:
        self._newest: dict[str, str] = {}

    def after_call(self, world: World, call: PortCall, result: object) -> None:
        record = saved_record(call)
        updated = _updated_in(str(call.named.get("change_fingerprint", "")))
        if record is None or not updated or not world.has_true_dates:
            return
        key = f"{type(record).__name__} {record.source_id}"
        newest = self._newest.get(key, "")
        if updated < newest:
            world.violate(self.name, f"{key} of {updated} over {newest}")
        self._newest[key] = max(updated, newest)


class ArchivedOnProof(Invariant):
    """R5: a record is archived as deleted only while ConnectWise does not have it.

    What ConnectWise has again, or shows again, since a few minutes may just have been proven
    gone by a worker that is not done yet.
    """

    name = "archived only on proof"
    watches = ("http", "records")

    def __init__(self) -> None:
        self._gone_at: dict[tuple[Kind, int], datetime] = {}
        self._deleted: list[tuple[Kind, int]] = []
        self._revision = -1

    def after_call(self, world: World, call: PortCall, result: object) -> None:
        if call.port in ("http", "records"):
            self._look_who_is_gone(world)
        record = saved_record(call)
        archive: Archive | None = record.archive if record else None
        if record is None or archive is None or record.source_id is None:
            return
        if archive.reason is not ArchiveReason.DELETED_IN_CONNECTWISE:
            return
        kind = Kind.INVOICE if isinstance(record, Invoice) else Kind.COMPANY
        if not self._was_gone(world, kind, record.source_id):
            world.violate(self.name, f"{kind.value} {record.source_id} is in ConnectWise")

    def _look_who_is_gone(self, world: World) -> None:
        """Deleted companies can come back and hidden invoices show again; nothing else can."""
        now = world.clock.now()
        companies = world.engine.tenant.store[Kind.COMPANY]
        if companies.revision != self._revision:
            self._revision = companies.revision
            deleted = (each["id"] for each in companies if each.get("deletedFlag"))
            self._deleted = [(Kind.COMPANY, company_id) for company_id in deleted]
        for key in self._deleted:
            self._gone_at[key] = now
        visible = world.engine.switches.visible_location_ids
        if visible is not None:
            for invoice in world.engine.tenant.store[Kind.INVOICE]:
                if invoice.get("locationId") not in visible:
                    self._gone_at[Kind.INVOICE, invoice["id"]] = now

    def _was_gone(self, world: World, kind: Kind, source_id: int) -> bool:
        if world.engine.tenant.store[kind].get(source_id) is None:
            return True
        gone_at = self._gone_at.get((kind, source_id))
        return gone_at is not None and world.clock.now() - gone_at <= PROOF_LIFE


class Brake(Invariant):
    """R5: no run archives more than max(10, 5 %) of the records unless a person approved it."""

    name = "mass archiving stops"

    def after_call(self, world: World, call: PortCall, result: object) -> None:
        run = call.arguments[0] if call.name == "runs.save" else None
        if not isinstance(run, Run) or run.archive_is_approved:
            return
        for kind, counters in (
            (RecordKind.CUSTOMER, run.customers),
            (RecordKind.INVOICE, run.invoices),
        ):
            stored = world.outside.records.list_mirrored(
                PARTNER_ID, CONNECTION_ID, kind, after_id=0, through_id=None, limit=1000
            )
            if counters.archived > max(10, len(stored) // 20):
                detail = f"{run.kind.value} archived {counters.archived} of {len(stored)}"
                world.violate(self.name, detail)


class WatermarksFollow(Invariant):
    """R7: when a watermark moves, everything that had changed before it is stored.

    Or somebody is about to look (a hint is queued) or can see why not (a problem is open). Left
    out are records beside a filter and, until the next sweep, what was hidden, invoices whose
    payer could not be read, and records that met a conflict and were left to a hint which the
    queue lost: they come with that sweep. Other lost hints excuse nothing, e.g. those of
    callbacks: a run takes what changed without them.
    """

    name = "watermarks follow what is stored"

    def __init__(self) -> None:
        self._unseen: dict[tuple[Kind, int], datetime] = {}
        self._lost_hints = 0

    def after_call(self, world: World, call: PortCall, result: object) -> None:
        if call.port == "http":
            self._note_unseen(world)
        if call.name == "queue.send_hints":
            self._note_lost_conflicts(world)
        if call.name == "runs.save" and isinstance(call.arguments[0], Run):
            self._forget_unseen(call.arguments[0])
        if call.name != "runs.set_watermark" or world.books.filters != ImportFilters():
            return
        if not world.has_true_dates:
            return
        _, kind, watermark = call.arguments
        assert isinstance(kind, RecordKind)
        assert isinstance(watermark, datetime)
        explained = _hinted(world, kind) | _in_trouble(world, kind)
        for record in world.engine.tenant.store[KIND_OF[kind]]:
            source_id = record["id"]
            if source_id in explained or (KIND_OF[kind], source_id) in self._unseen:
                continue
            self._check(world, kind, source_id, wire_time(watermark))

    def _check(self, world: World, kind: RecordKind, source_id: int, watermark: str) -> None:
        updated = last_updated(world.engine, KIND_OF[kind], source_id)
        if updated < watermark and not _is_stored(world, kind, source_id, updated):
            world.violate(
                self.name, f"{kind.value} {source_id} changed {updated}, watermark {watermark}"
            )
        if kind is RecordKind.CUSTOMER:
            self._check_email(world, source_id, watermark)

    def _check_email(self, world: World, source_id: int, watermark: str) -> None:
        """A contact's change is no change of its company, and is not in its marks."""
        true = true_customer(world.engine, source_id)
        stored = world.outside.records.get_mirrored(
            CUSTOMERS, PARTNER_ID, CONNECTION_ID, [source_id]
        )
        customer = stored[source_id].value
        contacts = world.engine.tenant.store[Kind.CONTACT].referring("company", [source_id])
        latest = max((contact["_info"]["lastUpdated"] for contact in contacts), default="")
        if true is None or customer is None or true.is_deleted or latest >= watermark:
            return
        updated = last_updated(world.engine, Kind.COMPANY, source_id)
        if updated < watermark and customer.email != true.email:
            world.violate(self.name, f"customer {source_id} has an old address, {watermark}")

    def _note_unseen(self, world: World) -> None:
        now = world.clock.now()
        for source_id in _waiting_for_payers(world):
            self._unseen[Kind.INVOICE, source_id] = now
        visible = world.engine.switches.visible_location_ids
        if visible is None:
            return
        for invoice in world.engine.tenant.store[Kind.INVOICE]:
            if invoice.get("locationId") not in visible:
                self._unseen[Kind.INVOICE, invoice["id"]] = now

    def _note_lost_conflicts(self, world: World) -> None:
        lost = world.queues["hints"].lost
        for hint in hints_among(lost[self._lost_hints :]):
            if hint.reason is HintReason.CONFLICT:
                self._unseen[KIND_OF[hint.record_kind], hint.source_id] = world.clock.now()
        self._lost_hints = len(lost)

    def _forget_unseen(self, run: Run) -> None:
        if run.kind is RunKind.SWEEP and run.state is RunState.SUCCEEDED:
            self._unseen = {key: at for key, at in self._unseen.items() if at >= run.created_at}


class NobodyMendsRuns(Invariant):
    """Where nothing fails, no run ever waits to be found standing still."""

    name = "runs go on by themselves"

    def after_call(self, world: World, call: PortCall, result: object) -> None:
        if call.name == "runs.list_stalled" and result:
            world.violate(self.name, "a run stands still")


class NothingOfThePlatform(Invariant):
    """R6: the sync writes nothing to ConnectWise but its own callback registrations, and what was
    made on the platform is in no request and stays as it was."""

    name = "nothing of the platform reaches ConnectWise"
    CANARY = "Platform-Only-Canary"

    def __init__(self) -> None:
        self._customer: Customer | None = None

    def after_call(self, world: World, call: PortCall, result: object) -> None:
        if self._customer is None:
            self._customer = self._make_customer(world)
        if call.port != "http":
            return
        request = call.arguments[0]
        assert isinstance(request, LightRequest)
        if call.method != "get" and "/system/callbacks" not in request.url.path:
            world.violate(self.name, f"{call.method} {request.url.path}")
        if self.CANARY in str(request.url) or self.CANARY.encode() in request.read():
            world.violate(self.name, f"{request.url}")

    def at_end(self, world: World) -> None:
        if self._customer is None:
            return
        stored = world.outside.records.get(CUSTOMERS, PARTNER_ID, self._customer.customer_id)
        if stored.value != self._customer or stored.version != 1:
            world.violate(self.name, "a customer made on the platform was changed")

    def _make_customer(self, world: World) -> Customer:
        customer = Customer(
            customer_id="c0ffee" + "0" * 26,
            partner_id=PARTNER_ID,
            origin=Origin.PLATFORM,
            name=self.CANARY,
            email="canary@platform.example",
        )
        world.outside.records.save(customer, expected_version=0)
        return customer


@lru_cache(maxsize=1_024)
def _updated_in(marks: str) -> str:
    """Return the date of change in a fingerprint, before which the store may have a word."""
    _, brace, fields = marks.partition("{")
    return str(json.loads(brace + fields)["changed"][0] or "") if brace else ""


def _is_stored(world: World, kind: RecordKind, source_id: int, updated: str) -> bool:
    """Tell whether a record is stored as ConnectWise changed it at a time, or later; deleted
    companies need not be stored.

    An invoice that was stored without a date of change lacks lines, and is looked at again by each
    sweep, or ConnectWise leaves the date out: then its money has to be the present one.
    """
    records = world.outside.records
    scope = (PARTNER_ID, CONNECTION_ID, [source_id])
    if kind is RecordKind.INVOICE:
        invoice = records.get_mirrored(INVOICES, *scope)[source_id]
        if invoice.value and not _updated_in(invoice.change_fingerprint):
            return _has_equal_money(world, invoice.value)
        return _updated_in(invoice.change_fingerprint) >= updated
    company = world.engine.tenant.store[Kind.COMPANY].get(source_id)
    if company and company.get("deletedFlag"):
        return True
    stored = records.get_mirrored(CUSTOMERS, *scope)[source_id]
    return _updated_in(stored.change_fingerprint) >= updated


def _has_equal_money(world: World, invoice: Invoice) -> bool:
    """Tell whether the money is the present one; payments may be left for later, if it says so."""
    mirrored = mirrored_invoice(invoice)
    true = true_invoice(world.engine, invoice.source_id or 0)
    return true is None or (
        (mirrored.total_minor, mirrored.balance_minor) == (true.total_minor, true.balance_minor)
        and (not invoice.payments_complete or mirrored.payments == true.payments)
    )


def _hinted(world: World, kind: RecordKind) -> set[int]:
    places = ("hints", "hints-alone", "hints-dead", "hints-alone-dead")
    hints = hints_among(
        message.body for place in places for message in world.queues[place].messages
    )
    return {hint.source_id for hint in hints if hint.record_kind is kind}


def _waiting_for_payers(world: World) -> set[int]:
    """Return the invoices whose payer cannot be read: a problem is open for the payer."""
    payers = _in_trouble(world, RecordKind.CUSTOMER)
    if not payers:
        return set()
    invoices = world.engine.tenant.store[Kind.INVOICE]
    return {
        invoice["id"]
        for invoice in invoices
        if (invoice.get("billToCompany") or invoice["company"])["id"] in payers
    }


def _in_trouble(world: World, kind: RecordKind) -> set[int]:
    """Return the records that a problem is open for."""
    problems = world.outside.problems.open_of_connection(PARTNER_ID, CONNECTION_ID)
    if not problems:
        return set()
    subjects = [
        problem.subject.partition("/") for problem in problems.values() if problem.code in _TOLD_BY
    ]
    return {int(text) for subject_kind, _, text in subjects if subject_kind == kind.value}
