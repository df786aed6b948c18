"""Dead-letter queues: turn what failed for ever into a problem, and keep the message."""

from functools import cache

from bridge.runtime.bootstrap import build_dead_letters
from bridge.runtime.dead_letters import DeadLetters
from bridge.runtime.entry import Event, function_entry
from dead_letters.settings import DeadLettersSettings


@cache
def _dead_letters() -> DeadLetters:
    return build_dead_letters(DeadLettersSettings.from_environment())


@function_entry
def lambda_handler(event: Event) -> Event:
    """Return the ids of the messages that could not be parked yet."""
    return _dead_letters().park(event)
