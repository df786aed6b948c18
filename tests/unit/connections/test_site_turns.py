"""Work for a connection holds a place of its partner, and spares a server that does not answer."""

from __future__ import annotations

from datetime import timedelta
from typing import NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.connections.silent_servers import FIRST_WAIT
from bridge.connections.site_turns import (
    LONGEST_PUT_OFF_SECONDS,
    PLACES,
    PLACES_OF_A_PARTNER,
    STEP_LIFE,
    STEP_SECONDS,
    SiteTurns,
    put_off_seconds,
)
from bridge.connections.visit import Visit, visit_that_ended_with
from bridge.domain.errors import (
    BridgeError,
    ConflictError,
    CredentialsRejectedError,
    InfrastructureError,
    KeptWaitingError,
    LeftAloneError,
    NoPlaceError,
    NotFoundError,
    OutcomeUnknownError,
    OutOfTimeError,
    RefusedError,
    SiteUnreachableError,
    ThrottledError,
    TooHeavyError,
    TooLargeError,
    TooMuchTogetherError,
    UnavailableError,
    UnreachedCause,
    UntrueListError,
)
from bridge.domain.work_messages import LONGEST_DELAY_SECONDS
from bridge.ports import Activity
from bridge.wiring import use_cases
from tests.builders.records import CONNECTION, OTHER_CONNECTION, OTHER_PARTNER, PARTNER
from tests.fakes.ports import InMemoryPorts


class Bench(InMemoryPorts):
    def __init__(self) -> None:
        super().__init__(gateway=None)  # type: ignore[arg-type]  # nobody asks ConnectWise here

    def turns(self, activity: Activity = Activity.RUN_STEP) -> SiteTurns:
        """Another worker's each time: nothing is kept in memory."""
        return use_cases.site_turns(self, activity, step=STEP_LIFE)

    def visit(self, connection_id: str = CONNECTION, error: Exception | None = None) -> None:
        """Make a visit that ends with the error."""
        with self.turns().turn(PARTNER, connection_id):
            if error:
                raise error

    def is_left_alone(self, connection_id: str = CONNECTION) -> bool:
        return self.silences.get(connection_id) is not None


@pytest.fixture
def bench() -> Bench:
    return Bench()


# --- places ------------------------------------------------------------------------------------


def test_a_partner_has_a_third_of_the_places_however_many_connections_he_makes(
    bench: Bench,
) -> None:
    held = [bench.turns().turn(PARTNER, f"{number:032x}") for number in range(40)]
    refused = 0
    for turn in held:
        try:
            turn.__enter__()
        except NoPlaceError:
            refused += 1
    assert refused == 40 - PLACES_OF_A_PARTNER
    assert len(bench.partner_places.held) == PLACES_OF_A_PARTNER == PLACES // 3
    # And another partner, or another kind of work, finds one at once
    with bench.turns().turn(OTHER_PARTNER, OTHER_CONNECTION):
        pass
    with bench.turns(Activity.PDF).turn(PARTNER, CONNECTION):
        pass


@pytest.mark.parametrize("error", [None, UnavailableError("down"), RuntimeError("a fault of ours")])
def test_a_place_is_given_back_however_the_visit_ends(
    bench: Bench, error: Exception | None
) -> None:
    for number in range(PLACES + 1):
        try:
            bench.visit(f"{number:032x}", error)
        except (UnavailableError, RuntimeError) as raised:
            assert raised is error  # noqa: PT017 - what is raised inside comes out
    assert bench.partner_places.held == {}


def test_the_place_of_a_killed_worker_is_free_when_its_step_is_over(bench: Bench) -> None:
    class KilledError(BaseException):
        pass

    for number in range(PLACES_OF_A_PARTNER):
        with pytest.raises(KilledError), bench.turns().turn(PARTNER, f"{number:032x}"):
            raise KilledError
    with pytest.raises(NoPlaceError):
        bench.visit()
    bench.clock.advance(seconds=STEP_LIFE.total_seconds())
    bench.visit()


def test_without_a_place_the_server_is_not_even_looked_up(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: str) -> NoReturn:
        raise AssertionError("looked up")

    for number in range(PLACES_OF_A_PARTNER):
        bench.turns().turn(PARTNER, f"{number:032x}").__enter__()
    monkeypatch.setattr(bench.silences, "get", fail)
    with pytest.raises(NoPlaceError):
        bench.visit()


def test_a_server_that_is_left_alone_holds_no_place(bench: Bench) -> None:
    with pytest.raises(UnavailableError):
        bench.visit(error=UnavailableError("down"))
    with pytest.raises(LeftAloneError) as left_alone:
        bench.visit()
    assert left_alone.value.retry_after_seconds == FIRST_WAIT.total_seconds()
    assert bench.partner_places.held == {}


def test_what_cannot_be_noted_or_given_back_undoes_no_work(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> NoReturn:
        raise UnavailableError("no table")

    with pytest.raises(UnavailableError):
        bench.visit(error=UnavailableError("down"))
    bench.clock.advance(seconds=FIRST_WAIT.total_seconds())
    monkeypatch.setattr(bench.silences, "clear", fail)
    monkeypatch.setattr(bench.partner_places, "release", fail)
    bench.visit()


# --- how a server behaved ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "error",
    [
        UnavailableError("5xx"),
        TooHeavyError("504"),
        SiteUnreachableError(UnreachedCause.NO_ANSWER, "https://psa.example"),
        KeptWaitingError("55 s"),
    ],
    ids=repr,
)
def test_silence_is_no_answer(bench: Bench, error: BridgeError) -> None:
    assert visit_that_ended_with(error) is Visit.UNANSWERED
    with pytest.raises(type(error)):
        bench.visit(error=error)
    assert bench.is_left_alone()


@pytest.mark.parametrize(
    "error",
    [
        NotFoundError("404"),
        RefusedError("InvalidField"),
        CredentialsRejectedError("401"),
        ThrottledError("429"),
        ConflictError("another worker"),
        OutcomeUnknownError("unclear"),
        TooLargeError("20 MiB"),
        TooMuchTogetherError("200 MiB"),
        UntrueListError("goes back"),
        OutOfTimeError("the step is over"),
    ],
    ids=repr,
)
def test_whatever_is_answered_is_an_answer(bench: Bench, error: BridgeError) -> None:
    with pytest.raises(type(error)):
        bench.visit(error=error)
    assert not bench.is_left_alone()


def test_what_the_holder_notes_counts(bench: Bench) -> None:
    with bench.turns().turn(PARTNER, CONNECTION) as turn:
        turn.visit = Visit.UNANSWERED
    assert bench.is_left_alone()


def test_a_fault_of_ours_says_nothing_about_the_server(bench: Bench) -> None:
    with pytest.raises(UnavailableError):
        bench.visit(error=UnavailableError("down"))
    bench.clock.advance(seconds=FIRST_WAIT.total_seconds())
    with pytest.raises(RuntimeError):
        bench.visit(error=RuntimeError("a fault of ours"))
    assert bench.is_left_alone()
    bench.visit()
    assert not bench.is_left_alone()


def test_a_service_of_ours_that_fails_leaves_no_server_alone(bench: Bench) -> None:
    with pytest.raises(InfrastructureError):
        bench.visit(error=InfrastructureError("no table answers"))
    assert not bench.is_left_alone()


def test_work_that_asks_nothing_is_done_though_the_server_is_left_alone(bench: Bench) -> None:
    with pytest.raises(UnavailableError):
        bench.visit(error=UnavailableError("down"))
    with bench.turns().turn(PARTNER, CONNECTION, asks_server=False):
        pass
    assert bench.is_left_alone()


def test_a_step_ends_before_its_worker_does() -> None:
    assert STEP_SECONDS < STEP_LIFE.total_seconds() <= 2 * STEP_SECONDS


# --- what waits --------------------------------------------------------------------------------


@given(times=st.integers(0, 10_000))
def test_a_wait_for_a_place_grows_up_to_a_minute(times: int) -> None:
    seconds = put_off_seconds(NoPlaceError("none"), times)
    assert 2 <= seconds <= LONGEST_PUT_OFF_SECONDS
    if times:
        assert seconds >= min(5 * 2 ** min(times, 9) / 2, LONGEST_PUT_OFF_SECONDS / 2)


@given(wait_seconds=st.floats(-1, 5_000))
def test_a_server_is_left_alone_for_as_long_as_it_is_silent(wait_seconds: float) -> None:
    error = LeftAloneError("silent", retry_after_seconds=wait_seconds)
    seconds = put_off_seconds(error, 7)
    assert 1 <= seconds <= LONGEST_DELAY_SECONDS
    assert seconds >= min(wait_seconds, LONGEST_DELAY_SECONDS)
    assert timedelta(seconds=seconds) <= timedelta(seconds=max(wait_seconds, 0) + 1)
