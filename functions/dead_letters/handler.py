"""The function turns messages of dead-letter queues into problems, and keeps them."""

from functools import cache

from bridge.entrypoints.dead_letters import DeadLetters
from bridge.entrypoints.entry import Event, function_entry
from bridge.wiring import entrypoints
from bridge.wiring.adapters import Adapters
from dead_letters.settings import DeadLettersSettings


@cache
def _dead_letters() -> DeadLetters:
    adapters = Adapters(DeadLettersSettings.from_environment())
    return entrypoints.dead_letters(adapters)


@function_entry
def lambda_handler(event: Event) -> Event:
    """Return the ids of the messages that are still to be parked."""
    return _dead_letters().park(event)
