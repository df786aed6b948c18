"""What a person types finds the records that they mean."""

from __future__ import annotations

from typing import Any
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.domain.search_terms import (
    MAX_NAME_LENGTH,
    amounts_of,
    begins_words,
    fold_name,
    fold_number,
    words_of,
)
from tests.builders.records import a_paid_invoice, an_invoice

NAMES = st.text(st.sampled_from("aeuAÉé\u0301\u0308üßﬁ™ İ  #"), max_size=12)


@given(st.text())
def test_a_folded_name_has_no_case_no_runs_of_space_and_a_limit(name: str) -> None:
    folded = fold_name(name)
    assert "\t" not in folded
    assert "  " not in folded
    assert len(folded) <= MAX_NAME_LENGTH


@given(NAMES, st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]))
def test_a_name_folds_alike_however_its_accents_are_written(name: str, form: Any) -> None:
    assert fold_name(normalize(form, name)) == fold_name(name)


@pytest.mark.parametrize(
    ("number", "folded"),
    [
        ("00123", "123"),
        ("inv-0017", "inv-0017"),
        ("INV-17 ", "inv-17"),
        ("000", "0"),
        ("0", "0"),
        ("", ""),
        ("  ", ""),
    ],
)
def test_a_number_is_known_without_its_leading_zeros_and_in_any_case(
    number: str, folded: str
) -> None:
    assert fold_number(number) == folded


@given(st.text())
def test_a_whole_number_finds_itself(number: str) -> None:
    assert fold_number(number).startswith(fold_number(number.upper()))


@pytest.mark.parametrize(
    ("typed", "is_found"),
    [
        ("smith", True),
        ("smi", True),
        ("and smi", True),
        ("SONS smith", True),
        ("mith", False),
        ("smith jones", False),
        ("", True),
        ("   ", True),
    ],
)
def test_each_typed_word_begins_a_word_of_the_name(
    typed: str, is_found: bool
) -> None:  # a table's column
    assert begins_words(typed, "Smith and Sons") is is_found


@given(NAMES)
def test_a_whole_name_finds_itself(name: str) -> None:
    assert begins_words(name, name)
    assert len(words_of(name)) <= len(name)


def test_an_invoice_is_found_by_its_total_and_by_what_is_open() -> None:
    assert amounts_of(an_invoice()) == {11000}
    assert amounts_of(an_invoice(balance_minor=6000)) == {11000, 6000}
    assert amounts_of(a_paid_invoice()) == {11000}
    assert amounts_of(an_invoice(total_minor=-500, balance_minor=-500)) == {-500}
