"""Who sent each change of a payment, and which payments came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from bridge.domain.write_back import WriteBack, WriteBackState
from connectwise_sandbox.clock import day_of
from connectwise_sandbox.kinds import Kind, Record
from connectwise_sandbox.money import decimals_of
from tests.simulation.clocks import WorkerClock
from tests.simulation.companies.servers import Company
from tests.simulation.wire import LightRequest

if TYPE_CHECKING:
    from tests.simulation.companies.world import CompaniesWorld

_S = WriteBackState


@dataclass(frozen=True, slots=True)
class Place:
    """What payments are alike by: nothing in ConnectWise tells two of one place apart."""

    company: Company
    invoice_source_id: int
    amount_minor: int
    paid_on: date


@dataclass(eq=False)
class Attempt:
    """One stated post or deletion, from its statement until nothing can come of it any more."""

    write_back: WriteBack
    company: Company
    worker: WorkerClock
    is_old: bool
    at: datetime
    is_sent: bool = False
    is_late: bool = False
    """It was sent, and takes effect some time."""
    row_id: int | None = None

    @property
    def is_post(self) -> bool:
        return self.write_back.state is _S.POSTING

    @property
    def connection_id(self) -> str:
        return self.write_back.connection_id

    @property
    def place(self) -> Place:
        return place_of(self.company, self.write_back)


def place_of(company: Company, write_back: WriteBack) -> Place:
    invoice = write_back.invoice_source_id
    return Place(company, invoice, write_back.amount_minor, write_back.paid_on)


@dataclass
class Row:
    """A payment that stands, or stood, in a company."""

    row_id: int
    place: Place
    maker: Attempt | None
    """None made by people."""
    is_gone: bool = False


@dataclass
class Counts:
    posted: int = 0
    deleted: int = 0
    by_old_workers: int = 0


class Provenance:
    """Watches the ledger's statements and the companies' payments; ``judge`` is told of each."""

    def __init__(self, world: CompaniesWorld) -> None:
        self._world = world
        self.rows: dict[tuple[Company, int], Row] = {}
        self.under_way: list[Attempt] = []
        self.counts = Counts()
        self.on_statement: Callable[[Attempt, list[Attempt]], None] = lambda *_: None
        self.on_sent: Callable[[Attempt], None] = lambda _: None
        self.on_row: Callable[[Row], None] = lambda _: None
        self.on_deletion: Callable[[Attempt, Row], None] = lambda *_: None
        for company in world.servers.companies:
            self._watch(company)

    # --- attempts --------------------------------------------------------------------------------

    def stated(self, write_back: WriteBack) -> None:
        """Note that a worker has just stored what it is about to send."""
        worker = self._world.worker
        company = self._world.tale_of(write_back.connection_id).company
        if worker is None or company is None:
            return
        self._prune()
        is_old = self._world.is_old_worker
        attempt = Attempt(write_back, company, worker, is_old, self._world.clock.now())
        rivals = [
            each
            for each in self.under_way
            if each.company is company
            and each.write_back.invoice_source_id == write_back.invoice_source_id
        ]
        self.under_way.append(attempt)
        self.on_statement(attempt, rivals)

    def sends(self, request: LightRequest, company: Company) -> Attempt | None:
        """Return whose change of a payment a request is, if it is one."""
        is_change = request.method in ("POST", "DELETE") and "/payments" in request.url.path
        if not is_change:
            return None
        worker = self._world.worker
        attempt = next((a for a in self.under_way if a.worker is worker and not a.is_sent), None)
        if attempt is None or attempt.company is not company:
            self._world.violate("changes are stated", f"{request.method} {request.url}")
            return None
        attempt.is_sent = True
        self.on_sent(attempt)
        return attempt

    def over(self, attempt: Attempt | None) -> None:
        """Nothing more comes of an attempt."""
        if attempt in self.under_way:
            self.under_way.remove(attempt)

    def _prune(self) -> None:
        """Forget attempts whose request was answered, or whose worker ended before it was sent."""
        self.under_way = [
            each
            for each in self.under_way
            if each.is_late or (not each.is_sent and self._world.is_at_work(each.worker))
        ]

    # --- rows ------------------------------------------------------------------------------------

    def standing(self, place: Place) -> list[Row]:
        return [r for r in self.rows.values() if r.place == place and r.maker and not r.is_gone]

    def standing_of_ours(self) -> list[Row]:
        return [row for row in self.rows.values() if row.maker and not row.is_gone]

    def _watch(self, company: Company) -> None:
        tenant = company.engine.tenant
        for row in tenant.store[Kind.PAYMENT]:
            self._keep(company, row, None)
        add: Callable[..., Record] = tenant.add
        remove: Callable[..., None] = tenant.remove

        def added(kind: Kind, record: Record, by: str, **named: Any) -> Record:
            stored = add(kind, record, by, **named)
            if kind is Kind.PAYMENT:
                self._added(company, stored)
            return stored

        def removed(kind: Kind, record_id: int, by: str) -> None:
            remove(kind, record_id, by)
            if kind is Kind.PAYMENT:
                self._removed(company, record_id)

        vars(tenant).update(add=added, remove=removed)

    def _keep(self, company: Company, row: Record, maker: Attempt | None) -> Row:
        invoice = company.engine.tenant.store[Kind.INVOICE].get(row["invoice"]["id"]) or {}
        amount_minor = int(Decimal(row["amount"]).scaleb(decimals_of(invoice.get("currency"))))
        place = Place(company, row["invoice"]["id"], amount_minor, day_of(row["paymentDate"]))
        kept = self.rows[company, row["id"]] = Row(row["id"], place, maker)
        return kept

    def _added(self, company: Company, row: Record) -> None:
        attempt = company.sending
        kept = self._keep(company, row, attempt)
        if attempt is None:
            return
        self.counts.posted += 1
        self.counts.by_old_workers += attempt.is_old
        attempt.row_id = row["id"]
        self._world.tell(f"payment {row['id']} stands for {attempt.write_back.write_back_id}")
        self.on_row(kept)

    def _removed(self, company: Company, row_id: int) -> None:
        row = self.rows[company, row_id]
        row.is_gone = True
        attempt = company.sending
        if attempt is not None:
            self.counts.deleted += 1
            self._world.tell(f"payment {row_id} is deleted")
            self.on_deletion(attempt, row)


@dataclass
class Tale:
    """What happened to one connection, in truth."""

    company: Company | None = None
    """Where its requests go, or went last."""
    line: int = 0
    """Which connections it can be proven to share a company with, 0 before it was connected."""
    is_of_before: bool = False
    """It was made by the release before, which knew no companies."""
    times_begun: int = 0
    """How often it began to sync."""
    stopped_at: datetime | None = None
    """Since when it may not write."""
    gave_up_at: datetime | None = None
    """When it was disconnected, though it might have written until then."""
    old_adoptions: set[int] = field(default_factory=set)
    """The payments that old workers took for its own."""
    seen_by_old: dict[str, datetime] = field(default_factory=dict)
    """When old workers last saved a write-back, and so left out what they do not know."""
    moved_at: datetime | None = None
    """When its owners were moved to its company."""
