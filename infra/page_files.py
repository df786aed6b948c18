"""`python -m infra.page_files --stage dev` puts the built page into the bucket of a stage.

The deploy makes the bucket and the distribution, and this fills them: the files that `make page`
built, and `config.json`, by which the same files serve every stage.
"""

import argparse
import json
import mimetypes
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from infra.config import PROJECT_ROOT, STAGES, stage_config

BUILT_PAGE = PROJECT_ROOT / "build" / "page"
CONFIG = "config.json"

_HASHED = "assets/"  # such a name changes with the content, so that a copy stays true for ever
_FOR_EVER = "public, max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"
_MAX_FILES = 1000


class PageNotBuiltError(Exception):
    """There is no built page to upload; `make page` builds it."""


@dataclass(frozen=True, kw_only=True)
class PageStage:
    """A page's place: where its files go, and the settings that it reads there."""

    bucket: str
    distribution_id: str
    config: Mapping[str, str]

    @classmethod
    def of(cls, outputs: Mapping[str, str]) -> "PageStage":
        """Return the place that the outputs of the service stack name."""
        return cls(
            bucket=outputs["PageBucket"],
            distribution_id=outputs["PageDistributionId"],
            config={
                "issuer": outputs["PageIssuer"],
                "login": outputs["LoginUrl"],
                "client_id": outputs["PageClientId"],
            },
        )


def upload_page(place: PageStage, *, s3: Any, cloudfront: Any, files: Path = BUILT_PAGE) -> None:
    """Upload the built page and its settings, then remove what no build of now names.

    The document comes last, as it names the others. Raises `PageNotBuiltError`.
    """
    names = _names(files)
    for name in sorted(names, key=lambda name: (not name.startswith(_HASHED), name)):
        _put(s3, place.bucket, name, (files / name).read_bytes())
    config = json.dumps(dict(place.config), indent=2, sort_keys=True)
    _put(s3, place.bucket, CONFIG, config.encode())
    _remove_others(s3, place.bucket, {*names, CONFIG})
    cloudfront.create_invalidation(
        DistributionId=place.distribution_id,
        InvalidationBatch={
            "Paths": {"Quantity": 1, "Items": ["/*"]},
            "CallerReference": str(uuid.uuid4()),
        },
    )


def _names(files: Path) -> list[str]:
    if not (files / "index.html").is_file():
        raise PageNotBuiltError(f"{files} has no page: run `make page`")
    return [path.relative_to(files).as_posix() for path in files.rglob("*") if path.is_file()]


def _put(s3: Any, bucket: str, name: str, content: bytes) -> None:
    kind, _ = mimetypes.guess_type(name)
    s3.put_object(
        Bucket=bucket,
        Key=name,
        Body=content,
        ContentType=kind or "application/octet-stream",
        CacheControl=_FOR_EVER if name.startswith(_HASHED) else _ASK_AGAIN,
    )


def _remove_others(s3: Any, bucket: str, kept: set[str]) -> None:
    listed = s3.list_objects_v2(Bucket=bucket, MaxKeys=_MAX_FILES).get("Contents", [])
    others = [{"Key": each["Key"]} for each in listed if each["Key"] not in kept]
    if others:
        s3.delete_objects(Bucket=bucket, Delete={"Objects": others})


def _outputs(stack: str) -> dict[str, str]:
    (found,) = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in found["Outputs"]}


def main() -> None:
    """Upload to the stage that the command line names, with the credentials of the environment."""
    parser = argparse.ArgumentParser("python -m infra.page_files", description=__doc__)
    parser.add_argument("--stage", choices=sorted(STAGES), required=True)
    stage = stage_config(parser.parse_args().stage)
    outputs = _outputs(f"bridge-{stage.name}-service")
    upload_page(PageStage.of(outputs), s3=boto3.client("s3"), cloudfront=boto3.client("cloudfront"))
    print(f"the page is at {outputs['PageUrl']}")


if __name__ == "__main__":
    main()
