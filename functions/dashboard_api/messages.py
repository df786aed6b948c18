"""Refused values are explained in sentences, for the people who typed them in."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from bridge.entrypoints.problem_documents import as_sentence

PATTERN_SENTENCES: Final[Mapping[str, str]] = {
    r"^-?[0-9]{1,12}(\.[0-9]{1,6})?$": "Write a number like 2.5, with a point.",
    r"^[0-9]{1,13}(\.[0-9]{1,4})?$": "Write an amount like 25.00, with a point.",
    r"^[!-~]+$": "Use letters, digits and signs only, without spaces.",
    r"^[0-9]{8}T[0-9]{12}Z$": "Give the `undo_id` of an archiving as it was answered.",
    r"^[0-9a-f]{32}$": "Give the id of a connection as it was answered.",
    r"^[0-9a-f]{32}(-[1-9][0-9]{0,9})?$": "Give the id of a record as it was answered.",
    r"^[A-Z]{3}$": "Give a currency by its three capital letters, like USD.",
    r"^[A-Za-z0-9_-]{1,64}$": "Use 1 to 64 letters, digits, hyphens and underscores.",
    r"^[A-Za-z][A-Za-z0-9_-]{0,39}$": "Use 1 to 40 letters, digits, hyphens and underscores, and "
    "begin with a letter.",
    r"^[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+\.[^@\s\x00-\x1f\x7f]+$": (
        "Write an e-mail address, like anna@example.com."
    ),
    r"^[^\s+:/?#%\x00-\x1f\x7f]+$": "Write the company id as it is typed at ConnectWise's sign-in, "
    "without spaces and slashes.",
    r"^[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$": "Write one line of text that does not begin with a "
    "space.",
    r"^[^\x00-\x1f\x7f]*$": "Write one line of text.",
    r"^[^\x00-\x1f\x7f]+$": "Write one line of text.",
}
"""Each pattern has a sentence for people."""

_OTHER_FORM: Final = "Write it in another form; the description of the API says which."
_NOT_ACCEPTED: Final = "This value is not accepted."
_QUOTES: Final = re.compile(r"'([^']*)'")


def sentence_about(error: Mapping[str, Any]) -> str:
    """Return one of pydantic's errors as a sentence, without the value."""
    kind, context = str(error["type"]), error.get("ctx", {})
    if kind == "value_error":
        return as_sentence(str(context["error"]))
    if kind == "string_pattern_mismatch":
        return PATTERN_SENTENCES.get(str(context["pattern"]), _OTHER_FORM)
    if kind in _WITH_LIMIT:
        return _WITH_LIMIT[kind](context)
    return next((text for start, text in _FIXED.items() if kind.startswith(start)), _NOT_ACCEPTED)


def _named(context: Mapping[str, Any]) -> str:
    return f"Choose one of: {', '.join(_QUOTES.findall(str(context['expected'])))}."


def _least_length(context: Mapping[str, Any]) -> str:
    least = context["min_length"]
    return "Leave this out or fill it in." if least == 1 else f"Write {least} characters or more."


def _least_count(context: Mapping[str, Any]) -> str:
    return f"Give {context['min_length']} or more."


_WITH_LIMIT: Final[Mapping[str, Callable[[Mapping[str, Any]], str]]] = {
    "enum": _named,
    "literal_error": _named,
    "string_too_short": _least_length,
    "string_too_long": lambda context: f"Write {context['max_length']} characters at most.",
    "too_short": _least_count,
    "too_long": lambda context: f"Give {context['max_length']} at most.",
    "greater_than_equal": lambda context: f"The least that is possible is {context['ge']}.",
    "greater_than": lambda context: f"It has to be more than {context['gt']}.",
    "less_than_equal": lambda context: f"The most that is possible is {context['le']}.",
    "less_than": lambda context: f"It has to be less than {context['lt']}.",
}
# The first key that the kind of error begins with counts.
_FIXED: Final[Mapping[str, str]] = {
    "missing": "This is needed.",
    "extra_forbidden": "This field is unknown.",
    "json_invalid": "This is no JSON.",
    "string": "Write text here.",
    "int": "Write a whole number.",
    "bool": "Write true or false.",
    "datetime": "Write a time in UTC, like 2026-08-31T12:00:00Z.",
    "timezone": "Write a time with its zone, like 2026-08-31T12:00:00Z.",
    "date": "Write a date, like 2026-08-31.",
    "decimal": "Write a number, like 2.5.",
    "tuple": "Give a list.",
    "list": "Give a list.",
    "set": "Give a list.",
    "frozen_set": "Give a list.",
    "model": "Give an object with fields.",
    "dict": "Give an object with fields.",
    "none": "Leave this out.",
}
