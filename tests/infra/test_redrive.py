"""An operator sends parked messages back to where they failed."""

from collections.abc import Iterator
from typing import Any

import pytest

from infra.config import LOCAL
from infra.local.embedded_aws import EmbeddedAws
from infra.redrive import redrive


@pytest.fixture(scope="module")
def sqs() -> Iterator[Any]:
    with EmbeddedAws("test-redrive") as aws:
        yield aws.client("sqs")


@pytest.fixture
def queues(sqs: Any) -> Iterator[dict[str, str]]:
    """The addresses of empty queues, by short name."""
    names = ("parked", "hints", "pdfs", "writebacks")
    urls = {
        name: sqs.create_queue(QueueName=LOCAL.resource_name(name))["QueueUrl"] for name in names
    }
    yield urls
    for url in urls.values():
        sqs.delete_queue(QueueUrl=url)


def park(sqs: Any, queues: dict[str, str], body: str, source: str | None) -> None:
    attributes = {"source": {"DataType": "String", "StringValue": source}} if source else {}
    sqs.send_message(QueueUrl=queues["parked"], MessageBody=body, MessageAttributes=attributes)


def bodies(sqs: Any, url: str) -> set[str]:
    answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
    return {message["Body"] for message in answer.get("Messages", [])}


def test_each_message_goes_back_to_its_own_queue(sqs: Any, queues: dict[str, str]) -> None:
    # Given messages that failed in two queues
    park(sqs, queues, "hint", LOCAL.resource_name("hints-dead"))
    park(sqs, queues, "pdf", LOCAL.resource_name("pdfs-dead"))
    # When they are sent back
    moved = redrive(sqs, LOCAL)
    # Then each lies where it failed, and nothing is parked
    assert moved == {LOCAL.resource_name("hints"): 1, LOCAL.resource_name("pdfs"): 1}
    assert bodies(sqs, queues["hints"]) == {"hint"}
    assert bodies(sqs, queues["pdfs"]) == {"pdf"}
    assert redrive(sqs, LOCAL) == {}


@pytest.mark.parametrize("source", ["writebacks-dead", "writebacks-dead.fifo"])
def test_a_write_back_goes_back_to_the_queue_that_has_no_order(
    source: str, sqs: Any, queues: dict[str, str]
) -> None:
    """What version 0.1.0 parked came from an ordered queue."""
    for _ in range(2):
        park(sqs, queues, "write-back", LOCAL.resource_name(source))
        assert redrive(sqs, LOCAL) == {LOCAL.resource_name("writebacks"): 1}
    waiting = sqs.get_queue_attributes(
        QueueUrl=queues["writebacks"], AttributeNames=["ApproximateNumberOfMessages"]
    )
    assert waiting["Attributes"] == {"ApproximateNumberOfMessages": "2"}


@pytest.mark.parametrize("source", [None, "somewhere", "bridge-prod-hints-dead"])
def test_a_message_that_names_no_queue_of_the_stage_stays(
    source: str | None, sqs: Any, queues: dict[str, str]
) -> None:
    park(sqs, queues, "stranger", source)
    assert redrive(sqs, LOCAL) == {"": 1}
    assert bodies(sqs, queues["hints"]) == set()
    assert sqs.get_queue_attributes(
        QueueUrl=queues["parked"], AttributeNames=["ApproximateNumberOfMessagesNotVisible"]
    )["Attributes"] == {"ApproximateNumberOfMessagesNotVisible": "1"}


def test_no_more_than_the_limit_is_sent_back(sqs: Any, queues: dict[str, str]) -> None:
    for number in range(15):
        park(sqs, queues, str(number), LOCAL.resource_name("hints-dead"))
    assert redrive(sqs, LOCAL, limit=12).total() == 12
    assert redrive(sqs, LOCAL).total() == 3
