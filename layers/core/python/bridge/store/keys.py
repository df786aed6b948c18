"""This module builds every key of every table, and is the only one that may.

A key that belongs to a partner begins with ``PARTNER#{partner_id}#``; the id comes from the token
or the stored connection. A part with a ``#`` in it is refused, because it could forge a key.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final

from bridge.domain.errors import InvalidInputError
from bridge.domain.identity import (
    RecordKind,
    is_platform_id,
    parse_mirrored_id,
    parse_write_back_id,
)

if TYPE_CHECKING:
    from bridge.domain.connection import Connection
    from bridge.domain.customer import Customer
    from bridge.domain.invoice import Invoice, InvoiceState
    from bridge.domain.payment import Payment
    from bridge.domain.platform_payment import PlatformPayment
    from bridge.domain.problem import Problem, ProblemState
    from bridge.domain.run import Run, RunKind
    from bridge.domain.write_back import WriteBack

LISTING_INDEX: Final = "listing"
CUSTOMER_INDEX: Final = "by_customer"
PARTNER_INDEX: Final = "by_partner"

MAX_SOURCE_ID: Final = 10**10 - 1
MAX_NAME_LENGTH: Final = 200
# They sort before and after every text that a key may hold.
FIRST: Final = "\0"
LAST: Final = "\U0010ffff"
# A due or paid date that is missing; letters sort after the digits of any date.
NO_DUE_DATE: Final = "NONE"
NO_PAID_DATE: Final = "0000-00-00"
# Ends a folded name, which holds single spaces only: so a name differs from a longer one's start.
_NAME_END: Final = "\t"
_PART = re.compile(r"[A-Za-z0-9_.-]{1,64}")


@dataclass(frozen=True, slots=True)
class Key:
    """A key names one item: every table has a text ``pk`` and a text ``sk``."""

    pk: str
    sk: str

    def attributes(self) -> dict[str, str]:
        return {"pk": self.pk, "sk": self.sk}


# --- records -----------------------------------------------------------------------------------

UNPAID: Final = "OPEN"
PAID: Final = "PAID"
ARCHIVED: Final = "ARCHIVED"
ACTIVE: Final = "ACTIVE"
# The order of an invoice list: what is still to be paid comes first.
INVOICE_BUCKETS: Final = (UNPAID, PAID, ARCHIVED)


def mirrored_pk(partner_id: str, connection_id: str, kind: RecordKind) -> str:
    """Return the partition of one connection's mirrored records, sorted by ConnectWise id."""
    return f"{_partner(partner_id)}#CONNECTION#{_part(connection_id)}#{kind.name}"


def mirrored_sk(source_id: int) -> str:
    """Return ten digits, so that ranges of ConnectWise ids are ranges of the key."""
    if not 0 <= source_id <= MAX_SOURCE_ID:
        raise InvalidInputError("ConnectWise id is out of range", field="source_id")
    return f"{source_id:010d}"


def source_id_of(sk: str) -> int:
    return int(sk)


def mirrored_key(partner_id: str, connection_id: str, kind: RecordKind, source_id: int) -> Key:
    return Key(mirrored_pk(partner_id, connection_id, kind), mirrored_sk(source_id))


def record_key(partner_id: str, kind: RecordKind, record_id: str) -> Key | None:
    """Return the key of the record with this id, or None for any other text."""
    mirrored = parse_mirrored_id(record_id)
    if mirrored:
        return mirrored_key(partner_id, mirrored.connection_id, kind, mirrored.source_id)
    if is_platform_id(record_id):
        return Key(f"{_partner(partner_id)}#PLATFORM#{kind.name}", record_id)
    return None


def invoice_listing_pk(partner_id: str, bucket: str) -> str:
    return f"{_partner(partner_id)}#INVOICE#{bucket}"


def customer_listing_pk(partner_id: str, bucket: str) -> str:
    return f"{_partner(partner_id)}#CUSTOMER#{bucket}"


def payment_listing_pk(partner_id: str) -> str:
    return f"{_partner(partner_id)}#PAYMENT"


def of_customer_pk(partner_id: str, customer_id: str) -> str:
    """Return the index partition that holds a customer's invoices and payments."""
    return f"{_partner(partner_id)}#CUSTOMER#{_part(customer_id)}"


def of_customer_prefix(kind: RecordKind, bucket: str = "") -> str:
    return f"{kind.name}#{bucket}#" if bucket else f"{kind.name}#"


def invoice_bucket(state: InvoiceState) -> str:
    """Return the bucket of a state; partly paid invoices stay among the unpaid ones."""
    return state.name if state.name in (ARCHIVED, PAID) else UNPAID


def invoice_index_keys(invoice: Invoice) -> dict[str, str]:
    bucket = invoice_bucket(invoice.state)
    position = f"{_date(invoice.due_on, NO_DUE_DATE)}#{invoice.invoice_id}"
    return {
        "gsi1pk": invoice_listing_pk(invoice.partner_id, bucket),
        "gsi1sk": position,
        "gsi2pk": of_customer_pk(invoice.partner_id, invoice.customer_id),
        "gsi2sk": of_customer_prefix(RecordKind.INVOICE, bucket) + position,
    }


def customer_index_keys(customer: Customer) -> dict[str, str]:
    bucket = ARCHIVED if customer.archive else ACTIVE
    return {
        "gsi1pk": customer_listing_pk(customer.partner_id, bucket),
        "gsi1sk": f"{fold_name(customer.name)}{_NAME_END}#{customer.customer_id}",
    }


def payment_index_keys(payment: Payment) -> dict[str, str]:
    position = f"{_date(payment.paid_on, NO_PAID_DATE)}#{payment.payment_id}"
    return {
        "gsi1pk": payment_listing_pk(payment.partner_id),
        "gsi1sk": position,
        "gsi2pk": of_customer_pk(payment.partner_id, payment.customer_id),
        "gsi2sk": of_customer_prefix(RecordKind.PAYMENT) + position,
    }


def fold_name(name: str) -> str:
    """Return a name as it is sorted and searched: small letters, single spaces, 200 at most."""
    return " ".join(name.casefold().split())[:MAX_NAME_LENGTH]


def listed_id(index_sk: str) -> str:
    """Return the record id at the end of an index's sort key."""
    return index_sk.rsplit("#", 1)[-1]


# --- operations --------------------------------------------------------------------------------

SYNCING_PK: Final = "SYNCING"
ACTIVE_RUN_PK: Final = "ACTIVE_RUN"


def connection_key(connection_id: str) -> Key:
    return Key(_connection(connection_id), "META")


def connection_index_keys(connection: Connection) -> dict[str, str]:
    return {
        "gsi1pk": connections_of_partner_pk(connection.partner_id),
        "gsi1sk": f"{timestamp(connection.created_at)}#{connection.connection_id}",
    }


def connections_of_partner_pk(partner_id: str) -> str:
    return f"{_partner(partner_id)}#CONNECTION"


def syncing_key(connection_id: str) -> Key:
    """Return the key of the small item that exists while the connection is kept in step."""
    return Key(SYNCING_PK, _part(connection_id))


def run_key(connection_id: str, run_id: str) -> Key:
    return Key(_connection(connection_id), f"RUN#{_part(run_id)}")


def run_index_keys(run: Run) -> dict[str, str]:
    return {
        "gsi1pk": runs_of_connection_pk(run.connection_id),
        "gsi1sk": f"{timestamp(run.created_at)}#{run.run_id}",
    }


def runs_of_connection_pk(connection_id: str) -> str:
    return f"{_connection(connection_id)}#RUN"


def slot_key(connection_id: str, kind: RunKind) -> Key:
    """Return the key of the slot that a kind of run has on a connection, stored as ``PLACE``."""
    return Key(_connection(connection_id), f"PLACE#{kind.name}")


def slot_index_keys(run: Run, moved_at: datetime) -> dict[str, str]:
    return {"gsi1pk": ACTIVE_RUN_PK, "gsi1sk": f"{timestamp(moved_at)}#{run.run_id}"}


def window_key(connection_id: str, kind: RunKind) -> Key:
    return Key(_connection(connection_id), f"WINDOW#{kind.name}")


def watermark_key(connection_id: str, kind: RecordKind) -> Key:
    return Key(_connection(connection_id), f"WATERMARK#{kind.name}")


def problem_key(partner_id: str, problem_id: str) -> Key:
    return Key(f"{_partner(partner_id)}#PROBLEM", _part(problem_id))


def problem_listing_pk(partner_id: str, state: ProblemState) -> str:
    return f"{_partner(partner_id)}#PROBLEM#{state.name}"


def problem_index_keys(problem: Problem) -> dict[str, str]:
    return {
        "gsi1pk": problem_listing_pk(problem.partner_id, problem.state),
        "gsi1sk": f"{timestamp(problem.opened_at)}#{problem.problem_id}",
    }


# --- coordination ------------------------------------------------------------------------------


def rate_key(connection_id: str) -> Key:
    return Key(_connection(connection_id), "RATE")


def signing_key_key(connection_id: str, key_url: str) -> Key:
    """Return the key of a cached signing key; it holds a hash of the URL, which is a secret too."""
    digest = hashlib.sha256(key_url.encode()).hexdigest()
    return Key(_connection(connection_id), f"SIGNING_KEY#{digest}")


# --- the ledger --------------------------------------------------------------------------------
#
# a payment              PARTNER#{p}#PLATFORM_PAYMENT          {payment}
# its history            PARTNER#{p}#PLATFORM_PAYMENT_EVENT    {payment}#{version}
# a write-back           CONNECTION#{c}#INVOICE#{invoice}      WRITE_BACK#{payment}
# its history            CONNECTION#{c}#INVOICE#{invoice}      EVENT#{payment}#{version}
# the invoice's lease    CONNECTION#{c}#INVOICE#{invoice}      LEASE
# a payment's owner      CONNECTION#{c}#PSA_PAYMENT            {ConnectWise payment}
#
# Payments are listed by partner (listing) and by customer (by_customer); write-backs that are due
# at some time stand in one partition of the listing. A write-back moves there a few times in its
# life, so that partition bears some hundred payments a second, of all partners together. A
# connection's write-backs are listed in the order of their invoices (by_customer).

DUE_WRITE_BACKS_PK: Final = "DUE_WRITE_BACK"
PLATFORM_PAYMENT_PREFIX: Final = "PLATFORM_PAYMENT#"
WRITE_BACK_PREFIX: Final = "WRITE_BACK#"


def platform_payment_key(partner_id: str, payment_id: str) -> Key:
    return Key(platform_payments_pk(partner_id), _part(payment_id))


def platform_payments_pk(partner_id: str) -> str:
    """Return the partition of a partner's payments, in the table and in the index by time."""
    return f"{_partner(partner_id)}#PLATFORM_PAYMENT"


def platform_payment_event_key(partner_id: str, payment_id: str, version: int) -> Key:
    pk = f"{_partner(partner_id)}#PLATFORM_PAYMENT_EVENT"
    return Key(pk, f"{_part(payment_id)}#{version:010d}")


def platform_payment_index_keys(payment: PlatformPayment) -> dict[str, str]:
    position = f"{timestamp(payment.recorded_at)}#{payment.payment_id}"
    return {
        "gsi1pk": platform_payments_pk(payment.partner_id),
        "gsi1sk": position,
        "gsi2pk": of_customer_pk(payment.partner_id, payment.customer_id),
        "gsi2sk": PLATFORM_PAYMENT_PREFIX + position,
    }


def ledger_invoice_pk(connection_id: str, invoice_source_id: int) -> str:
    """Return the partition of one invoice's write-backs, with their histories and the lease."""
    return f"{_connection(connection_id)}#INVOICE#{mirrored_sk(invoice_source_id)}"


def write_back_key(connection_id: str, write_back_id: str) -> Key | None:
    """Return the key of the write-back with this id, or None for any other text."""
    parsed = parse_write_back_id(write_back_id)
    if parsed is None:
        return None
    payment_id, invoice_source_id = parsed
    pk = ledger_invoice_pk(connection_id, invoice_source_id)
    return Key(pk, WRITE_BACK_PREFIX + _part(payment_id))


def write_back_event_key(write_back: Key, version: int) -> Key:
    """Return the key of an entry in the history of a write-back, given by its own key."""
    payment_id = write_back.sk.removeprefix(WRITE_BACK_PREFIX)
    return Key(write_back.pk, f"EVENT#{payment_id}#{version:010d}")


def write_back_index_keys(write_back: WriteBack) -> dict[str, str]:
    """Return the keys in the connection's list and, while it has a ``due_at``, in the due list."""
    listed = {
        "gsi2pk": write_backs_of_connection_pk(write_back.connection_id),
        "gsi2sk": f"{mirrored_sk(write_back.invoice_source_id)}#{write_back.write_back_id}",
    }
    if write_back.due_at is None or write_back.has_ended:
        return listed
    position = f"{timestamp(write_back.due_at)}#{write_back.write_back_id}"
    return {**listed, "gsi1pk": DUE_WRITE_BACKS_PK, "gsi1sk": position}


def write_backs_of_connection_pk(connection_id: str) -> str:
    return f"{_connection(connection_id)}#WRITE_BACK"


def lease_key(connection_id: str, invoice_source_id: int) -> Key:
    return Key(ledger_invoice_pk(connection_id, invoice_source_id), "LEASE")


def psa_payment_key(connection_id: str, psa_payment_id: int) -> Key:
    """Return the key of the item that says which write-back owns a ConnectWise payment."""
    return Key(f"{_connection(connection_id)}#PSA_PAYMENT", mirrored_sk(psa_payment_id))


# --- parts -------------------------------------------------------------------------------------


def timestamp(moment: datetime) -> str:
    """Return an aware time as UTC text of fixed width, which sorts as time does."""
    if moment.tzinfo is None:
        raise ValueError("a stored time needs a time zone")
    return moment.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def _date(day: date | None, missing: str) -> str:
    return day.isoformat() if day else missing


def _partner(partner_id: str) -> str:
    return f"PARTNER#{_part(partner_id)}"


def _connection(connection_id: str) -> str:
    return f"CONNECTION#{_part(connection_id)}"


def _part(text: str) -> str:
    if not _PART.fullmatch(text):
        raise InvalidInputError("not an id", field="id")
    return text


def stored_type(key: Mapping[str, object]) -> str:
    """Return the type of item that a key holds: the last word of ``pk``, or the first of ``sk``.

    E.g. INVOICE, CUSTOMER, PAYMENT, PLATFORM_PAYMENT, PROBLEM from the one; META, RUN, PLACE,
    WRITE_BACK from the other.
    """
    pk, sk = str(key["pk"]), str(key["sk"])
    if pk.startswith("CONNECTION#"):
        return sk.split("#", 1)[0]
    return pk.rsplit("#", 1)[-1]
