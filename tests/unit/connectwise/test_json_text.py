"""The text of an answer: whatever one value in it holds, the others are read."""

from __future__ import annotations

import json
import tracemalloc
from decimal import Decimal

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.connectwise.exchange import MAX_PARSED_BYTES, Answer
from bridge.connectwise.json_text import MAX_DEPTH, read_json
from bridge.domain.errors import TooLargeError


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


@pytest.mark.parametrize(
    "number", ["1e1000000", "1e99999999999999999999", "-1e99999999999999999999", "9" * 5_000]
)
def test_a_number_beyond_a_double_is_not_a_number(number: str) -> None:
    first, second = read_json(f'[{{"id":1,"total":{number}}},{{"id":2,"total":94.10}}]'.encode())

    assert first["total"].is_nan()
    assert second["total"] == Decimal("94.10")


def test_no_number_is_a_float_and_ids_are_integers() -> None:
    assert read_json(b"[1.5, 2, 1e3, 0.0]") == [Decimal("1.5"), 2, Decimal(1_000), 0]
    assert not [each for each in read_json(b"[1.5, 1e3, 0.0]") if isinstance(each, float)]


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_a_value_nested_absurdly_deep_is_left_out(opening: str) -> None:
    closing = "]" if opening == "[" else "}"
    deep = opening * 100_000 + ("" if opening == "[" else "1") + closing * 100_000
    text = f'[{{"id":1,"notes":{deep},"total":5}},{{"id":2,"note":"a ]] \\" ["}}]'

    first, second = read_json(text.encode())

    assert (first["id"], first["total"]) == (1, 5)
    assert second == {"id": 2, "note": 'a ]] " ['}


def test_control_characters_and_bytes_that_are_no_text_are_let_through() -> None:
    assert read_json(b'{"a": "x\x01y", "b": "\xff"}') == {"a": "x\x01y", "b": "\ufffd"}


@pytest.mark.parametrize(
    "text", ["", "<html>", "[1", '{"a": ', "[" * 100_000, "[" * 100_000 + "]" * 99_999, "]" * 9]
)
def test_a_text_that_ends_early_is_no_json(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - json's own error is a ValueError without a form
        read_json(text.encode())


@given(st.text(alphabet='[]{}":,\\ae0123456789.-tfn ', max_size=60) | st.binary(max_size=60))
def test_any_text_is_read_or_is_a_value_error(text: str | bytes) -> None:
    body = text if isinstance(text, bytes) else text.encode()
    try:
        read_json(body)
        read_json(b"[" + body + b"," + nested(5_000).encode() + b"]")
    except ValueError:
        return


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(10**18), 10**18) | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    )
)
def test_beside_a_deep_value_everything_is_read_as_it_stands(value: object) -> None:
    text = json.dumps([value, 1])

    assert read_json(f"[{text}, {nested(20_000)}]".encode())[0] == json.loads(text)


def test_what_is_nested_as_records_are_is_kept() -> None:
    text = f"[{nested(20_000)}, {nested(MAX_DEPTH - 1)}]"

    kept = read_json(text.encode())[1]

    assert json.dumps(kept) == nested(MAX_DEPTH - 1)


def test_a_long_text_beside_a_deep_value_costs_little_memory() -> None:
    escapes = 500_000
    text = f'[{"[" * 2_000}{"]" * 2_000},"{chr(92)}n{(chr(92) + "n") * escapes}"]'.encode()

    tracemalloc.start()
    try:
        read_json(text)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak_bytes < 10 * len(text)


@pytest.mark.parametrize("value", [b"{}", b"1.5", b"[[[]]]", b'"a text"'])
def test_an_answer_that_would_fill_the_memory_is_asked_for_in_parts(value: bytes) -> None:
    values = MAX_PARSED_BYTES // 64
    answer = Answer(200, httpx.Headers(), b"[" + (value + b",") * values + b"1]")

    with pytest.raises(TooLargeError):
        answer.json()
