"""Dead-letter queues: turn what failed for ever into a problem, and keep the message."""

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
    """Return the ids of the messages that could not be parked yet."""
    return _dead_letters().park(event)
