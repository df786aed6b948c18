"""The only packaging code: layers built with uv on the machine that runs the synth, no Docker.

A layer is built once for each content of its inputs: an asset's hash is taken over the inputs
(locked requirements, sources, target, mode of building), never over the files that came out.
"""

import compileall
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from py_compile import PycInvalidationMode
from typing import Any, Protocol

import aws_cdk as cdk
import jsii
from aws_cdk import aws_lambda as lambda_

from infra.config import PROJECT_ROOT, BundleTarget, StageConfig
from infra.unused_parts import UNUSED_FILES, UNUSED_PACKAGES, UNUSED_PARTS, leave_out_unused_parts

UV = PROJECT_ROOT / ".tools" / "uv" / "bin" / "uv"
CORE_LAYER = PROJECT_ROOT / "layers" / "core"
DEPENDENCIES_LAYER = PROJECT_ROOT / "layers" / "dependencies"
FUNCTIONS = PROJECT_ROOT / "functions"

_UV_TIMEOUT_SECONDS = 300


class BundlingError(Exception):
    """A layer could not be built; the message carries uv's own output."""


class SlowStartError(Exception):
    """Layers made here would lack bytecode; the message has the command that helps."""


class Bundler(Protocol):
    """Makes the code of the two layers that every function mounts."""

    def dependencies(self, target: BundleTarget) -> lambda_.Code:
        """Third-party packages of the lock file, for the target."""

    def core(self, target: BundleTarget) -> lambda_.Code:
        """Our own shared code."""


class UvBundler:
    """Builds real layers, for a deploy."""

    def dependencies(self, target: BundleTarget) -> lambda_.Code:
        """See `Bundler`. Raises `BundlingError` when the lock file cannot be exported."""
        requirements = export_requirements()
        return _built_layer(
            DEPENDENCIES_LAYER,
            partial(build_dependencies, requirements, target),
            inputs=[requirements.encode(), _build_mode(target), *_left_out()],
        )

    def core(self, target: BundleTarget) -> lambda_.Code:
        """See `Bundler`."""
        return _built_layer(
            CORE_LAYER, partial(build_core, target), inputs=[*_sources(), _build_mode(target)]
        )


class SourceBundler:
    """Builds nothing, for tests that look at templates only and must not wait for uv."""

    def dependencies(self, target: BundleTarget) -> lambda_.Code:
        """The layer's folder as it is in the repository, without a package."""
        del target
        return lambda_.Code.from_asset(str(DEPENDENCIES_LAYER))

    def core(self, target: BundleTarget) -> lambda_.Code:
        """The sources as they are."""
        del target
        return lambda_.Code.from_asset(str(CORE_LAYER), exclude=["**/__pycache__"])


def function_code(name: str) -> lambda_.Code:
    """The code of one function: its own folder alone, so that an edit of another one is no change.

    The asset is rooted at `functions/`, hence a handler is `<name>.handler.lambda_handler` in
    Lambda and in tests.
    """
    return lambda_.Code.from_asset(
        str(FUNCTIONS),
        exclude=["*", f"!{name}", f"!{name}/**", "**/__pycache__"],
        ignore_mode=cdk.IgnoreMode.GIT,
    )


def refuse_slow_start(stage: StageConfig) -> None:
    """Raise `SlowStartError` unless this interpreter makes the bytecode of the stage's runtime.

    Functions of layers that lack it take about twice as long to start (docs/decisions/0003).
    """
    if not makes_bytecode(stage.target):
        python = stage.target.runtime
        raise SlowStartError(
            f"Stage {stage.name} runs {python}, and layers built with Python "
            f"{sys.version_info.major}.{sys.version_info.minor} would start its functions twice as "
            f"slowly. Deploy with: make deploy STAGE={stage.name} PYTHON={python}"
        )


def export_requirements() -> str:
    """The pinned and hashed third-party requirements of the functions, from the lock file.

    Raises `BundlingError` when uv refuses, for example because the lock file is out of date.
    """
    pruned = [argument for package in UNUSED_PACKAGES for argument in ("--prune", package)]
    return _run_uv(
        *("export", "--frozen", "--no-dev", "--no-emit-project", "--no-annotate", "--no-header"),
        *pruned,
    )


def build_dependencies(requirements: str, target: BundleTarget, output: Path) -> None:
    """Install what functions use of the requirements under `output`/python, for the target.

    Raises `BundlingError` when a package has no wheel for the target or uv fails, and
    `UnknownPartError` when a part to be left out is missing.
    """
    packages = output / "python"
    packages.mkdir(parents=True)
    requirements_file = output / "requirements.txt"
    requirements_file.write_text(requirements)
    major, minor = target.python_version
    platform = ["--python-platform", target.platform] if target.platform else []
    _run_uv(
        *("pip", "install", "--quiet", "--no-deps", "--require-hashes"),
        *("--only-binary", ":all:", "--no-installer-metadata", "--link-mode", "copy"),
        *("--python", sys.executable, "--python-version", f"{major}.{minor}", *platform),
        *("--target", str(packages), "--requirement", str(requirements_file)),
    )
    requirements_file.unlink()
    shutil.rmtree(packages / "bin", ignore_errors=True)
    leave_out_unused_parts(packages)
    _compile(packages, target)


def build_core(target: BundleTarget, output: Path) -> None:
    """Copy our own shared code to `output`/python."""
    packages = output / "python"
    shutil.copytree(CORE_LAYER / "python", packages, ignore=_no_bytecode)
    _compile(packages, target)


@jsii.implements(cdk.ILocalBundling)
class _LocalBuild:
    """Runs a build where the CDK would otherwise start a container."""

    def __init__(self, build: Callable[[Path], None]) -> None:
        self._build = build

    def try_bundle(self, output_dir: str, *_options: Any, **_more: Any) -> bool:
        """Build into the folder; a failure raises, since False would mean "try Docker"."""
        self._build(Path(output_dir))
        return True


def _built_layer(
    source: Path, build: Callable[[Path], None], *, inputs: list[bytes]
) -> lambda_.Code:
    return lambda_.Code.from_asset(
        str(source),
        asset_hash_type=cdk.AssetHashType.CUSTOM,
        asset_hash=_digest(inputs),
        bundling=cdk.BundlingOptions(
            # Required by the interface; never started, as a local build answers or raises.
            image=cdk.DockerImage.from_registry("scratch"),
            local=_LocalBuild(build),
        ),
    )


def _compile(packages: Path, target: BundleTarget) -> None:
    """Add bytecode where this interpreter makes the runtime's own (docs/decisions/0003).

    `/opt` is read-only in Lambda, so bytecode that is missing is made anew at each cold start.
    Unchecked hashes: an archive does not keep the times that Python would compare.
    """
    if makes_bytecode(target):
        compileall.compile_dir(
            packages,
            quiet=2,
            stripdir=packages,
            prependdir="/opt/python",
            invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
        )


def makes_bytecode(target: BundleTarget) -> bool:
    """Tell whether this interpreter makes the bytecode that the target's runtime reads."""
    return sys.version_info[:2] == target.python_version


def _build_mode(target: BundleTarget) -> bytes:
    platform = target.platform or sys.platform
    return f"{target.runtime} {platform} bytecode={makes_bytecode(target)}".encode()


def _left_out() -> list[bytes]:
    return [part.encode() for part in (*UNUSED_PARTS, *UNUSED_FILES)]


def _sources() -> list[bytes]:
    files = sorted(p for p in (CORE_LAYER / "python").rglob("*") if p.is_file())
    kept = [path for path in files if "__pycache__" not in path.parts]
    return [part for path in kept for part in (str(path).encode(), path.read_bytes())]


def _digest(inputs: list[bytes]) -> str:
    digest = hashlib.sha256()
    for part in inputs:
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()


def _no_bytecode(folder: str, names: list[str]) -> list[str]:
    del folder
    return [name for name in names if name == "__pycache__"]


def _run_uv(*arguments: str) -> str:
    command = [str(UV), "--project", str(PROJECT_ROOT), *arguments]
    try:
        finished = subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=_UV_TIMEOUT_SECONDS
        )
    except subprocess.CalledProcessError as error:
        raise BundlingError(f"uv {arguments[0]} failed: {error.stderr.strip()}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BundlingError(f"uv {arguments[0]} did not run: {error}") from error
    return finished.stdout
