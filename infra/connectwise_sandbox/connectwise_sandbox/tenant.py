"""A tenant keeps one ConnectWise company: its records, its settings and its pending events."""

from __future__ import annotations

import heapq
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from itertools import count
from random import Random

from connectwise_sandbox.clock import Clock, wire_time
from connectwise_sandbox.deliveries import DeliveryQueue
from connectwise_sandbox.errors import record_not_found
from connectwise_sandbox.kinds import Kind, Record
from connectwise_sandbox.lag import Lag
from connectwise_sandbox.messages import RawJson
from connectwise_sandbox.permissions import Action, Row, Rows, SecurityRole
from connectwise_sandbox.shuffled_ids import ShuffledIds
from connectwise_sandbox.signing_keys import SigningKeys
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
    """An identity names the company and holds the keys of its one API member."""

    company_id: str
    company_name: str
    public_key: str
    private_key: str
    client_id: str
    product_instance_id: str
    callback_key_id: str
    partner_id: str
    """The `PartnerId` of deliveries: recorded as a text; that it is a GUID is our reading."""
    member_identifier: str = API_MEMBER


def identity_of(seed: int) -> Identity:
    """Return the identity of the company that a seed makes."""
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
        partner_id=random_guid(random),
    )


def random_guid(random: Random) -> str:
    """Return a version 4 GUID drawn from `random`."""
    return str(uuid.UUID(int=random.getrandbits(128), version=4))


class Tenant:
    """A tenant holds the state of one ConnectWise company.

    `add`, `change` and `remove` change its records: they stamp `_info` and announce the change to
    the registered callbacks. `by` is the identifier of the acting member.
    """

    def __init__(self, *, clock: Clock, seed: int, switches: Switches) -> None:
        self.identity = identity_of(seed)
        self.switches = switches
        self.role = SecurityRole()
        self.random = Random(f"events {seed}")
        self.store = Store(Random(f"ids {seed}"))
        self.lags = {kind: Lag() for kind in (Kind.INVOICE, Kind.PAYMENT)}
        """Lists of these kinds may show earlier states of their records."""
        self.deliveries = DeliveryQueue()
        self.base_url = "http://127.0.0.1"
        self.cloud_codebase = CLOUD_CODEBASE
        self.signing_keys = SigningKeys(
            self.identity.callback_key_id, partial(random_guid, self.random)
        )
        self.corruptions: dict[tuple[Kind, int], Corruption] = {}
        self._numbers = count(FIRST_INVOICE_NUMBER)
        self._items = count(FIRST_ITEM_ID)
        self._payment_ids = ShuffledIds(Random(f"payment ids {seed}"))
        self._clock = clock
        self._later: list[tuple[datetime, int, Callable[[], None]]] = []
        self._sequence = 0
        self._listener: Callable[[str, Kind, Record, str], None] = lambda *_: None

    def listen(self, listener: Callable[[str, Kind, Record, str], None]) -> None:
        """Call `listener(action, kind, record, by)` on each change that callbacks may see."""
        self._listener = listener

    @property
    def now(self) -> datetime:
        """Return the present moment."""
        return self._clock()

    @property
    def server_time(self) -> datetime:
        """Return the moment that the server's clock shows, which may be wrong."""
        return self._clock() + timedelta(minutes=self.switches.server_clock_minutes_off)

    @property
    def today(self) -> date:
        """Return the day in UTC that the server's clock shows."""
        return self.server_time.date()

    @property
    def codebase(self) -> str:
        """Return the codebase of this installation; on premise it is ROUTER_CODEBASE."""
        return ROUTER_CODEBASE if self.switches.hosting == "on_premise" else self.cloud_codebase

    @property
    def api_url(self) -> str:
        """Return the root that hrefs start with; ConnectWise doubles a slash in it."""
        return f"{self.base_url}/{self.codebase}/apis/3.0"

    def get(self, kind: Kind, record_id: int) -> Record:
        """Return one record; raises the 404 of its kind."""
        record = self.store[kind].get(record_id)
        if record is None:
            raise record_not_found(label_of(kind), record_id)
        return record

    def add(self, kind: Kind, record: Record, by: str, *, announce: bool = True) -> Record:
        """Store a new record under a new id and return it."""
        moment = wire_time(self.server_time)
        info = {
            "lastUpdated": moment,
            "updatedBy": by,
            "dateEntered": moment,
            "enteredBy": by,
        }
        stored = {"id": self._new_id(kind), **_without_nulls(record, but="id"), "_info": info}
        self._lag_behind(kind, stored["id"])
        self.store[kind].put(stored)
        if announce:
            self.announce("added", kind, stored, by)
        return stored

    def change(
        self, kind: Kind, record: Record, by: str, *, touch: bool = True, announce: bool = True
    ) -> Record:
        """Store a record in place of the one with its id and return it.

        `touch` renews `_info`.
        """
        info = dict(record["_info"])
        if touch:
            info |= {"lastUpdated": wire_time(self.server_time), "updatedBy": by}
        stored = _without_nulls(record) | {"_info": info}
        self.put_silently(kind, stored)
        if announce:
            self.announce("updated", kind, stored, by)
        return stored

    def remove(self, kind: Kind, record_id: int, by: str) -> None:
        """Remove a record; raises the 404 of its kind."""
        record = self.get(kind, record_id)
        self._lag_behind(kind, record_id)
        self.store[kind].remove(record_id)
        if self.switches.delete_fires_callback:
            self.announce("deleted", kind, record, by)

    def put_silently(self, kind: Kind, record: Record) -> None:
        """Store a record in place of the one with its id; `_info` and callbacks stay out of it."""
        self._lag_behind(kind, record["id"])
        self.store[kind].put(record)

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

    def put_off(self, seconds: float, action: Callable[[], None]) -> None:
        """Leave `action` to the first `apply_due` after `seconds`."""
        self._sequence += 1
        due_at = self.now + timedelta(seconds=seconds)
        heapq.heappush(self._later, (due_at, self._sequence, action))

    def apply_due(self) -> int:
        """Carry out the actions that were put off until now; return their number."""
        applied = 0
        while self._later and self._later[0][0] <= self.now:
            _, _, action = heapq.heappop(self._later)
            action()
            applied += 1
        return applied

    def _new_id(self, kind: Kind) -> int:
        next_id = self.store[kind].next_id
        if kind is Kind.PAYMENT and self.switches.payment_ids == "shuffled":
            return self._payment_ids.draw(next_id)
        return next_id()

    def _lag_behind(self, kind: Kind, record_id: int) -> None:
        """Keep a record's present state for the lists that show the coming change later."""
        lag = self.lags.get(kind)
        if lag is None:
            return
        switches = self.switches
        is_payment = kind is Kind.PAYMENT
        seconds = (
            switches.payment_list_delay_seconds
            if is_payment
            else switches.invoice_list_delay_seconds
        )
        if seconds > 0:
            lag.keep(record_id, self.store[kind].get(record_id))
            self.put_off(seconds, partial(lag.release, record_id))

    def next_due(self) -> datetime | None:
        """Return the moment when the next action or delivery falls due, None if all is done."""
        moments = [self._later[0][0]] if self._later else []
        delivery_at = self.deliveries.next_due()
        return min([*moments, *([delivery_at] if delivery_at else [])], default=None)


@dataclass(frozen=True, slots=True)
class Corruption:
    """A corruption breaks the answers that hold one row."""

    fails_above_rows: int | None
    """A list page with the row and more rows than this answers 500; None lets pages pass."""
    overrides: Record
    """Values that replace properties of the row; None leaves a property out."""
    raw_row: RawJson | None = None
    """The text that takes the place of the whole row."""


def label_of(kind: Kind) -> str:
    """Return the name of a kind in 404 messages."""
    return LABELS.get(kind, kind.value[0].upper() + kind.value[1:])


def _without_nulls(record: Record, but: str | None = None) -> Record:
    return {name: value for name, value in record.items() if value is not None and name != but}
