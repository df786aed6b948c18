"""The document store keeps PDFs in a private S3 bucket and hands out links that end soon."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bridge.aws.errors import translated
from bridge.domain.errors import InvalidInputError, NotFoundError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CONTENT_TYPE = "application/pdf"
MAX_LIFETIME_SECONDS = 300
MAX_FILE_NAME_LENGTH = 100
_UNSAFE = re.compile(r"[^A-Za-z0-9 ._-]+")


class S3DocumentStore:
    """A bucket fulfils :class:`bridge.ports.DocumentStore`.

    ``client`` signs with version 4, which alone covers the headers of the answer. Telling an
    absent object from a forbidden one takes the right to list the bucket (S3's rule for HEAD).
    """

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put_pdf(self, key: str, content: bytes) -> None:
        with translated("S3"):
            self._client.put_object(
                Bucket=self._bucket, Key=key, Body=content, ContentType=CONTENT_TYPE
            )

    def has_pdf(self, key: str) -> bool:
        try:
            with translated("S3"):
                self._client.head_object(Bucket=self._bucket, Key=key)
        except NotFoundError:
            return False
        return True

    def presign_pdf(self, key: str, *, file_name: str, lifetime_seconds: int) -> str:
        """Return a link that makes a browser download the PDF instead of showing it.

        Raises InvalidInputError for a lifetime over MAX_LIFETIME_SECONDS.
        """
        if not 1 <= lifetime_seconds <= MAX_LIFETIME_SECONDS:
            raise InvalidInputError("lifetime is out of range", field="lifetime_seconds")
        with translated("S3"):
            return self._client.generate_presigned_url(
                "get_object",
                Params={
                    "Bucket": self._bucket,
                    "Key": key,
                    "ResponseContentType": CONTENT_TYPE,
                    "ResponseContentDisposition": (
                        f'attachment; filename="{safe_file_name(file_name)}"'
                    ),
                },
                ExpiresIn=lifetime_seconds,
            )


def safe_file_name(name: str) -> str:
    """Return a name that is safe in a header and on every file system, ending in ``.pdf``."""
    stem = _UNSAFE.sub("_", name.removesuffix(".pdf")).strip(" ._")
    return f"{stem[:MAX_FILE_NAME_LENGTH] or 'document'}.pdf"
