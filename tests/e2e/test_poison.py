"""What fails for ever becomes a problem that the API shows, and is kept for an operator."""

import json
import time

from infra.local.demo.scene import Scene


def test_a_poison_message_ends_parked_and_opens_a_problem(scene: Scene) -> None:
    system = scene.system
    system.hasten_redelivery("hints", visibility_seconds=1)
    sqs = system.client("sqs")
    body = {
        "connection_id": scene.connection_id,
        "record_kind": "invoice",
        "source_id": 42,
        "reason": "no such reason",
        "attempts": 0,
    }
    sqs.send_message(
        QueueUrl=system.queue_url("hints"), MessageBody=json.dumps(body), MessageGroupId="poison"
    )
    parked = system.queue_url("parked")
    deadline = time.monotonic() + 60
    messages: list[dict[str, object]] = []
    while not messages and time.monotonic() < deadline:
        messages = sqs.receive_message(QueueUrl=parked, WaitTimeSeconds=1).get("Messages", [])
    assert [json.loads(str(message["Body"])) for message in messages] == [body]
    problems = list(scene.bridge.items("/v1/problems"))
    assert "message_unreadable" in {problem["code"] for problem in problems}
