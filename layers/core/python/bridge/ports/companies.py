"""The company store keeps which connection claims which ConnectWise company, and the proofs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from bridge.domain.company import CompanyClaim, CompanyProof
from bridge.ports.stored import Stored


class CompanyStore(Protocol):
    """Companies are kept by their keys, and found by proofs. Claims and proofs stay for ever."""

    def find(self, proofs: Collection[CompanyProof]) -> Mapping[CompanyProof, str]:
        """Return the company key that each known proof leads to, as of now."""
        ...

    def get(self, company_key: str) -> Stored[CompanyClaim]:
        """Return the company's present or last claim; version 0 for an unknown company."""
        ...

    def save(
        self,
        claims: Sequence[tuple[CompanyClaim, int]],
        *,
        company_key: str = "",
        proofs: Mapping[CompanyProof, str] | None = None,
    ) -> None:
        """Store claims, each with the version it must still have, and lead proofs to a company.

        Each proof comes with the company key that it must still lead to, "" for an unknown one.
        All is written together. Raises ConflictError when one of these moved.
        """
        ...
