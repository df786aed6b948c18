"""``python -m tests.infra.page_types`` writes the page's types from the API's own description."""

import json
import subprocess
import tempfile
from pathlib import Path

from infra.config import PROJECT_ROOT
from tests.unit.dashboard_api.world import World

DASHBOARD = PROJECT_ROOT / "infra" / "dashboard"
TYPES = DASHBOARD / "src" / "api" / "schema.ts"
NODE = PROJECT_ROOT / ".venv" / "bin" / "node"

_GENERATOR = DASHBOARD / "node_modules" / "openapi-typescript" / "bin" / "cli.js"
_TIMEOUT_SECONDS = 120


def page_types() -> str:
    """Return the types of the description that the API serves, as TypeScript."""
    document = World().caller(None).get("/openapi.json").json
    with tempfile.TemporaryDirectory() as folder:
        described, written = Path(folder, "openapi.json"), Path(folder, "schema.ts")
        described.write_text(json.dumps(document), encoding="utf-8")
        subprocess.run(
            [str(NODE), str(_GENERATOR), str(described), "--output", str(written)],
            check=True,
            capture_output=True,
            timeout=_TIMEOUT_SECONDS,
        )
        return written.read_text(encoding="utf-8")


if __name__ == "__main__":
    TYPES.write_text(page_types(), encoding="utf-8")
