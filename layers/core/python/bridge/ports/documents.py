"""The document store keeps PDFs."""

from __future__ import annotations

from typing import Protocol


class DocumentStore(Protocol):
    def put_pdf(self, key: str, content: bytes) -> None: ...

    def has_pdf(self, key: str) -> bool: ...

    def presign_pdf(self, key: str, *, file_name: str, lifetime_seconds: int) -> str: ...
