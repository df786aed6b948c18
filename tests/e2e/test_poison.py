"""What fails for ever becomes a problem that the API shows, and is kept for an operator."""

import json

from infra.local.demo.scene import Scene
from infra.local.patience import eventually


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
    messages: list[dict[str, object]] = []

    def is_parked() -> bool:
        messages.extend(sqs.receive_message(QueueUrl=parked).get("Messages", []))
        return bool(messages)

    assert eventually(is_parked)
    assert [json.loads(str(message["Body"])) for message in messages] == [body]
    problems = list(scene.bridge.items("/v1/problems"))
    assert "message_unreadable" in {problem["code"] for problem in problems}
