"""What CallSchedules and every SigningKeyStore do. The limit here: 60 calls a minute, 3 at once,
15 more for write-backs, 2 at once, and no wait over 30 seconds."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import chain

import pytest

from bridge.domain.errors import ThrottledError
from bridge.ports import CallPurpose
from infra.local.embedded_aws import EmbeddedAws
from tests.builders.records import CONNECTION, OTHER_CONNECTION
from tests.contract.conftest import Stores, Tables
from tests.contract.meter import Meter
from tests.fakes.clock import FakeClock


def wait_for(
    stores: Stores,
    connection_id: str = CONNECTION,
    purpose: CallPurpose = CallPurpose.MIRROR,
) -> float:
    """Take a turn and return the seconds until its time."""
    (turn,) = stores.schedules.take(connection_id, purpose, count=1)
    return max(0.0, (turn - stores.clock.now()).total_seconds())


def waits_for(stores: Stores, count: int) -> list[float]:
    """Take turns together and return the seconds until their times."""
    turns = stores.schedules.take(CONNECTION, CallPurpose.MIRROR, count=count)
    return [(turn - stores.clock.now()).total_seconds() for turn in turns]


KEY_URL = "https://na.myconnectwise.net/v4_6_release/system/callbackkey?companyName=acme&id=1"


def test_after_a_quiet_time_a_burst_goes_at_once_and_then_one_call_a_second(
    stores: Stores,
) -> None:
    waits = [wait_for(stores) for _ in range(6)]
    assert waits == pytest.approx([0, 0, 0, 1, 2, 3])


def test_connections_do_not_slow_each_other_down(stores: Stores) -> None:
    for _ in range(10):
        wait_for(stores)
    assert wait_for(stores, OTHER_CONNECTION) == 0


def test_time_gives_calls_back_but_never_more_than_the_burst(stores: Stores) -> None:
    for _ in range(5):
        wait_for(stores)
    stores.clock.advance(seconds=3)
    assert wait_for(stores) == 0
    stores.clock.advance(hours=5)
    waits = [wait_for(stores) for _ in range(4)]
    assert waits == pytest.approx([0, 0, 0, 1])


def test_a_wait_that_is_too_long_takes_nothing(stores: Stores) -> None:
    stores.schedules.pause(CONNECTION, seconds=38)
    for _ in range(3):
        with pytest.raises(ThrottledError) as refused:
            wait_for(stores)
        assert refused.value.retry_after_seconds == pytest.approx(38)
    stores.clock.advance(seconds=8)
    assert wait_for(stores) == pytest.approx(30)


def test_a_pause_holds_everybody_back(stores: Stores) -> None:
    wait_for(stores)
    stores.schedules.pause(CONNECTION, seconds=20)
    assert wait_for(stores) == pytest.approx(20)
    assert wait_for(stores) == pytest.approx(21)


def test_a_shorter_pause_does_not_end_a_longer_one(stores: Stores) -> None:
    stores.schedules.pause(CONNECTION, seconds=20)
    stores.schedules.pause(CONNECTION, seconds=5)
    assert wait_for(stores) == pytest.approx(20)


def test_a_pause_ends(stores: Stores) -> None:
    stores.schedules.pause(CONNECTION, seconds=20)
    stores.clock.advance(seconds=60)
    assert wait_for(stores) == 0


def test_write_backs_have_a_reserve_that_no_import_uses_up(stores: Stores) -> None:
    # Given an import that takes all it can
    for _ in range(20):
        wait_for(stores)
    # Then write-backs go at once, and after a burst each in its own turn
    waits = [wait_for(stores, purpose=CallPurpose.WRITE_BACK) for _ in range(4)]
    assert waits == pytest.approx([0, 0, 4, 8])
    # And the import waits no longer for them
    assert wait_for(stores) == pytest.approx(18)


def test_write_backs_take_from_the_common_share_what_others_leave(stores: Stores) -> None:
    waits = [wait_for(stores, purpose=CallPurpose.WRITE_BACK) for _ in range(11)]
    # Two of the reserve and three of the common share go at once, then the sooner one counts.
    assert waits == pytest.approx([0, 0, 0, 0, 0, 1, 2, 3, 4, 4, 8])


def test_a_reserve_leaves_nothing_of_itself_to_others(stores: Stores) -> None:
    waits = [wait_for(stores) for _ in range(5)]
    assert waits == pytest.approx([0, 0, 0, 1, 2])


def test_a_pause_holds_write_backs_back_too(stores: Stores) -> None:
    stores.schedules.pause(CONNECTION, seconds=20)
    assert wait_for(stores, purpose=CallPurpose.WRITE_BACK) == pytest.approx(20)
    stores.schedules.pause(CONNECTION, seconds=5)
    assert wait_for(stores, purpose=CallPurpose.WRITE_BACK) == pytest.approx(24)
    assert wait_for(stores) == pytest.approx(20)


def test_a_pause_that_is_too_long_refuses_write_backs_with_the_wait(stores: Stores) -> None:
    stores.schedules.pause(CONNECTION, seconds=38)
    with pytest.raises(ThrottledError) as refused:
        wait_for(stores, purpose=CallPurpose.WRITE_BACK)
    assert refused.value.retry_after_seconds == pytest.approx(38)


def test_many_workers_at_once_get_turns_of_their_own(on_dynamodb: Stores) -> None:
    with ThreadPoolExecutor(8) as pool:
        waits = list(pool.map(lambda _: wait_for(on_dynamodb), range(24)))
    assert sorted(waits) == pytest.approx([0, 0, *range(22)])


def test_turns_that_are_taken_together_follow_each_other(stores: Stores) -> None:
    assert waits_for(stores, 2) == pytest.approx([-2, -1])
    assert waits_for(stores, 2) == pytest.approx([0, 1])
    assert wait_for(stores) == pytest.approx(2)


def test_no_more_turns_are_given_together_than_come_due_in_a_turns_life(stores: Stores) -> None:
    assert len(waits_for(stores, 15)) == 2
    reserved = stores.schedules.take(CONNECTION, CallPurpose.WRITE_BACK, count=15)
    assert len(reserved) == 1


def test_schedules_are_idle_once_all_turns_are_void(stores: Stores) -> None:
    assert stores.schedules.are_idle(CONNECTION)
    for _ in range(4):
        wait_for(stores)
    wait_for(stores, purpose=CallPurpose.WRITE_BACK)
    assert not stores.schedules.are_idle(CONNECTION)
    assert stores.schedules.are_idle(OTHER_CONNECTION)
    stores.clock.advance(seconds=5)
    assert stores.schedules.are_idle(CONNECTION)
    stores.schedules.pause(CONNECTION, seconds=20)
    assert not stores.schedules.are_idle(CONNECTION)


def test_turns_taken_by_workers_at_once_are_their_own(on_dynamodb: Stores) -> None:
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: waits_for(on_dynamodb, 2), range(12)))
    assert sorted(chain(*taken)) == pytest.approx(range(-2, 22))


def test_a_wait_that_a_worker_knows_of_is_told_without_a_write(
    on_dynamodb: Stores, aws: EmbeddedAws, tables: Tables, clock: FakeClock
) -> None:
    client = aws.client("dynamodb")
    stores, meter = tables.stores(clock, client), Meter(client)
    stores.schedules.pause(CONNECTION, seconds=38)
    meter.reset()
    with pytest.raises(ThrottledError):
        wait_for(stores)
    assert meter.requests == []


def test_a_worker_that_goes_on_writes_once_for_its_turns(
    aws: EmbeddedAws, tables: Tables, clock: FakeClock
) -> None:
    """Each time, whether others waited or the tenant was left alone meanwhile."""
    client = aws.client("dynamodb")
    stores, meter = tables.stores(clock, client), Meter(client)
    for seconds in (0, 1, 0.1, 60, 2):
        clock.advance(seconds=seconds)
        meter.reset()
        wait_for(stores)
        assert meter.write_units == 1


def test_a_signing_key_is_kept_for_an_hour(stores: Stores) -> None:
    assert stores.signing_keys.get(CONNECTION, KEY_URL) is None
    stores.signing_keys.put(CONNECTION, KEY_URL, "first")
    stores.clock.advance(minutes=59)
    assert stores.signing_keys.get(CONNECTION, KEY_URL) == "first"
    stores.clock.advance(minutes=1)
    assert stores.signing_keys.get(CONNECTION, KEY_URL) is None


def test_a_signing_key_belongs_to_one_connection_and_one_url(stores: Stores) -> None:
    stores.signing_keys.put(CONNECTION, KEY_URL, "first")
    assert stores.signing_keys.get(OTHER_CONNECTION, KEY_URL) is None
    assert stores.signing_keys.get(CONNECTION, KEY_URL + "2") is None
    stores.signing_keys.put(CONNECTION, KEY_URL, "second")
    assert stores.signing_keys.get(CONNECTION, KEY_URL) == "second"


def test_a_wanted_key_is_noted_once_a_minute_and_kept_for_a_quarter_of_an_hour(
    stores: Stores,
) -> None:
    digest = stores.signing_keys.want(CONNECTION, KEY_URL)
    assert digest is not None
    assert stores.signing_keys.wanted_url(CONNECTION, digest) == KEY_URL
    stores.clock.advance(seconds=59)
    assert stores.signing_keys.want(CONNECTION, KEY_URL) is None
    stores.clock.advance(seconds=1)
    assert stores.signing_keys.want(CONNECTION, KEY_URL) == digest
    stores.clock.advance(minutes=15)
    assert stores.signing_keys.wanted_url(CONNECTION, digest) is None


def test_a_wanted_key_belongs_to_one_connection_and_one_url(stores: Stores) -> None:
    digest = stores.signing_keys.want(CONNECTION, KEY_URL)
    assert digest is not None
    assert KEY_URL not in digest
    assert stores.signing_keys.wanted_url(OTHER_CONNECTION, digest) is None
    assert stores.signing_keys.wanted_url(CONNECTION, "0" * 64) is None
    assert stores.signing_keys.want(OTHER_CONNECTION, KEY_URL) == digest
    assert stores.signing_keys.want(CONNECTION, KEY_URL + "2") not in (None, digest)
