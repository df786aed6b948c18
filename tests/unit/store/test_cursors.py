"""A cursor leads back to its position in its own list, and anything else is refused."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.domain.errors import InvalidInputError
from bridge.ports import InvoiceQuery
from bridge.store.cursors import Position, read_cursor, write_cursor

positions = st.builds(
    Position, st.integers(0, 5), st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
)


@given(positions)
def test_a_position_is_found_again(position: Position) -> None:
    cursor = write_cursor(position, "partner-a", InvoiceQuery(number="1"))
    assert read_cursor(cursor, "partner-a", InvoiceQuery(number="1")) == position


@given(positions)
def test_another_partner_or_query_is_another_list(position: Position) -> None:
    cursor = write_cursor(position, "partner-a", InvoiceQuery(number="1"))
    for other in (("partner-b", InvoiceQuery(number="1")), ("partner-a", InvoiceQuery())):
        with pytest.raises(InvalidInputError) as refused:
            read_cursor(cursor, *other)
        assert refused.value.field == "cursor"


@given(st.text() | st.binary().map(lambda content: base64.urlsafe_b64encode(content).decode()))
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError):
        read_cursor(text, "partner-a")


def test_half_a_character_is_refused() -> None:
    cursor = write_cursor(Position(0, "\ud800"), "partner-a")
    with pytest.raises(InvalidInputError):
        read_cursor(cursor, "partner-a")


def test_the_end_of_a_list_has_no_cursor() -> None:
    assert write_cursor(None, "partner-a") is None
    assert read_cursor(None, "partner-a") is None
