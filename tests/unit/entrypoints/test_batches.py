"""A batch of messages: each for itself, and nothing that cannot be read is dropped."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bridge.aws.messages import write_hint, write_key_request, write_pdf_request, write_run
from bridge.domain.hint import Hint, HintReason
from bridge.domain.identity import RecordKind
from bridge.domain.work_messages import PdfRequest, RunMessage, SigningKeyRequest
from bridge.entrypoints.batches import (
    SqsBatch,
    hints_in,
    joined,
    key_requests_in,
    pdf_requests_in,
    run_messages_in,
)

HINT = Hint("c1", RecordKind.INVOICE, 7, HintReason.CALLBACK, 2)


def event(*bodies: str) -> dict[str, Any]:
    """An SQS event; messages are called m0, m1 and so on."""
    return {
        "Records": [{"messageId": f"m{place}", "body": body} for place, body in enumerate(bodies)]
    }


def failed(reply: dict[str, Any]) -> list[str]:
    return [item["itemIdentifier"] for item in reply["batchItemFailures"]]


def test_messages_are_read_by_their_ids() -> None:
    assert hints_in(event(write_hint(HINT))).messages == {"m0": HINT}
    run = RunMessage("c1", "r1", 3)
    assert run_messages_in(event(write_run(run))).messages == {"m0": run}
    request = PdfRequest("c1", "c1-7")
    assert pdf_requests_in(event(write_pdf_request(request))).messages == {"m0": request}


@pytest.mark.parametrize(
    "body",
    [
        "",
        "not json",
        "[]",
        "{}",
        json.dumps({"connection_id": "c1"}),
        write_hint(HINT).replace("invoice", "spaceship"),
        write_hint(HINT).replace(":7,", ":-7,"),
        write_hint(HINT).replace(":7,", ":true,"),
    ],
)
def test_a_message_that_cannot_be_read_is_handed_back_every_time(body: str) -> None:
    batch = hints_in(event(body, write_hint(HINT)))

    assert batch.messages == {"m1": HINT}
    assert failed(batch.reply()) == ["m0"]
    assert failed(batch.reply(["m1"])) == ["m0", "m1"]


def test_a_batch_that_went_well_repeats_nothing() -> None:
    assert hints_in(event(write_hint(HINT))).reply() == {"batchItemFailures": []}


def test_one_message_that_fails_is_repeated_and_the_others_are_done() -> None:
    done = []

    def work(message: str) -> None:
        if message == "b":
            raise RuntimeError("poison")
        done.append(message)

    batch = SqsBatch.read(event("a", "b", "c"), str)

    assert failed(batch.work_each(work)) == ["m1"]
    assert done == ["a", "c"]


def test_hints_and_requests_for_signing_keys_come_by_one_queue_and_are_told_apart() -> None:
    request = SigningKeyRequest("p1", "c1", "d" * 64)
    both = event(write_hint(HINT), write_key_request(request), "not json")

    hints, keys = hints_in(both), key_requests_in(both)

    assert hints.messages == {"m0": HINT}
    assert keys.messages == {"m1": request}
    assert failed(joined(keys.reply(["m1"]), hints.reply())) == ["m1", "m2"]


def test_a_request_for_a_key_that_cannot_be_read_is_handed_back() -> None:
    batch = key_requests_in(event(json.dumps({"key_digest": 5})))
    assert (batch.messages, failed(batch.reply())) == ({}, ["m0"])
