"""This module builds every key of every table but callbacks, and is the only one that may.

A key that belongs to a partner begins with ``PARTNER#{partner_id}#``; the id comes from the token
or the stored connection. A part with a ``#`` in it is refused, because it could forge a key.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from bridge.domain.errors import InvalidInputError
from bridge.domain.identity import (
    RecordKind,
    is_platform_id,
    parse_mirrored_id,
    parse_write_back_id,
)
from bridge.domain.search_terms import fold_name
from bridge.store.key_parts import FIRST as FIRST  # noqa: PLC0414  # other stores take it from here
from bridge.store.key_parts import LAST as LAST  # noqa: PLC0414
from bridge.store.key_parts import Key as Key  # noqa: PLC0414
from bridge.store.key_parts import connection_part, date_or, part, partner_part
from bridge.store.key_parts import days_between as days_between  # noqa: PLC0414
from bridge.store.key_parts import timestamp as timestamp  # noqa: PLC0414

if TYPE_CHECKING:
    from datetime import datetime

    from bridge.domain.company import CompanyProof
    from bridge.domain.connection import Connection
    from bridge.domain.customer import Customer
    from bridge.domain.invoice import Invoice, InvoiceState
    from bridge.domain.job import Job
    from bridge.domain.payment import Payment
    from bridge.domain.platform_payment import PlatformPayment
    from bridge.domain.problem import Problem, ProblemState
    from bridge.domain.run import Run, RunKind
    from bridge.domain.write_back import WriteBack

LISTING_INDEX: Final = "listing"
CUSTOMER_INDEX: Final = "by_customer"
DUE_INDEX: Final = "due"
PARTNER_INDEX: Final = "by_partner"

MAX_SOURCE_ID: Final = 10**10 - 1
# A due or paid date that is missing; letters sort after the digits of any date.
NO_DUE_DATE: Final = "NONE"
NO_PAID_DATE: Final = "0000-00-00"
# Ends a folded name, which holds single spaces only: so a name differs from a longer one's start.
_NAME_END: Final = "\t"


# --- records -----------------------------------------------------------------------------------

UNPAID: Final = "OPEN"
PAID: Final = "PAID"
ARCHIVED: Final = "ARCHIVED"
ACTIVE: Final = "ACTIVE"
# The order of an invoice list: what is still to be paid comes first.
INVOICE_BUCKETS: Final = (UNPAID, PAID, ARCHIVED)


def mirrored_pk(partner_id: str, connection_id: str, kind: RecordKind) -> str:
    """Return the partition of one connection's mirrored records, sorted by ConnectWise id."""
    return f"{partner_part(partner_id)}#CONNECTION#{part(connection_id)}#{kind.name}"


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
        return Key(f"{partner_part(partner_id)}#PLATFORM#{kind.name}", record_id)
    return None


def invoice_listing_pk(partner_id: str, bucket: str) -> str:
    return f"{partner_part(partner_id)}#INVOICE#{bucket}"


def customer_listing_pk(partner_id: str, bucket: str) -> str:
    return f"{partner_part(partner_id)}#CUSTOMER#{bucket}"


def payment_listing_pk(partner_id: str) -> str:
    return f"{partner_part(partner_id)}#PAYMENT"


def of_customer_pk(partner_id: str, customer_id: str) -> str:
    """Return the index partition that holds a customer's invoices and payments."""
    return f"{partner_part(partner_id)}#CUSTOMER#{part(customer_id)}"


def of_customer_prefix(kind: RecordKind, bucket: str = "") -> str:
    return f"{kind.name}#{bucket}#" if bucket else f"{kind.name}#"


def invoice_bucket(state: InvoiceState) -> str:
    """Return the bucket of a state; partly paid invoices stay among the unpaid ones."""
    return state.name if state.name in (ARCHIVED, PAID) else UNPAID


def invoice_index_keys(invoice: Invoice) -> dict[str, str]:
    bucket = invoice_bucket(invoice.state)
    position = f"{date_or(invoice.due_on, NO_DUE_DATE)}#{invoice.invoice_id}"
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
    position = f"{date_or(payment.paid_on, NO_PAID_DATE)}#{payment.payment_id}"
    return {
        "gsi1pk": payment_listing_pk(payment.partner_id),
        "gsi1sk": position,
        "gsi2pk": of_customer_pk(payment.partner_id, payment.customer_id),
        "gsi2sk": of_customer_prefix(RecordKind.PAYMENT) + position,
    }


def kind_word(pk: str) -> str:
    """Return the last word of a record's partition, e.g. INVOICE, CUSTOMER or PAYMENT."""
    return pk.rsplit("#", 1)[-1]


def listed_id(index_sk: str) -> str:
    """Return the record id at the end of an index's sort key."""
    return index_sk.rsplit("#", 1)[-1]


# --- operations --------------------------------------------------------------------------------

SYNCING_PK: Final = "SYNCING"
ACTIVE_RUN_PK: Final = "ACTIVE_RUN"


def connection_key(connection_id: str) -> Key:
    return Key(connection_part(connection_id), "META")


def connection_index_keys(connection: Connection) -> dict[str, str]:
    return {
        "gsi1pk": connections_of_partner_pk(connection.partner_id),
        "gsi1sk": f"{timestamp(connection.created_at)}#{connection.connection_id}",
    }


def connections_of_partner_pk(partner_id: str) -> str:
    return f"{partner_part(partner_id)}#CONNECTION"


def syncing_key(connection_id: str) -> Key:
    """Return the key of the small item that exists while the connection is kept in step."""
    return Key(SYNCING_PK, part(connection_id))


def company_key(key: str) -> Key:
    """Return the key of the item that says which connection claims a ConnectWise company."""
    return Key(f"COMPANY#{part(key)}", "CLAIM")


def company_proof_key(proof: CompanyProof) -> Key:
    return Key(f"COMPANY_PROOF#{proof.kind.name}#{part(proof.digest)}", "PROOF")


def run_key(connection_id: str, run_id: str) -> Key:
    return Key(connection_part(connection_id), f"RUN#{part(run_id)}")


def latest_sweep_key(connection_id: str) -> Key:
    return Key(connection_part(connection_id), "LATEST_SWEEP")


def run_index_keys(run: Run) -> dict[str, str]:
    return {
        "gsi1pk": runs_of_connection_pk(run.connection_id),
        "gsi1sk": f"{timestamp(run.created_at)}#{run.run_id}",
    }


def runs_of_connection_pk(connection_id: str) -> str:
    return f"{connection_part(connection_id)}#RUN"


def slot_key(connection_id: str, kind: RunKind) -> Key:
    """Return the key of the slot that a kind of run has on a connection, stored as ``PLACE``."""
    return Key(connection_part(connection_id), f"PLACE#{kind.name}")


def slot_index_keys(run: Run, moved_at: datetime) -> dict[str, str]:
    """Return the keys by which workers of the release before find stalled runs."""
    return {"gsi1pk": ACTIVE_RUN_PK, "gsi1sk": f"{timestamp(moved_at)}#{run.run_id}"}


def archiving_key(connection_id: str, undo_id: str) -> Key:
    return Key(connection_part(connection_id), f"ARCHIVING#{part(undo_id)}")


def window_key(connection_id: str, kind: RunKind) -> Key:
    return Key(connection_part(connection_id), f"WINDOW#{kind.name}")


def watermark_key(connection_id: str, kind: RecordKind) -> Key:
    return Key(connection_part(connection_id), f"WATERMARK#{kind.name}")


def problem_key(partner_id: str, problem_id: str) -> Key:
    return Key(f"{partner_part(partner_id)}#PROBLEM", part(problem_id))


def problem_listing_pk(partner_id: str, state: ProblemState) -> str:
    return f"{partner_part(partner_id)}#PROBLEM#{state.name}"


def problem_index_keys(problem: Problem) -> dict[str, str]:
    return {
        "gsi1pk": problem_listing_pk(problem.partner_id, problem.state),
        "gsi1sk": f"{timestamp(problem.opened_at)}#{problem.problem_id}",
    }


def outstanding_key(partner_id: str) -> Key:
    """Return the key of the sums of a partner's unpaid invoices."""
    return Key(f"{partner_part(partner_id)}#FIGURES", "OUTSTANDING")


# --- coordination ------------------------------------------------------------------------------


def rate_key(connection_id: str) -> Key:
    return Key(connection_part(connection_id), "RATE")


RESTORE_MARK_KEY: Final = Key("PAYMENT_CONTROL", "RESTORED")


def payment_stop_key(partner_id: str) -> Key:
    """Return the key of a partner's stop of payments, or of the one for all (``*``)."""
    return Key("PAYMENT_STOP", "*" if partner_id == "*" else partner_part(partner_id))


def payment_rate_key(connection_id: str) -> Key:
    return Key(connection_part(connection_id), "PAYMENT_RATE")


SILENCES_PK: Final = "SILENT_SERVER"


def silence_key(connection_id: str) -> Key:
    return Key(SILENCES_PK, part(connection_id))


def job_turn_key(connection_id: str, job: Job) -> Key:
    return Key(connection_part(connection_id), f"JOB_TURN#{job.name}")


def read_mark_key(connection_id: str, kind: RecordKind, source_id: int) -> Key:
    return Key(connection_part(connection_id), f"READ_MARK#{kind.name}#{source_id}")


def partner_place_key(partner_id: str, activity: str, number: int) -> Key:
    return Key(f"{partner_part(partner_id)}#{activity.upper()}_PLACE", str(number))


# --- the ledger --------------------------------------------------------------------------------
#
# a payment              PARTNER#{p}#PLATFORM_PAYMENT          {payment}
# its history            PARTNER#{p}#PLATFORM_PAYMENT_EVENT    {payment}#{version}
# a write-back           CONNECTION#{c}#INVOICE#{invoice}      WRITE_BACK#{payment}
# its history            CONNECTION#{c}#INVOICE#{invoice}      EVENT#{payment}#{version}
# the invoice's lease    CONNECTION#{c}#INVOICE#{invoice}      LEASE
# a payment's owner      CONNECTION#{c}#PSA_PAYMENT            {ConnectWise payment}
#
# Payments are listed by partner (listing) and by customer (by_customer), a connection's write-backs
# in the order of their invoices (by_customer), those that rest apart from the others. Write-backs
# that are due at some time stand by their connections in a few shards (due), and all together by
# their time in the listing, where workers of version 0.1.0 read and write.

DUE_WRITE_BACKS_PK: Final = "DUE_WRITE_BACK"
DUE_SHARDS: Final = tuple(f"{DUE_WRITE_BACKS_PK}#{shard}" for shard in range(4))
PLATFORM_PAYMENT_PREFIX: Final = "PLATFORM_PAYMENT#"
WRITE_BACK_PREFIX: Final = "WRITE_BACK#"


def platform_payment_key(partner_id: str, payment_id: str) -> Key:
    return Key(platform_payments_pk(partner_id), part(payment_id))


def platform_payments_pk(partner_id: str) -> str:
    """Return the partition of a partner's payments, in the table and in the index by time."""
    return f"{partner_part(partner_id)}#PLATFORM_PAYMENT"


def platform_payment_event_key(partner_id: str, payment_id: str, version: int) -> Key:
    pk = f"{partner_part(partner_id)}#PLATFORM_PAYMENT_EVENT"
    return Key(pk, f"{part(payment_id)}#{version:010d}")


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
    return f"{connection_part(connection_id)}#INVOICE#{mirrored_sk(invoice_source_id)}"


def write_back_key(connection_id: str, write_back_id: str) -> Key | None:
    """Return the key of the write-back with this id, or None for any other text."""
    parsed = parse_write_back_id(write_back_id)
    if parsed is None:
        return None
    payment_id, invoice_source_id = parsed
    pk = ledger_invoice_pk(connection_id, invoice_source_id)
    return Key(pk, WRITE_BACK_PREFIX + part(payment_id))


def write_back_event_key(write_back: Key, version: int) -> Key:
    """Return the key of an entry in the history of a write-back, given by its own key."""
    payment_id = write_back.sk.removeprefix(WRITE_BACK_PREFIX)
    return Key(write_back.pk, f"EVENT#{payment_id}#{version:010d}")


def write_back_index_keys(write_back: WriteBack, *, is_resting: bool = False) -> dict[str, str]:
    """Return the keys in the connection's list and, while a look is to come, in the due lists."""
    listed = {
        "gsi2pk": write_backs_of_connection_pk(write_back.connection_id, is_resting=is_resting),
        "gsi2sk": f"{mirrored_sk(write_back.invoice_source_id)}#{write_back.write_back_id}",
    }
    if write_back.next_look_at is None:
        return listed
    position = f"{timestamp(write_back.next_look_at)}#{write_back.write_back_id}"
    owner = f"{part(write_back.partner_id)}#{part(write_back.connection_id)}"
    spread = int.from_bytes(hashlib.sha256(write_back.partner_id.encode()).digest()[:2])
    return {
        **listed,
        "gsi1pk": DUE_WRITE_BACKS_PK,
        "gsi1sk": position,
        "gsi3pk": DUE_SHARDS[spread % len(DUE_SHARDS)],
        "gsi3sk": f"{spread:04x}#{owner}#{position}",
    }


def write_backs_of_connection_pk(connection_id: str, *, is_resting: bool = False) -> str:
    """Return the index partition of the write-backs that rest, or of all others."""
    kind = "RESTING_WRITE_BACK" if is_resting else "WRITE_BACK"
    return f"{connection_part(connection_id)}#{kind}"


def past_invoice(invoice_source_id: int) -> str:
    """Return a place in a connection's list that lies past all write-backs of an invoice."""
    return mirrored_sk(invoice_source_id) + LAST


def lease_key(books_key: str, invoice_source_id: int) -> Key:
    """Return the key of an invoice's lease; the books' key is a company's or a connection's."""
    return Key(ledger_invoice_pk(books_key, invoice_source_id), "LEASE")


def psa_payment_key(books_key: str, psa_payment_id: int) -> Key:
    """Return the key of the item that says which write-back owns a ConnectWise payment."""
    return Key(f"{connection_part(books_key)}#PSA_PAYMENT", mirrored_sk(psa_payment_id))
