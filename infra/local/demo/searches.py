"""The backfill runs, and a person searches as an accountant does."""

from __future__ import annotations

import os
import subprocess
import sys
from urllib.parse import quote

from infra.config import LOCAL, PROJECT_ROOT
from infra.local.demo.clients import NotObservedError
from infra.local.demo.scene import Scene
from infra.local.patience import PATIENCE_SECONDS


def search(scene: Scene) -> str:
    """Find an invoice by its number and its amount, and its customer by a word of the name."""
    told = _backfill(scene)
    invoice = scene.bridge.get("/v1/invoices?limit=1")["items"][0]
    customer = scene.bridge.get(f"/v1/customers/{invoice['customer_id']}")
    word = quote(customer["name"].split()[-1].lower())
    questions = {
        f"/v1/invoices?number=00{quote(invoice['number'].lower())}": invoice["id"],
        f"/v1/invoices?amount_minor={invoice['total']['amount_minor']}": invoice["id"],
        f"/v1/customers?name={word}": customer["id"],
    }
    for path, wanted in questions.items():
        if wanted not in {found["id"] for found in scene.bridge.items(path)}:
            raise NotObservedError(f"{path} does not find {wanted}")
    return f"{len(questions)} searches find what they should; {told}"


def _backfill(scene: Scene) -> str:
    """Run the operator's command; return its answer."""
    done = subprocess.run(  # our own program
        [sys.executable, "-m", "infra.search_backfill", "--stage", LOCAL.name],
        cwd=PROJECT_ROOT,
        env={
            **os.environ,
            **scene.system.aws.environment(),
            "PYTHONPATH": str(PROJECT_ROOT / "layers" / "core" / "python"),
        },
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    if done.returncode:
        raise NotObservedError(f"the backfill failed: {done.stderr[-300:]}")
    return done.stdout.strip()
