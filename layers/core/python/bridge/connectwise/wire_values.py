"""Values of ConnectWise's records are read here, strictly where they decide, else loosely.

A strict type refuses a value of another kind; a loose one makes it empty. Source of the facts:
ConnectWise public interface 2025.1 and recorded answers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

MAX_ID = 2**31 - 1
MAX_TEXT_CHARACTERS = 500
MAX_REFERENCES = 1_000
MAX_ADDRESSES = 20

_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})(?:T.*)?", re.ASCII)
_BETWEEN_ADDRESSES = re.compile(r"[\s,;<>()\[\]\"'\x00-\x1f]+")
_MAX_ADDRESS_CHARACTERS = 254
_MAX_ADDRESSES_CHARACTERS = 10_000
_MAX_NUMBER_CHARACTERS = 40
_MAX_EXPONENT = 20


def text_of(value: object) -> str:
    """Return a text that only informs, made storable.

    A whole number becomes its digits, another type an empty text; length is cut, and halves of
    characters are replaced.
    """
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**_MAX_EXPONENT:
        value = str(value)
    text = value[:MAX_TEXT_CHARACTERS] if isinstance(value, str) else ""
    return text.encode(errors="replace").decode()


def _member_name(value: object) -> str:
    """Return the name of a member, which tells whose a payment is: empty for any other type."""
    return text_of(value) if isinstance(value, str) else ""


def _day(value: object) -> str:
    """Return a calendar day, which ConnectWise writes as midnight UTC; its zone is cut off."""
    match = _DAY.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("not a day")
    return match[1]


def _day_if_any(value: object) -> object:
    return None if value in (None, "") else _day(value)


def _explaining_day(value: object) -> date | None:
    """Return a day that only explains, or None for an unreadable one."""
    try:
        return date.fromisoformat(_day(value))
    except ValueError:
        return None


def _amount(value: object) -> object:
    """Return a number, which may come as a text. Raises ValueError for true and false."""
    if isinstance(value, bool | float) or (
        isinstance(value, str) and len(value) > _MAX_NUMBER_CHARACTERS
    ):
        raise ValueError("not a number")
    return value


def _plausible(value: Decimal) -> Decimal:
    if value.adjusted() > _MAX_EXPONENT:
        raise ValueError("out of range")
    return value


def _explaining_amount(value: object) -> Decimal | None:
    """Return a number that only explains, or None for an unreadable one."""
    if isinstance(value, bool | float) or not isinstance(value, int | str | Decimal):
        return None
    if isinstance(value, str) and len(value) > _MAX_NUMBER_CHARACTERS:
        return None
    try:
        number = Decimal(value)
    except (InvalidOperation, ValueError):
        return None
    if not number.is_finite() or abs(number.adjusted()) > _MAX_EXPONENT:
        return None if number else Decimal(0)
    return number


def mapping_of(value: object) -> object:
    return value if isinstance(value, Mapping) else None


def mappings_of(value: object) -> list[Mapping[str, object]]:
    rows = value if isinstance(value, list | tuple) else []
    return [each for each in rows if isinstance(each, Mapping)][:MAX_REFERENCES]


def _flag(value: object) -> bool:
    return value is True


def usable_id(value: object) -> int | None:
    """Return an id, or None for anything else, such as the 0 by which ConnectWise means an empty
    reference."""
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 < value <= MAX_ID else None


def reference_of(value: object) -> object:
    """Return a reference, or None for an empty one.

    ConnectWise leaves an empty reference out, writes it as an object with ``_info`` alone (recorded
    by a public client), or with an id of 0.
    """
    is_usable = isinstance(value, Mapping) and usable_id(value.get("id")) is not None
    return value if is_usable else None


def references_of(value: object) -> list[Mapping[str, object]]:
    return [each for each in mappings_of(value) if reference_of(each) is not None]


def deciding_reference_of(value: object) -> object:
    """Return a reference that decides, or None for an empty one; see :func:`reference_of`."""
    if not isinstance(value, Mapping):
        return value
    source_id = value.get("id")
    return None if source_id is None or (isinstance(source_id, int) and not source_id) else value


def named_currency_of(value: object) -> object:
    """Return a currency, or None for an object that lacks its code."""
    is_nameless = isinstance(value, Mapping) and not (
        value.get("currencyCode") or value.get("isoCode")
    )
    return None if is_nameless else value


def currency_code_of(value: object) -> object:
    """Return the code in a currency that only explains."""
    row = value if isinstance(value, Mapping) else {}
    return row.get("currencyCode") or row.get("isoCode")


def _addresses(value: object) -> tuple[str, ...]:
    """Return the e-mail addresses in a text, in which people list them as they please."""
    text = value[:_MAX_ADDRESSES_CHARACTERS] if isinstance(value, str) else ""
    found: dict[str, str] = {}
    for piece in _BETWEEN_ADDRESSES.split(text.encode(errors="replace").decode()):
        address = piece.removeprefix("mailto:").rstrip(".")
        name, _, host = address.partition("@")
        if name and host and "@" not in host and len(address) <= _MAX_ADDRESS_CHARACTERS:
            found.setdefault(address.casefold(), address)
    return tuple(found.values())[:MAX_ADDRESSES]


Id = Annotated[int, Field(ge=1, le=MAX_ID, strict=True)]
OptionalId = Annotated[int | None, BeforeValidator(usable_id)]
Text = Annotated[str, BeforeValidator(text_of)]
MemberName = Annotated[str, BeforeValidator(_member_name)]
Day = Annotated[date, BeforeValidator(_day)]
OptionalDay = Annotated[date | None, BeforeValidator(_day_if_any)]
ExplainingDay = Annotated[date | None, BeforeValidator(_explaining_day)]
Amount = Annotated[Decimal, BeforeValidator(_amount), AfterValidator(_plausible)]
ExplainingAmount = Annotated[Decimal | None, BeforeValidator(_explaining_amount)]
Flag = Annotated[bool, BeforeValidator(_flag)]
Addresses = Annotated[tuple[str, ...], BeforeValidator(_addresses)]
