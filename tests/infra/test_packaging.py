"""What is packed is what a function needs to start, on the machine that it will run on."""

import json
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from infra.app import add_stage, new_app
from infra.bundling import (
    BROUGHT_BY_RUNTIME,
    FUNCTIONS,
    BundlingError,
    SourceBundler,
    build_core,
    build_dependencies,
    export_requirements,
)
from infra.config import GRAVITON, PROD, THIS_MACHINE, BundleTarget
from infra.local.patience import PATIENCE_SECONDS
from tests.infra.templates import FUNCTION

pytestmark = pytest.mark.xdist_group("packaging")

# What Lambda's runtime brings beside the standard library: boto3 and what it needs itself.
RUNTIME_PACKAGES = (*BROUGHT_BY_RUNTIME, "jmespath", "dateutil", "six.py", "urllib3")
LARGEST_LAYERS_BYTES = 60 * 1024 * 1024


@pytest.fixture(scope="module")
def requirements() -> str:
    return export_requirements()


@pytest.fixture(scope="module")
def layers(requirements: str, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Both layers for this machine, as the local stage mounts them."""
    dependencies = tmp_path_factory.mktemp("dependencies") / "layer"
    core = tmp_path_factory.mktemp("core") / "layer"
    build_dependencies(requirements, THIS_MACHINE, dependencies)
    build_core(THIS_MACHINE, core)
    return [core / "python", dependencies / "python"]


@pytest.fixture(scope="module")
def production_layer(requirements: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("production") / "layer"
    build_dependencies(requirements, GRAVITON, output)
    return output / "python"


def test_production_gets_libraries_for_arm_and_its_python(production_layer: Path) -> None:
    libraries = [path.name for path in production_layer.rglob("*.so")]
    assert libraries
    for name in libraries:
        assert name.endswith((".cpython-313-aarch64-linux-gnu.so", ".abi3.so"))


def test_this_machine_gets_libraries_for_itself(layers: list[Path]) -> None:
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    libraries = [path.name for layer in layers for path in layer.rglob("*.so")]
    assert libraries
    assert all(name.endswith((suffix, ".abi3.so")) for name in libraries)


def test_both_machines_get_the_same_packages(layers: list[Path], production_layer: Path) -> None:
    def packages(folder: Path) -> set[str]:
        return {path.name for path in folder.iterdir()} - {"__pycache__"}

    assert packages(layers[1]) == packages(production_layer)


def test_what_the_runtime_brings_is_left_out(production_layer: Path) -> None:
    for package in BROUGHT_BY_RUNTIME:
        assert not (production_layer / package).exists()


def test_the_layers_leave_room_in_a_function(layers: list[Path]) -> None:
    size = sum(path.stat().st_size for layer in layers for path in layer.rglob("*"))
    assert size < LARGEST_LAYERS_BYTES


def test_bytecode_is_added_only_where_it_is_of_the_runtimes_version(
    layers: list[Path], production_layer: Path
) -> None:
    assert all(any(layer.rglob("*.pyc")) for layer in layers)
    made_here = sys.version_info[:2] == GRAVITON.python_version
    assert any(production_layer.rglob("*.pyc")) == made_here


def test_requirements_are_pinned_and_hashed(requirements: str) -> None:
    lines = [line for line in requirements.splitlines() if line and not line.startswith(" ")]
    assert lines
    assert all("==" in line and line.endswith("\\") for line in lines)
    assert "--hash=sha256:" in requirements


def test_a_platform_without_wheels_is_an_error_and_not_a_half_built_layer(
    requirements: str, tmp_path: Path
) -> None:
    nowhere = BundleTarget(python_version=(3, 13), platform="riscv64-manylinux_2_39")
    with pytest.raises(BundlingError):
        build_dependencies(requirements, nowhere, tmp_path / "layer")


@pytest.mark.parametrize("name", sorted(p.parent.name for p in FUNCTIONS.glob("*/handler.py")))
def test_a_handler_starts_with_its_layers_and_nothing_else(
    name: str, layers: list[Path], tmp_path: Path
) -> None:
    runtime = runtime_packages(tmp_path)
    path = [str(FUNCTIONS), *map(str, layers), str(runtime)]
    program = (
        f"import sys; sys.path[:0] = {path!r}\n"
        f"from {name}.handler import lambda_handler\n"
        "assert callable(lambda_handler)\n"
    )
    finished = subprocess.run(
        # No environment, no site-packages, no folder of the caller.
        [sys.executable, "-I", "-S", "-c", program],
        env={"AWS_DEFAULT_REGION": "us-east-1", "AWS_REGION": "us-east-1"},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr


def test_each_asset_holds_one_function_and_no_bytecode(tmp_path: Path) -> None:
    app = new_app(tmp_path)
    _, service = add_stage(app, PROD, SourceBundler())
    app.synth()
    template = json.loads((tmp_path / f"{service.stack_name}.template.json").read_text())
    functions = [r for r in template["Resources"].values() if r["Type"] == FUNCTION]
    assert functions
    for function in functions:
        name, _, _ = function["Properties"]["Handler"].partition(".")
        asset = tmp_path / f"asset.{Path(function['Properties']['Code']['S3Key']).stem}"
        assert [path.name for path in asset.iterdir()] == [name]
        assert (asset / name / "handler.py").is_file()
        assert not list(asset.rglob("*.pyc"))


def runtime_packages(folder: Path) -> Path:
    """A folder with boto3 and what it needs, from this environment, and nothing else of it."""
    site_packages = Path(sysconfig.get_path("purelib"))
    for package in RUNTIME_PACKAGES:
        (folder / package).symlink_to(site_packages / package)
    return folder
