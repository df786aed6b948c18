"""What every ReadMarks does."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from bridge.domain.hint import RecordKey
from bridge.domain.identity import RecordKind
from bridge.domain.read_mark import ReadMark
from tests.builders.records import CONNECTION, OTHER_CONNECTION
from tests.contract.conftest import Stores
from tests.fakes.clock import START

RECORD: RecordKey = (RecordKind.INVOICE, 1001)
FIRST = ReadMark("first", reading_since=START, reading_until=START + timedelta(minutes=1))


def test_a_record_that_nobody_read_has_a_new_mark(stores: Stores) -> None:
    other = (RecordKind.CUSTOMER, 7)
    assert stores.read_marks.get(CONNECTION, [RECORD, other]) == {
        RECORD: ReadMark(),
        other: ReadMark(),
    }


def test_a_mark_is_given_back_as_it_was_kept(stores: Stores) -> None:
    full = replace(FIRST, began_at=START, waiting_since=START + timedelta(milliseconds=1))
    assert stores.read_marks.put(CONNECTION, RECORD, full, replaces="")
    assert stores.read_marks.get(CONNECTION, [RECORD])[RECORD] == full


def test_marks_of_other_records_and_connections_are_others(stores: Stores) -> None:
    stores.read_marks.put(CONNECTION, RECORD, FIRST, replaces="")
    same_id, next_id = (RecordKind.CUSTOMER, 1001), (RecordKind.INVOICE, 1002)
    marks = stores.read_marks.get(CONNECTION, [same_id, next_id])
    assert set(marks.values()) == {ReadMark()}
    assert stores.read_marks.get(OTHER_CONNECTION, [RECORD])[RECORD] == ReadMark()


@pytest.mark.parametrize("source_id", [0, 10**12])
def test_any_id_may_have_a_mark(stores: Stores, source_id: int) -> None:
    """An id that cannot be is found out when its record is read."""
    record = (RecordKind.INVOICE, source_id)
    assert stores.read_marks.put(CONNECTION, record, FIRST, replaces="")
    assert stores.read_marks.get(CONNECTION, [record])[record] == FIRST


def test_a_mark_is_changed_by_who_knows_it(stores: Stores) -> None:
    second = FIRST.finished(token="second")
    assert not stores.read_marks.put(CONNECTION, RECORD, second, replaces="first")
    assert stores.read_marks.put(CONNECTION, RECORD, FIRST, replaces="")
    assert not stores.read_marks.put(CONNECTION, RECORD, second, replaces="")
    assert not stores.read_marks.put(CONNECTION, RECORD, second, replaces="another")
    assert stores.read_marks.put(CONNECTION, RECORD, second, replaces="first")
    assert stores.read_marks.get(CONNECTION, [RECORD])[RECORD] == second


@pytest.mark.parametrize("before", ["", "first"])
def test_one_of_many_at_once_reads(on_dynamodb: Stores, before: str) -> None:
    if before:
        on_dynamodb.read_marks.put(CONNECTION, RECORD, FIRST, replaces="")
    claims = [replace(FIRST, token=f"claim-{number}") for number in range(16)]

    def claim(mark: ReadMark) -> bool:
        return on_dynamodb.read_marks.put(CONNECTION, RECORD, mark, replaces=before)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(claim, claims)).count(True) == 1
