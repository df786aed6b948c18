"""Companies in memory."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence

from bridge.domain.company import CompanyClaim, CompanyProof
from bridge.domain.errors import ConflictError
from bridge.ports import Stored


class InMemoryCompanyStore:
    def __init__(self) -> None:
        self._claims: dict[str, Stored[CompanyClaim]] = {}
        self._proofs: dict[CompanyProof, str] = {}
        self._lock = threading.Lock()

    def find(self, proofs: Collection[CompanyProof]) -> Mapping[CompanyProof, str]:
        return {proof: self._proofs[proof] for proof in proofs if proof in self._proofs}

    def get(self, company_key: str) -> Stored[CompanyClaim]:
        return self._claims.get(company_key, Stored(None, 0))

    def save(
        self,
        claims: Sequence[tuple[CompanyClaim, int]],
        *,
        company_key: str = "",
        proofs: Mapping[CompanyProof, str] | None = None,
    ) -> None:
        proofs = proofs or {}
        with self._lock:
            moved = [self.get(claim.company_key).version != version for claim, version in claims]
            moved += [self._proofs.get(proof, "") != was for proof, was in proofs.items()]
            if any(moved):
                raise ConflictError("a claim or a proof moved on")
            for claim, version in claims:
                self._claims[claim.company_key] = Stored(claim, version + 1)
            self._proofs |= dict.fromkeys(proofs, company_key)
