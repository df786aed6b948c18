"""Deploys the stage `local` to the embedded AWS with the CDK's own command line."""

import contextlib
import fcntl
import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from infra.config import LOCAL, PROJECT_ROOT
from infra.local.embedded_aws import ACCOUNT_ID, BUILD, REGION, EmbeddedAws

_CDK = PROJECT_ROOT / ".tools" / "cdk" / "node_modules" / "aws-cdk" / "bin" / "cdk"
_ASSEMBLY = BUILD / "cdk.out"
_DATA_STACK = f"bridge-{LOCAL.name}-data"
_SERVICE_STACK = f"bridge-{LOCAL.name}-service"
_BOOTSTRAP_QUALIFIER = "hnb659fds"  # the CDK's default
_COMMAND_SECONDS = 300
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
    outputs_file = BUILD / "outputs.json"
    with _one_at_a_time():
        _cdk(aws, "synth", "--quiet", "-c", f"stage={LOCAL.name}", "--output", str(_ASSEMBLY))
        _cdk(aws, "bootstrap", f"aws://{ACCOUNT_ID}/{REGION}", "--app", str(_ASSEMBLY))
        _allow_plain_http_to_assets(aws)
        _cdk(
            aws,
            *("deploy", "--all", "--app", str(_ASSEMBLY), "--require-approval", "never"),
            *("--parameters", f"{_SERVICE_STACK}:GatewayUrl={aws.url}"),
            *("--outputs-file", str(outputs_file)),
        )
        outputs = json.loads(outputs_file.read_text())
    return Outputs(data=outputs[_DATA_STACK], service=outputs[_SERVICE_STACK])


def _allow_plain_http_to_assets(aws: EmbeddedAws) -> None:
    """The CDK's own bucket refuses requests without TLS, and the embedded AWS speaks none."""
    bucket = f"cdk-{_BOOTSTRAP_QUALIFIER}-assets-{ACCOUNT_ID}-{REGION}"
    aws.client("s3").delete_bucket_policy(Bucket=bucket)


@contextlib.contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Several systems of one checkout share the synthesized assembly and its built layers."""
    BUILD.mkdir(parents=True, exist_ok=True)
    with (BUILD / "deploy.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _cdk(aws: EmbeddedAws, *arguments: str) -> None:
    environment = {
        **os.environ,
        **aws.environment(),
        # `cdk.json` and the CLI find Python and Node by name where they start helpers.
        "PATH": os.pathsep.join([str(PROJECT_ROOT / ".venv" / "bin"), os.environ.get("PATH", "")]),
        "CI": "true",
        "NO_COLOR": "1",
    }
    try:
        finished = subprocess.run(
            [os.environ["JSII_NODE"], str(_CDK), *arguments],
            cwd=PROJECT_ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_COMMAND_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise DeployError(f"cdk {arguments[0]} took over {_COMMAND_SECONDS} s") from error
    (BUILD / f"cdk-{arguments[0]}.log").write_text(finished.stdout + finished.stderr)
    if finished.returncode != 0:
        raise DeployError(f"cdk {arguments[0]} failed: {finished.stderr[-_MESSAGE_CHARACTERS:]}")
