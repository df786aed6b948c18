"""What every RateLimiter and SigningKeyStore does. The limit here: 60 calls a minute, 3 at once,
15 more for write-backs, 2 at once, and no wait over 30 seconds."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from bridge.domain.errors import ThrottledError
from bridge.ports import CallPurpose
from tests.builders.records import CONNECTION, OTHER_CONNECTION
from tests.contract.conftest import Stores

KEY_URL = "https://na.myconnectwise.net/v4_6_release/system/callbackkey?companyName=acme&id=1"


def test_after_a_quiet_time_a_burst_goes_at_once_and_then_one_call_a_second(
    stores: Stores,
) -> None:
    waits = [stores.limiter.acquire(CONNECTION) for _ in range(6)]
    assert waits == pytest.approx([0, 0, 0, 1, 2, 3])


def test_connections_do_not_slow_each_other_down(stores: Stores) -> None:
    for _ in range(10):
        stores.limiter.acquire(CONNECTION)
    assert stores.limiter.acquire(OTHER_CONNECTION) == 0


def test_time_gives_calls_back_but_never_more_than_the_burst(stores: Stores) -> None:
    for _ in range(5):
        stores.limiter.acquire(CONNECTION)
    stores.clock.advance(seconds=3)
    assert stores.limiter.acquire(CONNECTION) == 0
    stores.clock.advance(hours=5)
    waits = [stores.limiter.acquire(CONNECTION) for _ in range(4)]
    assert waits == pytest.approx([0, 0, 0, 1])


def test_a_wait_that_is_too_long_takes_nothing(stores: Stores) -> None:
    stores.limiter.pause(CONNECTION, seconds=38)
    for _ in range(3):
        with pytest.raises(ThrottledError) as refused:
            stores.limiter.acquire(CONNECTION)
        assert refused.value.retry_after_seconds == pytest.approx(38)
    stores.clock.advance(seconds=8)
    assert stores.limiter.acquire(CONNECTION) == pytest.approx(30)


def test_a_pause_holds_everybody_back(stores: Stores) -> None:
    stores.limiter.acquire(CONNECTION)
    stores.limiter.pause(CONNECTION, seconds=20)
    assert stores.limiter.acquire(CONNECTION) == pytest.approx(20)
    assert stores.limiter.acquire(CONNECTION) == pytest.approx(21)


def test_a_shorter_pause_does_not_end_a_longer_one(stores: Stores) -> None:
    stores.limiter.pause(CONNECTION, seconds=20)
    stores.limiter.pause(CONNECTION, seconds=5)
    assert stores.limiter.acquire(CONNECTION) == pytest.approx(20)


def test_a_pause_ends(stores: Stores) -> None:
    stores.limiter.pause(CONNECTION, seconds=20)
    stores.clock.advance(seconds=60)
    assert stores.limiter.acquire(CONNECTION) == 0


def test_write_backs_have_a_reserve_that_no_import_uses_up(stores: Stores) -> None:
    # Given an import that takes all it can
    for _ in range(20):
        stores.limiter.acquire(CONNECTION)
    # Then write-backs go at once, and after a burst each in its own turn
    waits = [stores.limiter.acquire(CONNECTION, CallPurpose.WRITE_BACK) for _ in range(4)]
    assert waits == pytest.approx([0, 0, 4, 8])
    # And the import waits no longer for them
    assert stores.limiter.acquire(CONNECTION) == pytest.approx(18)


def test_write_backs_take_from_the_common_share_what_others_leave(stores: Stores) -> None:
    waits = [stores.limiter.acquire(CONNECTION, CallPurpose.WRITE_BACK) for _ in range(11)]
    # Two of the reserve and three of the common share go at once, then the sooner one counts.
    assert waits == pytest.approx([0, 0, 0, 0, 0, 1, 2, 3, 4, 4, 8])


def test_a_reserve_leaves_nothing_of_itself_to_others(stores: Stores) -> None:
    waits = [stores.limiter.acquire(CONNECTION) for _ in range(5)]
    assert waits == pytest.approx([0, 0, 0, 1, 2])


def test_a_pause_holds_write_backs_back_too(stores: Stores) -> None:
    stores.limiter.pause(CONNECTION, seconds=20)
    assert stores.limiter.acquire(CONNECTION, CallPurpose.WRITE_BACK) == pytest.approx(20)
    stores.limiter.pause(CONNECTION, seconds=5)
    assert stores.limiter.acquire(CONNECTION, CallPurpose.WRITE_BACK) == pytest.approx(24)
    assert stores.limiter.acquire(CONNECTION) == pytest.approx(20)


def test_a_pause_that_is_too_long_refuses_write_backs_with_the_wait(stores: Stores) -> None:
    stores.limiter.pause(CONNECTION, seconds=38)
    with pytest.raises(ThrottledError) as refused:
        stores.limiter.acquire(CONNECTION, CallPurpose.WRITE_BACK)
    assert refused.value.retry_after_seconds == pytest.approx(38)


def test_many_workers_at_once_get_turns_of_their_own(on_dynamodb: Stores) -> None:
    with ThreadPoolExecutor(8) as pool:
        waits = list(pool.map(lambda _: on_dynamodb.limiter.acquire(CONNECTION), range(24)))
    assert sorted(waits) == pytest.approx([0, 0, *range(22)])


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
