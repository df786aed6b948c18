"""The script starts MiniStack and has it write down the requests of each role.

It is run by MiniStack's own interpreter, with the file to write to as its one argument. Each
combination of role, action and resource is one line of JSON, written when it is first seen:
transactions as the actions of their parts, as IAM itself sees them.
"""

import json
import runpy
import sys
from pathlib import Path
from typing import Any


def record_into(file: Path) -> None:
    """Have MiniStack's evaluation of policies write down each new request of a role."""
    from ministack.core import iam_evaluator  # type: ignore[import-not-found]  # noqa: PLC0415

    evaluate = iam_evaluator.evaluate
    seen = set[tuple[str, str, str]]()

    def evaluate_and_record(context: Any, *policies: Any) -> Any:
        asked = (context.principal_arn, context.action, context.resource_arn)
        if asked not in seen:
            seen.add(asked)
            line = dict(zip(("principal", "action", "resource"), asked, strict=True))
            with file.open("a", encoding="utf-8") as record:
                record.write(json.dumps(line) + "\n")
        return evaluate(context, *policies)

    iam_evaluator.evaluate = evaluate_and_record


if __name__ == "__main__":
    record_into(Path(sys.argv[1]))
    sys.argv[1:] = []
    runpy.run_module("ministack", run_name="__main__")
