"""The function drives each write-back as far as it goes now.

Its FIFO queue has a message group for each connection and invoice.
"""

from functools import cache

from bridge.entrypoints.batches import write_back_messages_in
from bridge.entrypoints.entry import Event, function_entry
from bridge.payments.write_back_worker import WriteBackWorker
from bridge.wiring import use_cases
from bridge.wiring.adapters import Adapters
from payment_writeback.settings import PaymentWritebackSettings


@cache
def _driver() -> WriteBackWorker:
    adapters = Adapters(PaymentWritebackSettings.from_environment(), part="payment_writeback")
    return use_cases.write_back_worker(adapters)


@function_entry
def lambda_handler(event: Event) -> Event:
    """Return the ids of the messages that are to be delivered again."""
    return write_back_messages_in(event).work_each(
        lambda message: _driver().drive(message.connection_id, message.write_back_id)
    )
