"""These parts of the third-party packages stay out of the layer, each for its reason.

A function needs none of them: `tests/infra/test_layer_parts.py` imports all our code from the built
layer alone, and reads which modules of the layer name a part that is left out.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path

UNUSED_PACKAGES: Mapping[str, str] = {
    "boto3": "The runtime brings it, 30 MB with botocore.",
    "botocore": "The runtime brings it.",
    "s3transfer": "The runtime brings it.",
    "jmespath": "The runtime brings it, since botocore needs it.",
    "anyio": "It is for asynchronous clients of httpx; httpcore starts without it.",
}

_POWERTOOLS = "aws_lambda_powertools"
_UTILITIES = f"{_POWERTOOLS}/utilities"
_ANOTHER_UTILITY = "It is a utility of its own, and we use loggers, routes and metrics."

UNUSED_PARTS: Mapping[str, str] = {
    f"{_POWERTOOLS}/event_handler/openapi/swagger_ui": "It is a page for browsers; the API serves "
    "its document as JSON.",
    f"{_POWERTOOLS}/event_handler/middlewares/schema_validation.py": "It checks by JSON schema, "
    "with a package that is missing here; routes check by types.",
    f"{_POWERTOOLS}/metrics/provider/datadog": "Metrics go to CloudWatch.",
    f"{_POWERTOOLS}/logging/formatters": "Logs go to CloudWatch.",
    f"{_UTILITIES}/auth_alpha": _ANOTHER_UTILITY,
    f"{_UTILITIES}/batch": _ANOTHER_UTILITY,
    f"{_UTILITIES}/circuit_breaker": _ANOTHER_UTILITY,
    f"{_UTILITIES}/data_masking": _ANOTHER_UTILITY,
    f"{_UTILITIES}/feature_flags": _ANOTHER_UTILITY,
    f"{_UTILITIES}/idempotency": _ANOTHER_UTILITY,
    f"{_UTILITIES}/kafka": _ANOTHER_UTILITY,
    f"{_UTILITIES}/metadata": _ANOTHER_UTILITY,
    f"{_UTILITIES}/parameters": _ANOTHER_UTILITY,
    f"{_UTILITIES}/parser": _ANOTHER_UTILITY,
    f"{_UTILITIES}/streaming": _ANOTHER_UTILITY,
    f"{_UTILITIES}/validation": _ANOTHER_UTILITY,
    "certifi/tests": "They are tests.",
    "httpx/_main.py": "It is a command line; httpx starts without it.",
    "idna/cli.py": "It is a command line.",
    "idna/uts46data.py": "It maps letters outside ASCII on request; httpx makes none, and our "
    "addresses are plain.",
    "pydantic/experimental": "We use what is settled.",
    "pydantic/mypy.py": "It is a plug-in of mypy.",
    "pydantic/v1": "It is pydantic's first version, for models of that time.",
}

UNUSED_FILES = ("*.dist-info", "*.pyi", "py.typed", ".lock")
"""These say who made a package, and its types; a function that runs reads neither."""


class UnknownPartError(Exception):
    """A part that is to be left out is missing in the packages: the list is older than they are."""


def leave_out_unused_parts(packages: Path) -> None:
    """Remove the unused parts and files from a folder of installed packages.

    Raises UnknownPartError for a part that the folder lacks.
    """
    for part in UNUSED_PARTS:
        if not (packages / part).exists():
            raise UnknownPartError(f"the packages have no {part}")
        _remove(packages / part)
    for pattern in UNUSED_FILES:
        for path in [*packages.rglob(pattern)]:
            _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
