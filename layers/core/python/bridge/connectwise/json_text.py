"""The module reads the JSON text of an answer, odd values included.

One odd value may cost the record that it stands in, and the page goes on. So a number beyond a
double is read as ``NaN``, and a value that is nested absurdly deep as null; whether that spoils the
record is decided where the record is read.
"""

from __future__ import annotations

import json
import re
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


def read_json(body: bytes) -> Any:
    """Return the parsed text, in which numbers with a point are decimals.

    Bytes outside UTF-8 are replaced, and control characters in texts let through. Raises
    ValueError for anything but JSON, such as a text that ends early.
    """
    text = body.decode("utf-8-sig", errors="replace")
    try:
        return _DECODER.decode(text)
    except RecursionError:
        return _DECODER.decode(_shallow(text))


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
