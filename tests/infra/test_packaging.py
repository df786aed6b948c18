"""What is packed is what a function needs to start, on the machine that it will run on."""

import json
import sys
import sysconfig
from dataclasses import replace
from pathlib import Path

import pytest

from infra import app as cdk_app
from infra.app import add_stage, new_app
from infra.bundling import (
    BundlingError,
    SlowStartError,
    SourceBundler,
    build_dependencies,
    export_requirements,
    refuse_slow_start,
)
from infra.config import DEV, GRAVITON, LOCAL, PROD, PROJECT_ROOT, BundleTarget
from tests.infra.bare_interpreter import BareInterpreter
from tests.infra.templates import FUNCTION

pytestmark = pytest.mark.xdist_group("packaging")

LARGEST_LAYERS_BYTES = 18 * 1024 * 1024
"""Both layers with bytecode; pydantic's compiled part alone is 5 MB."""
OTHER_PYTHON = replace(GRAVITON, python_version=(sys.version_info.major, 99))


@pytest.fixture(scope="module")
def requirements() -> str:
    return export_requirements()


@pytest.fixture(scope="module")
def layers(bare: BareInterpreter) -> list[Path]:
    return [bare.core, bare.dependencies]


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


def test_the_layers_are_small(layers: list[Path]) -> None:
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


def test_a_deploy_without_the_runtimes_bytecode_is_refused_with_the_command_that_helps() -> None:
    for stage in (replace(DEV, target=OTHER_PYTHON), replace(PROD, target=OTHER_PYTHON)):
        with pytest.raises(SlowStartError) as refused:
            refuse_slow_start(stage)
        command = f"make deploy STAGE={stage.name} PYTHON={OTHER_PYTHON.runtime}"
        assert str(refused.value).endswith(command)


def test_a_deploy_to_this_machine_always_has_bytecode() -> None:
    refuse_slow_start(LOCAL)


def test_the_cdk_hears_the_refusal_before_anything_is_built(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cdk_app, "stage_config", lambda _: replace(DEV, target=OTHER_PYTHON))
    monkeypatch.setattr(cdk_app, "add_stage", lambda *_: pytest.fail("it was built"))
    with pytest.raises(SystemExit, match="PYTHON="):
        cdk_app.main()


def test_only_templates_to_look_at_may_do_without_bytecode() -> None:
    lines = (PROJECT_ROOT / "Makefile").read_text().splitlines()
    calls = [line.strip() for line in lines if line.startswith("\t$(CDK) ")]
    may_lack_it = {call.split()[1]: f"-c {cdk_app.WITHOUT_BYTECODE}=true" in call for call in calls}
    assert may_lack_it == {"synth": True, "deploy": False}


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
