"""The function drives write-backs as far as they go now, each partner's within a share.

Its queue has a message group for each partner.
"""

from functools import cache

from bridge.entrypoints.batches import write_back_messages_in
from bridge.entrypoints.entry import Event, function_entry
from bridge.payments.write_back_turns import WriteBackTurns
from bridge.wiring import use_cases
from bridge.wiring.adapters import Adapters
from payment_writeback.settings import PaymentWritebackSettings


@cache
def _turns() -> WriteBackTurns:
    adapters = Adapters(PaymentWritebackSettings.from_environment(), part="payment_writeback")
    return use_cases.write_back_turns(adapters)


@function_entry
def lambda_handler(event: Event) -> Event:
    """Return the ids of the messages that are to be delivered again."""
    return write_back_messages_in(event).work_each(lambda message: _turns().drive(message))
