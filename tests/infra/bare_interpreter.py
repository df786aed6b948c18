"""A bare interpreter has the functions, built layers and what Lambda's runtime brings, alone."""

import json
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from infra.bundling import FUNCTIONS, build_core, build_dependencies, export_requirements
from infra.config import THIS_MACHINE
from infra.local.patience import PATIENCE_SECONDS

# What Lambda's runtime brings beside the standard library: boto3 and what it needs itself.
RUNTIME_PACKAGES = (
    *("boto3", "botocore", "s3transfer", "jmespath"),
    *("dateutil", "six.py", "urllib3"),
)
NAMES = sorted(path.parent.name for path in FUNCTIONS.glob("*/handler.py"))
"""All functions."""

ENVIRONMENT = {
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "a-key",
    "AWS_SECRET_ACCESS_KEY": "a-secret",
    "POWERTOOLS_SERVICE_NAME": "bridge",
    "POWERTOOLS_METRICS_NAMESPACE": "bridge-test",
}
SETTINGS = """
import json
from bridge.wiring.settings import Settings

fields = [item for kind in Settings.__subclasses__() for item in kind.model_fields.items()]
print(json.dumps({
    name.upper(): "60" if field.annotation is int else "https://example.invalid/a-name"
    for name, field in fields
    if field.is_required()
}))
"""
"""It prints a value for each setting that some function cannot do without."""


class BareInterpreter:
    """A bare interpreter runs programs without site-packages or the caller's folder; all settings
    of functions are in its environment."""

    def __init__(self, core: Path, dependencies: Path, runtime: Path) -> None:
        self.core = core
        self.dependencies = dependencies
        self._path = [str(FUNCTIONS), str(core), str(dependencies), str(runtime)]
        self._environment = ENVIRONMENT
        self._environment = ENVIRONMENT | json.loads(self.run(SETTINGS))

    @classmethod
    def build(cls, folder: Path) -> "BareInterpreter":
        """Build both layers for this machine below the folder, as the local stage mounts them."""
        build_core(THIS_MACHINE, folder / "core")
        build_dependencies(export_requirements(), THIS_MACHINE, folder / "dependencies")
        runtime = folder / "runtime"
        runtime.mkdir()
        site_packages = Path(sysconfig.get_path("purelib"))
        for package in RUNTIME_PACKAGES:
            (runtime / package).symlink_to(site_packages / package)
        return cls(folder / "core" / "python", folder / "dependencies" / "python", runtime)

    def run(self, program: str) -> str:
        """Return what the program printed; fail with what it said when it failed."""
        finished = subprocess.run(
            [
                sys.executable,
                "-I",
                "-S",
                "-c",
                f"import sys; sys.path[:0] = {self._path}\n{program}",
            ],
            env=self._environment,
            cwd=tempfile.gettempdir(),
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        assert finished.returncode == 0, finished.stderr
        return finished.stdout
