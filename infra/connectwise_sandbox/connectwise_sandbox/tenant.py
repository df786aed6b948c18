"""One ConnectWise company: its records, its settings and everything that happens to them."""

from __future__ import annotations

import heapq
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import count
from random import Random

from connectwise_sandbox.clock import Clock, wire_time
from connectwise_sandbox.deliveries import DeliveryQueue
from connectwise_sandbox.errors import record_not_found
from connectwise_sandbox.kinds import Kind, Record
from connectwise_sandbox.permissions import Action, Row, Rows, SecurityRole
from connectwise_sandbox.store import Store
from connectwise_sandbox.switches import Switches

API_MEMBER = "AltPayBridge"
CLOUD_CODEBASE = "v2025_1/"
ROUTER_CODEBASE = "v4_6_release/"
FIRST_INVOICE_NUMBER = 10_001
FIRST_ITEM_ID = 4_700_001

LABELS = {
    Kind.COMPANY: "Company",
    Kind.CONTACT: "Contact",
    Kind.INVOICE: "Invoice",
    Kind.PAYMENT: "Payment",
    Kind.CALLBACK: "CallbackEntry",
    Kind.PRODUCT: "ProductItem",
    Kind.TIME_ENTRY: "TimeEntry",
    Kind.EXPENSE_ENTRY: "ExpenseEntry",
}


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the company is, and the keys of its one API member."""

    company_id: str
    company_name: str
    public_key: str
    private_key: str
    client_id: str
    product_instance_id: str
    callback_key_id: str
    member_identifier: str = API_MEMBER


def identity_of(seed: int) -> Identity:
    """Return the identity that belongs to a seed."""
    random = Random(f"identity {seed}")
    letters = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789"
    return Identity(
        company_id=f"summit{seed}",
        company_name="Summit Ridge IT",
        public_key="".join(random.choices(letters, k=16)),
        private_key="".join(random.choices(letters, k=16)),
        client_id=random_guid(random),
        product_instance_id=random_guid(random),
        callback_key_id=random_guid(random),
    )


def random_guid(random: Random) -> str:
    """Return a version 4 GUID drawn from `random`."""
    return str(uuid.UUID(int=random.getrandbits(128), version=4))


class Tenant:
    """The state of one ConnectWise company.

    Every change of a record goes through `add`, `change` and `remove`, which stamp `_info` and
    announce the change to the registered callbacks. `by` is the identifier of the acting member.
    """

    def __init__(self, *, clock: Clock, seed: int, switches: Switches) -> None:
        self.identity = identity_of(seed)
        self.switches = switches
        self.role = SecurityRole()
        self.random = Random(f"events {seed}")
        self.store = Store(Random(f"ids {seed}"))
        self.deliveries = DeliveryQueue()
        self.base_url = "http://127.0.0.1"
        self.cloud_codebase = CLOUD_CODEBASE
        self.callback_key = random_guid(self.random)
        self.corruptions: dict[tuple[Kind, int], Corruption] = {}
        self._numbers = count(FIRST_INVOICE_NUMBER)
        self._items = count(FIRST_ITEM_ID)
        self._clock = clock
        self._later: list[tuple[datetime, int, Callable[[], None]]] = []
        self._sequence = 0
        self._listener: Callable[[str, Kind, Record, str], None] = lambda *_: None

    def listen(self, listener: Callable[[str, Kind, Record, str], None]) -> None:
        """Have `listener(action, kind, record, by)` told of each change that callbacks may see."""
        self._listener = listener

    @property
    def now(self) -> datetime:
        """The present moment."""
        return self._clock()

    @property
    def today(self) -> date:
        """The present day in UTC."""
        return self._clock().date()

    @property
    def codebase(self) -> str:
        """The codebase of this installation; on premise it is the one that routes anywhere."""
        return ROUTER_CODEBASE if self.switches.hosting == "on_premise" else self.cloud_codebase

    @property
    def api_url(self) -> str:
        """The root that hrefs start with; ConnectWise doubles a slash in it."""
        return f"{self.base_url}/{self.codebase}/apis/3.0"

    def get(self, kind: Kind, record_id: int) -> Record:
        """Return one record; raises the 404 of its kind if there is none."""
        record = self.store[kind].get(record_id)
        if record is None:
            raise record_not_found(label_of(kind), record_id)
        return record

    def add(self, kind: Kind, record: Record, by: str, *, announce: bool = True) -> Record:
        """Store a new record under a new id and return it."""
        moment = wire_time(self.now)
        info = {
            "lastUpdated": moment,
            "updatedBy": by,
            "dateEntered": moment,
            "enteredBy": by,
        }
        new_id = self.store[kind].next_id()
        stored = {"id": new_id, **_without_nulls(record, but="id"), "_info": info}
        self.store[kind].put(stored)
        if announce:
            self.announce("added", kind, stored, by)
        return stored

    def change(
        self, kind: Kind, record: Record, by: str, *, touch: bool = True, announce: bool = True
    ) -> Record:
        """Store a record in place of the one with its id and return it.

        Without `touch`, `_info` stays as it was.
        """
        info = dict(record["_info"])
        if touch:
            info |= {"lastUpdated": wire_time(self.now), "updatedBy": by}
        stored = _without_nulls(record) | {"_info": info}
        self.store[kind].put(stored)
        if announce:
            self.announce("updated", kind, stored, by)
        return stored

    def remove(self, kind: Kind, record_id: int, by: str) -> None:
        """Remove a record; raises the 404 of its kind if there is none."""
        record = self.get(kind, record_id)
        self.store[kind].remove(record_id)
        if self.switches.delete_fires_callback:
            self.announce("deleted", kind, record, by)

    def announce(self, action: str, kind: Kind, record: Record, by: str) -> None:
        """Tell the registered callbacks that a record was added, updated or deleted."""
        self._listener(action, kind, record, by)

    def require_right(self, row: Row, action: Action) -> None:
        """Raise the Security error unless the API member's role grants an action of a row."""
        if row == Rows.CONTACTS and not self.switches.contacts_have_own_right:
            row = Rows.COMPANY_MAINTENANCE
        self.role.require(row, action)

    def next_invoice_number(self) -> str:
        """Return a number for a new invoice."""
        return f"{next(self._numbers)}"

    def next_item_id(self) -> int:
        """Return an id for a new member of an array, such as a contact's communications."""
        return next(self._items)

    def later(self, seconds: float, action: Callable[[], None]) -> None:
        """Have `action` carried out by the first `apply_due` after that many seconds."""
        self._sequence += 1
        due_at = self.now + timedelta(seconds=seconds)
        heapq.heappush(self._later, (due_at, self._sequence, action))

    def apply_due(self) -> int:
        """Carry out what was put off until now, in order of time; return how many actions."""
        applied = 0
        while self._later and self._later[0][0] <= self.now:
            _, _, action = heapq.heappop(self._later)
            action()
            applied += 1
        return applied

    def next_due(self) -> datetime | None:
        """Return when the next action that was put off, or the next delivery, falls due."""
        moments = [self._later[0][0]] if self._later else []
        delivery_at = self.deliveries.next_due()
        return min([*moments, *([delivery_at] if delivery_at else [])], default=None)


@dataclass(frozen=True, slots=True)
class Corruption:
    """What is wrong with a row.

    A list page of more than `fails_above_rows` rows that holds it answers 500; None means that
    pages do not fail. `overrides` replace properties of the answer, None leaves one out.
    """

    fails_above_rows: int | None
    overrides: Record


def label_of(kind: Kind) -> str:
    """Return the name of a kind as the 404 message writes it."""
    return LABELS.get(kind, kind.value[0].upper() + kind.value[1:])


def _without_nulls(record: Record, but: str | None = None) -> Record:
    return {name: value for name, value in record.items() if value is not None and name != but}
