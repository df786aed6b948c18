"""The module reads the JSON text of an answer, odd values included.

One odd value may cost the record that it stands in, and the page goes on. So a number beyond a
double is read as ``NaN``, and a value that is nested absurdly deep as null; whether that spoils the
record is decided where the record is read.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from typing import Any

MAX_DEPTH = 32
"""ConnectWise's own records nest four levels deep."""

_NOT_A_NUMBER = Decimal("NaN")
# ConnectWise computes in doubles, which end before 1e309 and, below one, before 1e-324.
_MAX_EXPONENT = 400
_MAX_NUMBER_CHARACTERS = 400
_MAX_INTEGER_CHARACTERS = 20
# A string, or a bracket outside of strings. A string that stays open ends with the text, so that
# any text is passed over once; possessive repeats keep no memory of their steps.
_TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[\]{}]', re.DOTALL)


# A value and its place take at most so much: a decimal 104 bytes and its pointer 8, a list 56 and
# its first places 32, an object 64, its table 136 and each new name 64 more, twice in the table
# of names. What is not a value's begins with one of these characters or is counted as text.
_BYTES_OF_A_VALUE = 144
_ALL_BUT_MARKS = bytes(set(range(256)) - set(b",:[{"))
_FIRST_BYTES_OF_WIDEST = tuple(bytes((first,)) for first in range(0xF0, 0xF5))


def parsed_bytes(body: bytes) -> int:
    """Return how much memory a text takes while it is read as JSON, at the worst.

    It is the sum of the body, its text, the texts within, and whatever values could stand there: a
    short text may swell to fifty times its length. Measurements in a process of its own hold it
    to be the upper bound that it claims to be.
    """
    values = len(body.translate(None, _ALL_BUT_MARKS))
    return len(body) * (1 + 3 * _character_bytes(body)) + _BYTES_OF_A_VALUE * values


def _character_bytes(body: bytes) -> int:
    """Return how wide Python keeps each character of a text: as wide as its widest one needs."""
    if b"\\u" in body or any(first in body for first in _FIRST_BYTES_OF_WIDEST):
        return 4
    return 1 if body.isascii() else 2


def read_json(body: bytes) -> Any:
    """Return the parsed text, in which numbers with a point are decimals.

    Bytes outside UTF-8 are replaced, and control characters in texts let through. Raises
    ValueError for anything but JSON, such as a text that ends early.
    """
    text = body.decode("utf-8-sig", errors="replace")
    # The error holds the whole text by its traceback, so it is let go of.
    with suppress(RecursionError):
        return _DECODER.decode(text)
    text = _shallow(text)
    return _DECODER.decode(text)


def _number(text: str) -> Decimal:
    """Return a number that is safe to compute with, or NaN for one beyond a double."""
    if len(text) > _MAX_NUMBER_CHARACTERS:
        return _NOT_A_NUMBER
    try:
        number = Decimal(text)
    except InvalidOperation:
        return _NOT_A_NUMBER
    if not number:
        return Decimal(0)
    return number if abs(number.adjusted()) <= _MAX_EXPONENT else _NOT_A_NUMBER


def _integer(text: str) -> int | Decimal:
    return int(text) if len(text) <= _MAX_INTEGER_CHARACTERS else _number(text)


def _shallow(text: str) -> str:
    """Return the text with null in place of each value that is nested deeper than MAX_DEPTH."""
    kept: list[str] = []
    depth, start = 0, 0
    for token in _TOKEN.finditer(text):
        bracket = text[token.start()]
        if bracket in "[{":
            depth += 1
            if depth == MAX_DEPTH + 1:
                kept.append(f"{text[start : token.start()]}null")
        elif bracket in "]}":
            if depth == MAX_DEPTH + 1:
                start = token.end()
            depth -= 1
    if depth:
        raise ValueError("brackets stay open")
    return "".join((*kept, text[start:]))


_DECODER = json.JSONDecoder(
    parse_float=_number, parse_int=_integer, parse_constant=Decimal, strict=False
)
