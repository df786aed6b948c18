"""PDFs in memory."""

from __future__ import annotations

from bridge.aws.documents import MAX_LIFETIME_SECONDS
from bridge.domain.errors import InvalidInputError


class InMemoryDocuments:
    def __init__(self) -> None:
        self.contents: dict[str, bytes] = {}

    def put_pdf(self, key: str, content: bytes) -> None:
        self.contents[key] = content

    def has_pdf(self, key: str) -> bool:
        return key in self.contents

    def presign_pdf(self, key: str, *, file_name: str, lifetime_seconds: int) -> str:
        if not 1 <= lifetime_seconds <= MAX_LIFETIME_SECONDS:
            raise InvalidInputError("lifetime is out of range", field="lifetime_seconds")
        return f"memory:///{key}?file_name={file_name}&lifetime_seconds={lifetime_seconds}"
