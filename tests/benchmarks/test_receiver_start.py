"""The webhook receiver starts lean: ConnectWise waits five seconds for it, cold or not."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ALLOWED_RATIO = 1.3
ROUNDS = 12
BASE = "import boto3; boto3.client('sqs')"
RECEIVER = "import webhook_receiver.handler; from bridge.aws import clients; clients.sqs_client()"
COMPLETE = "import webhook_receiver.handler as handler; handler._intake()"
ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "PYTHONPATH": os.pathsep.join(
        [str(ROOT / "layers" / "core" / "python"), str(ROOT / "functions")]
    ),
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "OPERATIONS_TABLE": "operations",
    "COORDINATION_TABLE": "coordination",
    "HINTS_QUEUE_URL": "http://localhost/hints",
    "SECRETS_PREFIX": "bridge/test/connections/",
    "CONNECTWISE_CLIENT_ID_SECRET": "bridge/test/client-id",
}


def _cpu_seconds(code: str) -> float:
    measured = (
        f"import time\nbegan = time.process_time()\n{code}\nprint(time.process_time() - began)"
    )
    done = subprocess.run(
        [sys.executable, "-c", measured],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return float(done.stdout)


def test_a_cold_receiver_costs_little_more_than_boto3() -> None:
    """All its imports and an SQS client, against boto3 and an SQS client; the best of each."""
    _cpu_seconds(RECEIVER)
    rounds = [(_cpu_seconds(BASE), _cpu_seconds(RECEIVER)) for _ in range(ROUNDS)]
    base, receiver = (min(times) for times in zip(*rounds, strict=True))
    print(f"receiver {receiver:.3f} s, boto3 with SQS {base:.3f} s: {receiver / base:.2f}")
    assert receiver <= ALLOWED_RATIO * base


def test_the_receiver_loads_no_heavy_library() -> None:
    heavy = ("pydantic", "httpx", "httpcore", "aws_lambda_powertools")
    code = f"{COMPLETE}\nimport sys\nassert not [m for m in {heavy!r} if m in sys.modules]"
    _cpu_seconds(code)
