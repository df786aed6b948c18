"""Search terms are typed by people to find a record: words of a name, a number, an amount."""

from __future__ import annotations

from typing import TYPE_CHECKING
from unicodedata import normalize

if TYPE_CHECKING:
    from bridge.domain.invoice import Invoice

MAX_NAME_LENGTH = 200
MAX_WORD_LENGTH = 60
MAX_WORDS = 20
"""The words of a name by which it is found; further ones are passed over."""


def fold_name(name: str) -> str:
    """Return a name as it is sorted and searched: small letters, single spaces, 200 at most.

    However an accent or ligature is written, the name is the same (Unicode's compatible
    decomposition), and an accented letter sorts beside its plain one.
    """
    decomposed = normalize("NFKD", normalize("NFKD", name).casefold())
    return " ".join(decomposed.split())[:MAX_NAME_LENGTH]


def words_of(name: str) -> tuple[str, ...]:
    """Return the folded words of a name, of each its beginning."""
    return tuple(word[:MAX_WORD_LENGTH] for word in fold_name(name).split()[:MAX_WORDS])


def begins_words(typed: str, name: str) -> bool:
    """Tell whether each typed word is the beginning of some word of the name."""
    words = words_of(name)
    return all(any(word.startswith(start) for word in words) for start in words_of(typed))


def fold_number(number: str) -> str:
    """Return an invoice's number as it is searched: folded like a name; leading zeros go."""
    folded = fold_name(number)
    return folded.lstrip("0") or folded[:1]


def amounts_of(invoice: Invoice) -> frozenset[int]:
    """Return the amounts that an invoice is found by: its total, and its balance if any is open."""
    amounts = {invoice.total_minor, invoice.balance_minor or invoice.total_minor}
    return frozenset(amounts)
