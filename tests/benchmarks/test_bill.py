"""The bill in the documentation is the one that the prices and counts make."""

from infra.config import PROJECT_ROOT
from tests.benchmarks.bill import DOLLARS_A_MILLION, WORKS, as_markdown


def test_the_page_about_costs_holds_todays_bill() -> None:
    page = (PROJECT_ROOT / "docs" / "cost.md").read_text(encoding="utf-8")

    assert as_markdown() in page


def test_a_bill_is_the_sum_of_its_parts() -> None:
    for work in WORKS:
        assert work.uses.keys() <= DOLLARS_A_MILLION.keys()
        assert work.total_dollars == sum(work.dollars(each) for each in work.uses)
