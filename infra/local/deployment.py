"""Deploys the stage `local` to the embedded AWS with the CDK's own command line."""

import contextlib
import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.config import LOCAL, PROJECT_ROOT
from infra.local.embedded_aws import ACCOUNT_ID, REGION, EmbeddedAws
from infra.local.log_folder import BUILD, log_folder
from infra.local.processes import LeashedProcess, ProcessFailedError

_CDK = PROJECT_ROOT / ".tools" / "cdk" / "node_modules" / "aws-cdk" / "bin" / "cdk"
_ASSEMBLY = BUILD / "cdk.out"
_IS_WHOLE = BUILD / "cdk.out-is-whole"
_DATA_STACK = f"bridge-{LOCAL.name}-data"
_SERVICE_STACK = f"bridge-{LOCAL.name}-service"
_BOOTSTRAP_QUALIFIER = "hnb659fds"  # the CDK's default
_MESSAGE_CHARACTERS = 4000


class DeployError(Exception):
    """A CDK command failed; the message carries the end of its output."""


@dataclass(frozen=True)
class Outputs:
    """What the stacks tell about themselves, by output name."""

    data: Mapping[str, str]
    service: Mapping[str, str]

    @property
    def api_url(self) -> str:
        """The HTTP API's address, without a trailing slash."""
        return self.service["ApiUrl"]


def deploy(aws: EmbeddedAws) -> Outputs:
    """Synthesize, bootstrap and deploy both stacks.

    Raises `DeployError` when a command of the CDK fails.
    """
    outputs_file = log_folder() / "outputs.json"
    with _one_at_a_time():
        _synthesize(aws)
        _cdk(aws, "bootstrap", f"aws://{ACCOUNT_ID}/{REGION}", "--app", str(_ASSEMBLY))
        _allow_plain_http_to_assets(aws)
        _cdk(
            aws,
            *("deploy", "--all", "--app", str(_ASSEMBLY), "--require-approval", "never"),
            *("--parameters", f"{_SERVICE_STACK}:GatewayUrl={aws.url}"),
            *("--outputs-file", str(outputs_file)),
        )
        outputs = json.loads(outputs_file.read_text())
        _let_browsers_in(aws)
    return Outputs(data=outputs[_DATA_STACK], service=outputs[_SERVICE_STACK])


def _synthesize(aws: EmbeddedAws) -> None:
    """Write the assembly, over the one of before unless a signal cut that one short.

    The CDK takes a folder of an asset that is there for a finished one.
    """
    if not _IS_WHOLE.exists():
        shutil.rmtree(_ASSEMBLY, ignore_errors=True)
    _IS_WHOLE.unlink(missing_ok=True)
    _cdk(aws, "synth", "--quiet", "-c", f"stage={LOCAL.name}", "--output", str(_ASSEMBLY))
    _IS_WHOLE.touch()


def _allow_plain_http_to_assets(aws: EmbeddedAws) -> None:
    """The CDK's own bucket refuses requests without TLS, and the embedded AWS speaks none."""
    bucket = f"cdk-{_BOOTSTRAP_QUALIFIER}-assets-{ACCOUNT_ID}-{REGION}"
    aws.client("s3").delete_bucket_policy(Bucket=bucket)


def _let_browsers_in(aws: EmbeddedAws) -> None:
    """Give the gateway the CORS rules of the template, of which the embedded one takes none."""
    template = json.loads((_ASSEMBLY / f"{_SERVICE_STACK}.template.json").read_text())
    (api,) = (
        resource["Properties"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::ApiGatewayV2::Api"
    )
    gateway = aws.client("apigatewayv2")
    (api_id,) = (
        deployed["ApiId"]
        for deployed in gateway.get_apis()["Items"]
        if deployed["Name"] == api["Name"]
    )
    gateway.update_api(ApiId=api_id, CorsConfiguration=api["CorsConfiguration"])


@contextlib.contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Several systems of one checkout share the synthesized assembly and its built layers."""
    BUILD.mkdir(parents=True, exist_ok=True)
    with (BUILD / "deploy.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _cdk(aws: EmbeddedAws, *arguments: str) -> None:
    log = log_folder() / f"cdk-{arguments[0]}.log"
    scratch = Path(tempfile.mkdtemp(prefix="bridge-cdk-"))
    environment = {
        **os.environ,
        **aws.environment(),
        # `cdk.json` and the CLI find Python and Node by name where they start helpers.
        "PATH": os.pathsep.join([str(PROJECT_ROOT / ".venv" / "bin"), os.environ.get("PATH", "")]),
        "CI": "true",
        "NO_COLOR": "1",
        "TMPDIR": str(scratch),
    }
    command = [os.environ["JSII_NODE"], str(_CDK), *arguments]
    with LeashedProcess(command, environment=environment, log=log, scratch=scratch) as process:
        try:
            status = process.wait()
        except ProcessFailedError as error:
            raise DeployError(f"cdk {arguments[0]}: {error}") from error
    if status != 0:
        end_of_log = log.read_text()[-_MESSAGE_CHARACTERS:]
        raise DeployError(f"cdk {arguments[0]} failed: {end_of_log}")
