"""What every PaymentControlStore does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.domain.errors import ConflictError
from bridge.domain.payment_control import (
    EVERY_PARTNER,
    PaymentRate,
    PaymentStop,
    RestoreMark,
    hour_of,
)
from tests.builders.records import CONNECTION, PARTNER
from tests.contract.conftest import Stores
from tests.fakes.clock import START

OTHER = "partner-b"


def test_a_stop_holds_for_its_partner_until_it_is_taken_back(stores: Stores) -> None:
    stop = PaymentStop(PARTNER, START, "asked for")
    stores.payment_control.put_stop(stop)
    assert stores.payment_control.stop_of(PARTNER) == stop
    assert stores.payment_control.stop_of(OTHER) is None
    stores.payment_control.clear_stop(PARTNER)
    assert stores.payment_control.stop_of(PARTNER) is None


def test_a_stop_for_all_holds_for_each(stores: Stores) -> None:
    stores.payment_control.put_stop(PaymentStop(PARTNER, START))
    stop = PaymentStop(EVERY_PARTNER, START)
    stores.payment_control.put_stop(stop)
    assert stores.payment_control.stop_of(PARTNER) == stop
    assert stores.payment_control.stop_of(OTHER) == stop
    stores.payment_control.clear_stop(EVERY_PARTNER)
    assert stores.payment_control.stop_of(OTHER) is None
    assert stores.payment_control.stop_of(PARTNER) == PaymentStop(PARTNER, START)


def test_a_restored_ledger_is_marked_until_it_was_compared(stores: Stores) -> None:
    assert stores.payment_control.restore_mark() is None
    stores.payment_control.put_restore_mark(RestoreMark(START))
    assert stores.payment_control.restore_mark() == RestoreMark(START)
    stores.payment_control.clear_restore_mark()
    assert stores.payment_control.restore_mark() is None


def test_of_two_counts_at_once_one_is_made_again(stores: Stores) -> None:
    assert stores.payment_control.get_rate(CONNECTION).value is None
    rate = PaymentRate(CONNECTION, hour_of(START), count=1)
    version = stores.payment_control.save_rate(rate, expected_version=0)
    with pytest.raises(ConflictError):
        stores.payment_control.save_rate(replace(rate, count=2), expected_version=0)
    stored = stores.payment_control.get_rate(CONNECTION)
    assert (stored.value, stored.version) == (rate, version)
