"""Keys stay within their partner, sort as ids and dates do, and are built in one place."""

from __future__ import annotations

import ast
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import bridge.store
from bridge.domain.errors import InvalidInputError
from bridge.domain.identity import RecordKind, mirrored_id, new_id
from bridge.domain.invoice import InvoiceState
from bridge.store import keys
from bridge.store.callback_keys import digest_of, signing_key_key, wanted_key_key
from bridge.store.keys import Key
from tests.builders.payments import a_write_back
from tests.builders.records import CONNECTION, PARTNER, a_customer, a_payment, an_invoice

KINDS = st.sampled_from(RecordKind)


@given(first=st.integers(0, keys.MAX_SOURCE_ID), second=st.integers(0, keys.MAX_SOURCE_ID))
def test_connectwise_ids_sort_as_numbers(first: int, second: int) -> None:
    in_order = keys.mirrored_sk(first) < keys.mirrored_sk(second)
    assert in_order == (first < second)
    assert keys.source_id_of(keys.mirrored_sk(first)) == first


@pytest.mark.parametrize("source_id", [-1, keys.MAX_SOURCE_ID + 1])
def test_an_id_that_would_not_sort_is_refused(source_id: int) -> None:
    with pytest.raises(InvalidInputError):
        keys.mirrored_sk(source_id)


@given(partner_id=st.text(), record_id=st.text(), kind=KINDS)
def test_whatever_the_ids_a_key_lies_within_its_partner(
    partner_id: str, record_id: str, kind: RecordKind
) -> None:
    try:
        key = keys.record_key(partner_id, kind, record_id)
    except InvalidInputError:
        return
    assert key is None or key.pk.startswith(f"PARTNER#{partner_id}#")


@given(kind=KINDS, source_id=st.integers(1, keys.MAX_SOURCE_ID))
def test_mirrored_and_platform_records_never_share_a_partition(
    kind: RecordKind, source_id: int
) -> None:
    mirrored = keys.record_key(PARTNER, kind, mirrored_id(CONNECTION, source_id))
    made_here = keys.record_key(PARTNER, kind, CONNECTION)
    assert mirrored == Key(
        f"PARTNER#{PARTNER}#CONNECTION#{CONNECTION}#{kind.name}", f"{source_id:010d}"
    )
    assert made_here == Key(f"PARTNER#{PARTNER}#PLATFORM#{kind.name}", CONNECTION)


def test_index_partitions_of_records_name_the_partner() -> None:
    index_keys = [
        keys.invoice_index_keys(an_invoice()),
        keys.customer_index_keys(a_customer()),
        keys.payment_index_keys(a_payment()),
    ]
    partitions = [found[name] for found in index_keys for name in found if name.endswith("pk")]
    assert len(partitions) == 5
    assert all(pk.startswith(f"PARTNER#{PARTNER}#") for pk in partitions)


@pytest.mark.parametrize(
    ("state", "bucket"),
    [
        (InvoiceState.OPEN, "OPEN"),
        (InvoiceState.PARTIALLY_PAID, "OPEN"),
        (InvoiceState.PAID, "PAID"),
        (InvoiceState.ARCHIVED, "ARCHIVED"),
    ],
)
def test_what_is_partly_paid_stays_among_the_open_ones(state: InvoiceState, bucket: str) -> None:
    assert keys.invoice_bucket(state) == bucket


@given(st.dates(date(1900, 1, 1)))
def test_an_invoice_without_due_date_sorts_after_every_date(day: date) -> None:
    dated = keys.invoice_index_keys(an_invoice(due_on=day))["gsi1sk"]
    undated = keys.invoice_index_keys(an_invoice(due_on=None))["gsi1sk"]
    assert dated < undated < keys.LAST


@given(name=st.text())
def test_the_id_at_the_end_of_a_sort_key_is_found_whatever_the_name(name: str) -> None:
    customer = a_customer(name=name)
    assert keys.listed_id(keys.customer_index_keys(customer)["gsi1sk"]) == customer.customer_id


@given(st.datetimes(), st.datetimes())
def test_times_sort_as_texts(first: datetime, second: datetime) -> None:
    texts = [keys.timestamp(moment.replace(tzinfo=UTC)) for moment in (first, second)]
    assert (texts[0] < texts[1]) == (first < second)


def test_a_signing_keys_url_is_not_readable_in_its_key() -> None:
    digests = [
        digest_of(f"https://na.myconnectwise.net/{path}") for path in ("secret-path", "other")
    ]
    for build in (signing_key_key, wanted_key_key):
        key, other = (build(CONNECTION, digest) for digest in digests)
        assert "secret-path" not in key.sk
        assert key != other


@pytest.mark.parametrize("part", ["", "a#b", "a b", "ä", "x" * 65])
def test_a_part_that_could_break_out_of_its_place_is_refused(part: str) -> None:
    builders: list[Callable[[], object]] = [
        lambda: keys.connection_key(part),
        lambda: keys.run_key(CONNECTION, part),
        lambda: keys.problem_key(PARTNER, part),
        lambda: keys.problem_key(part, new_id()),
        lambda: keys.of_customer_pk(PARTNER, part),
        lambda: keys.rate_key(part),
        lambda: keys.syncing_key(part),
        lambda: keys.silence_key(part),
        lambda: keys.partner_place_key(part, "record_search", 0),
        lambda: keys.write_back_index_keys(a_write_back(partner_id=part)),
        lambda: keys.write_back_index_keys(a_write_back(connection_id=part)),
    ]
    for build in builders:
        with pytest.raises(InvalidInputError):
            build()


def test_nothing_else_in_the_store_builds_a_key() -> None:
    folder = Path(bridge.store.__file__).parent
    found = {
        (path.name, node.value)
        for path in folder.glob("*.py")
        if path.name not in ("keys.py", "key_parts.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if node.value.startswith(("PARTNER#", "CONNECTION#", "INVOICE#", "RUN#", "PLACE#"))
    }
    assert not found - {("changes.py", "CONNECTION#")}
