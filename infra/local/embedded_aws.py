"""AWS on this machine: MiniStack in its own environment, on a loopback port, empty at the start."""

import http.client
import socket
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import boto3
from botocore.config import Config

from infra.config import PROJECT_ROOT
from infra.local.log_folder import log_folder
from infra.local.patience import PATIENCE_SECONDS, eventually
from infra.local.processes import LeashedProcess, ProcessFailedError, minimal_environment

REGION = "us-east-1"
ACCOUNT_ID = "000000000000"

_PYTHON = PROJECT_ROOT / ".tools" / "ministack" / "bin" / "python"
_LAUNCHER = Path(__file__).with_name("role_requests.py")
_LOOPBACK = "127.0.0.1"
_START_ATTEMPTS = 3
# What the two stacks, the CDK's bootstrap and the tests use; the rest stays off.
_SERVICES = (
    "apigateway cloudformation cloudfront cognito-idp dynamodb dynamodbstreams ecr events iam kms "
    "lambda logs monitoring s3 scheduler secretsmanager sns sqs ssm sts"
)


class EmbeddedAws:
    """An AWS for one program: `with EmbeddedAws() as aws: aws.client("sqs")`.

    It holds nothing when it starts and forgets everything when it ends, together with every
    function that runs in it. Its log is `<name>.log` in this process's log folder, and
    `<name>-requests.jsonl` beside it holds the requests of each role.
    """

    def __init__(self, name: str = "aws") -> None:
        self.log = log_folder() / f"{name}.log"
        self.role_requests = log_folder() / f"{name}-requests.jsonl"
        self.port = 0
        self._process: LeashedProcess | None = None

    def __enter__(self) -> Self:
        """Raises `ProcessFailedError` when it does not come up."""
        for attempt in range(1, _START_ATTEMPTS + 1):
            # Another program may take a port between its choice and its use.
            self.port = _free_port()
            self._process = self._start()
            try:
                self._wait_until_ready(self._process)
            except ProcessFailedError:
                self._process.stop()
                if attempt == _START_ATTEMPTS:
                    raise
            else:
                break
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self._process.stop()

    @property
    def url(self) -> str:
        """The one address of all services, without a trailing slash."""
        return f"http://{_LOOPBACK}:{self.port}"

    def environment(self) -> dict[str, str]:
        """Variables that point the CDK's command line, or any AWS tool, here."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ENDPOINT_URL_S3": self.url,
            "AWS_ACCESS_KEY_ID": ACCOUNT_ID,
            "AWS_SECRET_ACCESS_KEY": "embedded",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
        }

    def client(self, service: str) -> Any:
        """A boto3 client of a service here, with few retries."""
        session = boto3.Session(
            aws_access_key_id=ACCOUNT_ID,
            aws_secret_access_key="embedded",  # noqa: S106 - any will do here
            region_name=REGION,
        )
        config = Config(
            retries={"total_max_attempts": 2},
            connect_timeout=5,
            read_timeout=PATIENCE_SECONDS,
            signature_version="s3v4" if service == "s3" else None,
        )
        return session.client(service, endpoint_url=self.url, config=config)  # type: ignore[call-overload]

    def _start(self) -> LeashedProcess:
        scratch = Path(tempfile.mkdtemp(prefix="bridge-aws-"))
        process = LeashedProcess(
            # `-P` keeps the modules beside the script out of MiniStack's way.
            [str(_PYTHON), "-P", str(_LAUNCHER), str(self.role_requests)],
            environment=minimal_environment(
                GATEWAY_PORT=str(self.port),
                BIND_HOST=_LOOPBACK,
                SERVICES=",".join(_SERVICES.split()),
                IOT_MTLS_ENABLED="0",
                # Each function may do what its role says and no more, as in AWS.
                AUTH="true",
                MINISTACK_REGION=REGION,
                MINISTACK_ACCOUNT_ID=ACCOUNT_ID,
                TMPDIR=str(scratch),
                STATE_DIR=str(scratch),
            ),
            log=self.log,
            scratch=scratch,
        )
        return process.__enter__()

    def _wait_until_ready(self, process: LeashedProcess) -> None:
        def is_ready() -> bool:
            process.require_running()
            # The log as well: another program may have taken the port and answer there.
            return f"Running on {self.url}" in self.log.read_text() and _answers(self.port)

        if not eventually(is_ready):
            raise ProcessFailedError(f"the embedded AWS is not ready, see {self.log}")


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection(_LOOPBACK, port, timeout=5)
    try:
        connection.request("GET", "/_ministack/health")
        return connection.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((_LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port
