"""SQS FIFO, a group per connection and invoice: drive each write-back as far as it goes now."""

from functools import cache

from bridge.payments.writing_back import WriteBackDriver
from bridge.runtime.batches import write_back_messages_in
from bridge.runtime.bootstrap import build_write_back_driver
from bridge.runtime.entry import Event, function_entry
from payment_writeback.settings import PaymentWritebackSettings


@cache
def _driver() -> WriteBackDriver:
    return build_write_back_driver(PaymentWritebackSettings.from_environment())


@function_entry
def lambda_handler(event: Event) -> Event:
    """Return the ids of the messages that are to be delivered again."""
    return write_back_messages_in(event).work_each(
        lambda message: _driver().drive(message.connection_id, message.write_back_id)
    )
