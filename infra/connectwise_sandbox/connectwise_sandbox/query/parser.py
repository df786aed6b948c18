"""The parser reads a conditions text into its tree."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import cast

from lark import Lark, Token, Transformer
from lark.exceptions import LarkError

from connectwise_sandbox.query.errors import HOW_VALUES_ARE_WRITTEN, QueryError
from connectwise_sandbox.query.syntax import (
    And,
    Comparison,
    Condition,
    Literal,
    Membership,
    Operator,
    Or,
    Path,
)

MAX_TEXT_LENGTH = 16_384
"""Characters of one query parameter; a URL carries 2,000, the body of a bundle or search more."""

MAX_DEPTH = 50
"""Parentheses within each other. It bounds the depth of the tree, and so all recursion over it."""

MAX_LIST_LENGTH = 1_000
"""Values between the parentheses of one `in`."""

MAX_PATH_LENGTH = 10
"""Properties in one slash path."""

_MOMENT = re.compile(
    r"\[(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?P<time>T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?)?(?P<zone>Z|[+-][0-9]{2}:?[0-9]{2})?\]"
)
"""The spellings that live clients send: connectwise-etl a day, django-connectwise microseconds and
a bare time, others an offset."""
_PATH = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(/[A-Za-z_][A-Za-z0-9_]*)*")
_IDS = re.compile(r"(?P<path>([A-Za-z]+/)?id) in \((?P<values>[0-9]+(,[0-9]+)*)\)")
"""The condition that clients send most, in ever new texts; a shortcut reads it and its like."""
_COMPARISON = re.compile(
    r"(?P<path>[A-Za-z_][A-Za-z0-9_]*(/[A-Za-z_][A-Za-z0-9_]*)*)(?P<operator>!=|<>|<=|>=|=|<|>)"
    r"(?P<literal>true|false|-?[0-9]+(\.[0-9]+)?|\[[0-9T:.+-]+Z?\])"
)
_KEYWORDS = frozenset({"and", "or", "not", "in", "like", "contains", "true", "false", "null"})
_MARKS = re.compile(r"\\.|[\"'()]", re.DOTALL)
_ESCAPED = re.compile(r"\\([\\\"'])")


def check_length(text: str) -> None:
    """Raise QueryError if a query parameter is longer than MAX_TEXT_LENGTH characters."""
    if len(text) > MAX_TEXT_LENGTH:
        raise QueryError(f"The text may have at most {MAX_TEXT_LENGTH} characters.")


def parse_path(text: str) -> Path:
    """Return the steps of a property path such as `status/name`; raise QueryError for others."""
    if not _PATH.fullmatch(text):
        raise QueryError(f"{text!r} is not the name of a property.")
    path = tuple(text.split("/"))
    if len(path) > MAX_PATH_LENGTH:
        raise QueryError(f"A property path may have at most {MAX_PATH_LENGTH} steps.")
    return path


def parse_conditions(text: str) -> Condition:
    """Return the tree of a conditions text; it may not be blank.

    A backslash escapes a quote or a backslash, as clients send it; any other backslash stands for
    itself. Raises QueryError if the text breaks the grammar or exceeds a limit.
    """
    check_length(text)
    plain = _plain_conjunction(text)
    if plain is not None:
        return plain
    if _nesting(text) > MAX_DEPTH:
        raise QueryError(f"Parentheses may be nested at most {MAX_DEPTH} deep.")
    try:
        # The transformer runs inside the parser, so the result is its tree, not lark's.
        return cast(Condition, _PARSER.parse(text))
    except LarkError as error:
        position = getattr(error, "pos_in_stream", None)
        where = f" near character {position + 1}" if isinstance(position, int) else ""
        message = f"The conditions cannot be read{where}. {HOW_VALUES_ARE_WRITTEN}"
        raise QueryError(message) from error


def _plain_conjunction(text: str) -> Condition | None:
    """Return the tree of conditions that clients send most, None for what the grammar has to read.

    They are lists of ids and comparisons with numbers, dates and truth values, joined by `and`.
    """
    try:
        parts = [_plain_part(part) for part in text.split(" and ")]
    except QueryError:
        return None
    read = tuple(part for part in parts if part is not None)
    if len(read) < len(parts):
        return None
    return read[0] if len(read) == 1 else And(read)


def _plain_part(text: str) -> Comparison | Membership | None:
    ids = _IDS.fullmatch(text)
    if ids:
        values = tuple(map(Decimal, ids["values"].split(",")))
        return _membership(ids["path"], Operator.IN, values)
    match = _COMPARISON.fullmatch(text)
    if match is None or match["path"].partition("/")[0].lower() in _KEYWORDS:
        return None
    path = parse_path(match["path"])
    return Comparison(path, _operator(match["operator"]), _plain_literal(match["literal"]))


def _plain_literal(text: str) -> Literal:
    if text.startswith("["):
        return _moment(text)
    return text == "true" if text in ("true", "false") else Decimal(text)


def _nesting(text: str) -> int:
    depth = deepest = 0
    quote = ""
    for mark in _MARKS.findall(text):
        if quote:
            quote = "" if mark == quote else quote
        elif mark in {'"', "'"}:
            quote = mark
        elif mark == "(":
            depth += 1
            deepest = max(deepest, depth)
        elif mark == ")":
            depth -= 1
    return deepest


def _membership(path: str, operator: Operator, values: tuple[Literal, ...]) -> Membership:
    if len(values) > MAX_LIST_LENGTH:
        raise QueryError(f"A list may have at most {MAX_LIST_LENGTH} values.")
    return Membership(parse_path(path), operator, values)


class _TreeBuilder(Transformer[Token, Condition]):
    """The tree builder turns each grammar rule, innermost first, into its part of the tree."""

    def disjunction(self, operands: list[Condition]) -> Or:
        return Or(tuple(operands))

    def conjunction(self, operands: list[Condition]) -> And:
        return And(tuple(operands))

    def comparison(self, parts: tuple[Token, Operator, Literal]) -> Comparison:
        path, operator, literal = parts
        return Comparison(parse_path(path), operator, literal)

    def membership(self, parts: list[Token | Operator | Literal]) -> Membership:
        path, operator, *literals = parts
        return _membership(
            cast(Token, path), cast(Operator, operator), cast(tuple[Literal], tuple(literals))
        )

    def operator(self, words: list[Token]) -> Operator:
        return _operator(" ".join(word.lower() for word in words))

    operator_in = operator

    def text(self, tokens: list[Token]) -> str:
        return _ESCAPED.sub(r"\1", tokens[0][1:-1])

    def number(self, tokens: list[Token]) -> Decimal:
        return Decimal(tokens[0])

    def moment(self, tokens: list[Token]) -> datetime:
        return _moment(tokens[0])

    def true(self, _: list[Token]) -> bool:
        return True

    def false(self, _: list[Token]) -> bool:
        return False

    def null(self, _: list[Token]) -> None:
        return None


def _operator(text: str) -> Operator:
    """Return an operator; `<>` is a second spelling of `!=` (SmartConnectConnectWise sends it)."""
    return Operator.NOT_EQUAL if text == "<>" else Operator(text)


def _moment(text: str) -> datetime:
    """Return the moment in brackets; a bare time is in UTC, a bare day means its midnight."""
    match = _MOMENT.fullmatch(text)
    if match is None or (match["zone"] and not match["time"]):
        raise QueryError(f"{text} is not a date. {HOW_VALUES_ARE_WRITTEN}")
    zone = "+00:00" if match["zone"] in (None, "Z") else match["zone"]
    try:
        moment = datetime.fromisoformat(f"{match['day']}{match['time'] or 'T00:00:00'}{zone}")
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise QueryError(f"There is no such date as {text}.") from error


_PARSER = Lark.open(
    "grammar.lark",
    rel_to=__file__,
    parser="lalr",
    transformer=_TreeBuilder(),
    propagate_positions=False,
)
